//! Numbers, texts, dates, times and intervals.

use sqlparser::ast::{DataType, Expr as Sql, Interval, Spanned, TimezoneInfo, TypedString, Value};
use tierd_model::{CalendarSpan, Decimal, MAX_SCALE, parse_date, parse_timestamp};

use super::{Lower, Part};
use crate::{
    code,
    syntax::{node::NodeKind, tokens::Run},
};

impl Lower<'_> {
    /// A value as written; `sign` is what stands before it.
    pub(super) fn literal(&mut self, value: &Value, sign: &str, run: Run) -> Option<Part> {
        let kind = match value {
            Value::Number(digits, _) => self.number(&format!("{sign}{digits}"), run)?,
            _ if !sign.is_empty() => {
                return self.not_supported(run, "a minus before something other than a number", "leave it out");
            }
            Value::SingleQuotedString(text) => NodeKind::Text(text.as_str().into()),
            Value::Boolean(value) => NodeKind::Bool(*value),
            Value::Null => NodeKind::Null,
            _ => {
                let headline = "this kind of value isn't part of the rule language";
                return self.not_supported(run, headline, "text is written 'so'");
            }
        };
        Some(self.leaf(kind, run))
    }

    fn number(&mut self, digits: &str, run: Run) -> Option<NodeKind> {
        let size = digits.trim_start_matches('-');
        if size.contains(['e', 'E']) {
            return self.not_supported(run, "a number with an exponent", "write all its digits");
        }
        if size.starts_with('.') || size.ends_with('.') {
            let headline = format!("`{digits}` needs digits on both sides of the point");
            return self.wrong(code::EXPRESSION_SYNTAX, run, &headline, "write 0.5 or 5");
        }
        let found = match size.contains('.') {
            true => Decimal::parse(digits).filter(|number| number.scale <= MAX_SCALE).map(NodeKind::Decimal),
            false => digits.parse().ok().map(NodeKind::Integer),
        };
        found.or_else(|| {
            let headline = format!("the number {digits} has too many digits");
            let help = format!(
                "whole numbers go up to {}; decimals have at most {MAX_SCALE} digits after the point and 38 in all",
                i64::MAX
            );
            self.wrong(code::TOO_MANY_DIGITS, run, &headline, &help)
        })
    }

    /// `date '…'` and `timestamp '…'`.
    pub(super) fn typed_string(&mut self, typed: &TypedString) -> Option<Part> {
        let last = self.tokens.find(typed.value.span);
        let run = Run { first: last.saturating_sub(1), last };
        let Value::SingleQuotedString(text) = &typed.value.value else {
            return self.not_supported(run, "a typed value without text", "write date '2024-01-31'");
        };
        let (found, name, example) = match &typed.data_type {
            DataType::Date => (parse_date(text.as_bytes()).map(NodeKind::Date), "date", "2024-01-31"),
            DataType::Timestamp(None, TimezoneInfo::None) => {
                (parse_timestamp(text.as_bytes()).map(NodeKind::Timestamp), "timestamp", "2024-01-31 08:00:00")
            }
            _ => {
                let help = "there are date '…', timestamp '…' and interval '…'";
                return self.not_supported(run, "no value is written like this", help);
            }
        };
        match found {
            Some(kind) => Some(self.leaf(kind, run)),
            None => {
                let headline = format!("'{text}' is no {name}");
                self.wrong(code::BAD_LITERAL, Run::one(last), &headline, &format!("write it as {name} '{example}'"))
            }
        }
    }

    /// `interval '3 months'` and `interval '3' month`.
    pub(super) fn interval(&mut self, interval: &Interval) -> Option<Part> {
        let value = self.tokens.find(interval.value.span());
        let last = value + usize::from(interval.leading_field.is_some());
        let run = Run { first: value.saturating_sub(1), last };
        let unit = match interval.leading_field {
            Some(_) => self.tokens.token(last).map(|token| token.to_string().to_lowercase()).unwrap_or_default(),
            None => String::new(),
        };
        let span = quoted(&interval.value).and_then(|text| CalendarSpan::parse(&format!("{text} {unit}")).ok());
        match span {
            Some(span) => Some(self.leaf(NodeKind::Interval(span), run)),
            None => {
                let help =
                    "write interval '3 months': a whole number above 0 and days, weeks, months, quarters or years";
                self.wrong(code::BAD_LITERAL, run, "this is no interval", help)
            }
        }
    }
}

fn quoted(sql: &Sql) -> Option<&str> {
    match sql {
        Sql::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
