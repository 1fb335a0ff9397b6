use proptest::prelude::*;
use tierd_model::{Type, Value};
use tierd_rules::CompareOp;

use super::*;
use crate::{
    expr::CHUNK,
    testing::{array, clock, column, compare, integer, tier_set},
};

fn table(columns: &[&[Option<Value>]]) -> Metrics {
    let ty = |values: &[Option<Value>]| values.iter().flatten().next().map_or(Type::Integer, Value::ty);
    let columns: Vec<_> = columns.iter().map(|values| Some(array(ty(values), values))).collect();
    let subjects = columns[0].as_ref().map_or(0, |column| column.len());
    Metrics { columns, cut_points: vec![], subjects }
}

/// Levels above `bounds` of the one metric; the lowest has no condition.
fn above(unknown: Unknown, bounds: &[i64]) -> TierSet {
    let when = |bound: &i64| Some(compare(0, CompareOp::Ge, integer(*bound)));
    tier_set(unknown, std::iter::once(None).chain(bounds.iter().map(when)).collect())
}

fn now() -> Clock {
    clock("2026-03-31T10:00", "UTC")
}

#[test]
fn the_highest_true_level_wins() {
    let spend = [0, 4999, 5000, 10_000].map(|v| Some(integer(v)));
    let graded = grade(&above(Unknown::Error, &[5000, 10_000]), &table(&[&spend]), &now()).unwrap();
    assert_eq!(graded.earned, [0, 0, 1, 2]);
    assert_eq!(distribution(&graded.earned, 3), (vec![2, 1, 1], 0));
}

#[test]
fn a_lowest_level_with_a_condition_may_leave_subjects_without_level() {
    let set = tier_set(Unknown::Keep, vec![Some(compare(0, CompareOp::Ge, integer(1)))]);
    let graded = grade(&set, &table(&[&[Some(integer(0)), Some(integer(1))]]), &now()).unwrap();
    assert_eq!(graded.earned, [NONE, 0]);
    assert_eq!(distribution(&graded.earned, set.levels.len()), (vec![1], 1));
}

/// Three levels; the middle one and the top one look at a metric each.
fn three(unknown: Unknown) -> TierSet {
    let bound = |metric| Some(compare(metric, CompareOp::Ge, integer(1)));
    tier_set(unknown, vec![None, bound(0), bound(1)])
}

fn unknowns() -> Metrics {
    let (yes, no) = (Some(integer(1)), Some(integer(0)));
    // By subject: middle TRUE, top UNKNOWN · middle UNKNOWN · both UNKNOWN · top TRUE, middle UNKNOWN · all known
    let (middle, top) = ([yes.clone(), None, None, None, no.clone()], [None, no.clone(), None, yes, no]);
    table(&[&middle, &top])
}

#[test]
fn unknown_is_counted_where_it_was_met_before_a_true_level() {
    let graded = grade(&three(Unknown::Keep), &unknowns(), &now()).unwrap();
    assert_eq!(graded.earned, [1, 0, 0, 2, 0]);
    assert_eq!(graded.unknown_per_level, [0, 2, 2]);
    let at = |subject, level| UnknownAt { subject, level };
    assert_eq!(graded.needs_held(), [at(0, 2), at(1, 1), at(2, 2)]);
}

#[test]
fn keep_keeps_a_held_level_that_is_higher_than_the_proven_one() {
    for (held, expected) in
        [(Some(2), [2, 2, 2, 2, 0]), (Some(1), [1, 1, 1, 2, 0]), (Some(0), [1, 0, 0, 2, 0]), (None, [1, 0, 0, 2, 0])]
    {
        let mut graded = grade(&three(Unknown::Keep), &unknowns(), &now()).unwrap();
        graded.settle(|_| held);
        assert_eq!(graded.earned, expected, "{held:?}");
    }
}

#[test]
fn keep_gives_the_held_level_where_none_is_proven() {
    let set = tier_set(Unknown::Keep, vec![Some(compare(0, CompareOp::Ge, integer(1)))]);
    let mut graded = grade(&set, &table(&[&[None, None]]), &now()).unwrap();
    assert_eq!(graded.earned, [NONE, NONE]);
    graded.settle(|subject| (subject == 1).then_some(0));
    assert_eq!(graded.earned, [NONE, 0]);
}

