//! What a run did to each tier set and about each retention rule that it decided, in numbers.

use serde::{Deserialize, Serialize};
use tierd_eval::{
    evaluate::{Asker, Outcome, PluginFailed, SetOutcome},
    guard::moves::Matrix,
    retention::{ActKind, RuleOutcome, Waiting},
};
use tierd_ledger::{Reader, SetSummary};
use tierd_rules::RuleSet;

use crate::{
    evaluate::Evaluation,
    history::{LedgerKeys, level_names},
};

pub use tierd_ledger::Move;

/// What a run did to one tier set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetReport {
    /// Its name.
    pub name: String,
    /// Subjects per level, lowest first.
    pub levels: Vec<(String, u64)>,
    /// Subjects without a level.
    pub without_level: u64,
    /// Subjects whose decision met UNKNOWN.
    pub unknown: u64,
    /// Held levels of subjects that aren't in the data any more; they stay as they are.
    pub absent: u64,
    /// Changes by kind: from, to, how many. `None` is no level.
    pub moves: Vec<Move>,
}

/// What a run did about one retention rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReport {
    /// Its name.
    pub name: String,
    /// Subjects in an entry.
    pub entered: u64,
    /// Subjects that it acts on.
    pub acted: u64,
    /// Subjects that it would act on, had they not been held out.
    pub held_out: u64,
    /// Subjects that it would act on, were it live.
    pub shadow: u64,
    /// Subjects in an entry that wait, by the reason.
    pub waiting: Waiting,
    /// Subjects for whom its condition is UNKNOWN.
    pub unknown: u64,
    /// More subjects than its limit allows, so that the run waits for a person: how many.
    pub held: Option<u64>,
}

/// A metric that is NULL for everybody, or a retention rule that acts on nobody, because a plugin gave nothing and the rules allow that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFailure {
    /// Name of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Name of the retention rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Name of the plugin.
    pub plugin: String,
    /// Name of its function.
    pub function: String,
    /// In one word, of a closed set.
    pub reason: String,
    /// In a sentence.
    pub message: String,
    /// For how many subjects the metric is NULL, or how many wait for the rule.
    pub subjects: u64,
}

impl PluginFailure {
    pub(crate) fn new(rules: &RuleSet, failed: &PluginFailed) -> Self {
        let tierd_eval::plugin::PluginFailure { plugin, function, reason, message } = failed.failure.clone();
        let (metric, rule) = match failed.asker {
            Asker::Metric(metric) => (Some(rules.metrics[metric.0].name.clone()), None),
            Asker::Rule(rule) => (None, Some(rules.retention[rule.0].name.clone())),
        };
        PluginFailure { metric, rule, plugin, function, reason: reason.to_owned(), message, subjects: failed.subjects }
    }

    /// As [`tierd_eval::plugin::PluginFailure::why`].
    pub(crate) fn why(&self) -> String {
        format!("{} ({})", self.message, self.reason)
    }

    /// As the ledger has it of a run; empty where it has none.
    pub fn of_run(run: &tierd_ledger::Run) -> Vec<Self> {
        let parsed = run.plugin_failures.as_deref().and_then(|text| serde_json::from_str(text).ok());
        parsed.unwrap_or_default()
    }
}

impl SetReport {
    /// As the ledger has stored it.
    pub(crate) fn stored(set: &SetOutcome, stored: SetSummary) -> Self {
        SetReport {
            name: stored.name,
            levels: stored.levels,
            without_level: stored.without_level,
            unknown: set.unknown.len() as u64,
            absent: stored.absent,
            moves: stored.moves,
        }
    }

    /// As it would be stored.
    pub(crate) fn compared(
        rules: &RuleSet,
        evaluation: &Evaluation,
        set: &SetOutcome,
        ledger: Option<&Reader>,
    ) -> Result<Self, tierd_ledger::Error> {
        let tier_set = &rules.tier_sets[set.set.0];
        let names = level_names(tier_set);
        let now = &set.settled.held;
        let was: Vec<u16> = match (&set.was, ledger) {
            (Some(was), _) => was.iter().map(|held| held.level).collect(),
            (None, Some(ledger)) => {
                let keys = LedgerKeys::new(&evaluation.source(set).keys);
                ledger.held_levels(&tier_set.name, keys.borrowed(), &names)?
            }
            (None, None) => vec![tierd_ledger::NO_LEVEL; now.len()],
        };
        let (levels, without_level) = set.distribution();
        Ok(SetReport {
            name: tier_set.name.clone(),
            moves: moves(&names, &was, now),
            levels: names.into_iter().map(str::to_owned).zip(levels).collect(),
            without_level,
            unknown: set.unknown.len() as u64,
            absent: 0,
        })
    }
}

/// Changes by kind.
fn moves(names: &[&str], was: &[u16], now: &[u16]) -> Vec<Move> {
    let matrix = Matrix::new(was.iter().copied(), now, names.len());
    let name = |level: Option<usize>| level.map(|level| names[level].to_owned());
    let changed = matrix.cells().filter(|(from, to, _)| from != to);
    changed.map(|(from, to, subjects)| Move { from: name(from), to: name(to), subjects }).collect()
}

impl RuleReport {
    /// Of every rule that was decided.
    pub(crate) fn all(rules: &RuleSet, outcome: &Outcome) -> Vec<Self> {
        outcome.rules_due().map(|rule| RuleReport::new(&rules.retention[rule.rule.0].name, rule)).collect()
    }

    fn new(name: &str, rule: &RuleOutcome) -> Self {
        let count = |kind: ActKind| rule.acts.iter().filter(|act| act.kind == kind).count() as u64;
        RuleReport {
            name: name.to_owned(),
            entered: rule.entered,
            acted: count(ActKind::Acted),
            held_out: count(ActKind::HeldOut),
            shadow: count(ActKind::Shadow),
            waiting: rule.waiting,
            unknown: rule.unknown,
            held: rule.held,
        }
    }

    /// Actions of any kind.
    pub fn actions(&self) -> u64 {
        self.acted + self.held_out + self.shadow
    }
}
