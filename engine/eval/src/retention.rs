//! Retention rules: which subjects an entry opens for, and on whom a rule acts in this run.
//!
//! Each rule is first looked at alone (`observe`: what trigger and condition say of a subject; `entry`: what that does to its
//! entry, and whether the rule would act). What is left is a list of candidates per rule, ascending by key. Then rules meet: in
//! a group, a subject goes to the rule of highest priority that would act on it (`group`). At last the run's limit cuts the
//! list, and hold-outs are told apart (`holdout`).
//!
//! The order matters, and is part of the meaning: a rule that its limit stops has still won its group, so that nobody gets the
//! second-best action because the best one was deferred; a held-out subject uses up its place in the limit and in the group
//! like any other, so that both halves of the comparison are chosen alike.
//!
//! Whoever loses or waits is as if the rule had not looked: only its entry goes on.
//!
//! A planner is asked last, about those on whom its rule really acts. Where it fails and the rule can wait, the rule is as if its limit
//! had stopped everybody, held-out ones among them: nobody is acted on or compared in this run.
//!
//! Deliberately absent: what an action says and where it goes. That is made from [`Act`]s and proposals by others.

mod dates;
mod entry;
mod group;
mod holdout;
mod observe;
#[cfg(test)]
mod tests;

use tierd_model::{Clock, Date, Timestamp};
use tierd_rules::{
    RetentionRule, RuleId, RuleSet, TierSetId,
    plugin::OnPluginError,
    retention::{Action, Exceed, Mode, Trigger},
};

use crate::{
    derive::Metrics,
    given::KeyOf,
    history::{Held, RuleState},
    plugin::{PluginFailure, Plugins, ProposedAction, call::proposals},
};
use entry::{Draft, Known};

pub use dates::DateEntry;
pub(crate) use dates::date_entry;
pub use holdout::is_held_out;

/// What rules of one kind of subject are decided on.
pub struct Context<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// All metrics of the subjects, levels among them.
    pub metrics: &'a Metrics,
    /// Their keys, for hold-outs.
    pub key: &'a KeyOf,
    /// What subjects held before and hold now, of each set that some trigger names.
    pub sets: &'a dyn Fn(TierSetId) -> SetLevels<'a>,
    /// Who answers for planners.
    pub plugins: &'a dyn Plugins,
    /// The run's time.
    pub clock: &'a Clock,
}

/// The levels of one tier set before and after.
#[derive(Debug, Clone, Copy)]
pub struct SetLevels<'a> {
    /// By subject, before this run.
    pub was: &'a [Held],
    /// By subject, from now on.
    pub now: &'a [u16],
}

/// What a run did about one retention rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    /// Which rule.
    pub rule: RuleId,
    /// Whether it was due. If not, nobody was looked at, and it remembers what it remembered.
    pub due: bool,
    /// On whom it acts, ascending by subject.
    pub acts: Vec<Act>,
    /// What it remembers of subjects of which it remembers something else than before, ascending. What equals
    /// [`RuleState::default`] need not be stored.
    pub states: Vec<(u32, RuleState)>,
    /// Subjects in an entry.
    pub entered: u64,
    /// Those of them that wait, by the reason.
    pub waiting: Waiting,
    /// Subjects for whom the condition is UNKNOWN.
    pub unknown: u64,
    /// More subjects than the limit allows, in a rule that holds then: how many. `acts` and `states` have all of them, as they will be
    /// if a person approves the run.
    pub held: Option<u64>,
    /// What a planner proposes for those on whom the rule acts: none, one or several things each, ascending by subject. Empty for rules that
    /// say themselves what is to be done.
    pub planned: Vec<(u32, ProposedAction)>,
}

/// What is decided about rules of one kind of subject.
#[derive(Debug, Default)]
pub struct Decided {
    /// In the order of the rules to decide.
    pub outcomes: Vec<RuleOutcome>,
    /// Planners that gave nothing, so that their rules act on nobody in this run.
    pub failures: Vec<(RuleId, PluginFailure)>,
}

impl RuleOutcome {
    /// Of a rule that isn't due.
    pub(crate) fn undecided(rule: RuleId) -> Self {
        let (acts, states, waiting, planned) = (Vec::new(), Vec::new(), Waiting::default(), Vec::new());
        RuleOutcome { rule, due: false, acts, states, entered: 0, waiting, unknown: 0, held: None, planned }
    }
}

/// How many subjects wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The entry hasn't lasted as long as `for` asks.
    pub hold_for: u64,
    /// The last action is too recent for the rule's cool-down.
    pub cooldown: u64,
    /// Another rule of the group acts.
    pub group: u64,
    /// The run's limit is used up.
    pub limit: u64,
    /// The planner failed.
    pub plugin: u64,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// Index of the subject.
    pub subject: u32,
    /// What kind.
    pub kind: ActKind,
    /// When the entry opened.
    pub entered: Timestamp,
    /// The date that it belongs to, of date triggers.
    pub occurrence: Option<Date>,
}

