//! Reading a TOML tree into structs, every mistake reported at its place.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::{FileId, Location},
    suggest::nearest,
};

/// Where mistakes of the file that is being read go.
pub(crate) struct Reading<'a> {
    pub(crate) file: FileId,
    pub(crate) out: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    pub(crate) fn location(&self, range: Range<usize>) -> Location {
        Location { file: self.file, range }
    }

    /// Reports a value of another TOML type than `wanted`.
    pub(crate) fn wrong_type<T>(&mut self, item: &Item<'_, '_>, wanted: &str) -> Option<T> {
        let found = match item.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let headline = format!("expected {wanted}, found {found}");
        self.out.push(Diagnostic::error(code::WRONG_VALUE_TYPE, &self.location(item.value.span()), headline));
        None
    }
}

/// A value in its table: with the place of the key that it stands under.
pub(crate) struct Item<'a, 'i> {
    pub(crate) key: Range<usize>,
    pub(crate) value: &'a Spanned<DeValue<'i>>,
}

/// What can be read from a TOML value. `None` means: not readable, and reported.
pub(crate) trait Read: Sized {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self>;

    /// Reads a whole file.
    fn read_root(root: Spanned<DeTable<'_>>, cx: &mut Reading<'_>) -> Option<Self> {
        let value = Spanned::new(0..0, DeValue::Table(root.into_inner()));
        Self::read(&Item { key: 0..0, value: &value }, cx)
    }
}

/// A value as written, and where. `value` is `None` where it couldn't be read, which is reported.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: Option<T>,
    pub(crate) at: Location,
}

impl<T: Read> Read for At<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let value = T::read(item, cx);
        Some(At { value, at: cx.location(item.value.span()) })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A name that a file gives to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: Location,
}

/// Tables under names that the file chooses, in the order written: `[metric.NAME]`.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) Vec<(Name, At<T>)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(vec![])
    }
}

impl<T: Read> Read for Named<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Table(table) = item.value.get_ref() else {
            return cx.wrong_type(item, "a table");
        };
        let mut entries = vec![];
        for (key, value) in in_order(table) {
            let name = Name { text: key.get_ref().to_string(), at: cx.location(key.span()) };
            let entry = At::read(&Item { key: key.span(), value }, cx);
            entries.extend(entry.map(|entry| (name, entry)));
        }
        Some(Named(entries))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        <BTreeMap<String, T>>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<BTreeMap<String, T>>()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Array(array) = item.value.get_ref() else {
            return cx.wrong_type(item, "a list");
        };
        Some(array.iter().filter_map(|value| T::read(&Item { key: value.span(), value }, cx)).collect())
    }
}

impl Read for String {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => cx.wrong_type(item, "a string in quotes"),
        }
    }
}

impl Read for bool {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => cx.wrong_type(item, "true or false"),
        }
    }
}

impl Read for u16 {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Integer(number) = item.value.get_ref() else {
            return cx.wrong_type(item, "a whole number");
        };
        let value = u16::from_str_radix(number.as_str(), number.radix()).ok();
        if value.is_none() {
            let headline = format!("expected a whole number from 0 to {}", u16::MAX);
            cx.out.push(Diagnostic::error(code::OUT_OF_RANGE, &cx.location(item.value.span()), headline));
        }
        value
    }
}

/// The entries of a table in the order written.
pub(crate) fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A table whose keys are known: unknown ones are reported as soon as it is opened.
pub(crate) struct Table<'a, 'i> {
    entries: &'a DeTable<'i>,
    key: Range<usize>,
    what: &'static str,
}

