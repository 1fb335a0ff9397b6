//! Why one subject has its levels, and what retention rules say of it: from an evaluation that is at hand, or from the decision
//! file of the last run by evaluating one row of it.
//!
//! Both roads end in the same functions of `tierd_eval::explain` on an [`Outcome`], so that they can't disagree. What is held,
//! which overrides are in force and what policies and rules remember is asked of the ledger in both.

mod history;
pub mod json;
mod one;

use tierd_eval::{
    evaluate::Outcome,
    explain::{
        Explanation, explain_held,
        rules::{self, RuleStory},
    },
};
use tierd_ledger::{Held, KeyRef, Override, OverrideFilter, Reader};
use tierd_model::{Clock, Key};
use tierd_rules::{RuleId, RuleSet, SubjectId, TierSet, TierSetId};

use crate::evaluate::{EvaluateError, Evaluation};

pub(crate) use one::from_file;
pub use one::limits_used_up;

/// Everything that is said of one subject.
#[derive(Debug)]
pub struct Answers {
    /// The key, as it was asked for.
    pub key: String,
    /// Each tier set that grades it, in the order of the rules.
    pub sets: Vec<Answer>,
    /// Each retention rule about it; none where one tier set was asked for.
    pub rules: Vec<RuleStory>,
}

/// One tier set's explanation of one subject, with what the ledger knows.
#[derive(Debug)]
pub struct Answer {
    /// Why it has its level.
    pub explanation: Explanation,
    /// What the ledger says that it holds; `None` if no run has graded it.
    pub held: Option<Held>,
    /// Overrides in force, as they were recorded.
    pub overrides: Vec<Override>,
}

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// There is nobody of this key.
    #[error("{0}")]
    NoSubject(String),
    /// The rules have no such tier set.
    #[error("no tier set `{0}`")]
    NoSet(String),
    /// No run has decided anything yet.
    #[error("no run has decided anything yet")]
    NoRun,
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
    /// Everybody had to be evaluated again, and that failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// A subject in an outcome.
struct Seen<'a> {
    kind: SubjectId,
    key: Key,
    outcome: &'a Outcome,
    /// Its index.
    subject: usize,
}

impl Answer {
    /// The name of the level that the explanation gives.
    pub fn level<'a>(&self, rules: &'a RuleSet) -> Option<&'a str> {
        json::name(rules, &self.explanation, self.explanation.level)
    }

    /// Whether the data or the rules give another level than the one that is held.
    pub fn has_moved_on(&self, rules: &RuleSet) -> bool {
        let held = self.held.as_ref().map(|held| held.level.as_deref());
        held.is_some_and(|held| held != self.level(rules))
    }
}

/// Explains a subject of an evaluation that is at hand; `set` as in [`tier_sets`].
///
/// # Errors
/// [`ExplainError`].
pub fn of_evaluation(
    rules: &RuleSet,
    evaluation: &Evaluation,
    ledger: Option<&Reader>,
    clock: &Clock,
    key: &str,
    set: Option<&str>,
) -> Result<Answers, ExplainError> {
    let outcome = &evaluation.outcome;
    let seen = evaluation.sources.iter().filter_map(|source| {
        let key = Key::parse(key, rules.config.subjects[source.subject.0].key_type)?;
        let subject = source.keys.find(&key)?;
        Some(Seen { kind: source.subject, key, outcome, subject })
    });
    answers(rules, &seen.collect::<Vec<_>>(), ledger, clock, key, set)
}

/// The tier sets of this name, all its categories for a set that is kept per category; without a name, all.
///
/// # Errors
/// [`ExplainError::NoSet`].
pub fn tier_sets(rules: &RuleSet, name: Option<&str>) -> Result<Vec<TierSetId>, ExplainError> {
    let is_meant = |set: &TierSet| match (name, &set.category) {
        (None, _) => true,
        (Some(name), Some(category)) => category.set == name || set.name == name,
        (Some(name), None) => set.name == name,
    };
    let sets = rules.tier_sets.iter().enumerate();
    let sets: Vec<_> = sets.filter(|(_, set)| is_meant(set)).map(|(id, _)| TierSetId(id)).collect();
    match (name, sets.is_empty()) {
        (Some(name), true) => Err(ExplainError::NoSet(name.to_owned())),
        _ => Ok(sets),
    }
}

