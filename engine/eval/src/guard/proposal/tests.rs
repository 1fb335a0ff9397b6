use proptest::prelude::*;
use tierd_rules::{TierSetId, Unknown};

use super::*;
use crate::plugin::NoPlugins;
use crate::{
    due::Due,
    evaluate::evaluate,
    history::{History, OverrideKind, PolicyState, RuleState},
    testing::{array, clock, compare, date, decimal, given, integer, literal, metric, node, rule_set, tier_set},
};

const TYPES: [Type; 4] = [Type::Integer, Type::Decimal(2), Type::Real, Type::Date];

/// A value of each type, in the order of numbers.
fn value(ty: Type, number: i64) -> Value {
    match ty {
        Type::Decimal(scale) => Value::Decimal(Decimal::new(i128::from(number), scale)),
        Type::Real => Value::Real(number as f64 / 4.0),
        Type::Date => Value::Date(Date(number as i32)),
        _ => integer(number),
    }
}

/// `metric op constant and other >= constant` for L2, `other >= constant` for L1.
#[derive(Debug, Clone)]
struct Ladder {
    ty: Type,
    op: CompareOp,
    lowest: bool,
    unknown: Unknown,
    ordered: bool,
}

impl Ladder {
    fn set(&self, metric: Value, other: i64, below: i64) -> TierSet {
        let both = vec![compare(0, self.op, metric), compare(1, CompareOp::Ge, integer(other))];
        let top = node(ExprKind::And(both), Type::Bool);
        let lowest = self.lowest.then(|| compare(1, CompareOp::Ge, integer(1)));
        let conditions = vec![lowest, Some(compare(1, CompareOp::Ge, integer(below))), Some(top)];
        TierSet { ordered: self.ordered, ..tier_set(self.unknown, conditions) }
    }
}

/// Levels before, and overrides.
struct Before(Vec<Held>, Vec<Override>);

impl History for Before {
    type Error = std::convert::Infallible;

    fn held(&self, _: TierSetId) -> Result<Vec<Held>, Self::Error> {
        Ok(self.0.clone())
    }

    fn overrides(&self, _: TierSetId) -> Result<Vec<Override>, Self::Error> {
        Ok(self.1.clone())
    }

    fn rule_states(&self, _: tierd_rules::RuleId) -> Result<Vec<(u32, RuleState)>, Self::Error> {
        Ok(Vec::new())
    }
}

fn at(level: u16) -> Held {
    let since = Timestamp(i64::from(level != NONE));
    Held { level, since, state: PolicyState::at(level) }
}

fn rules(ty: Type, set: TierSet) -> RuleSet {
    use tierd_rules::MetricKind::Attribute;
    rule_set(vec![metric("spend", ty, Attribute(0)), metric("visits", Type::Integer, Attribute(1))], vec![set])
}

fn outcome(rules: &RuleSet, rows: &[(Option<Value>, Option<i64>)], before: &Before) -> Outcome {
    let first: Vec<_> = rows.iter().map(|(value, _)| value.clone()).collect();
    let second: Vec<_> = rows.iter().map(|(_, value)| value.map(integer)).collect();
    let columns = vec![Some(array(rules.metrics[0].ty, &first)), Some(array(Type::Integer, &second))];
    evaluate(rules, vec![given(0, rows.len(), columns)], before, &NoPlugins, &Due::ALL, &now()).unwrap()
}

fn now() -> Clock {
    clock("2026-03-31T10:00", "UTC")
}

/// How many subjects hold L2.
fn members(rules: &RuleSet, rows: &[(Option<Value>, Option<i64>)], before: &Before) -> u64 {
    outcome(rules, rows, before).sets[0].distribution().0[2]
}

/// The largest value below.
fn one_less(value: &Value) -> Value {
    match value {
        Value::Integer(value) => integer(value - 1),
        Value::Decimal(value) => Value::Decimal(Decimal::new(value.units - 1, value.scale)),
        Value::Real(value) => Value::Real(value.next_down()),
        Value::Date(day) => Value::Date(Date(day.0 - 1)),
        other => panic!("{other:?}"),
    }
}

type Subject = (Option<i64>, Option<i64>, u16, Option<u16>);

fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    let number = || prop::option::weighted(0.9, -5..12i64);
    let level = || prop_oneof![3 => 0..3u16, 1 => Just(NONE)];
    prop::collection::vec((number(), number(), level(), prop::option::weighted(0.1, 0..3u16)), 1..40)
}

fn ladders() -> impl Strategy<Value = Ladder> {
    let op = prop_oneof![Just(CompareOp::Ge), Just(CompareOp::Gt)];
    let unknown = prop_oneof![Just(Unknown::Keep), Just(Unknown::Lowest)];
    let ty = prop::sample::select(TYPES.to_vec());
    (ty, op, any::<bool>(), unknown, any::<bool>()).prop_map(|(ty, op, lowest, unknown, ordered)| Ladder {
        ty,
        op,
        lowest,
        unknown,
        ordered,
    })
}

