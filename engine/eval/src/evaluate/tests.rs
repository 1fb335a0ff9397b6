use std::cell::Cell;

use tierd_model::{CalendarSpan, Timestamp, Type};
use tierd_rules::{CompareOp, MetricKind, Movement, RuleId, TierSet, Unknown};

use super::*;
use crate::plugin::NoPlugins;
use crate::{
    columns::value_at,
    history::{NoHistory, OverrideKind, PolicyState, RuleState},
    levels::NONE,
    movement::Reason,
    testing::{array, clock, compare, date, given, integer, metric, rule_set, text, tier_set},
};

/// What one level and one override before the run make of three subjects, and how often `held` was asked.
struct Before {
    level: u16,
    overrides: Vec<Override>,
    has_states: bool,
    asked: Cell<u32>,
}

impl Before {
    fn level(level: u16) -> Self {
        Before { level, overrides: Vec::new(), has_states: false, asked: Cell::new(0) }
    }
}

impl History for Before {
    type Error = std::convert::Infallible;

    fn held(&self, _: TierSetId) -> Result<Vec<Held>, Self::Error> {
        self.asked.set(self.asked.get() + 1);
        let since = Timestamp(1_767_225_600_000_000);
        Ok(vec![Held { level: self.level, since, state: PolicyState::at(self.level) }; 2])
    }

    fn overrides(&self, _: TierSetId) -> Result<Vec<Override>, Self::Error> {
        Ok(self.overrides.clone())
    }

    fn has_states(&self, _: TierSetId) -> Result<bool, Self::Error> {
        Ok(self.has_states)
    }

    fn rule_states(&self, _: RuleId) -> Result<Vec<(u32, RuleState)>, Self::Error> {
        Ok(Vec::new())
    }
}

/// L1 from a spend of 10 on.
fn value() -> TierSet {
    tier_set(Unknown::Keep, vec![None, Some(compare(0, CompareOp::Ge, integer(10)))])
}

fn with_grace() -> TierSet {
    let movement = Movement { grace: Some(CalendarSpan::days(30)), ..Movement::AT_ONCE };
    TierSet { movement, ..value() }
}

fn spend() -> Metric {
    metric("spend", Type::Integer, MetricKind::Attribute(0))
}

fn evaluated(
    rules: &RuleSet,
    spend: [Option<i64>; 3],
    history: &impl History<Error = std::convert::Infallible>,
) -> Outcome {
    let spend = array(Type::Integer, &spend.map(|value| value.map(integer)));
    evaluate(
        rules,
        vec![given(0, 3, vec![Some(spend)])],
        history,
        &NoPlugins,
        &Due::ALL,
        &clock("2026-03-31T10:00", "UTC"),
    )
    .unwrap()
}

#[test]
fn sets_that_move_at_once_ask_for_no_history() {
    let rules = rule_set(vec![spend()], vec![value()]);
    let before = Before::level(1);
    let outcome = evaluated(&rules, [Some(12), Some(3), Some(10)], &before);
    assert_eq!((&outcome.sets[0].settled.held[..], before.asked.get()), (&[1, 0, 1][..], 0));
    assert!(outcome.sets[0].was.is_none());
}

#[test]
fn history_is_asked_for_once_where_something_depends_on_it() {
    let rules = rule_set(vec![spend()], vec![value()]);
    // The second is UNKNOWN, and keeps its level; the third has none to keep.
    let before = Before::level(1);
    let outcome = evaluated(&rules, [Some(3), None, None], &before);
    assert_eq!((&outcome.sets[0].settled.held[..], before.asked.get()), (&[0, 1, 0][..], 1));

    // What an override left behind has to be found.
    let before = Before { has_states: true, ..Before::level(0) };
    let outcome = evaluated(&rules, [Some(3), Some(12), Some(12)], &before);
    assert_eq!(outcome.sets[0].settled.moved, [(1, Reason::Upgraded), (2, Reason::First)]);
    assert_eq!(before.asked.get(), 1);
}