fn answers(
    rules: &RuleSet,
    seen: &[Seen<'_>],
    ledger: Option<&Reader>,
    clock: &Clock,
    key: &str,
    set: Option<&str>,
) -> Result<Answers, ExplainError> {
    let (mut sets, mut refusal) = (Vec::new(), None);
    for id in tier_sets(rules, set)? {
        let kind = rules.tier_sets[id.0].subject;
        match seen.iter().find(|seen| seen.kind == kind) {
            Some(seen) => sets.push(answer(rules, seen, id, ledger, clock)?),
            None => refusal = Some(refusal_of(rules, kind, key, refusal)),
        }
    }
    if sets.is_empty() {
        return Err(ExplainError::NoSubject(refusal.unwrap_or_else(|| "the rules have no tier set".to_owned())));
    }
    let rules = match set {
        Some(_) => Vec::new(),
        None => stories(rules, seen, ledger, clock)?,
    };
    Ok(Answers { key: key.to_owned(), sets, rules })
}

/// Why nobody is found. Of several reasons, one that no key could be meets comes last, else the first.
fn refusal_of(rules: &RuleSet, kind: SubjectId, key: &str, before: Option<String>) -> String {
    let kind = &rules.config.subjects[kind.0];
    match Key::parse(key, kind.key_type) {
        None => format!("`{key}` is no key of a {}: its keys are of type integer", kind.name),
        Some(_) => before.unwrap_or_else(|| format!("no {} has the key {key}", kind.name)),
    }
}

/// Explains a subject (its index) of an outcome in one tier set.
///
/// # Errors
/// Where the ledger can't be read.
pub fn one_set(
    rules: &RuleSet,
    outcome: &Outcome,
    (set, subject): (TierSetId, usize),
    ledger: Option<&Reader>,
    clock: &Clock,
) -> Result<Answer, ExplainError> {
    let of = &outcome.subjects[outcome.sets[set.0].subject];
    let seen = Seen { kind: of.subject, key: (of.key)(subject), outcome, subject };
    answer(rules, &seen, set, ledger, clock)
}

fn answer(
    rules: &RuleSet,
    seen: &Seen<'_>,
    set: TierSetId,
    ledger: Option<&Reader>,
    clock: &Clock,
) -> Result<Answer, ExplainError> {
    let (name, key) = (&rules.tier_sets[set.0].name, KeyRef::from(&seen.key));
    let filter = OverrideFilter { set: Some(name), key: Some(key), in_force: Some(clock.as_of()) };
    let (held, overrides) = match ledger {
        Some(ledger) => (ledger.held(name, key)?, ledger.overrides(filter)?),
        None => (None, Vec::new()),
    };
    let explanation = explain_held(rules, seen.outcome, set, seen.subject, clock);
    Ok(Answer { explanation, held, overrides })
}

/// Every rule about the subjects of this key, of whatever kind.
fn stories(
    rules: &RuleSet,
    seen: &[Seen<'_>],
    ledger: Option<&Reader>,
    clock: &Clock,
) -> Result<Vec<RuleStory>, ExplainError> {
    let mut stories = Vec::new();
    for seen in seen {
        let Some(of) = seen.outcome.subject(seen.kind) else { continue };
        let states = (0..rules.retention.len()).map(|id| history::rule_state(rules, ledger, RuleId(id), &seen.key));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        let before = |rule: RuleId| states[rule.0];
        stories.extend(rules::rules(rules, seen.outcome, of, seen.subject, before, clock));
    }
    Ok(stories)
}
