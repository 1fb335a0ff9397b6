//! What a person sees of a held run, and decides by: which guards it exceeds, who would move where, and what rules would do.
//!
//! It is stored with the hold as JSON, so that everybody sees the same, whenever they look. Of personal metrics there is no more than
//! their mask.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tierd_eval::{
    evaluate::SetOutcome,
    guard::{
        Guarded, Violation, Which,
        moves::{Matrix, Mover, largest},
        proposal::proposals,
    },
    history::{Held, PolicyState},
};
use tierd_ledger::Reader;
use tierd_model::{Clock, Key, Timestamp, Value};
use tierd_rules::{GuardExceed, RuleSet, TierSet};

use crate::{
    evaluate::Evaluation,
    history::{LedgerKeys, level_names},
    report::RuleReport,
};

/// So many movers are shown of each tier set.
const MOVERS: usize = 20;

/// Everything that is shown of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Guards that it exceeds, also those that only warn. Empty where it is held because the data moved on.
    pub violations: Vec<ShownViolation>,
    /// Each tier set that it decided.
    pub sets: Vec<ShownSet>,
    /// Each retention rule that it decided.
    pub rules: Vec<ShownRule>,
}

/// A guard that is exceeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownViolation {
    /// Whose guard: `tiers.value`, `retention.win_back`.
    pub of: String,
    /// Its key: `moved`.
    pub guard: String,
    /// What it allows.
    pub allowed: String,
    /// What was found.
    pub found: String,
    /// Both in a sentence.
    pub message: String,
    /// Whether that holds the run; it only warns otherwise.
    pub holds: bool,
}

/// One tier set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownSet {
    /// Its name.
    pub set: String,
    /// Subjects with each level before and after, lowest level first; at last those without a level.
    pub levels: Vec<ShownLevel>,
    /// How many subjects go from which level to which; those that stay are among them.
    pub matrix: Vec<ShownMove>,
    /// Those who move furthest.
    pub movers: Vec<ShownMover>,
    /// Thresholds that would bring levels with too large a share back to what their guard allows, one line each.
    #[serde(default)]
    pub proposals: Vec<String>,
}

/// How many subjects have a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLevel {
    /// Its name; `None` for no level.
    pub level: Option<String>,
    /// So far.
    pub before: u64,
    /// With this run.
    pub after: u64,
}

/// How many subjects go from one level to another. `None` is no level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownMove {
    /// The level so far.
    pub from: Option<String>,
    /// The level with this run.
    pub to: Option<String>,
    /// How many.
    pub subjects: u64,
}

/// Somebody who moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMover {
    /// The key, a number or a text.
    pub key: Json,
    /// The level so far.
    pub from: String,
    /// The level with this run; `None` is no level.
    pub to: Option<String>,
    /// Metrics that the set's conditions read: integers and truths as JSON has them, everything else as text.
    pub metrics: Map<String, Json>,
}

/// One retention rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRule {
    /// Its name.
    pub rule: String,
    /// Subjects that it would act on.
    pub acted: u64,
    /// Subjects that it would act on, were they not held out.
    pub held_out: u64,
    /// Subjects that it would act on, were it live.
    pub shadow: u64,
}

impl Shown {
    /// Of an evaluation; `before` says what is held so far.
    pub(crate) fn new(
        rules: &RuleSet,
        evaluation: &Evaluation,
        before: &Reader,
        violations: &[Violation],
        clock: &Clock,
    ) -> Result<Self, tierd_ledger::Error> {
        let sets = evaluation.outcome.sets_due().map(|of| {
            let was = match &of.was {
                Some(was) => Cow::Borrowed(&was[..]),
                None => Cow::Owned(held(evaluation, of, &rules.tier_sets[of.set.0], before)?),
            };
            let proposals = proposed(rules, evaluation, of, &was, violations, clock);
            Ok(ShownSet { proposals, ..ShownSet::new(rules, evaluation, of, &was) })
        });
        let retention = RuleReport::all(rules, &evaluation.outcome).into_iter().map(|rule| ShownRule {
            rule: rule.name,
            acted: rule.acted,
            held_out: rule.held_out,
            shadow: rule.shadow,
        });
        Ok(Shown {
            violations: violations.iter().map(|violation| ShownViolation::new(rules, violation)).collect(),
            sets: sets.collect::<Result<_, tierd_ledger::Error>>()?,
            rules: retention.collect(),
        })
    }

    /// As a hold keeps it.
    ///
    /// # Errors
    /// Where this isn't what a tierd of this version writes.
    pub fn parse(stored: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(stored)
    }

