//! Why a subject has its level: every condition with its values, and what is missing for the next level.
//!
//! An explanation is data ([`Explanation`]); [`text`] turns it into lines for a terminal. It is found by the functions
//! that graded the subject ([`crate::levels`], [`crate::expr`]), given one row of the same columns, so that it can't
//! disagree with the level. Ranks are read from their columns, never computed again for one subject.
//!
//! Nothing is masked in the data: [`Side::personal`] and [`Story::personal`] say what must be, wherever it is shown.

mod clauses;
mod elsewhere;
mod holding;
mod missing;
pub mod rules;
mod stories;
#[cfg(test)]
mod tests;
pub mod text;

use arrow_array::ArrayRef;
use tierd_model::{Clock, Value};
use tierd_rules::{Expr, Location, MetricId, RuleSet, TierSet, TierSetId, Unknown};

use crate::{
    columns::value_at,
    derive::Metrics,
    evaluate::{Outcome, SubjectOutcome},
    expr::{evaluate, slice},
    levels::{Graded, NONE, grade_rows},
};

pub use clauses::{Clause, ClauseKind, Side, Test, Verdict};
pub use holding::{Holding, Why};
pub use missing::{Difference, Gap, Missing, Need, Needed};
pub use stories::{FactsLine, How, InputLine, Lots, Part, ScoreLine, Story};

/// Why one subject has its level in one tier set.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Name of the tier set.
    pub set: String,
    /// Its title.
    pub title: Option<String>,
    /// Index of the level that the subject has.
    pub level: Option<usize>,
    /// What comes with that level, as the rules have it.
    pub benefits: serde_json::Map<String, serde_json::Value>,
    /// How it came to hold that level, where that isn't just what its conditions give.
    pub holding: Option<Holding>,
    /// What the level rests on.
    pub basis: Basis,
    /// Every level, highest first.
    pub levels: Vec<LevelCheck>,
    /// The metrics behind the conditions, each before those that it is computed from, and each once.
    pub metrics: Vec<Story>,
    /// What would lift the subject to the next level; `None` if it has the highest, or if the set refuses to grade it.
    pub missing: Option<Missing>,
}

/// What a level rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// On the conditions alone: no UNKNOWN was met before the first TRUE.
    Proven,
    /// A higher condition is UNKNOWN, and the level held before isn't higher than the one that is proven.
    ProvenDespiteUnknown,
    /// A condition is UNKNOWN, and the level held before stays.
    Kept,
    /// A condition is UNKNOWN, and the set gives the lowest level then.
    Lowest,
    /// A condition is UNKNOWN, and the set refuses to grade then.
    Refused,
}

/// One level and how its condition came out.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelCheck {
    /// Its index, lowest 0.
    pub level: usize,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// Whether the condition holds; TRUE where there is none.
    pub verdict: Verdict,
    /// The condition, taken apart.
    pub condition: Option<Clause>,
    /// The condition to stay, if it has one of its own.
    pub keep: Option<Clause>,
}

/// Explains the level of one subject (its index) in `set` by its conditions alone; `held` is the level that it had before the run.
///
/// # Panics
/// If the subject is beyond the end or a metric of the set's conditions is absent.
pub fn explain(
    rules: &RuleSet,
    set: &TierSet,
    metrics: &Metrics,
    subject: usize,
    held: Option<u16>,
    clock: &Clock,
) -> Explanation {
    let row = Row::new(rules, metrics, subject, clock);
    let (level, basis) = decided(set, metrics, subject, held, clock);
    explained(&row, set, metrics, (level, None), basis)
}

/// Explains the level that one subject (its index) holds in a tier set after an evaluation.
///
/// # Panics
/// If the subject is beyond the end.
pub fn explain_held(rules: &RuleSet, outcome: &Outcome, set: TierSetId, subject: usize, clock: &Clock) -> Explanation {
    let (tier_set, of) = (&rules.tier_sets[set.0], &outcome.sets[set.0]);
    let subjects = &outcome.subjects[of.subject];
    let row = Row { of: Some(subjects), outcome: Some(outcome), ..Row::new(rules, &subjects.metrics, subject, clock) };
    let before = of.was.as_ref().map(|was| was[subject].state.level).filter(|&level| level != NONE);
    let (earned, basis) = decided(tier_set, &subjects.metrics, subject, before, clock);
    let holding = holding::holding(&row, tier_set, of);
    let level = holding.as_ref().map_or(earned, |holding| holding.level);
    explained(&row, tier_set, &subjects.metrics, (level, holding), basis)
}