impl<'a, 'i> Table<'a, 'i> {
    pub(crate) fn open(
        item: &Item<'a, 'i>,
        what: &'static str,
        keys: &[&'static str],
        cx: &mut Reading<'_>,
    ) -> Option<Self> {
        let DeValue::Table(entries) = item.value.get_ref() else {
            return cx.wrong_type(item, &format!("a table for {what}"));
        };
        for (key, _) in in_order(entries) {
            if !keys.contains(&&**key.get_ref()) {
                cx.out.push(unknown_key(key.get_ref(), &cx.location(key.span()), what, keys));
            }
        }
        Some(Table { entries, key: item.key.clone(), what })
    }

    /// The value under a key that may be absent.
    pub(crate) fn optional<T: Read>(&self, key: &str, cx: &mut Reading<'_>) -> Option<T> {
        let (key, value) = self.entries.get_key_value(key)?;
        T::read(&Item { key: key.span(), value }, cx)
    }

    /// The value under a key that must be there.
    pub(crate) fn required<T: Read>(&self, key: &str, cx: &mut Reading<'_>) -> At<T> {
        let found: Option<At<T>> = self.optional(key, cx);
        if found.is_none() {
            let headline = format!("{} has no `{key}`", self.what);
            cx.out.push(Diagnostic::error(code::MISSING_KEY, &cx.location(self.key.clone()), headline));
        }
        found.unwrap_or_else(|| At { value: None, at: cx.location(self.key.clone()) })
    }
}

fn unknown_key(key: &str, at: &Location, what: &str, keys: &[&'static str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(code::UNKNOWN_KEY, at, format!("{what} has no key `{key}`"));
    match nearest(key, keys.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("its keys are {}", list(keys))),
    }
}

/// `a`, `b` and `c`, in backticks.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A key as TOML has it, from the name of a field: `r#where` is `where`.
pub(crate) const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A struct for a table with known keys: the struct itself, its [`Read`] and its JSON Schema. Each key says whether it is
/// `required` or `optional`; what is in quotes names the table in diagnostics.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $name:ident = $what:literal {
            $($(#[$field_meta:meta])* $presence:ident $field:ident : $ty:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $crate::raw::read::table!(@type $presence $ty),)*
        }

        impl $crate::raw::read::Read for $name {
            fn read(item: &$crate::raw::read::Item<'_, '_>, cx: &mut $crate::raw::read::Reading<'_>) -> Option<Self> {
                const KEYS: &[&str] = &[$($crate::raw::read::key(stringify!($field))),*];
                let table = $crate::raw::read::Table::open(item, $what, KEYS, cx)?;
                Some($name {
                    $($field: $crate::raw::read::table!(@read table cx $presence $field),)*
                })
            }
        }
    };
    (@type required $ty:ty) => { $crate::raw::read::At<$ty> };
    (@type optional $ty:ty) => { Option<$crate::raw::read::At<$ty>> };
    (@read $table:ident $cx:ident required $field:ident) => {
        $table.required($crate::raw::read::key(stringify!($field)), $cx)
    };
    (@read $table:ident $cx:ident optional $field:ident) => {
        $table.optional($crate::raw::read::key(stringify!($field)), $cx)
    };
}
pub(crate) use table;

/// A closed set of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$word_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub(crate) enum $name {
            $($(#[$word_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::raw::read::Read for $name {
            fn read(item: &$crate::raw::read::Item<'_, '_>, cx: &mut $crate::raw::read::Reading<'_>) -> Option<Self> {
                match String::read(item, cx)?.as_str() {
                    $($word => Some($name::$variant),)*
                    other => $crate::raw::read::unknown_word(other, &[$($word),*], item, cx),
                }
            }
        }
    };
}
pub(crate) use words;

/// Reports a word that isn't among those that its key takes.
pub(crate) fn unknown_word<T>(word: &str, words: &[&str], item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<T> {
    let at = cx.location(item.value.span());
    let diagnostic = Diagnostic::error(code::UNKNOWN_VALUE, &at, format!("`{word}` is no value of this key"));
    cx.out.push(match nearest(word, words.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")),
        None => diagnostic.help(format!("its values are {}", list(words))),
    });
    None
}
