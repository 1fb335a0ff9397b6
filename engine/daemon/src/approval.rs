//! What a person says of a held run: that it is applied, or that it never is.
//!
//! An approved run is made again: with the rules that it had, as of its time, for the same schedules. Nothing else would be sure to be
//! what was shown, and storing every decision of a run that may never be applied would cost as much as applying it. If what it would
//! write is what was shown, by digest, it is applied in the transaction that marks the hold as approved. If not, the data has moved on:
//! the run waits again under a new number, with what it would write now.

use std::{path::Path, sync::Arc};

use tierd_eval::due::Due;
use tierd_ledger::{Cause, Hold, Ledger, Reader, RevisionHash, RunId, Verdict};
use tierd_model::Clock;
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use crate::{
    Project,
    evaluate::Evaluator,
    made::Made,
    revision,
    run::{self, Asked, RunError, RunReport},
    shown::Shown,
};

/// Why a hold wasn't approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// It can't be decided, or the run failed. [`tierd_ledger::ErrorKind`] says whether it waits at all.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The ledger has rules that this program can't read: those of another version.
    #[error("the rules of run {}, revision {revision}, have errors for this version of tierd; reject it, and make a new run", hold.0)]
    Rules {
        /// The hold.
        hold: RunId,
        /// Its revision.
        revision: RevisionHash,
    },
    /// What would be applied isn't what was shown.
    #[error(transparent)]
    MovedOn(Box<MovedOn>),
}

/// What would be applied isn't what was shown: other data, or other overrides.
#[derive(Debug, thiserror::Error)]
#[error(
    "the data has moved on since run {} was held: run {} shows what would be applied now, and waits in its place\n  {}",
    hold.0, fresh.run.map_or(0, |run| run.0), differences.join("\n  ")
)]
pub struct MovedOn {
    /// The hold; it has been superseded.
    pub hold: RunId,
    /// The run that is held instead.
    pub fresh: RunReport,
    /// What is different now, in sentences.
    pub differences: Vec<String>,
}

impl From<tierd_ledger::Error> for ApproveError {
    fn from(error: tierd_ledger::Error) -> Self {
        ApproveError::Run(RunError::Ledger(error))
    }
}

/// Applies a held run, if what it would change is still what was shown. `rules` are those in force, and say where the ledger is; the run
/// itself follows the rules that it had.
///
/// # Errors
/// [`ApproveError`]. Nothing is applied then, and the hold goes on waiting, but where the data has moved on.
pub fn approve(
    project: &Project,
    rules: &RuleSet,
    hold: RunId,
    verdict: Verdict<'_>,
    progress: &Progress,
) -> Result<RunReport, ApproveError> {
    let path = run::ledger_path(project, rules)?;
    let mut ledger = open_existing(&path, "tierd approve")?;
    ledger.check_verdict(hold, &verdict)?;
    let before = Reader::open(&path)?;
    let held = find(&before, hold)?;
    let rules = rules_of(project, &before, &held)?;
    let clock = Clock::new(held.run.as_of, Arc::clone(&rules.config.zone));
    let due = Due::named(&rules, held.run.schedules.as_deref());
    let evaluator = Evaluator { clock: &clock, due: &due, options: ReadOptions::default(), progress };
    let asked = Asked {
        cause: Cause::Approval,
        schedules: held.run.schedules.as_deref(),
        started: verdict.at,
        activates: false,
    };
    let writer = ledger.begin_run(asked.start(&rules, &clock));
    let made = Made::new(project, &rules, &evaluator, (&path, &before), writer)?;
    if made.digest()? == held.digest {
        return Ok(made.apply(Some((hold, verdict)))?);
    }
    let message = format!("the data has moved on since run {} was held", hold.0);
    let then = Shown::parse(&held.shown).map_err(|_| unreadable(&path))?;
    let (fresh, now) = made.hold(&message)?;
    Err(ApproveError::MovedOn(Box::new(MovedOn { hold, differences: now.differences(&then), fresh })))
}

/// Has a held run never applied. `rules` are those in force.
///
/// # Errors
/// [`tierd_ledger::ErrorKind`], where it doesn't wait, or name or reason are missing.
pub fn reject(project: &Project, rules: &RuleSet, hold: RunId, verdict: Verdict<'_>) -> Result<(), RunError> {
    let path = run::ledger_path(project, rules)?;
    open_existing(&path, "tierd reject")?.reject_hold(hold, &verdict)?;
    Ok(())
}

/// A ledger that isn't there has no holds, and is not made for that.
fn open_existing(path: &Path, program: &str) -> Result<Ledger, tierd_ledger::Error> {
    if !path.exists() {
        Reader::open(path)?;
    }
    Ledger::open_waiting(path, program, Ledger::PATIENCE)
}

fn find(before: &Reader, hold: RunId) -> Result<Hold, tierd_ledger::Error> {
    let none = || tierd_ledger::Error { path: before.path().to_owned(), kind: tierd_ledger::ErrorKind::NoHold(hold.0) };
    before.hold(hold)?.ok_or_else(none)
}

fn unreadable(path: &Path) -> tierd_ledger::Error {
    tierd_ledger::Error { path: path.to_owned(), kind: tierd_ledger::ErrorKind::Unreadable("a hold of another tierd") }
}

/// The rules that a held run had.
fn rules_of(project: &Project, before: &Reader, held: &Hold) -> Result<RuleSet, ApproveError> {
    let revision = held.run.revision;
    revision::rules_of(project, before, revision)?.map_err(|_| ApproveError::Rules { hold: held.run.id, revision })
}
