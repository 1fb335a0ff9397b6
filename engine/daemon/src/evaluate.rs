//! From a snapshot of the database to levels, in memory.

use std::{
    mem,
    path::PathBuf,
    time::{Duration, Instant},
};

use arrow_array::ArrayRef;
use serde_json::json;
use tierd_eval::{
    due::Due,
    evaluate::{self, Outcome, SetOutcome, SubjectOutcome},
};
use tierd_host::LookupProblem;
use tierd_ledger::Reader;
use tierd_model::Clock;
use tierd_rules::RuleSet;
use tierd_sources::{
    BadValues, Database, DatabaseError, Progress, ReadError, ReadOptions, SourceData, needed_subjects, read_all,
};

use crate::{
    Project,
    history::LedgerHistory,
    limits::{self, LimitError},
    plugins::lookups,
    report::PluginFailure,
};

/// A database that stays locked is waited for this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// As of when to evaluate, and how to read.
#[derive(Debug, Clone, Copy)]
pub struct Evaluator<'a> {
    /// The run's time.
    pub clock: &'a Clock,
    /// Which sets and rules are decided.
    pub due: &'a Due,
    /// How rows are read.
    pub options: ReadOptions,
    /// Told how far reading has come.
    pub progress: &'a Progress,
}

/// Everything that a run found, before anything is stored.
#[derive(Debug)]
pub struct Evaluation {
    /// What was read of each kind of subject that the rules need. Columns, parents, bookings and bad values have moved on.
    pub sources: Vec<SourceData>,
    /// Stored values, also of tables that plugins look things up in, that didn't fit their declared types.
    bad_values: Vec<BadValues>,
    /// What the rules make of it; its subjects stand in the same order.
    pub outcome: Outcome,
    /// How long reading took.
    pub read: Duration,
    /// How long everything after that took.
    pub evaluate: Duration,
}

/// Why nothing was evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The database can't be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It can't be read, or doesn't have what the rules need.
    #[error(transparent)]
    Read(ReadError),
    /// What was read is not fit to grade anybody by.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A set that allows no UNKNOWN has met it, or a plugin gave nothing that a rule can't do without.
    #[error(transparent)]
    Unknown(evaluate::Error<tierd_ledger::Error>),
    /// A table that plugins look things up in has a key twice.
    #[error(transparent)]
    Lookup(#[from] LookupProblem),
    /// What earlier runs left can't be read.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
}

impl From<evaluate::Error<tierd_ledger::Error>> for EvaluateError {
    fn from(error: evaluate::Error<tierd_ledger::Error>) -> Self {
        match error {
            evaluate::Error::History(error) => EvaluateError::Ledger(error),
            error => EvaluateError::Unknown(error),
        }
    }
}

impl From<ReadError> for EvaluateError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Database(error) => EvaluateError::Database(error),
            error => EvaluateError::Read(error),
        }
    }
}

impl EvaluateError {
    /// What a log may say: as the message, but without keys and values from the database.
    pub fn without_values(&self) -> String {
        match self {
            EvaluateError::Limit(error) => error.without_values(),
            EvaluateError::Unknown(evaluate::Error::Unknown { error, .. }) => error.to_string(),
            EvaluateError::Read(ReadError::Subjects(error)) => error.without_values(),
            other => other.to_string(),
        }
    }
}

impl Evaluator<'_> {
    /// Reads the database of a project and evaluates all rules; the ledger, where there is one yet, says what earlier runs left.
    ///
    /// # Errors
    /// [`EvaluateError`] where the data can't be read, or must not decide anything.
    pub fn evaluate(
        &self,
        project: &Project,
        rules: &RuleSet,
        ledger: Option<&Reader>,
    ) -> Result<Evaluation, EvaluateError> {
        let database = open(project.database(&rules.config))?;
        let reading = Instant::now();
        let (read_by, looked_up) = lookups::read_by(rules);
        let mut needed = needed_subjects(rules);
        needed.extend(looked_up.iter().map(|(_, kind)| *kind));
        let mut sources = read_all(&database, &read_by, &needed, self.clock, self.options, self.progress)?;
        let read = reading.elapsed();
        for source in &sources {
            let lookup = looked_up.iter().find(|(_, kind)| *kind == source.subject);
            let lookup = lookup.map(|(index, _)| &rules.config.lookups[*index]);
            limits::check(&read_by, source, lookup, self.clock)?;
        }
        let bad_values = sources.iter_mut().flat_map(|source| mem::take(&mut source.bad_values)).collect();
        let lookups = lookups::take(rules, &looked_up, &mut sources)?;
        let evaluating = Instant::now();
        let given = sources.iter_mut().map(SourceData::take_given).collect();
        let history = LedgerHistory::new(ledger, rules, &sources, self.clock);
        let plugins = project.runner(rules, &lookups);
        let outcome = evaluate::evaluate(rules, given, &history, &*plugins, self.due, self.clock)?;
        Ok(Evaluation { sources, bad_values, outcome, read, evaluate: evaluating.elapsed() })
    }
}

