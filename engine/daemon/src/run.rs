//! One run: a snapshot read, everything evaluated on it, and the outcome stored in one transaction.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tierd_ledger::{Cause, Ledger, Outcome, Reader, RevisionHash, RevisionRecord, RunId, RunRecord, RunStart};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;

use crate::{
    Project,
    decisions::{self, Stamp},
    evaluate::{EvaluateError, Evaluation, Evaluator},
    handed::Handed,
    report::{RuleReport, SetReport},
};

/// Why a run is made, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Why.
    pub cause: Cause,
    /// Names of the schedules that it decides; `None` for everything.
    pub schedules: Option<&'a [String]>,
    /// When it begins.
    pub started: Timestamp,
}

impl Asked<'_> {
    /// By hand, for everything.
    pub fn by_hand(started: Timestamp) -> Self {
        Asked { cause: Cause::Hand, schedules: None, started }
    }
}

/// What a run did, or would do.
#[derive(Debug)]
pub struct RunReport {
    /// Its number in the ledger; none for a dry run.
    pub run: Option<RunId>,
    /// Whether anything changed.
    pub outcome: Outcome,
    /// Each tier set that was decided, in the order of the rules.
    pub sets: Vec<SetReport>,
    /// Each retention rule that was decided, in the order of the rules.
    pub rules: Vec<RuleReport>,
    /// What was read and found.
    pub evaluation: Evaluation,
    /// Comparing and writing, with the commit.
    pub write: Duration,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
    /// The ledger's path is that of the company's database.
    #[error("the ledger can't be the database itself ({}); give `[ledger] path` another name", .0.display())]
    LedgerIsDatabase(PathBuf),
    /// Reading or evaluating failed; the ledger has a record of it, unless that is temporary.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A mistake in tierd.
    #[error("tierd made a mistake and gave the run up; nothing was changed. Its log says where")]
    Panicked,
}

impl RunError {
    /// What a log may say: as the message, but without keys and values from the database.
    pub fn without_values(&self) -> String {
        match self {
            RunError::Evaluate(error) => error.without_values(),
            other => other.to_string(),
        }
    }
}

impl RunError {
    /// Whether the same run may succeed a little later: others have locked the database or the ledger.
    pub fn is_temporary(&self) -> bool {
        use tierd_ledger::ErrorKind as Kind;
        match self {
            RunError::Evaluate(EvaluateError::Database(error)) => error.is_temporary(),
            RunError::Ledger(error) | RunError::Evaluate(EvaluateError::Ledger(error)) => {
                matches!(error.kind, Kind::Locked { .. } | Kind::Busy(_))
            }
            _ => false,
        }
    }
}

/// Evaluates and stores.
///
/// # Errors
/// [`RunError`]. Levels are then as they were; the failure is in the ledger's list of runs, where the ledger can be written and the same
/// run wouldn't succeed a little later.
pub fn run(
    project: &Project,
    rules: &RuleSet,
    evaluator: &Evaluator<'_>,
    asked: Asked<'_>,
) -> Result<RunReport, RunError> {
    let path = ledger_path(project, rules)?;
    let mut ledger = Ledger::open(&path, "tierd run")?;
    record_revision(&mut ledger, rules, asked.started)?;
    let (clock, revision) = (evaluator.clock, RevisionHash(rules.revision.0));
    let before = Reader::open(&path)?;
    let Asked { cause, schedules, started } = asked;
    let start = RunStart { cause, schedules, as_of: clock.as_of(), today: clock.today(), started, revision };
    let writer = ledger.begin_run(start);
    let evaluation = match evaluator.evaluate(project, rules, Some(&before)) {
        Ok(evaluation) => evaluation,
        Err(error) => {
            let error = RunError::from(error);
            if !error.is_temporary() {
                writer.fail(&RunRecord::default(), &error.to_string())?;
            }
            return Err(error);
        }
    };
    let (cut_points, data_version) = (evaluation.cut_points(rules).to_string(), evaluation.data_version());
    let record = RunRecord {
        data_version: &data_version,
        subjects: evaluation.subject_count(),
        fact_rows: evaluation.fact_rows(),
        bad_values: evaluation.bad_values(),
        unknown_subjects: evaluation.unknown_subjects(),
        read: evaluation.read,
        evaluate: evaluation.evaluate,
        cut_points: Some(&cut_points),
        table_rows: None,
    };
    let handed = Handed::new(rules, &evaluation, &before, clock);
    let summary = handed.to(|sets, rules| writer.apply(&record, sets, rules))?;
    let stamp = Stamp { run: summary.run, revision: rules.revision, as_of: clock.as_of() };
    decisions::keep(&path, &stamp, rules, &evaluation);
    let outcomes = &evaluation.outcome;
    let sets = outcomes.sets_due().zip(summary.sets).map(|(set, stored)| SetReport::stored(set, stored)).collect();
    let rules = RuleReport::all(rules, outcomes);
    Ok(RunReport { run: Some(summary.run), outcome: summary.outcome, sets, rules, evaluation, write: summary.write })
}

/// Evaluates and compares with what is held, and stores nothing.
///
/// # Errors
/// [`RunError`].
pub fn dry_run(project: &Project, rules: &RuleSet, evaluator: &Evaluator<'_>) -> Result<RunReport, RunError> {
    let path = ledger_path(project, rules)?;
    let ledger = path.exists().then(|| Reader::open(&path)).transpose()?;
    let evaluation = evaluator.evaluate(project, rules, ledger.as_ref())?;
    let comparing = Instant::now();
    let sets = evaluation.outcome.sets_due().map(|set| SetReport::compared(rules, &evaluation, set, ledger.as_ref()));
    let sets: Vec<SetReport> = sets.collect::<Result<_, tierd_ledger::Error>>()?;
    let rules = RuleReport::all(rules, &evaluation.outcome);
    let changed = sets.iter().any(|set| !set.moves.is_empty()) || rules.iter().any(|rule| rule.actions() > 0);
    let outcome = if changed { Outcome::Applied } else { Outcome::Unchanged };
    Ok(RunReport { run: None, outcome, sets, rules, evaluation, write: comparing.elapsed() })
}

/// Evaluates, with what the ledger has of earlier runs, and stores nothing.
///
/// # Errors
/// [`RunError`].
pub fn evaluate_with_held(
    project: &Project,
    rules: &RuleSet,
    evaluator: &Evaluator<'_>,
) -> Result<Evaluation, RunError> {
    let path = project.ledger(&rules.config);
    let ledger = path.exists().then(|| Reader::open(&path)).transpose()?;
    Ok(evaluator.evaluate(project, rules, ledger.as_ref())?)
}

/// Where the ledger is, if that isn't the database.
fn ledger_path(project: &Project, rules: &RuleSet) -> Result<PathBuf, RunError> {
    let (ledger, database) = (project.ledger(&rules.config), project.database(&rules.config));
    let same = match (ledger.canonicalize(), database.canonicalize()) {
        (Ok(ledger), Ok(database)) => ledger == database,
        _ => ledger == database,
    };
    if same { Err(RunError::LedgerIsDatabase(ledger)) } else { Ok(ledger) }
}

fn record_revision(ledger: &mut Ledger, rules: &RuleSet, loaded: Timestamp) -> Result<(), RunError> {
    let files: Vec<(&str, &str)> = rules.files.iter().map(|(_, file)| (&*file.path, &*file.text)).collect();
    ledger.record_revision(&RevisionRecord { hash: RevisionHash(rules.revision.0), loaded, files: &files })?;
    Ok(())
}
