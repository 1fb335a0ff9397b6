//! The little of TOML that the proposal writes.

use tierd_model::Type;
use tierd_rules::{AmountEncoding, Encoding, TimeEncoding};

/// A basic string.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key: bare where TOML allows it.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { string(name) }
}

/// Text for a comment: one line.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The declaration of a column: `"text"`, or a table where there is more to say.
pub(super) fn column(ty: Type, encoding: Encoding, personal: bool, stored_as: Option<&str>) -> String {
    let mut parts = vec![format!("type = \"{ty}\"")];
    parts.extend(encoding_name(encoding).map(|name| format!("encoding = \"{name}\"")));
    parts.extend(stored_as.map(|name| format!("column = {}", string(name))));
    if personal {
        parts.push("personal = true".to_owned());
    }
    if parts.len() == 1 { format!("\"{ty}\"") } else { format!("{{ {} }}", parts.join(", ")) }
}

fn encoding_name(encoding: Encoding) -> Option<&'static str> {
    Some(match encoding {
        Encoding::Plain => return None,
        Encoding::Amount(AmountEncoding::MinorUnits) => "minor_units",
        Encoding::Amount(AmountEncoding::Real) => "real",
        Encoding::Amount(AmountEncoding::Text) => "text",
        Encoding::Time(TimeEncoding::Iso8601) => "iso8601",
        Encoding::Time(TimeEncoding::UnixSeconds) => "unix_seconds",
        Encoding::Time(TimeEncoding::UnixMilliseconds) => "unix_milliseconds",
        Encoding::Time(TimeEncoding::Yyyymmdd) => "yyyymmdd",
        Encoding::Time(TimeEncoding::JulianDay) => "julian_day",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_keys_are_quoted_where_needed() {
        assert_eq!(string("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
        assert_eq!(key("order_id"), "order_id");
        assert_eq!(key("姓名"), "\"姓名\"");
        assert_eq!(key("a.b"), "\"a.b\"");
    }

    #[test]
    fn columns_are_short_where_they_can_be() {
        assert_eq!(column(Type::Text, Encoding::Plain, false, None), "\"text\"");
        assert_eq!(
            column(Type::Decimal(2), Encoding::Amount(AmountEncoding::MinorUnits), false, Some("amount_cents")),
            r#"{ type = "decimal(2)", encoding = "minor_units", column = "amount_cents" }"#
        );
    }
}
