//! JSON, as much as settings, summaries and events need. A library for it would be larger than most plugins.

use std::fmt::{self, Write};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Keys and values, in their order.
    Object(Vec<(String, Json)>),
}

/// How deep values may be nested.
const DEEPEST: usize = 64;

impl Json {
    /// Reads one value.
    ///
    /// ```
    /// use tierd_plugin::json::Json;
    /// let json = Json::parse(r#" {"weights": [1, 2.5e1], "name": "A\u00e9"} "#).unwrap();
    /// assert_eq!(json.get("weights").unwrap().list().unwrap()[1].number(), Some(25.0));
    /// assert_eq!(json.to_string(), r#"{"weights":[1,25],"name":"Aé"}"#);
    /// ```
    ///
    /// # Errors
    /// Where it isn't JSON.
    pub fn parse(text: &str) -> Result<Json, &'static str> {
        let mut reader = Reader { rest: text };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.rest.is_empty() { Ok(value) } else { Err("something follows the JSON") }
    }

    /// The value at a key of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        if let Json::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Json]> {
        if let Json::List(list) = self { Some(list) } else { None }
    }

    /// An object of these.
    pub fn object<K: Into<String>, V: Into<Json>>(members: impl IntoIterator<Item = (K, V)>) -> Json {
        Json::Object(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<f64> for Json {
    fn from(number: f64) -> Self {
        Json::Number(number)
    }
}

impl From<bool> for Json {
    fn from(boolean: bool) -> Self {
        Json::Boolean(boolean)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::Text(text)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Boolean(boolean) => write!(f, "{boolean}"),
            Json::Number(number) if number.is_finite() => write!(f, "{number}"),
            Json::Number(_) => f.write_str("null"),
            Json::Text(text) => write_text(text, f),
            Json::List(list) => {
                f.write_char('[')?;
                for (index, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_char(']')
            }
            Json::Object(members) => {
                f.write_char('{')?;
                for (index, (key, value)) in members.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write_text(key, f)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn value(&mut self, depth: usize) -> Result<Json, &'static str> {
        if depth > DEEPEST {
            return Err("JSON is nested too deep");
        }
        self.blanks();
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(Json::Text),
            _ if self.take("null") => Ok(Json::Null),
            _ if self.take("true") => Ok(Json::Boolean(true)),
            _ if self.take("false") => Ok(Json::Boolean(false)),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, &'static str> {
        let mut members = Vec::new();
        self.take("{");
        if self.take("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let key = self.text()?;
            if !self.take(":") {
                return Err("a key without `:`");
            }
            members.push((key, self.value(depth + 1)?));
            match (self.take(","), self.take("}")) {
                (true, false) => {}
                (false, true) => return Ok(Json::Object(members)),
                _ => return Err("an object without end"),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, &'static str> {
        let mut list = Vec::new();
        self.take("[");
        if self.take("]") {
            return Ok(Json::List(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            match (self.take(","), self.take("]")) {
                (true, false) => {}
                (false, true) => return Ok(Json::List(list)),
                _ => return Err("a list without end"),
            }
        }
    }

    fn number(&mut self) -> Result<Json, &'static str> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let (number, rest) = self.rest.split_at(self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        number.parse().map(Json::Number).map_err(|_| "not a JSON value")
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        if !matches!(chars.next(), Some((_, '"'))) {
            return Err("not a JSON value");
        }
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => {
                    let escaped = chars.next().map(|(_, c)| c);
                    let mut unit =
                        || -> Option<u32> { (0..4).try_fold(0, |n, _| Some(n * 16 + chars.next()?.1.to_digit(16)?)) };
                    text.push(match escaped {
                        Some(c @ ('"' | '\\' | '/')) => c,
                        Some('b') => '\u{8}',
                        Some('f') => '\u{c}',
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some('u') => match unit().ok_or("a wrong escape in a text")? {
                            high @ 0xd800..0xdc00 => {
                                let low = (chars.next().map(|(_, c)| c), chars.next().map(|(_, c)| c))
                                    == (Some('\\'), Some('u'));
                                let mut unit =
                                    || (0..4).try_fold(0, |n, _| Some(n * 16 + chars.next()?.1.to_digit(16)?));
                                match unit().filter(|unit| low && (0xdc00..0xe000).contains(unit)) {
                                    Some(low) => char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)),
                                    None => None,
                                }
                            }
                            unit => char::from_u32(unit),
                        }
                        .ok_or("a wrong escape in a text")?,
                        _ => return Err("a wrong escape in a text"),
                    });
                }
                c => text.push(c),
            }
        }
        Err("a text without end")
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn what_is_written_is_read() {
        for text in
            ["null", "[]", "{}", "[1,-2.5,1000000,0.001]", r#"{"a":{"b":[true,false,null]},"c":"x\"y\\z\u000a中"}"#]
        {
            assert_eq!(Json::parse(text).map(|json| json.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Json::parse(r#""\ud83d\ude00\n""#), Ok(Json::Text("😀\n".to_owned())));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100);
        for text in [
            "",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "\"\\x\"",
            "\"\\ud83d\"",
            "\"open",
            "nul",
            "1 1",
            "--1",
            &deep,
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }
}
