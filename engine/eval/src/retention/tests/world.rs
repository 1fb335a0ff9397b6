//! A small world: a tier set, a few metrics, rules, and runs one after the other.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, cast::AsArray, types::Int64Type};
use serde_json::Map;
use tierd_model::{CalendarSpan, Clock, Key, Type, Value};
use tierd_rules::{
    CompareOp, Expr, MetricId, MetricKind, Movement, RetentionRule, RuleId, RuleSet, SubjectId, TierSetId, Unknown,
    plugin::{OnPluginError, PluginCall, PluginId, PluginKind},
    retention::{Action, Direction, EventAction, Mode, Reentry, Template, Trigger},
};

use crate::{
    derive::Metrics,
    given::KeyOf,
    history::{Held, PolicyState, RuleState},
    levels::NONE,
    plugin::{NoPlugins, PluginFailure, Plugins, Proposal, ProposedAction},
    retention::{Act, ActKind, Context, Decided, Remembered, RuleOutcome, SetLevels, decide},
    testing::{array, clock, column, compare, integer, metric, nowhere, rule_set, tier_set},
};

const ZONE: &str = "Asia/Shanghai";
pub(super) const SET: TierSetId = TierSetId(0);
/// An integer that conditions ask about.
pub(super) const IDLE: MetricId = MetricId(0);
/// A date.
pub(super) const BIRTHDAY: MetricId = MetricId(1);

/// What is so for a subject in a run.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) idle: Option<i64>,
    pub(super) birthday: Option<Value>,
    pub(super) level: u16,
}

pub(super) fn now(idle: i64) -> Now {
    Now { idle: Some(idle), birthday: None, level: 0 }
}

/// `idle >= bound`.
pub(super) fn idle(bound: i64) -> Option<Expr> {
    Some(compare(IDLE.0, CompareOp::Ge, integer(bound)))
}

/// A rule that acts once per entry, without any limits.
pub(super) fn rule(name: &str, trigger: Trigger, when: Option<Expr>) -> RetentionRule {
    let name_of_event = Template { parts: vec![], at: nowhere() };
    RetentionRule {
        name: name.to_owned(),
        title: None,
        subject: SubjectId(0),
        schedule: None,
        guard: None,
        trigger,
        when,
        hold_for: None,
        reentry: Reentry::OncePerEntry,
        cooldown: None,
        limit: None,
        group: None,
        priority: 0,
        holdout: 0,
        mode: Mode::Live,
        action: Action::Event(EventAction { name: name_of_event, data: vec![] }),
        goal: None,
        strategy_of: None,
        allow: vec![],
        at: nowhere(),
    }
}

pub(super) fn moves(direction: Direction) -> Trigger {
    Trigger::Moved { set: SET, direction, from: vec![], to: vec![] }
}

/// Rules and what earlier runs left.
pub(super) struct World {
    pub(super) rules: RuleSet,
    remembered: Vec<Remembered>,
    held: Vec<Held>,
    pub(super) plugins: Planner,
    /// Of the last run.
    pub(super) failures: Vec<(RuleId, PluginFailure)>,
}

/// Proposes one event for each even number that it is given, and two for zero.
#[derive(Debug, Default)]
pub(super) struct Planner {
    /// It gives nothing.
    pub(super) broken: bool,
}

impl Plugins for Planner {
    fn plan(
        &self,
        call: &PluginCall,
        inputs: &[ArrayRef],
        rows: usize,
        clock: &Clock,
    ) -> Result<Vec<Proposal>, PluginFailure> {
        if self.broken {
            return NoPlugins.plan(call, inputs, rows, clock);
        }
        let numbers = inputs[0].as_primitive::<Int64Type>();
        assert_eq!((numbers.len(), numbers.null_count()), (rows, 0), "only rows with a value are given");
        let event = |row: usize| Proposal {
            row: row as u32,
            action: ProposedAction::Event { name: format!("idle {}", numbers.value(row)), data: Map::new() },
        };
        let often = |row: usize| match numbers.value(row) {
            0 => 2,
            odd if odd % 2 == 1 => 0,
            _ => 1,
        };
        Ok((0..rows).flat_map(|row| (0..often(row)).map(move |_| event(row))).collect())
    }
}

/// A rule of which a planner that is given [`IDLE`] says what it does.
pub(super) fn planned(name: &str, trigger: Trigger, when: Option<Expr>) -> RetentionRule {
    let call = PluginCall {
        plugin: PluginId(0),
        function: "plan".to_owned(),
        kind: PluginKind::Planner,
        inputs: vec![column(IDLE.0, Type::Integer)],
        required: vec![0],
        config: Map::new(),
        on_error: OnPluginError::Unknown,
        at: nowhere(),
    };
    RetentionRule { action: Action::Planned(call), ..rule(name, trigger, when) }
}

