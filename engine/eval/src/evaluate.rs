//! One evaluation: everything that the rules say of what was read, in memory.
//!
//! Metrics and tier sets depend on each other in any direction: a level may be part of a condition, a group's metric of a member's
//! level. The checker has put them into one order ([`RuleSet::order`]); this walks it once, over all kinds of subjects at the same
//! time. Retention rules come last, because they see where everybody stands.
//!
//! What earlier runs left comes from a [`History`]. It is asked for no more than the rules need: a tier set without a movement policy
//! is decided without knowing what is held, unless something else asks for it.
//!
//! Only what is [`Due`] is decided. A tier set that isn't holds what it held, and that is what everything else sees of it; its
//! conditions aren't even looked at, so that an UNKNOWN in them fails no run. A retention rule that isn't remembers what it did.
//!
//! Deliberately absent: reading data and storing results. The same rules, data, history and clock give the same outcome, bit for bit.

use arrow_array::{Array, ArrayRef, new_null_array};
use serde_json::{Map, Value as Json};
use tierd_model::{Clock, Key};
use tierd_rules::{
    Guard, Metric, MetricId, MetricKind, PointsId, PointsMeasure, RetentionRule, RuleId, RuleSet, Standing, Step,
    SubjectId, TierSetId,
    plugin::{OnPluginError, PluginMetric},
    retention::Trigger,
};

use crate::{
    columns::arrow_type,
    derive::{Metrics, derived, ranked},
    due::Due,
    given::{Booked, Given, KeyOf},
    groups::{lookup, rollup},
    history::{Held, History, Override},
    levels::{self, Graded, UnknownAt, UnknownConditions, grade},
    movement::{self, Settled, is_at_once},
    plugin::{PluginColumn, PluginFailure, Plugins, SubjectFacts, call::Calling},
    points,
    retention::{self, Context, Remembered, RuleOutcome, SetLevels},
    standing,
};

/// Everything that an evaluation found.
#[derive(Debug)]
pub struct Outcome {
    /// Each kind of subject that was given, in that order.
    pub subjects: Vec<SubjectOutcome>,
    /// By [`TierSetId`].
    pub sets: Vec<SetOutcome>,
    /// By [`RuleId`].
    pub rules: Vec<RuleOutcome>,
    /// Plugins that gave nothing where rules allow that.
    pub plugin_failures: Vec<PluginFailed>,
    /// What models say of their fit, by metric.
    pub summaries: Vec<(MetricId, Map<String, Json>)>,
}

/// A plugin gave nothing, and a rule says that the run goes on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailed {
    /// Who asked it.
    pub asker: Asker,
    /// Why.
    pub failure: PluginFailure,
    /// How many subjects go without.
    pub subjects: u64,
}

/// Who asks a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A metric, which is NULL for all its subjects if there is no answer.
    Metric(MetricId),
    /// A retention rule, which acts on nobody then.
    Rule(RuleId),
}

/// One kind of subject.
pub struct SubjectOutcome {
    /// Which.
    pub subject: SubjectId,
    /// Their keys, ascending.
    pub key: KeyOf,
    /// As [`Given::parents`].
    pub parents: Vec<u32>,
    /// As [`Given::bookings`].
    pub bookings: Vec<(PointsId, Vec<Booked>)>,
    /// All their metrics.
    pub metrics: Metrics,
}

