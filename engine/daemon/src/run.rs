//! One run: a snapshot read, everything evaluated on it, and the outcome stored in one transaction.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tierd_eval::guard::Violation;
use tierd_ledger::{Cause, Ledger, Outcome, Reader, RevisionHash, RevisionRecord, RunId, RunStart};
use tierd_model::{Clock, Timestamp};
use tierd_rules::{Revision, RuleSet};

use crate::{
    Project,
    evaluate::{EvaluateError, Evaluation, Evaluator},
    guards,
    made::{self, Made},
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
    /// Whether its rules come into force by it. Not so in a daemon, which writes down by itself what is in force, and may have other rules
    /// by the time that this is written.
    pub activates: bool,
}

impl Asked<'_> {
    /// By hand, for everything.
    pub fn by_hand(started: Timestamp) -> Self {
        Asked { cause: Cause::Hand, schedules: None, started, activates: true }
    }
}

impl<'a> Asked<'a> {
    /// As the ledger begins it.
    pub(crate) fn start(self, rules: &RuleSet, clock: &Clock) -> RunStart<'a> {
        let Asked { cause, schedules, started, .. } = self;
        let revision = RevisionHash(rules.revision.0);
        RunStart { cause, schedules, as_of: clock.as_of(), today: clock.today(), started, revision }
    }
}

/// What a run did, or would do.
#[derive(Debug)]
pub struct RunReport {
    /// Its number in the ledger; none for a dry run.
    pub run: Option<RunId>,
    /// The rules that it went by.
    pub revision: Revision,
    /// Whether anything changed, or waits for a person.
    pub outcome: Outcome,
    /// Guards that it exceeds: those that hold it, and those that only warn.
    pub violations: Vec<Violation>,
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

/// Evaluates and stores; a run that exceeds a guard is held, and changes nothing.
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
    // Kept to the end: there is one run at a time, whoever makes it.
    let mut ledger = Ledger::open_waiting(&path, "tierd run", Ledger::PATIENCE)?;
    record_revision(&mut ledger, rules, &asked)?;
    let before = Reader::open(&path)?;
    let writer = ledger.begin_run(asked.start(rules, evaluator.clock));
    let made = Made::new(project, rules, evaluator, (&path, &before), writer)?;
    if made.violations.iter().any(Violation::holds) {
        let message = made::message(&made.violations);
        return Ok(made.hold(&message)?.0);
    }
    made.apply(None)
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
    let violations = guards::check(rules, &evaluation, ledger.as_ref(), evaluator.clock)?;
    let (revision, rules) = (rules.revision, RuleReport::all(rules, &evaluation.outcome));
    let changed = sets.iter().any(|set| !set.moves.is_empty()) || rules.iter().any(|rule| rule.actions() > 0);
    let outcome = match changed {
        _ if violations.iter().any(Violation::holds) => Outcome::Held(made::message(&violations)),
        true => Outcome::Applied,
        false => Outcome::Unchanged,
    };
    Ok(RunReport { run: None, revision, outcome, violations, sets, rules, evaluation, write: comparing.elapsed() })
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
pub(crate) fn ledger_path(project: &Project, rules: &RuleSet) -> Result<PathBuf, RunError> {
    let (ledger, database) = (project.ledger(&rules.config), project.database(&rules.config));
    let same = match (ledger.canonicalize(), database.canonicalize()) {
        (Ok(ledger), Ok(database)) => ledger == database,
        _ => ledger == database,
    };
    if same { Err(RunError::LedgerIsDatabase(ledger)) } else { Ok(ledger) }
}

fn record_revision(ledger: &mut Ledger, rules: &RuleSet, asked: &Asked<'_>) -> Result<(), RunError> {
    let files: Vec<(&str, &str)> = rules.files.iter().map(|(_, file)| (&*file.path, &*file.text)).collect();
    let plugins: Vec<&[u8]> = rules.files.plugins().iter().map(|plugin| &*plugin.bytes).collect();
    let hash = RevisionHash(rules.revision.0);
    let record = RevisionRecord { hash, loaded: asked.started, files: &files, plugins: &plugins };
    if asked.activates {
        ledger.record_revision(&record)?;
    } else {
        ledger.keep_revision(&record)?;
    }
    Ok(())
}