    /// What is different in this one from an earlier one of the same rules, in sentences.
    pub fn differences(&self, earlier: &Shown) -> Vec<String> {
        let mut lines = Vec::new();
        for (now, then) in self.sets.iter().zip(&earlier.sets) {
            let all = then.matrix.iter().chain(&now.matrix).filter(|cell| cell.from != cell.to);
            let mut cells: Vec<(&Option<String>, &Option<String>)> = all.map(|cell| (&cell.from, &cell.to)).collect();
            cells.sort_unstable();
            cells.dedup();
            for (from, to) in cells {
                let (before, after) = (then.moves(from, to), now.moves(from, to));
                if before != after {
                    let name = |level: &Option<String>| level.clone().unwrap_or_else(|| "no level".to_owned());
                    lines.push(format!("{}: {} → {}: {before} then, {after} now", now.set, name(from), name(to)));
                }
            }
        }
        for (now, then) in self.rules.iter().zip(&earlier.rules).filter(|(now, then)| now != then) {
            lines.push(format!("{}: acts on {} then, {} now", now.rule, then.acted, now.acted));
        }
        if lines.is_empty() {
            lines.push("as many as before, but others, or something else about them".to_owned());
        }
        lines
    }
}

impl ShownViolation {
    /// As a person sees it.
    pub fn new(rules: &RuleSet, violation: &Violation) -> Self {
        ShownViolation {
            of: violation.of.name(rules),
            guard: violation.which.name().to_owned(),
            allowed: violation.allowed.clone(),
            found: violation.found.clone(),
            message: violation.message.clone(),
            holds: violation.exceed == GuardExceed::Hold,
        }
    }
}

impl ShownSet {
    fn new(rules: &RuleSet, evaluation: &Evaluation, of: &SetOutcome, was: &[Held]) -> Self {
        let set = &rules.tier_sets[of.set.0];
        let matrix = Matrix::new(was.iter().map(|held| held.level), &of.settled.held, set.levels.len());
        let name = |level: Option<usize>| level.map(|level| set.levels[level].name.clone());
        let matrix: Vec<ShownMove> =
            matrix.cells().map(|(from, to, subjects)| ShownMove { from: name(from), to: name(to), subjects }).collect();
        let movers = largest(rules, &evaluation.outcome, of, was, MOVERS);
        ShownSet {
            set: set.name.clone(),
            levels: levels(set, &matrix),
            matrix,
            movers: movers.into_iter().map(|mover| ShownMover::new(rules, set, mover)).collect(),
            proposals: Vec::new(),
        }
    }

    fn moves(&self, from: &Option<String>, to: &Option<String>) -> u64 {
        let found = self.matrix.iter().find(|cell| (&cell.from, &cell.to) == (from, to));
        found.map_or(0, |cell| cell.subjects)
    }
}

/// For each level of a set that has too large a share.
fn proposed(
    rules: &RuleSet,
    evaluation: &Evaluation,
    of: &SetOutcome,
    was: &[Held],
    violations: &[Violation],
    clock: &Clock,
) -> Vec<String> {
    let set = &rules.tier_sets[of.set.0];
    let guarded = set.guard.iter().flat_map(|guard| guard.share.iter().copied());
    let broken = guarded.filter(|(level, _)| {
        violations.iter().any(|broken| (broken.of, broken.which) == (Guarded::Set(of.set), Which::Share(*level)))
    });
    let found = broken.flat_map(|(level, most)| {
        let found = proposals(rules, &evaluation.outcome, of, was, (level, most), clock);
        found.into_iter().map(move |proposal| proposal.text(rules, set, level))
    });
    found.collect()
}

/// What is held of subjects whose evaluation didn't need to know.
fn held(
    evaluation: &Evaluation,
    of: &SetOutcome,
    set: &TierSet,
    before: &Reader,
) -> Result<Vec<Held>, tierd_ledger::Error> {
    let keys = LedgerKeys::new(&evaluation.source(of).keys);
    let held = before.held_levels(&set.name, keys.borrowed(), &level_names(set))?;
    let nothing_more = |level| Held { level, since: Timestamp(0), state: PolicyState::at(level) };
    Ok(held.into_iter().map(nothing_more).collect())
}

fn levels(set: &TierSet, matrix: &[ShownMove]) -> Vec<ShownLevel> {
    let names = set.levels.iter().map(|level| Some(level.name.clone())).chain([None]);
    let sum = |of: &dyn Fn(&ShownMove) -> bool| matrix.iter().filter(|cell| of(cell)).map(|cell| cell.subjects).sum();
    let level = |level: Option<String>| ShownLevel {
        before: sum(&|cell| cell.from == level),
        after: sum(&|cell| cell.to == level),
        level,
    };
    names.map(level).collect()
}

impl ShownMover {
    fn new(rules: &RuleSet, set: &TierSet, mover: Mover) -> Self {
        let name = |level: usize| set.levels[level].name.clone();
        let metrics = mover.metrics.into_iter();
        ShownMover {
            key: match mover.key {
                Key::Integer(key) => key.into(),
                Key::Text(key) => key.to_string().into(),
            },
            from: name(mover.from),
            to: mover.to.map(name),
            metrics: metrics.map(|(metric, value)| (rules.metrics[metric.0].name.clone(), json_value(value))).collect(),
        }
    }
}

/// Decimals and times are text, so that they stay exact.
fn json_value(value: Option<Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Integer(value)) => value.into(),
        Some(Value::Bool(value)) => value.into(),
        Some(value) => value.to_string().into(),
    }
}