/// One tier set.
#[derive(Debug)]
pub struct SetOutcome {
    /// Which.
    pub set: TierSetId,
    /// Whether it was due. If not, its subjects hold what they held: nobody has moved or met UNKNOWN, and there is nothing to store.
    pub due: bool,
    /// Index of its subjects in [`Outcome::subjects`].
    pub subject: usize,
    /// Subjects that met UNKNOWN before any TRUE, in order.
    pub unknown: Vec<UnknownAt>,
    /// By level, how many subjects met UNKNOWN in its condition before any TRUE.
    pub unknown_per_level: Vec<u64>,
    /// What each subject held before, by subject. `None` if nothing depends on it: then `settled` tells no moves and no states, and
    /// the policy has none to remember. Always there for a set that wasn't due.
    pub was: Option<Vec<Held>>,
    /// Overrides in force; they wait for a run in which the set is due.
    pub overrides: Vec<Override>,
    /// What each subject holds from now on.
    pub settled: Settled,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// A set that allows no UNKNOWN has met it.
    #[error("{error}, such as {}", keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", "))]
    Unknown {
        /// Which set, and for how many.
        error: UnknownConditions,
        /// Keys of the first few.
        keys: Vec<Key>,
    },
    /// A plugin gave nothing, and no rule says that the run goes on without it.
    #[error("{0}")]
    Plugin(PluginFailure),
    /// What earlier runs left can't be read.
    #[error(transparent)]
    History(#[from] E),
}

/// Evaluates all rules on what was read.
///
/// `given` has every kind of subject that [`crate::given::needed_subjects`] names. A column that is given for a metric which would be computed takes the
/// place of the computation. Sets and rules that are not `due` stay as they are.
///
/// # Errors
/// [`Error`].
///
/// # Panics
/// If a kind of subject that is needed, or one of its attributes or aggregates or facts of a plugin's aggregator, isn't given, or of another type or length.
pub fn evaluate<H: History>(
    rules: &RuleSet,
    mut given: Vec<Given>,
    history: &H,
    plugins: &dyn Plugins,
    due: &Due,
    clock: &Clock,
) -> Result<Outcome, Error<H::Error>> {
    let held = rules.tier_sets.iter().map(|_| None).collect();
    let gathered = given.iter_mut().flat_map(|given| std::mem::take(&mut given.gathered)).collect();
    let subjects = given.into_iter().map(|given| SubjectOutcome::new(rules, given)).collect();
    let outcome =
        Outcome { subjects, sets: Vec::new(), rules: Vec::new(), plugin_failures: Vec::new(), summaries: Vec::new() };
    let mut walk = Walk { rules, history, plugins, due, clock, gathered, held, outcome };
    for step in &rules.order {
        match *step {
            Step::Metric(metric) => walk.metric(metric)?,
            Step::TierSet(set) => walk.tier_set(set)?,
        }
    }
    let Walk { mut outcome, mut held, .. } = walk;
    outcome.sets.iter_mut().for_each(|set| set.was = held[set.set.0].take());
    outcome.sets.sort_unstable_by_key(|set| set.set);
    decide(rules, &mut outcome, history, plugins, due, clock)?;
    Ok(outcome)
}

impl SubjectOutcome {
    fn new(rules: &RuleSet, given: Given) -> Self {
        let Given { subject, subjects, key, mut columns, parents, bookings, .. } = given;
        columns.resize(rules.metrics.len(), None);
        let metrics = Metrics { columns, cut_points: Vec::new(), subjects };
        SubjectOutcome { subject, key, parents, bookings, metrics }
    }
}

/// How far an evaluation has come.
struct Walk<'a, H> {
    rules: &'a RuleSet,
    history: &'a H,
    plugins: &'a dyn Plugins,
    due: &'a Due,
    clock: &'a Clock,
    /// By metric, facts that plugins are still to be given.
    gathered: Vec<(MetricId, SubjectFacts)>,
    /// By tier set, what was held before, once it was asked for.
    held: Vec<Option<Vec<Held>>>,
    outcome: Outcome,
}