proptest! {
    /// With the constant that is proposed the level has no more subjects than allowed, with the next smaller one it has more; and what
    /// isn't proposed isn't possible.
    #[test]
    fn a_proposal_is_the_smallest_constant_that_is_enough(
        ladder in ladders(),
        subjects in subjects(),
        constants in (-4..8i64, -4..8i64, -4..8i64),
        most in 0..1_000_000u32,
    ) {
        let ty = ladder.ty;
        let rows: Vec<_> = subjects.iter().map(|&(a, b, ..)| (a.map(|a| value(ty, a)), b)).collect();
        let pins = (0..).zip(&subjects).filter_map(|(subject, of)| {
            of.3.map(|level| Override { subject, kind: OverrideKind::Pin, level })
        });
        let before = Before(subjects.iter().map(|of| at(of.2)).collect(), pins.collect());
        let (spend, visits, below) = constants;
        let of = |spend: Value, visits: i64| rules(ty, ladder.set(spend, visits, below));
        let rules = of(value(ty, spend), visits);
        let outcome = outcome(&rules, &rows, &before);
        let allowed = subjects.len() as u64 * u64::from(most) / 1_000_000;
        let now_ = outcome.sets[0].distribution().0[2];
        let found = proposals(&rules, &outcome, &outcome.sets[0], &before.0, (2, most), &now());
        if now_ <= allowed {
            prop_assert_eq!(found, vec![]);
            return Ok(());
        }
        let proposed = |metric| found.iter().find(|proposal| proposal.metric == MetricId(metric));
        let with = [
            (value(ty, 1000), Box::new(|value: Value| of(value, visits)) as Box<dyn Fn(Value) -> RuleSet>),
            (integer(1000), Box::new(|other: Value| match other {
                Value::Integer(other) => of(value(ty, spend), other),
                other => panic!("{other:?}"),
            })),
        ];
        for (metric, (highest, with)) in with.into_iter().enumerate() {
            match proposed(metric) {
                Some(proposal) => {
                    prop_assert_eq!((proposal.now, proposal.subjects), (now_, subjects.len() as u64));
                    let then = members(&with(proposal.value.clone()), &rows, &before);
                    prop_assert_eq!(proposal.then, then);
                    prop_assert!(then <= allowed);
                    let less = members(&with(one_less(&proposal.value)), &rows, &before);
                    prop_assert!(less > allowed, "{:?} would be enough", one_less(&proposal.value));
                }
                None => prop_assert!(members(&with(highest), &rows, &before) > allowed),
            }
        }
    }
}

#[test]
fn thresholds_are_found_where_the_condition_needs_them() {
    let or = |parts| node(ExprKind::Or(parts), Type::Bool);
    let and = |parts| node(ExprKind::And(parts), Type::Bool);
    let at_least = |metric, bound| compare(metric, CompareOp::Ge, integer(bound));
    let mirrored = ExprKind::Compare(
        CompareOp::Lt,
        Box::new(literal(integer(3))),
        Box::new(crate::testing::column(4, Type::Integer)),
    );
    let when = and(vec![
        at_least(0, 1),
        or(vec![at_least(1, 1), at_least(2, 1)]),
        and(vec![compare(3, CompareOp::Le, integer(9)), node(mirrored, Type::Bool)]),
        node(ExprKind::Not(Box::new(at_least(5, 1))), Type::Bool),
    ]);
    let found: Vec<_> = thresholds(&when).into_iter().map(|(nth, of)| (nth, of.metric.0, of.op)).collect();
    assert_eq!(found, [(0, 0, CompareOp::Ge), (3, 4, CompareOp::Gt)]);
}

#[test]
fn only_casts_that_change_no_value_are_seen_through() {
    let cast = |from, to| node(ExprKind::Cast(Box::new(crate::testing::column(0, from))), to);
    assert_eq!(column(&cast(Type::Integer, Type::Decimal(2))), Some(MetricId(0)));
    assert_eq!(column(&cast(Type::Decimal(2), Type::Decimal(4))), Some(MetricId(0)));
    assert_eq!(column(&cast(Type::Decimal(2), Type::Integer)), None);
}

#[test]
fn every_value_has_a_next_one() {
    let cases = [
        (integer(9), Type::Integer, Some(integer(10))),
        (integer(i64::MAX), Type::Integer, None),
        (decimal("12.50"), Type::Decimal(2), Some(decimal("12.51"))),
        (date("2026-02-28"), Type::Date, Some(date("2026-03-01"))),
        (Value::Real(1.5), Type::Real, Some(Value::Real(1.5f64.next_up()))),
        (Value::Real(-0.0), Type::Real, Some(Value::Real(0f64.next_up()))),
        (Value::Real(-2.0), Type::Real, Some(Value::Real((-2f64).next_up()))),
        (Value::Real(f64::MAX), Type::Real, None),
    ];
    for (value, ty, expected) in cases {
        assert_eq!(Ordered::new(value.clone()).unwrap().next(ty), expected, "{value:?}");
    }
}

#[test]
fn personal_metrics_and_falls_that_wait_give_no_proposal() {
    let ladder = Ladder { ty: Type::Integer, op: CompareOp::Ge, lowest: false, unknown: Unknown::Keep, ordered: true };
    let rows: Vec<_> = (0..10).map(|spend| (Some(integer(spend)), Some(9))).collect();
    let none = Before(vec![Held::NOTHING; 10], Vec::new());
    let mut rules = rules(Type::Integer, ladder.set(integer(4), 0, 0));
    let found = |rules: &RuleSet, before: &Before| {
        let outcome = outcome(rules, &rows, before);
        let found = proposals(rules, &outcome, &outcome.sets[0], &before.0, (2, 300_000), &now());
        found.into_iter().map(|proposal| (proposal.metric.0, proposal.value)).collect::<Vec<_>>()
    };
    // Of those that visit equally often, no number of visits tells three from the others.
    assert_eq!(found(&rules, &none), [(0, integer(7)), (1, integer(10))]);
    rules.metrics[0].personal = true;
    assert_eq!(found(&rules, &none), [(1, integer(10))]);
    rules.metrics[0].personal = false;
    // Everybody has the level, most of them by a grace time that no condition changes.
    rules.tier_sets[0] = ladder.set(integer(8), 0, 0);
    rules.tier_sets[0].movement.grace = Some(tierd_model::CalendarSpan::days(30));
    assert_eq!(found(&rules, &Before(vec![at(2); 10], Vec::new())), []);
}
