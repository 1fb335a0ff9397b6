use std::{fmt, sync::Arc};

use crate::{Date, Decimal, Timestamp, civil_from_days};

/// The type of a column, a metric or an expression. Any of them may also be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// UTF-8 text; only equality and prefix.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// An exact decimal with this many digits after the point.
    Decimal(u8),
    /// An IEEE 754 double; never mixed with exact numbers without a cast.
    Real,
    /// True or false.
    Bool,
    /// A calendar day.
    Date,
    /// An instant, to the microsecond.
    Timestamp,
}

impl Type {
    /// Integer or decimal: compared and added exactly.
    pub fn is_exact(self) -> bool {
        matches!(self, Type::Integer | Type::Decimal(_))
    }

    /// Any number.
    pub fn is_numeric(self) -> bool {
        self.is_exact() || self == Type::Real
    }

    /// Digits after the point of an exact number (an integer has none).
    pub fn scale(self) -> Option<u8> {
        match self {
            Type::Integer => Some(0),
            Type::Decimal(scale) => Some(scale),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Text => f.write_str("text"),
            Type::Integer => f.write_str("integer"),
            Type::Decimal(scale) => write!(f, "decimal({scale})"),
            Type::Real => f.write_str("real"),
            Type::Bool => f.write_str("bool"),
            Type::Date => f.write_str("date"),
            Type::Timestamp => f.write_str("timestamp"),
        }
    }
}

/// One value. Absence is `Option<Value>`, never a variant.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(Arc<str>),
    /// A 64-bit integer.
    Integer(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A double.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// A calendar day.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
}

impl Value {
    /// The type of this value.
    pub fn ty(&self) -> Type {
        match self {
            Value::Text(_) => Type::Text,
            Value::Integer(_) => Type::Integer,
            Value::Decimal(d) => Type::Decimal(d.scale),
            Value::Real(_) => Type::Real,
            Value::Bool(_) => Type::Bool,
            Value::Date(_) => Type::Date,
            Value::Timestamp(_) => Type::Timestamp,
        }
    }

    /// An exact number as a decimal.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Value::Integer(i) => Some(Decimal::new(i128::from(*i), 0)),
            Value::Decimal(d) => Some(*d),
            _ => None,
        }
    }
}

impl Value {
    /// What may be shown of a personal value: enough to recognise, too little to learn. The first character of a text and a
    /// star (`王*`; an empty text stays empty), of anything else a star alone.
    ///
    /// ```
    /// use tierd_model::Value;
    /// assert_eq!(Value::Text("王小明".into()).masked(), "王*");
    /// assert_eq!(Value::Integer(13_800_000_000).masked(), "*");
    /// ```
    pub fn masked(&self) -> String {
        match self {
            Value::Text(text) => text.trim_start().chars().next().map_or_else(String::new, |first| format!("{first}*")),
            _ => "*".to_owned(),
        }
    }
}

/// As a rule file would write it, without quotes: `12000.00`, `2026-03-01`, `2026-03-01T08:00:00Z`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(t) => t.fmt(f),
            Value::Integer(i) => i.fmt(f),
            Value::Decimal(d) => d.fmt(f),
            Value::Real(r) => r.fmt(f),
            Value::Bool(b) => b.fmt(f),
            Value::Date(d) => d.fmt(f),
            Value::Timestamp(t) => t.fmt(f),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(crate::MICROS);
        let micros = self.0.rem_euclid(crate::MICROS);
        let day = Date(seconds.div_euclid(86_400) as i32);
        let second = seconds.rem_euclid(86_400);
        write!(f, "{day}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}
