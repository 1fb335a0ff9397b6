//! `empty`: a TOML constant as a value of a metric's type.

use tierd_model::{Decimal, Type, Value, Zone, parse_date, parse_timestamp};

use super::Checking;
use crate::{
    code,
    raw::{At, values::Constant},
};

impl Checking<'_> {
    /// The value; `Some(None)` for NULL.
    pub(super) fn empty(&mut self, written: &At<Constant>, ty: Type, zone: &Zone) -> Option<Option<Value>> {
        let constant = written.value.as_ref()?;
        if *constant == Constant::Text("null".to_owned()) {
            return Some(None);
        }
        let found = constant_of(constant, ty, zone);
        if found.is_none() {
            let headline = format!("the metric is {ty}, and this is no such value");
            let help = format!("write a value such as {}, or \"null\"", example(ty));
            self.error(code::BAD_EMPTY, &written.at, headline, help);
        }
        found.map(Some)
    }
}

/// A value of this type, as a file may write it.
pub(super) fn example(ty: Type) -> &'static str {
    match ty {
        Type::Text => "\"none\"",
        Type::Integer => "0",
        Type::Decimal(_) | Type::Real => "0 or 0.5",
        Type::Bool => "false",
        Type::Date => "2024-01-31",
        Type::Timestamp => "2024-01-31T08:00:00Z",
    }
}

/// The constant as a value of this type.
pub(super) fn constant_of(constant: &Constant, ty: Type, zone: &Zone) -> Option<Value> {
    match (ty, constant) {
        (Type::Text, Constant::Text(text)) => Some(Value::Text(text.as_str().into())),
        (Type::Integer, Constant::Number(digits)) => digits.parse().ok().map(Value::Integer),
        (Type::Decimal(scale), Constant::Number(digits)) => {
            Decimal::parse(digits)?.rescale_exact(scale).map(Value::Decimal)
        }
        (Type::Real, Constant::Number(digits)) => digits.parse().ok().filter(|r: &f64| r.is_finite()).map(Value::Real),
        (Type::Bool, Constant::Bool(value)) => Some(Value::Bool(*value)),
        (Type::Date, Constant::Text(text) | Constant::Time(text)) => parse_date(text.as_bytes()).map(Value::Date),
        (Type::Timestamp, Constant::Text(text) | Constant::Time(text)) => {
            parse_timestamp(text.as_bytes()).map(|time| Value::Timestamp(time.instant(zone)))
        }
        _ => None,
    }
}
