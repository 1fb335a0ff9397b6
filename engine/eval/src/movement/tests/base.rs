//! A ladder of four levels over two numbers: one to enter, one to stay.

use tierd_model::Type;
use tierd_rules::{CompareOp, Movement, TierSet, Unknown};

use crate::{
    derive::Metrics,
    testing::{array, compare, integer, tier_set},
};

pub(super) const LEVELS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];

/// What must be reached to enter each level, and to keep it where keep conditions are on.
pub(super) const ENTER: [i64; 4] = [1, 10, 20, 30];
pub(super) const KEEP: [i64; 4] = [1, 5, 15, 25];

/// What is known of a subject on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) enter: Option<i64>,
    pub(super) keep: Option<i64>,
}

/// Variants of the ladder's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conditions {
    /// All levels but the lowest have keep conditions.
    pub(super) keep: bool,
    /// The lowest level has a condition.
    pub(super) lowest: bool,
    pub(super) unknown: Unknown,
    pub(super) ordered: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Conditions { keep: false, lowest: false, unknown: Unknown::Keep, ordered: true }
    }
}

pub(super) fn ladder(movement: Movement, conditions: &Conditions) -> TierSet {
    let at_least = |metric, bound| Some(compare(metric, CompareOp::Ge, integer(bound)));
    let when = |level| if level > 0 || conditions.lowest { at_least(0, ENTER[level]) } else { None };
    let mut set = tier_set(conditions.unknown, (0..LEVELS.len()).map(when).collect());
    set.movement = movement;
    set.ordered = conditions.ordered;
    if conditions.keep {
        (1..LEVELS.len()).for_each(|level| set.levels[level].keep = at_least(1, KEEP[level]));
    }
    set
}

pub(super) fn metrics(facts: &[Facts]) -> Metrics {
    let column = |value: fn(&Facts) -> Option<i64>| {
        let values: Vec<_> = facts.iter().map(|facts| value(facts).map(integer)).collect();
        Some(array(Type::Integer, &values))
    };
    Metrics {
        columns: vec![column(|facts| facts.enter), column(|facts| facts.keep)],
        cut_points: vec![],
        subjects: facts.len(),
    }
}