impl<H: History> Walk<'_, H> {
    /// Index of a kind of subject; `None` if it isn't given.
    fn place(&self, subject: SubjectId) -> Option<usize> {
        self.outcome.subjects.iter().position(|of| of.subject == subject)
    }

    #[expect(clippy::expect_used, reason = "`needed_subjects` names the kind")]
    fn subject(&self, subject: SubjectId) -> usize {
        self.place(subject).expect("a kind of subject that is given")
    }

    fn metric(&mut self, id: MetricId) -> Result<(), Error<H::Error>> {
        let rules = self.rules;
        let metric = &rules.metrics[id.0];
        let Some(place) = self.place(metric.subject) else { return Ok(()) };
        let of = &self.outcome.subjects[place];
        if of.metrics.columns[id.0].is_some() {
            return Ok(());
        }
        let column = match &metric.kind {
            MetricKind::Aggregate(_) | MetricKind::Attribute(_) => unreachable!("aggregates and attributes are given"),
            MetricKind::Derived(expr) => derived(expr, &of.metrics.columns, of.metrics.subjects, self.clock),
            MetricKind::Rank { of: ranks, descending, kind } => {
                let of = (of.metrics.column(*ranks), rules.metrics[ranks.0].ty);
                let (column, cuts) = ranked(id, of, *descending, *kind);
                self.outcome.subjects[place].metrics.cut_points.push(cuts);
                column
            }
            MetricKind::Lookup(looked_up) => {
                let parent = &self.outcome.subjects[self.subject(rules.metrics[looked_up.0].subject)];
                lookup(parent.metrics.column(*looked_up), &of.parents)
            }
            MetricKind::Rollup(what) => {
                let members = &self.outcome.subjects[self.subject(what.members)];
                rollup(what, metric.ty, &members.metrics, &members.parents, of.metrics.subjects, self.clock)
            }
            MetricKind::Points { program, .. } => {
                self.points(place, *program);
                return Ok(());
            }
            MetricKind::Standing { set, what } => self.standing(*set, *what)?,
            MetricKind::Plugin(plugin) => self.plugin(id, plugin, place).map_err(Error::Plugin)?,
        };
        self.outcome.subjects[place].metrics.columns[id.0] = Some(column);
        Ok(())
    }

    /// All metrics of a points program: its account is replayed once.
    fn points(&mut self, place: usize, program: PointsId) {
        let of = &mut self.outcome.subjects[place];
        let asked: Vec<(usize, PointsMeasure)> =
            of_program(self.rules, program).filter(|&(id, _)| of.metrics.columns[id].is_none()).collect();
        let measures: Vec<PointsMeasure> = asked.iter().map(|&(_, measure)| measure).collect();
        let bookings = of.bookings.iter_mut().find(|(id, _)| *id == program);
        let bookings = bookings.map_or(&mut [][..], |(_, bookings)| bookings);
        let program = &self.rules.points[program.0];
        let columns = points::columns(program, &measures, bookings, of.metrics.subjects, self.clock);
        for ((id, _), column) in asked.into_iter().zip(columns) {
            self.outcome.subjects[place].metrics.columns[id] = Some(column);
        }
    }

    /// A metric that a plugin finds. A failure that its rule allows is noted, and the metric NULL.
    fn plugin(&mut self, id: MetricId, plugin: &PluginMetric, place: usize) -> Result<ArrayRef, PluginFailure> {
        let subjects = self.outcome.subjects[place].metrics.subjects;
        match (self.called(id, plugin, place), plugin.call.on_error) {
            (Ok(PluginColumn { column, summary }), _) => {
                self.outcome.summaries.extend(summary.map(|summary| (id, summary)));
                Ok(column)
            }
            (Err(failure), OnPluginError::Fail) => Err(failure),
            (Err(failure), OnPluginError::Unknown) => {
                let asker = Asker::Metric(id);
                self.outcome.plugin_failures.push(PluginFailed { asker, failure, subjects: subjects as u64 });
                Ok(new_null_array(&arrow_type(self.rules.metrics[id.0].ty), subjects))
            }
        }
    }

    fn called(&mut self, id: MetricId, plugin: &PluginMetric, place: usize) -> Result<PluginColumn, PluginFailure> {
        let (rules, call) = (self.rules, &plugin.call);
        let metrics = &self.outcome.subjects[place].metrics;
        let name = rules.plugins.get(call.plugin.0).map_or("", |plugin| &plugin.name);
        let ty = rules.metrics[id.0].ty;
        let calling = Calling { plugins: self.plugins, plugin: name, call, ty, clock: self.clock };
        let Some(of) = &plugin.facts else {
            return calling.of_values(&metrics.columns, metrics.subjects);
        };
        #[expect(clippy::expect_used, reason = "the caller gives the facts of every aggregator")]
        let given = self.gathered.iter().position(|(metric, _)| *metric == id).expect("facts that are given");
        let (_, facts) = self.gathered.swap_remove(given);
        let began = of.window.anchor().and_then(|anchor| metrics.column(MetricId(anchor)).nulls());
        let column = calling.of_facts(of, facts, began)?;
        Ok(PluginColumn { column, summary: None })
    }

    fn standing(&mut self, set: TierSetId, what: Standing) -> Result<ArrayRef, H::Error> {
        let (rules, clock) = (self.rules, self.clock);
        let tier_set = &rules.tier_sets[set.0];
        Ok(match what {
            Standing::Level => {
                #[expect(clippy::expect_used, reason = "the checker's order has the set before what reads its levels")]
                let outcome =
                    self.outcome.sets.iter().find(|outcome| outcome.set == set).expect("a set that stands before");
                standing::names(tier_set, outcome.settled.held.iter().copied())
            }
            Standing::Was => standing::names(tier_set, self.held(set)?.iter().map(|held| held.level)),
            Standing::Since => standing::since(tier_set, self.held(set)?, clock),
        })
    }

    /// What subjects held in a set before; asked for once.
    fn held(&mut self, set: TierSetId) -> Result<&[Held], H::Error> {
        if self.held[set.0].is_none() {
            let place = self.subject(self.rules.tier_sets[set.0].subject);
            let mut held = self.history.held(set)?;
            held.resize(self.outcome.subjects[place].metrics.subjects, Held::NOTHING);
            self.held[set.0] = Some(held);
        }
        Ok(self.held[set.0].as_deref().unwrap_or_default())
    }

    fn tier_set(&mut self, set: TierSetId) -> Result<(), Error<H::Error>> {
        let overrides = self.history.overrides(set)?;
        let outcome =
            if self.due.set(self.rules, set) { self.decided(set, overrides)? } else { self.unmoved(set, overrides)? };
        self.outcome.sets.push(outcome);
        Ok(())
    }

    /// A set that isn't due: everybody holds what they held.
    fn unmoved(&mut self, set: TierSetId, overrides: Vec<Override>) -> Result<SetOutcome, H::Error> {
        let tier_set = &self.rules.tier_sets[set.0];
        let subject = self.subject(tier_set.subject);
        let held = self.held(set)?.iter().map(|held| held.level).collect();
        let settled = Settled { held, moved: Vec::new(), states: Vec::new() };
        let (unknown, unknown_per_level) = (Vec::new(), vec![0; tier_set.levels.len()]);
        Ok(SetOutcome { set, due: false, subject, unknown, unknown_per_level, was: None, overrides, settled })
    }

    fn decided(&mut self, set: TierSetId, overrides: Vec<Override>) -> Result<SetOutcome, Error<H::Error>> {
        let (rules, clock) = (self.rules, self.clock);
        let tier_set = &rules.tier_sets[set.0];
        let place = self.subject(tier_set.subject);
        let of = &self.outcome.subjects[place];
        let graded = grade(tier_set, &of.metrics, clock).map_err(|error| {
            let keys = error.first.iter().map(|unknown| (of.key)(unknown.subject as usize)).collect();
            Error::Unknown { error, keys }
        })?;
        if self.needs_held(set, &graded, &overrides)? {
            self.held(set)?;
        }
        let (unknown, unknown_per_level) = (graded.unknown.clone(), graded.unknown_per_level.clone());
        let settled = match &self.held[set.0] {
            Some(was) => {
                movement::settle(tier_set, &self.outcome.subjects[place].metrics, graded, was, &overrides, clock)
            }
            None => Settled { held: graded.earned, moved: Vec::new(), states: Vec::new() },
        };
        Ok(SetOutcome { set, due: true, subject: place, unknown, unknown_per_level, was: None, overrides, settled })
    }

    fn rules_due(&self) -> impl Iterator<Item = &RetentionRule> {
        let all = self.rules.retention.iter().enumerate();
        all.filter(|&(id, _)| self.due.rule(self.rules, RuleId(id))).map(|(_, rule)| rule)
    }

    /// Whether anything depends on what subjects held before.
    fn needs_held(&self, set: TierSetId, graded: &Graded, overrides: &[Override]) -> Result<bool, H::Error> {
        let tier_set = &self.rules.tier_sets[set.0];
        Ok(!is_at_once(tier_set)
            || !overrides.is_empty()
            || !graded.needs_held().is_empty()
            || tier_set.guard.as_ref().is_some_and(Guard::asks_for_moves)
            || self.rules_due().any(|rule| watches(&rule.trigger, set))
            || self.rules.metrics.iter().any(|metric| looks_back(&metric.kind, set))
            || self.history.has_states(set)?)
    }
}

