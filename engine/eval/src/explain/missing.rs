//! What would have to change for a level's condition to hold.
//!
//! Worked out on the verdicts that are there: of parts joined by `and` those that don't hold yet, of parts joined by
//! `or` all, as alternatives. `not` turns the question round. It says what is missing, not how likely it is to come
//! about.

use std::sync::Arc;

use tierd_model::{Decimal, Value};
use tierd_rules::CompareOp;

use super::LevelCheck;
use super::clauses::{Clause, ClauseKind, Side, Test, Verdict};

/// What is missing for a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// Index of the level.
    pub level: usize,
    /// Its name.
    pub name: String,
    /// What has to change; `None` if the level's own condition holds and only an UNKNOWN above it is in the way.
    pub need: Option<Need>,
}

/// What has to change.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// All of these.
    All(Vec<Need>),
    /// Any one of these.
    Any(Vec<Need>),
    /// One value.
    One(Box<Gap>),
}

/// The distance between what is and what is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// What has to change, with its value now.
    pub actual: Side,
    /// What it has to be.
    pub needed: Needed,
    /// By how much it has to change; `None` where that isn't a number or a value is NULL.
    pub difference: Option<Difference>,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Needed {
    /// In this relation to the other side.
    Compared(CompareOp, Side),
    /// Between both ends, these included.
    Within(Side, Side),
    /// Below the first or above the second.
    Outside(Side, Side),
    /// One of these.
    OneOf(Vec<Value>),
    /// Known, and none of these.
    NoneOf(Vec<Value>),
    /// Beginning so.
    StartingWith(Arc<str>),
    /// Known, and not beginning so.
    NotStartingWith(Arc<str>),
    /// NULL.
    Null,
    /// Not NULL.
    Known,
    /// True or false.
    Flag(bool),
}

/// By how much a value has to change: upwards if positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Difference {
    /// An exact number.
    Exact(Decimal),
    /// A real.
    Real(f64),
    /// Days, between dates.
    Days(i64),
    /// Microseconds, between instants.
    Micros(i64),
}

pub(super) fn missing(check: &LevelCheck) -> Missing {
    let need = check.condition.as_ref().and_then(|clause| need(clause, true));
    Missing { level: check.level, name: check.name.clone(), need }
}

/// What makes the clause TRUE (or FALSE, if not `wanted`); `None` if it is already.
fn need(clause: &Clause, wanted: bool) -> Option<Need> {
    if clause.verdict == (if wanted { Verdict::True } else { Verdict::False }) {
        return None;
    }
    let of = |parts: &[Clause]| parts.iter().filter_map(|part| need(part, wanted)).collect();
    Some(match &clause.kind {
        ClauseKind::Not(part) => return need(part, !wanted),
        ClauseKind::All(parts) if wanted => joined(of(parts), Need::All),
        ClauseKind::Any(parts) if !wanted => joined(of(parts), Need::All),
        ClauseKind::All(parts) | ClauseKind::Any(parts) => joined(of(parts), Need::Any),
        ClauseKind::Test(test) => Need::One(Box::new(gap(test, wanted))),
    })
}

/// A single need isn't worth a group.
fn joined(mut needs: Vec<Need>, group: fn(Vec<Need>) -> Need) -> Need {
    match (needs.len(), needs.pop()) {
        (1, Some(need)) => need,
        (_, last) => {
            needs.extend(last);
            group(needs)
        }
    }
}

/// The test's value against what makes it TRUE (or FALSE, if not `wanted`).
pub(super) fn gap(test: &Test, wanted: bool) -> Gap {
    let (actual, needed) = match test {
        Test::Compare { left, op, right } => {
            (left, Needed::Compared(if wanted { *op } else { opposite(*op) }, right.clone()))
        }
        Test::Between { value, low, high, negated } => {
            let ends = (low.clone(), high.clone());
            (value, if *negated != wanted { Needed::Within(ends.0, ends.1) } else { Needed::Outside(ends.0, ends.1) })
        }
        Test::In { value, list, negated } => {
            (value, if *negated != wanted { Needed::OneOf(list.clone()) } else { Needed::NoneOf(list.clone()) })
        }
        Test::IsNull { value, negated } => (value, if *negated != wanted { Needed::Null } else { Needed::Known }),
        Test::StartsWith { value, prefix, negated } => {
            let of = if *negated != wanted { Needed::StartingWith } else { Needed::NotStartingWith };
            (value, of(Arc::clone(prefix)))
        }
        Test::Flag(value) => (value, Needed::Flag(wanted)),
    };
    let difference = actual.value.as_ref().and_then(|actual| to_go(actual, &needed));
    Gap { actual: actual.clone(), needed, difference }
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Lt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Le => CompareOp::Gt,
    }
}

/// The way from a value to the nearest that is needed; to the bound where that has to be passed.
fn to_go(actual: &Value, needed: &Needed) -> Option<Difference> {
    match needed {
        Needed::Compared(CompareOp::Ne, _) => None,
        Needed::Compared(_, bound) => difference(actual, bound.value.as_ref()?),
        Needed::Within(low, high) => {
            let (up, down) = (difference(actual, low.value.as_ref()?)?, difference(actual, high.value.as_ref()?)?);
            Some(if up.is_upwards() { up } else { down })
        }
        _ => None,
    }
}

/// `to - from`, in the unit of their type.
fn difference(from: &Value, to: &Value) -> Option<Difference> {
    match (from, to) {
        (Value::Real(from), Value::Real(to)) => Some(Difference::Real(to - from)),
        (Value::Date(from), Value::Date(to)) => Some(Difference::Days(i64::from(to.0) - i64::from(from.0))),
        (Value::Timestamp(from), Value::Timestamp(to)) => Some(Difference::Micros(to.0.checked_sub(from.0)?)),
        (from, to) => {
            let (from, to) = (from.as_decimal()?, to.as_decimal()?);
            let scale = from.scale.max(to.scale);
            let units = to.rescale_exact(scale)?.units.checked_sub(from.rescale_exact(scale)?.units)?;
            Some(Difference::Exact(Decimal::new(units, scale)))
        }
    }
}

impl Difference {
    /// Whether the value has to rise.
    pub fn is_upwards(&self) -> bool {
        match self {
            Difference::Exact(by) => by.units > 0,
            Difference::Real(by) => *by > 0.0,
            Difference::Days(by) => *by > 0,
            Difference::Micros(by) => *by > 0,
        }
    }

    /// Whether the value stands on a bound that it has to pass.
    pub fn is_zero(&self) -> bool {
        match self {
            Difference::Exact(by) => by.units == 0,
            Difference::Real(by) => *by == 0.0,
            Difference::Days(by) => *by == 0,
            Difference::Micros(by) => *by == 0,
        }
    }
}