#[test]
fn overrides_and_policies_decide_what_is_held() {
    let floor = Override { subject: 1, kind: OverrideKind::Floor, level: 1 };
    let before = Before { overrides: vec![floor], ..Before::level(0) };
    let outcome = evaluated(&rule_set(vec![spend()], vec![value()]), [Some(3), Some(3), Some(3)], &before);
    assert_eq!(outcome.sets[0].settled.held, [0, 1, 0]);
    assert_eq!(outcome.sets[0].distribution(), (vec![2, 1], 0));

    let outcome =
        evaluated(&rule_set(vec![spend()], vec![with_grace()]), [Some(3), Some(12), Some(3)], &Before::level(1));
    assert_eq!(outcome.sets[0].settled.held, [1, 1, 0]);
    assert_eq!(outcome.sets[0].settled.moved, [(2, Reason::First)]);
}

#[test]
fn levels_are_metrics_too() {
    let standing = |what| MetricKind::Standing { set: TierSetId(0), what };
    let metrics = vec![
        spend(),
        metric("was.value", Type::Text, standing(Standing::Was)),
        metric("since.value", Type::Date, standing(Standing::Since)),
        metric("tier.value", Type::Text, standing(Standing::Level)),
    ];
    let mut rules = rule_set(metrics, vec![value()]);
    rules.order = vec![
        Step::Metric(MetricId(0)),
        Step::Metric(MetricId(1)),
        Step::TierSet(TierSetId(0)),
        Step::Metric(MetricId(2)),
        Step::Metric(MetricId(3)),
    ];
    let before = Before::level(1);
    let outcome = evaluated(&rules, [Some(3), Some(12), Some(3)], &before);
    let column = |metric: usize| {
        let column = outcome.subjects[0].metrics.columns[metric].as_ref().unwrap();
        [0, 1, 2].map(|row| value_at(column, rules.metrics[metric].ty, row))
    };
    assert_eq!(column(1), [Some(text("L1")), Some(text("L1")), None]);
    assert_eq!(column(2), [Some(date("2026-01-01")), Some(date("2026-01-01")), None]);
    assert_eq!(column(3), [Some(text("L0")), Some(text("L1")), Some(text("L0"))]);
    assert_eq!(outcome.sets[0].settled.moved, [(0, Reason::Downgraded), (2, Reason::First)]);
    assert_eq!(before.asked.get(), 1);
}

#[test]
fn given_columns_take_the_place_of_computed_ones() {
    let twice = metric("twice", Type::Integer, MetricKind::Derived(crate::testing::column(0, Type::Integer)));
    let rules = rule_set(vec![spend(), twice], vec![]);
    let columns = [1, 7].map(|value| Some(array(Type::Integer, &[Some(integer(value))])));
    let outcome = evaluate(
        &rules,
        vec![given(0, 1, columns.to_vec())],
        &NoHistory,
        &NoPlugins,
        &Due::ALL,
        &clock("2026-03-31T10:00", "UTC"),
    );
    let outcome = outcome.unwrap();
    assert_eq!(value_at(outcome.subjects[0].metrics.column(MetricId(1)), Type::Integer, 0), Some(integer(7)));
}

#[test]
fn refused_unknowns_name_keys() {
    let set = TierSet { unknown: Unknown::Error, ..value() };
    let rules = rule_set(vec![spend()], vec![set]);
    let spend = array(Type::Integer, &[Some(integer(1)), None]);
    let refused = evaluate(
        &rules,
        vec![given(0, 2, vec![Some(spend)])],
        &NoHistory,
        &NoPlugins,
        &Due::ALL,
        &clock("2026-03-31", "UTC"),
    );
    let message = refused.unwrap_err().to_string();
    assert!(
        message.ends_with("UNKNOWN for 1 subjects, and the set says `unknown = \"error\"`, such as 2"),
        "{message}"
    );
    assert_eq!(Held::NOTHING.level, NONE);
}
