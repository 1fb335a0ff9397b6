use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tierd_daemon::{
    report::{self, RuleReport, SetReport},
    run::RunReport,
    serve::RunDone,
    shown::ShownViolation,
};
use tierd_ledger::{Outcome, RunSet};
use tierd_model::Clock;
use tierd_rules::RuleSet;
use utoipa::ToSchema;

/// A run, or what one would do
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its number; null for a dry run
    pub run: Option<i64>,
    /// `applied`, `unchanged`, `held` or `failed`
    pub outcome: String,
    /// Why it was held or failed
    pub message: Option<String>,
    /// Guards that it exceeds; null for runs of the past, of which holds keep them
    pub violations: Option<Vec<Violation>>,
    /// The time that it evaluated
    pub as_of: String,
    /// Its rules: a hash over all files
    pub revision: String,
    /// Why it was made: `hand`, `schedule`, `change`, `fill` or `approval`; null for a dry run
    pub cause: Option<String>,
    /// The schedules that it decided; null for everything
    pub schedules: Option<Vec<String>>,
    /// When it began; null for a dry run
    pub started: Option<String>,
    /// When it ended; null for a dry run
    pub finished: Option<String>,
    /// What identifies the state of the data
    pub data_version: String,
    /// Rows read, by name of subject table and facts; null where it wasn't kept
    #[schema(value_type = Option<BTreeMap<String, u64>>)]
    pub rows: Option<Map<String, Json>>,
    /// Stored values that don't fit their types
    pub bad_values: u64,
    /// Fact rows of nobody known
    pub unknown_subjects: u64,
    /// Milliseconds of reading
    pub read_ms: f64,
    /// Milliseconds of evaluating
    pub evaluate_ms: f64,
    /// Milliseconds of comparing and writing
    pub write_ms: f64,
    /// Where the buckets of ranks were cut, by metric
    pub cut_points: Option<Json>,
    /// Metrics that are NULL for everybody, because a plugin gave nothing and `on_plugin_error = "unknown"` allows that
    pub plugin_failures: Vec<PluginFailure>,
    /// Each tier set that it decided; null in lists of runs
    pub sets: Option<Vec<SetOutcome>>,
    /// Each retention rule that it decided; null for runs of the past, of which only the actions are kept
    pub rules: Option<Vec<RuleOutcome>>,
}

/// A guard that a run exceeds
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// Whose guard: `tiers.value`, `retention.win_back`
    pub of: String,
    /// Its key: `moved`
    pub guard: String,
    /// What it allows
    pub allowed: String,
    /// What was found
    pub found: String,
    /// Both in a sentence
    pub message: String,
    /// Whether that holds the run; it only warns otherwise
    pub holds: bool,
}

impl From<ShownViolation> for Violation {
    fn from(shown: ShownViolation) -> Self {
        let ShownViolation { of, guard, allowed, found, message, holds } = shown;
        Violation { of, guard, allowed, found, message, holds }
    }
}

/// A metric or a retention rule for which a plugin gave nothing
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PluginFailure {
    /// The metric
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The retention rule
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The plugin
    pub plugin: String,
    /// Its function
    pub function: String,
    /// `timeout`, `fuel`, `memory`, `trap`, `stack`, `output`, `failed`, `refused`, `missing`, `compile` or `resting`
    pub reason: String,
    /// Why, in a sentence
    pub message: String,
    /// For how many customers the metric is NULL, or how many wait for the rule
    pub subjects: u64,
}

impl From<report::PluginFailure> for PluginFailure {
    fn from(failure: report::PluginFailure) -> Self {
        let report::PluginFailure { metric, rule, plugin, function, reason, message, subjects } = failure;
        PluginFailure { metric, rule, plugin, function, reason, message, subjects }
    }
}

/// What a run did to one tier set
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SetOutcome {
    /// The tier set
    pub set: String,
    /// Its levels, lowest first
    pub levels: Vec<LevelCount>,
    /// Customers without a level
    pub without_level: u64,
    /// Customers for whom a condition was UNKNOWN; null for runs of the past
    pub unknown: Option<u64>,
    /// Held levels of customers who have left the data
    pub absent: u64,
    /// Changes by kind
    pub changes: Vec<Change>,
}

/// How many customers have a level
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LevelCount {
    /// The level
    pub level: String,
    /// How many
    pub customers: u64,
}

/// How many customers went from one level to another
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The level before; null for none
    pub from: Option<String>,
    /// The level after; null for none
    pub to: Option<String>,
    /// How many
    pub customers: u64,
}

/// What a run did about one retention rule
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RuleOutcome {
    /// The rule
    pub rule: String,
    /// Customers in an entry
    pub entered: u64,
    /// Customers on whom it acts
    pub acted: u64,
    /// Customers on whom it would act, had they not been held out
    pub held_out: u64,
    /// Customers on whom it would act, were it live
    pub shadow: u64,
    /// Customers in an entry who wait
    pub waiting: Waits,
    /// Customers for whom its condition is UNKNOWN
    pub unknown: u64,
    /// More customers than its limit allows, so that it acts on nobody: how many
    pub held: Option<u64>,
}