/// Whether an action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// It does.
    Acted,
    /// The subject is held out, to measure the effect.
    HeldOut,
    /// The rule is only watched.
    Shadow,
}

/// What a rule that is to be decided remembers, as [`crate::history::History`] tells.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// Which rule.
    pub rule: RuleId,
    /// By subject, ascending.
    pub states: Vec<(u32, RuleState)>,
    /// Whether entries in which it hasn't acted begin anew, because its `for` is another one than before.
    pub restarts: bool,
}

/// Decides all rules of one kind of subject together, because those of a group depend on each other.
///
/// # Errors
/// [`PluginFailure`] of a planner whose rule can't wait.
///
/// # Panics
/// If a metric of a rule is absent from the context's metrics.
pub fn decide(context: &Context<'_>, remembered: &[Remembered]) -> Result<Decided, PluginFailure> {
    let mut drafts: Vec<Draft<'_>> = remembered.iter().map(|remembered| entry::draft(context, remembered)).collect();
    group::settle(&mut drafts, context.metrics.subjects);
    let mut decided = Decided::default();
    for mut draft in drafts {
        let held = limit(&mut draft);
        match planned(context, &draft) {
            Ok(planned) => decided.outcomes.push(outcome(context, draft, held, planned)),
            Err((failure, OnPluginError::Fail)) => return Err(failure),
            Err((failure, OnPluginError::Unknown)) => {
                decided.failures.push((draft.rule, failure));
                draft.waiting.plugin = draft.candidates.len() as u64;
                draft.candidates.clear();
                decided.outcomes.push(outcome(context, draft, None, Vec::new()));
            }
        }
    }
    Ok(decided)
}

/// What a planner proposes for those on whom the rule acts; where it fails, also what becomes of that.
fn planned(
    context: &Context<'_>,
    draft: &Draft<'_>,
) -> Result<Vec<(u32, ProposedAction)>, (PluginFailure, OnPluginError)> {
    let Action::Planned(call) = &draft.of.action else { return Ok(Vec::new()) };
    let candidates = draft.candidates.iter().map(|&candidate| draft.known[candidate].subject);
    let acted: Vec<u32> = candidates.filter(|&subject| kind(context, draft.of, subject) == ActKind::Acted).collect();
    if acted.is_empty() {
        return Ok(Vec::new());
    }
    let name = context.rules.plugins.get(call.plugin.0).map_or("", |plugin| &plugin.name);
    proposals(context.plugins, name, call, &context.metrics.columns, &acted, context.clock)
        .map_err(|failure| (failure, call.on_error))
}

/// What the candidates that are left make of their states. `held` is how many there are where that is more than the limit allows.
fn outcome(
    context: &Context<'_>,
    mut draft: Draft<'_>,
    held: Option<u64>,
    planned: Vec<(u32, ProposedAction)>,
) -> RuleOutcome {
    let mut acts = Vec::with_capacity(draft.candidates.len());
    for &candidate in &draft.candidates {
        let Known { subject, occurrence, after, .. } = &mut draft.known[candidate];
        let kind = kind(context, draft.of, *subject);
        // Whoever is a candidate is in an entry.
        acts.push(Act {
            subject: *subject,
            kind,
            entered: after.entered.unwrap_or(context.clock.as_of()),
            occurrence: *occurrence,
        });
        after.acted = true;
        after.last_acted = Some(context.clock.as_of());
        if matches!(draft.of.trigger, Trigger::Date { .. }) {
            after.occurrence = *occurrence;
        }
    }
    let entered = draft.known.iter().filter(|known| known.after.entered.is_some()).count() as u64;
    let changed = draft.known.iter().filter(|known| known.before != known.after);
    let states = changed.map(|known| (known.subject, known.after)).collect();
    let Draft { rule, waiting, unknown, .. } = draft;
    RuleOutcome { rule, due: true, acts, states, entered, waiting, unknown, held, planned }
}

/// Leaves as many candidates as the limit allows. All of them stay where more hold the run: how many there are then.
fn limit(draft: &mut Draft<'_>) -> Option<u64> {
    let limit = draft.of.limit?;
    let candidates = draft.candidates.len() as u64;
    if candidates <= limit.per_run {
        return None;
    }
    if limit.exceed == Exceed::Hold {
        return Some(candidates);
    }
    draft.candidates.truncate(limit.per_run as usize);
    draft.waiting.limit = candidates - limit.per_run;
    None
}

fn kind(context: &Context<'_>, rule: &RetentionRule, subject: u32) -> ActKind {
    match rule.mode {
        Mode::Shadow => ActKind::Shadow,
        Mode::Live if holdout::is_held_out(rule, &(context.key)(subject as usize)) => ActKind::HeldOut,
        Mode::Live => ActKind::Acted,
    }
}
