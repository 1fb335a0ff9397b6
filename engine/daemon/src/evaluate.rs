//! From a snapshot of the database to levels, in memory.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use arrow_array::ArrayRef;
use serde_json::json;
use tierd_eval::{
    derive::{Metrics, complete},
    levels::{Graded, UnknownConditions, grade},
};
use tierd_model::Clock;
use tierd_rules::{RuleSet, SubjectId};
use tierd_sources::{Database, DatabaseError, Progress, ReadError, ReadOptions, SourceData};

use crate::{
    Project,
    limits::{self, LimitError},
};

/// A database that stays locked is waited for this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// As of when to evaluate, and how to read.
#[derive(Debug, Clone, Copy)]
pub struct Evaluator<'a> {
    /// The run's time.
    pub clock: &'a Clock,
    /// How rows are read.
    pub options: ReadOptions,
    /// Told how far reading has come.
    pub progress: &'a Progress,
}

/// Everything that a run found, before anything is stored.
#[derive(Debug)]
pub struct Evaluation {
    /// Each kind of subject that the rules look at.
    pub subjects: Vec<SubjectResult>,
    /// Each tier set, in the order of the rules.
    pub sets: Vec<SetResult>,
    /// How long reading took.
    pub read: Duration,
    /// How long derived metrics, ranks and levels took.
    pub evaluate: Duration,
}

/// One kind of subject.
#[derive(Debug)]
pub struct SubjectResult {
    /// Which.
    pub subject: SubjectId,
    /// What was read. Its columns have moved into `metrics`.
    pub source: SourceData,
    /// Its metrics.
    pub metrics: Metrics,
}

/// One tier set.
#[derive(Debug)]
pub struct SetResult {
    /// Index into [`RuleSet::tier_sets`].
    pub set: usize,
    /// Index into [`Evaluation::subjects`].
    subject: usize,
    /// The levels.
    pub graded: Graded,
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
    /// A set that allows no UNKNOWN has met it.
    #[error("{error}, such as {examples}")]
    Unknown {
        /// Which set, and for how many.
        error: UnknownConditions,
        /// Keys of the first few.
        examples: String,
    },
}

impl From<ReadError> for EvaluateError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Database(error) => EvaluateError::Database(error),
            error => EvaluateError::Read(error),
        }
    }
}

impl Evaluator<'_> {
    /// Reads the database of a project and grades everybody.
    ///
    /// # Errors
    /// [`EvaluateError`] where the data can't be read, or must not decide anything.
    pub fn evaluate(&self, project: &Project, rules: &RuleSet) -> Result<Evaluation, EvaluateError> {
        let database = open(project.database(&rules.config))?;
        let reading = Instant::now();
        let wanted = wanted(rules);
        let sources = tierd_sources::read_all(&database, rules, &wanted, self.clock, self.options, self.progress)?;
        let read = reading.elapsed();
        for source in &sources {
            limits::check(rules, source, self.clock)?;
        }
        let evaluating = Instant::now();
        let complete = |(subject, source)| self.complete(rules, subject, source);
        let subjects: Vec<SubjectResult> = wanted.into_iter().zip(sources).map(complete).collect();
        let sets = (0..rules.tier_sets.len()).map(|set| self.grade(rules, &subjects, set)).collect::<Result<_, _>>()?;
        Ok(Evaluation { subjects, sets, read, evaluate: evaluating.elapsed() })
    }

    fn complete(&self, rules: &RuleSet, subject: SubjectId, mut source: SourceData) -> SubjectResult {
        let given = std::mem::take(&mut source.given);
        let metrics = complete(rules, subject, given, source.keys.len(), self.clock);
        SubjectResult { subject, source, metrics }
    }

    fn grade(&self, rules: &RuleSet, subjects: &[SubjectResult], set: usize) -> Result<SetResult, EvaluateError> {
        let tier_set = &rules.tier_sets[set];
        #[expect(clippy::expect_used, reason = "`wanted` has the subject of every tier set")]
        let subject = subjects.iter().position(|s| s.subject == tier_set.subject).expect("the set's subject");
        let of = &subjects[subject];
        let graded = grade(tier_set, &of.metrics, self.clock).map_err(|error| {
            let keys = error.first.iter().map(|unknown| of.source.keys.key(unknown.subject as usize).to_string());
            let examples = keys.collect::<Vec<_>>().join(", ");
            EvaluateError::Unknown { error, examples }
        })?;
        Ok(SetResult { set, subject, graded })
    }
}