fn explained(
    row: &Row<'_>,
    set: &TierSet,
    metrics: &Metrics,
    (level, holding): (Option<usize>, Option<Holding>),
    basis: Basis,
) -> Explanation {
    let levels: Vec<LevelCheck> = (0..set.levels.len()).rev().map(|level| check(row, set, level)).collect();
    let best = level.max(holding.as_ref().and_then(|holding| holding.earned));
    let next = best.map_or(0, |level| level + 1);
    let next = levels.iter().find(|check| set.ordered && check.level == next && basis != Basis::Refused);
    let missing = next.map(missing::missing);
    let metrics = stories::stories(row, set.metrics(), metrics);
    let benefits = level.map(|level| set.levels[level].benefits.clone()).unwrap_or_default();
    let (set, title) = (set.name.clone(), set.title.clone());
    Explanation { set, title, level, benefits, holding, basis, levels, metrics, missing }
}

fn decided(
    set: &TierSet,
    metrics: &Metrics,
    subject: usize,
    held: Option<u16>,
    clock: &Clock,
) -> (Option<usize>, Basis) {
    let Ok(mut graded) = grade_rows(set, metrics, subject, 1, clock) else {
        return (None, Basis::Refused);
    };
    let proven = graded.earned[0];
    graded.settle(|_| held);
    let level = graded.earned[0];
    ((level != NONE).then_some(usize::from(level)), basis(&graded, proven))
}

fn basis(graded: &Graded, proven: u16) -> Basis {
    match graded.policy {
        _ if graded.unknown.is_empty() => Basis::Proven,
        Unknown::Lowest => Basis::Lowest,
        _ if graded.earned[0] == proven => Basis::ProvenDespiteUnknown,
        _ => Basis::Kept,
    }
}

fn check(row: &Row<'_>, set: &TierSet, level: usize) -> LevelCheck {
    let of = &set.levels[level];
    let condition = of.when.as_ref().map(|when| clauses::clause(row, when));
    let verdict = condition.as_ref().map_or(Verdict::True, |clause| clause.verdict);
    let keep = of.keep.as_ref().map(|keep| clauses::clause(row, keep));
    LevelCheck { level, name: of.name.clone(), title: of.title.clone(), verdict, condition, keep }
}

/// One subject's row of all metrics, and what is needed to read and quote rules about it.
struct Row<'a> {
    rules: &'a RuleSet,
    /// Index of the subject.
    subject: usize,
    /// All subjects of its kind, where more is known than their metrics.
    of: Option<&'a SubjectOutcome>,
    /// Everybody, likewise.
    outcome: Option<&'a Outcome>,
    columns: Vec<Option<ArrayRef>>,
    /// By metric, whether it is personal or computed from what is.
    personal: Vec<bool>,
    clock: &'a Clock,
}

impl<'a> Row<'a> {
    fn new(rules: &'a RuleSet, metrics: &Metrics, subject: usize, clock: &'a Clock) -> Self {
        let all: Vec<usize> = (0..metrics.columns.len()).collect();
        Row {
            rules,
            subject,
            of: None,
            outcome: None,
            columns: slice(&metrics.columns, &all, subject, 1),
            personal: rules.personal(),
            clock,
        }
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        value_at(&evaluate(expr, &self.columns, 1, self.clock), expr.ty, 0)
    }

    fn metric(&self, metric: MetricId) -> Option<Value> {
        let column = self.columns[metric.0].as_ref()?;
        value_at(column, self.rules.metrics[metric.0].ty, 0)
    }

    /// The rule's own words, on one line.
    fn quote(&self, at: &Location) -> String {
        self.rules.quote(at).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