/// Metrics (by index) that a points program has, and what each tells.
fn of_program(rules: &RuleSet, program: PointsId) -> impl Iterator<Item = (usize, PointsMeasure)> {
    let metrics = rules.metrics.iter().enumerate();
    metrics.filter_map(move |(id, metric): (usize, &Metric)| match metric.kind {
        MetricKind::Points { program: of, measure } if of == program => Some((id, measure)),
        _ => None,
    })
}

/// Whether a trigger asks what was held in a set.
fn watches(trigger: &Trigger, set: TierSetId) -> bool {
    matches!(trigger, Trigger::Moved { set: of, .. } | Trigger::FollowUp(of) if *of == set)
}

/// Whether a metric tells what was held in a set.
fn looks_back(metric: &MetricKind, set: TierSetId) -> bool {
    matches!(metric, MetricKind::Standing { set: of, what: Standing::Was | Standing::Since } if *of == set)
}

/// All retention rules, those of one kind of subject together. Only those that are due meet in groups.
fn decide<H: History>(
    rules: &RuleSet,
    outcome: &mut Outcome,
    history: &H,
    plugins: &dyn Plugins,
    due: &Due,
    clock: &Clock,
) -> Result<(), Error<H::Error>> {
    let mut outcomes = Vec::new();
    for of in &outcome.subjects {
        let mine = (0..rules.retention.len()).filter(|&id| rules.retention[id].subject == of.subject).map(RuleId);
        let (ids, others): (Vec<_>, Vec<_>) = mine.partition(|&id| due.rule(rules, id));
        outcomes.extend(others.into_iter().map(RuleOutcome::undecided));
        let remembered = |rule| {
            let (states, restarts) = (history.rule_states(rule)?, history.hold_for_changed(rule)?);
            Ok(Remembered { rule, states, restarts })
        };
        let remembered: Vec<_> = ids.into_iter().map(remembered).collect::<Result<_, H::Error>>()?;
        if remembered.is_empty() {
            continue;
        }
        let sets = |set: TierSetId| {
            let set = &outcome.sets[set.0];
            SetLevels { was: set.was.as_deref().unwrap_or_default(), now: &set.settled.held }
        };
        let context = Context { rules, metrics: &of.metrics, key: &of.key, sets: &sets, plugins, clock };
        let decided = retention::decide(&context, &remembered).map_err(Error::Plugin)?;
        let failed = |(rule, failure)| {
            let waits = |of: &&RuleOutcome| of.rule == rule;
            let subjects = decided.outcomes.iter().find(waits).map_or(0, |of| of.waiting.plugin);
            PluginFailed { asker: Asker::Rule(rule), failure, subjects }
        };
        outcome.plugin_failures.extend(decided.failures.into_iter().map(failed));
        outcomes.extend(decided.outcomes);
    }
    outcomes.sort_unstable_by_key(|outcome| outcome.rule);
    outcome.rules = outcomes;
    Ok(())
}

impl Outcome {
    /// A kind of subject; `None` if it wasn't given.
    pub fn subject(&self, subject: SubjectId) -> Option<&SubjectOutcome> {
        self.subjects.iter().find(|of| of.subject == subject)
    }

    /// The tier sets that were decided.
    pub fn sets_due(&self) -> impl Iterator<Item = &SetOutcome> {
        self.sets.iter().filter(|set| set.due)
    }

    /// The retention rules that were decided.
    pub fn rules_due(&self) -> impl Iterator<Item = &RuleOutcome> {
        self.rules.iter().filter(|rule| rule.due)
    }
}

impl SetOutcome {
    /// How many subjects have each level, lowest first, and how many have none.
    pub fn distribution(&self) -> (Vec<u64>, u64) {
        levels::distribution(&self.settled.held, self.unknown_per_level.len())
    }
}

impl std::fmt::Debug for SubjectOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (subject, subjects) = (self.subject, self.metrics.subjects);
        f.debug_struct("SubjectOutcome").field("subject", &subject).field("subjects", &subjects).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