/// The database of a project, after its preflight.
pub(crate) fn open(path: PathBuf) -> Result<Database, DatabaseError> {
    Database::open(path, PATIENCE)
}

/// The kinds of subjects that some tier set grades.
fn wanted(rules: &RuleSet) -> Vec<SubjectId> {
    let mut wanted: Vec<SubjectId> = rules.tier_sets.iter().map(|set| set.subject).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Attributes (by index) of all subjects of a kind, in the order of their keys: also those that no rule reads.
///
/// # Errors
/// [`EvaluateError`] where the data can't be read.
pub fn attributes(
    project: &Project,
    rules: &RuleSet,
    of: &SubjectResult,
    attributes: &[usize],
    clock: &Clock,
) -> Result<Vec<ArrayRef>, EvaluateError> {
    if attributes.is_empty() {
        return Ok(Vec::new());
    }
    let database = open(project.database(&rules.config))?;
    Ok(tierd_sources::attributes(&database, rules, of.subject, &of.source.keys, attributes, clock)?)
}

impl Evaluation {
    /// Who a tier set grades.
    pub fn subject(&self, set: &SetResult) -> &SubjectResult {
        &self.subjects[set.subject]
    }

    /// How many subjects were read.
    pub fn subject_count(&self) -> u64 {
        self.subjects.iter().map(|s| s.source.keys.len() as u64).sum()
    }

    /// How many rows of facts were read.
    pub fn fact_rows(&self) -> u64 {
        self.tables().filter(|table| table.facts.is_some()).map(|table| table.rows).sum()
    }

    /// How many stored values didn't fit their declared types.
    pub fn bad_values(&self) -> u64 {
        self.subjects.iter().flat_map(|s| &s.source.bad_values).map(|bad| bad.count).sum()
    }

    /// How many facts name no known subject.
    pub fn unknown_subjects(&self) -> u64 {
        self.tables().map(|table| table.unknown_subjects).sum()
    }

    /// What identifies the state of the data.
    pub fn data_version(&self) -> String {
        self.subjects.iter().map(|s| s.source.version.to_string()).collect::<Vec<_>>().join("; ")
    }

    /// Every table that was read.
    pub fn tables(&self) -> impl Iterator<Item = &tierd_sources::TableRead> {
        self.subjects.iter().flat_map(|s| &s.source.tables)
    }

    /// Each table that was read, by the name of its facts or else its own, and its rows.
    pub fn rows<'a>(&'a self, rules: &'a RuleSet) -> impl Iterator<Item = (&'a str, u64)> {
        self.tables().map(|table| {
            let name = table.facts.map_or(&table.table, |facts| &rules.config.facts[facts.0].name);
            (&**name, table.rows)
        })
    }

    /// What is worth knowing of the data, though the limits allow it: bad values and facts of unknown subjects.
    pub fn remarks(&self, rules: &RuleSet) -> Vec<String> {
        let mut remarks: Vec<String> =
            self.subjects.iter().flat_map(|s| &s.source.bad_values).map(limits::bad_values).collect();
        for table in self.tables().filter(|table| table.unknown_subjects > 0) {
            let name = table.facts.map_or("", |facts| &rules.config.facts[facts.0].name);
            remarks.push(format!("{} {name} name no known subject and are passed over", table.unknown_subjects));
        }
        remarks
    }

    /// Where the ranks' buckets were cut, by metric: `{"m_score": [{"bucket": 1, "from": "0.00", "to": "12.50", "subjects": 20}]}`.
    pub fn cut_points(&self, rules: &RuleSet) -> serde_json::Value {
        let cuts = self.subjects.iter().flat_map(|s| &s.metrics.cut_points).filter(|cuts| !cuts.boundaries.is_empty());
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
        serde_json::Value::Object(by_metric.collect())
    }
}