/// Customers who wait, by what they wait for
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Waits {
    /// The time that `for` asks
    pub hold_for: u64,
    /// The cool-down
    pub cooldown: u64,
    /// Another rule of the group
    pub group: u64,
    /// The limit
    pub limit: u64,
    /// The plugin that says what is to be done, as it failed
    pub plugin: u64,
}

/// Rows of subject tables and of facts together.
fn all_rows(kept: Json) -> Option<Map<String, Json>> {
    let kinds: Map<String, Json> = serde_json::from_value(kept).ok()?;
    Some(kinds.into_iter().filter_map(|(_, rows)| serde_json::from_value::<Map<_, _>>(rows).ok()).flatten().collect())
}

impl Run {
    /// Of a run that was just made here, or would be.
    pub fn of_report(report: &RunReport, rules: &RuleSet, clock: &Clock) -> Self {
        let evaluation = &report.evaluation;
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        Run {
            run: report.run.map(|run| run.0),
            outcome: report.outcome.name().to_owned(),
            message: message(&report.outcome),
            violations: Some(report.violations.iter().map(|one| ShownViolation::new(rules, one).into()).collect()),
            as_of: clock.as_of().to_string(),
            revision: rules.revision.to_string(),
            cause: None,
            schedules: None,
            started: None,
            finished: None,
            data_version: evaluation.data_version(),
            rows: Some(evaluation.rows(rules).map(|(name, rows)| (name.to_owned(), Json::from(rows))).collect()),
            bad_values: evaluation.bad_values(),
            unknown_subjects: evaluation.unknown_subjects(),
            read_ms: milliseconds(evaluation.read),
            evaluate_ms: milliseconds(evaluation.evaluate),
            write_ms: milliseconds(report.write),
            cut_points: Some(evaluation.cut_points(rules)),
            plugin_failures: evaluation.plugin_failures(rules).into_iter().map(PluginFailure::from).collect(),
            sets: Some(report.sets.iter().map(SetOutcome::from).collect()),
            rules: Some(report.rules.iter().map(RuleOutcome::from).collect()),
        }
    }

    /// Of a run in the ledger.
    pub fn of_ledger(run: tierd_ledger::Run, sets: Option<Vec<RunSet>>) -> Self {
        let plugin_failures = report::PluginFailure::of_run(&run).into_iter().map(PluginFailure::from).collect();
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Run {
            run: Some(run.id.0),
            outcome: run.outcome.name().to_owned(),
            message: message(&run.outcome),
            violations: None,
            as_of: run.as_of.to_string(),
            revision: run.revision.to_string(),
            cause: Some(run.cause.name().to_owned()),
            schedules: run.schedules,
            started: Some(run.started.to_string()),
            finished: Some(run.finished.to_string()),
            data_version: run.data_version,
            rows: json(run.table_rows).and_then(all_rows),
            bad_values: run.bad_values,
            unknown_subjects: run.unknown_subjects,
            read_ms: run.read_ms as f64,
            evaluate_ms: run.evaluate_ms as f64,
            write_ms: run.write_ms as f64,
            cut_points: json(run.cut_points),
            plugin_failures,
            sets: sets.map(|sets| sets.into_iter().map(SetOutcome::from).collect()),
            rules: None,
        }
    }

    /// With what only the daemon that made it knows.
    pub fn with_details(mut self, done: &RunDone) -> Self {
        self.sets = Some(done.sets.iter().map(SetOutcome::from).collect());
        self.rules = Some(done.rules.iter().map(RuleOutcome::from).collect());
        self
    }
}

pub(super) fn message(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Held(message) | Outcome::Failed(message) => Some(message.clone()),
        Outcome::Applied | Outcome::Unchanged => None,
    }
}

impl From<&SetReport> for SetOutcome {
    fn from(set: &SetReport) -> Self {
        SetOutcome {
            set: set.name.clone(),
            levels: set.levels.iter().map(LevelCount::from).collect(),
            without_level: set.without_level,
            unknown: Some(set.unknown),
            absent: set.absent,
            changes: set.moves.iter().map(Change::from).collect(),
        }
    }
}

impl From<RunSet> for SetOutcome {
    fn from(set: RunSet) -> Self {
        SetOutcome {
            set: set.name,
            levels: set.levels.iter().map(LevelCount::from).collect(),
            without_level: set.without_level,
            unknown: None,
            absent: set.absent,
            changes: set.moves.iter().map(Change::from).collect(),
        }
    }
}

impl From<&(String, u64)> for LevelCount {
    fn from((level, customers): &(String, u64)) -> Self {
        LevelCount { level: level.clone(), customers: *customers }
    }
}

impl From<&tierd_ledger::Move> for Change {
    fn from(change: &tierd_ledger::Move) -> Self {
        Change { from: change.from.clone(), to: change.to.clone(), customers: change.subjects }
    }
}

impl From<&RuleReport> for RuleOutcome {
    fn from(rule: &RuleReport) -> Self {
        let waiting = rule.waiting;
        RuleOutcome {
            rule: rule.name.clone(),
            entered: rule.entered,
            acted: rule.acted,
            held_out: rule.held_out,
            shadow: rule.shadow,
            waiting: Waits {
                hold_for: waiting.hold_for,
                cooldown: waiting.cooldown,
                group: waiting.group,
                limit: waiting.limit,
                plugin: waiting.plugin,
            },
            unknown: rule.unknown,
            held: rule.held,
        }
    }
}
