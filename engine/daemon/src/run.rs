//! One run: a snapshot read, everything evaluated on it, and the outcome stored in one transaction.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tierd_ledger::{Ledger, Outcome, Reader, RevisionHash, RevisionRecord, RunId, RunRecord, RunStart, SetDecisions};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;

use crate::{
    Project,
    deciding::Deciding,
    evaluate::{EvaluateError, Evaluation, Evaluator, SetResult},
    held::{self, LedgerKeys},
};

/// What a run did, or would do.
#[derive(Debug)]
pub struct RunReport {
    /// Its number in the ledger; none for a dry run.
    pub run: Option<RunId>,
    /// Whether anything changed.
    pub outcome: Outcome,
    /// Each tier set, in the order of the rules.
    pub sets: Vec<SetReport>,
    /// What was read and found.
    pub evaluation: Evaluation,
    /// Comparing and writing, with the commit.
    pub write: Duration,
}

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

pub use tierd_ledger::Move;

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
    /// The ledger's path is that of the company's database.
    #[error("the ledger can't be the database itself ({}); give `[ledger] path` another name", .0.display())]
    LedgerIsDatabase(PathBuf),
    /// Reading or evaluating failed; the ledger has a record of it.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// Evaluates and stores.
///
/// # Errors
/// [`RunError`]. Levels are then as they were; the failure is in the ledger's list of runs, where the ledger can be written.
pub fn run(
    project: &Project,
    rules: &RuleSet,
    evaluator: &Evaluator<'_>,
    started: Timestamp,
) -> Result<RunReport, RunError> {
    let path = ledger_path(project, rules)?;
    let mut ledger = Ledger::open(&path, "tierd run")?;
    record_revision(&mut ledger, rules, started)?;
    let revision = RevisionHash(rules.revision.0);
    let writer = ledger.begin_run(RunStart {
        as_of: evaluator.clock.as_of(),
        today: evaluator.clock.today(),
        started,
        revision,
    });
    let evaluation = match evaluate_with_held(project, rules, evaluator) {
        Ok(evaluation) => evaluation,
        Err(error) => {
            writer.fail(&RunRecord::default(), &error.to_string())?;
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
    };
    let summary = with_decisions(rules, &evaluation, |sets| writer.apply(&record, sets, &[]))?;
    let sets = evaluation.sets.iter().zip(summary.sets).map(|(set, summary)| SetReport {
        name: summary.name,
        levels: summary.levels,
        without_level: summary.without_level,
        unknown: set.graded.unknown.len() as u64,
        absent: summary.absent,
        moves: summary.moves,
    });
    let sets = sets.collect();
    Ok(RunReport { run: Some(summary.run), outcome: summary.outcome, sets, evaluation, write: summary.write })
}

/// Evaluates and compares with what is held, and stores nothing.
///
/// # Errors
/// [`RunError`].
pub fn dry_run(project: &Project, rules: &RuleSet, evaluator: &Evaluator<'_>) -> Result<RunReport, RunError> {
    let path = ledger_path(project, rules)?;
    let evaluation = evaluate_with_held(project, rules, evaluator)?;
    let comparing = Instant::now();
    let ledger = path.exists().then(|| Reader::open(&path)).transpose()?;
    let sets = evaluation.sets.iter().map(|set| compare(rules, ledger.as_ref(), &evaluation, set));
    let sets: Vec<SetReport> = sets.collect::<Result<_, RunError>>()?;
    let changed = sets.iter().any(|set| !set.moves.is_empty());
    let outcome = if changed { Outcome::Applied } else { Outcome::Unchanged };
    Ok(RunReport { run: None, outcome, sets, evaluation, write: comparing.elapsed() })
}

/// Evaluates; where UNKNOWN met a set that keeps levels, the ledger says which.
///
/// # Errors
/// [`RunError`].
pub fn evaluate_with_held(
    project: &Project,
    rules: &RuleSet,
    evaluator: &Evaluator<'_>,
) -> Result<Evaluation, RunError> {
    let mut evaluation = evaluator.evaluate(project, rules)?;
    let path = project.ledger(&rules.config);
    if evaluation.sets.iter().all(|set| set.graded.needs_held().is_empty()) || !path.exists() {
        return Ok(evaluation);
    }
    let ledger = Reader::open(&path)?;
    for index in 0..evaluation.sets.len() {
        let held = held::levels(&ledger, rules, &evaluation, &evaluation.sets[index])?;
        evaluation.sets[index].graded.settle(|subject| held::level(&held, subject));
    }
    Ok(evaluation)
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

/// Hands each set's decisions to `write` as the ledger takes them.
fn with_decisions<T>(rules: &RuleSet, evaluation: &Evaluation, write: impl FnOnce(&[SetDecisions<'_>]) -> T) -> T {
    let deciding: Vec<Deciding<'_>> = evaluation.sets.iter().map(|set| Deciding::new(rules, evaluation, set)).collect();
    let append: Vec<_> = deciding.iter().map(|d| move |row: usize, json: &mut String| d.append(row, json)).collect();
    let levels: Vec<Vec<&str>> = evaluation.sets.iter().map(|set| level_names(rules, set)).collect();
    let keys: Vec<_> =
        evaluation.sets.iter().map(|set| LedgerKeys::new(&evaluation.subject(set).source.keys)).collect();
    let decisions: Vec<SetDecisions<'_>> = evaluation
        .sets
        .iter()
        .enumerate()
        .map(|(i, set)| {
            let tier_set = &rules.tier_sets[set.set];
            SetDecisions {
                name: &tier_set.name,
                family: tier_set.category.as_ref().map_or(&tier_set.name, |category| &category.set),
                category: tier_set.category.as_ref().map(|category| category.value.as_str()),
                subject: &rules.config.subjects[tier_set.subject.0].name,
                levels: &levels[i],
                keys: keys[i].borrowed(),
                assigned: &set.graded.earned,
                metrics: &append[i],
                reason: &|_| "changed",
                states: None,
            }
        })
        .collect();
    write(&decisions)
}

fn level_names<'a>(rules: &'a RuleSet, set: &SetResult) -> Vec<&'a str> {
    rules.tier_sets[set.set].levels.iter().map(|level| level.name.as_str()).collect()
}

/// What a run would change.
fn compare(
    rules: &RuleSet,
    ledger: Option<&Reader>,
    evaluation: &Evaluation,
    set: &SetResult,
) -> Result<SetReport, RunError> {
    let names = level_names(rules, set);
    let held = match ledger {
        Some(ledger) => held::levels(ledger, rules, evaluation, set)?,
        None => vec![tierd_ledger::NO_LEVEL; set.graded.earned.len()],
    };
    let mut counts = vec![vec![0u64; names.len() + 1]; names.len() + 1];
    let place = |level: u16| usize::from(level).min(names.len());
    for (&from, &to) in held.iter().zip(&set.graded.earned) {
        counts[place(from)][place(to)] += 1;
    }
    let name = |place: usize| names.get(place).map(|&name| name.to_owned());
    let mut moves = Vec::new();
    for (from, row) in counts.iter().enumerate() {
        let changed = row.iter().enumerate().filter(|&(to, &subjects)| to != from && subjects > 0);
        moves.extend(changed.map(|(to, &subjects)| Move { from: name(from), to: name(to), subjects }));
    }
    let (levels, without_level) = set.graded.distribution();
    Ok(SetReport {
        name: rules.tier_sets[set.set].name.clone(),
        levels: names.iter().map(|&name| name.to_owned()).zip(levels).collect(),
        without_level,
        unknown: set.graded.unknown.len() as u64,
        absent: 0,
        moves,
    })
}