#[test]
fn lowest_ignores_what_is_proven_below_an_unknown() {
    let mut graded = grade(&three(Unknown::Lowest), &unknowns(), &now()).unwrap();
    assert_eq!(graded.needs_held(), []);
    graded.settle(|_| Some(2));
    assert_eq!(graded.earned, [0, 0, 0, 2, 0]);
}

#[test]
fn error_names_the_first_subjects() {
    let error = grade(&three(Unknown::Error), &unknowns(), &now()).unwrap_err();
    assert_eq!((error.count, error.first.len(), error.first[1]), (3, 3, UnknownAt { subject: 1, level: 1 }));
    assert_eq!(
        error.to_string(),
        "conditions of tier set `value` are UNKNOWN for 3 subjects, and the set says `unknown = \"error\"`"
    );
    let all_known = table(&[&[Some(integer(0))], &[Some(integer(1))]]);
    assert_eq!(grade(&three(Unknown::Error), &all_known, &now()).unwrap().earned, [2]);
}

#[test]
fn error_counts_unknown_conditions_to_keep_a_level_above_the_earned_one() {
    let mut set = above(Unknown::Error, &[5, 10]);
    (set.levels[1].keep, set.levels[2].keep) = (compare_1(4), compare_1(9));
    let spend = [0, 5, 10].map(|spend| Some(integer(spend)));
    let error = grade(&set, &table(&[&spend, &[None, None, None]]), &now()).unwrap_err();
    assert_eq!(error.first, [UnknownAt { subject: 0, level: 2 }, UnknownAt { subject: 1, level: 2 }]);
    let known = [None, Some(integer(0)), None];
    let error = grade(&set, &table(&[&spend, &known]), &now()).unwrap_err();
    assert_eq!(error.first, [UnknownAt { subject: 0, level: 2 }]);
}

/// The other metric is at least this.
fn compare_1(bound: i64) -> Option<tierd_rules::Expr> {
    Some(compare(1, CompareOp::Ge, integer(bound)))
}

#[test]
fn chunks_are_graded_as_one() {
    let subjects = 2 * CHUNK + 3;
    let spend: Vec<_> = (0..subjects as i64).map(|i| (i % 5 > 0).then(|| integer(i % 3))).collect();
    let graded = grade(&above(Unknown::Keep, &[1, 2]), &table(&[&spend]), &now()).unwrap();
    let expected: Vec<u16> = (0..subjects as u16).map(|i| if i % 5 > 0 { i % 3 } else { 0 }).collect();
    assert_eq!(graded.earned, expected);
    let unknown: Vec<u32> = graded.unknown.iter().map(|unknown| unknown.subject).collect();
    assert_eq!(unknown, (0..subjects as u32).filter(|i| i % 5 == 0).collect::<Vec<_>>());
}

proptest! {
    /// Against one subject at a time: verdicts as given by three columns of truth values.
    #[test]
    fn grading_is_the_first_true_from_the_top(
        verdicts in prop::collection::vec([any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>()], 1..50),
        held in prop::option::of(0u16..3),
    ) {
        let columns: Vec<Vec<_>> = (0..3).map(|level| verdicts.iter().map(|v| v[level].map(Value::Bool)).collect()).collect();
        let columns = columns.iter().map(|values| Some(array(Type::Bool, values))).collect();
        let metrics = Metrics { columns, cut_points: vec![], subjects: verdicts.len() };
        let set = tier_set(Unknown::Keep, (0..3).map(|level| Some(column(level, Type::Bool))).collect());
        let mut graded = grade(&set, &metrics, &now()).unwrap();
        graded.settle(|_| held);
        for (subject, verdicts) in verdicts.iter().enumerate() {
            let proven = (0..3u16).rev().find(|level| verdicts[usize::from(*level)] == Some(true));
            let met = (proven.map_or(0, |level| level + 1)..3).any(|level| verdicts[usize::from(level)].is_none());
            let expected = if met { proven.max(held) } else { proven };
            prop_assert_eq!(graded.earned[subject], expected.unwrap_or(NONE));
        }
    }
}