impl World {
    /// Rules in the order of their names; levels 0, 1 and 2, the higher two with follow-ups every quarter and every month.
    pub(super) fn new(retention: Vec<RetentionRule>) -> Self {
        let mut set = tier_set(Unknown::Keep, vec![None; 3]);
        set.movement = Movement::AT_ONCE;
        (set.levels[1].follow_up, set.levels[2].follow_up) =
            (Some(CalendarSpan::months(3)), Some(CalendarSpan::months(1)));
        let attribute = |name, ty, index| metric(name, ty, MetricKind::Attribute(index));
        let metrics = vec![attribute("idle", Type::Integer, 0), attribute("birthday", Type::Date, 1)];
        let nothing = |rule| Remembered { rule: RuleId(rule), states: Vec::new(), restarts: false };
        let remembered = (0..retention.len()).map(nothing).collect();
        World {
            rules: RuleSet { retention, ..rule_set(metrics, vec![set]) },
            remembered,
            held: Vec::new(),
            plugins: Planner::default(),
            failures: Vec::new(),
        }
    }

    /// One run of all rules. Keys are 0, 1, 2 …
    pub(super) fn run(&mut self, at: &str, subjects: &[Now]) -> Vec<RuleOutcome> {
        let levels: Vec<u16> = subjects.iter().map(|subject| subject.level).collect();
        let Decided { outcomes, failures } = self.decide(at, subjects).unwrap();
        self.failures = failures;
        for (outcome, remembered) in outcomes.iter().zip(&mut self.remembered) {
            remember(&mut remembered.states, &outcome.states);
            remembered.restarts = false;
        }
        let as_of = clock(at, ZONE).as_of();
        for (held, level) in self.held.iter_mut().zip(levels).filter(|(held, level)| held.level != *level) {
            let since = if level == NONE { Held::NOTHING.since } else { as_of };
            *held = Held { level, since, state: PolicyState::at(level) };
        }
        outcomes
    }

    /// A run that a planner ends. Nothing is remembered of it.
    pub(super) fn fails(&mut self, at: &str, subjects: &[Now]) -> PluginFailure {
        self.decide(at, subjects).unwrap_err()
    }

    fn decide(&mut self, at: &str, subjects: &[Now]) -> Result<Decided, PluginFailure> {
        let clock = clock(at, ZONE);
        self.held.resize(subjects.len(), Held::NOTHING);
        let levels: Vec<u16> = subjects.iter().map(|subject| subject.level).collect();
        let column = |ty, value: fn(&Now) -> Option<Value>| {
            let values: Vec<_> = subjects.iter().map(value).collect();
            Some(array(ty, &values))
        };
        let metrics = Metrics {
            columns: vec![
                column(Type::Integer, |subject| subject.idle.map(integer)),
                column(Type::Date, |subject| subject.birthday.clone()),
            ],
            cut_points: vec![],
            subjects: subjects.len(),
        };
        let key: KeyOf = Arc::new(|subject| Key::Integer(subject as i64));
        let sets = |_| SetLevels { was: &self.held, now: &levels };
        let (rules, plugins) = (&self.rules, &self.plugins);
        decide(&Context { rules, metrics: &metrics, key: &key, sets: &sets, plugins, clock: &clock }, &self.remembered)
    }

    /// Somebody edits the `for` of the first rule.
    pub(super) fn wait(&mut self, hold_for: Option<CalendarSpan>) {
        (self.rules.retention[0].hold_for, self.remembered[0].restarts) = (hold_for, true);
    }

    /// As [`World::run`] with one subject: the names of the rules that act on it.
    pub(super) fn one(&mut self, at: &str, subject: &Now) -> Vec<String> {
        let outcomes = self.run(at, std::slice::from_ref(subject));
        let acting = outcomes.iter().filter(|outcome| !outcome.acts.is_empty());
        acting.map(|outcome| self.rules.retention[outcome.rule.0].name.clone()).collect()
    }
}

/// As a ledger would: what equals the default isn't kept.
fn remember(states: &mut Vec<(u32, RuleState)>, changed: &[(u32, RuleState)]) {
    states.retain(|(subject, _)| changed.iter().all(|(of, _)| of != subject));
    states.extend(changed.iter().filter(|(_, state)| *state != RuleState::default()));
    states.sort_by_key(|(subject, _)| *subject);
}

/// On whom a rule acts, of this kind.
pub(super) fn acted(outcome: &RuleOutcome, kind: ActKind) -> Vec<u32> {
    outcome.acts.iter().filter(|act: &&Act| act.kind == kind).map(|act| act.subject).collect()
}