/// The database of a project, after its preflight.
pub(crate) fn open(path: PathBuf) -> Result<Database, DatabaseError> {
    Database::open(path, PATIENCE)
}

/// Attributes (by index) of all subjects of a kind, in the order of their keys: also those that no rule reads.
///
/// # Errors
/// [`EvaluateError`] where the data can't be read.
pub fn attributes(
    project: &Project,
    rules: &RuleSet,
    of: &SourceData,
    attributes: &[usize],
    clock: &Clock,
) -> Result<Vec<ArrayRef>, EvaluateError> {
    if attributes.is_empty() {
        return Ok(Vec::new());
    }
    let database = open(project.database(&rules.config))?;
    Ok(tierd_sources::attributes(&database, rules, of.subject, &of.keys, attributes, clock)?)
}

impl Evaluation {
    /// What was read of those whom a tier set grades.
    pub fn source(&self, set: &SetOutcome) -> &SourceData {
        &self.sources[set.subject]
    }

    /// Those whom a tier set grades.
    pub fn subject(&self, set: &SetOutcome) -> &SubjectOutcome {
        &self.outcome.subjects[set.subject]
    }

    /// How many subjects were read.
    pub fn subject_count(&self) -> u64 {
        self.sources.iter().map(|s| s.keys.len() as u64).sum()
    }

    /// How many rows of facts were read.
    pub fn fact_rows(&self) -> u64 {
        self.tables().filter(|table| table.facts.is_some()).map(|table| table.rows).sum()
    }

    /// How many stored values didn't fit their declared types.
    pub fn bad_values(&self) -> u64 {
        self.bad_values.iter().map(|bad| bad.count).sum()
    }

    /// How many facts name no known subject.
    pub fn unknown_subjects(&self) -> u64 {
        self.tables().map(|table| table.unknown_subjects).sum()
    }

    /// What identifies the state of the data.
    pub fn data_version(&self) -> String {
        self.sources.iter().map(|s| s.version.to_string()).collect::<Vec<_>>().join("; ")
    }

    /// Every table that was read.
    pub fn tables(&self) -> impl Iterator<Item = &tierd_sources::TableRead> {
        self.sources.iter().flat_map(|s| &s.tables)
    }

    /// Each table that was read, by the name of its facts or else its own, and its rows.
    pub fn rows<'a>(&'a self, rules: &'a RuleSet) -> impl Iterator<Item = (&'a str, u64)> {
        self.tables().map(|table| {
            let name = table.facts.map_or(&table.table, |facts| &rules.config.facts[facts.0].name);
            (&**name, table.rows)
        })
    }

    /// What is worth knowing, though limits allow it: bad values, facts of unknown subjects.
    pub fn remarks(&self, rules: &RuleSet) -> Vec<String> {
        let mut remarks: Vec<String> = self.bad_values.iter().map(limits::bad_values).collect();
        for table in self.tables().filter(|table| table.unknown_subjects > 0) {
            let name = table.facts.map_or("", |facts| &rules.config.facts[facts.0].name);
            remarks.push(format!("{} {name} name no known subject and are passed over", table.unknown_subjects));
        }
        remarks
    }

    /// Metrics for which a plugin gave nothing, where rules allow that.
    pub fn plugin_failures(&self, rules: &RuleSet) -> Vec<PluginFailure> {
        self.outcome.plugin_failures.iter().map(|failed| PluginFailure::new(rules, failed)).collect()
    }

    /// Where the ranks' buckets were cut, by metric: `{"m_score": [{"bucket": 1, "from": "0.00", "to": "12.50", "subjects": 20}]}`; and what
    /// the models of plugins say of their fit: `{"alive": {"fit": {"r": 0.243}}}`.
    pub fn cut_points(&self, rules: &RuleSet) -> serde_json::Value {
        let cuts =
            self.outcome.subjects.iter().flat_map(|s| &s.metrics.cut_points).filter(|cuts| !cuts.boundaries.is_empty());
        let by_metric = cuts.map(|cuts| {
            let buckets = cuts.boundaries.iter().map(|bucket| {
                json!({
                    "bucket": bucket.number,
                    "from": bucket.from.to_string(),
                    "to": bucket.to.to_string(),
                    "subjects": bucket.subjects,
                })
            });
            (rules.metrics[cuts.metric.0].name.clone(), buckets.collect())
        });
        let fits = self.outcome.summaries.iter();
        let fits = fits.map(|(metric, fit)| (rules.metrics[metric.0].name.clone(), json!({ "fit": fit })));
        serde_json::Value::Object(by_metric.chain(fits).collect())
    }
}
