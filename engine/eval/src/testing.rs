//! Building blocks of tests: expressions, columns and clocks by hand.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use tierd_model::{Clock, Date, Decimal, Timestamp, Type, Value, Zone, parse_date, parse_timestamp};
use tierd_rules::{Expr, ExprKind, FileId, Location};

use crate::columns::array_of;

/// A node that is written nowhere.
pub(crate) fn node(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, at: nowhere() }
}

pub(crate) fn nowhere() -> Location {
    Location { file: FileId(0), range: 0..0 }
}

pub(crate) fn column(index: usize, ty: Type) -> Expr {
    node(ExprKind::Column(index), ty)
}

pub(crate) fn literal(value: Value) -> Expr {
    let ty = value.ty();
    node(ExprKind::Literal(value), ty)
}

/// A column of these values.
pub(crate) fn array(ty: Type, values: &[Option<Value>]) -> ArrayRef {
    let rows: Vec<ArrayRef> = values.iter().map(|value| array_of(ty, value.as_ref(), 1)).collect();
    let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
    if rows.is_empty() { array_of(ty, None, 0) } else { arrow_select::concat::concat(&rows).unwrap() }
}

/// `2026-03-31T10:00` in a zone.
pub(crate) fn clock(as_of: &str, zone: &str) -> Clock {
    let zone = Arc::new(Zone::new(zone).unwrap());
    Clock::new(parse_timestamp(as_of.as_bytes()).unwrap().instant(&zone), zone)
}

pub(crate) fn integer(value: i64) -> Value {
    Value::Integer(value)
}

/// `12.50` as a decimal of the scale written.
pub(crate) fn decimal(text: &str) -> Value {
    Value::Decimal(Decimal::parse(text).unwrap())
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn date(text: &str) -> Value {
    Value::Date(parse_date(text.as_bytes()).unwrap())
}

pub(crate) fn days(days: i32) -> Value {
    Value::Date(Date(days))
}

pub(crate) fn instant(micros: i64) -> Value {
    Value::Timestamp(Timestamp(micros))
}
