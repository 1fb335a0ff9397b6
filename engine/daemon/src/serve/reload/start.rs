//! The rules that a daemon begins with: those of the files, or those that somebody rolled back to, or, where the files are
//! refused, the last good ones of the ledger.

use std::{path::Path, sync::Arc};

use tierd_ledger::{ErrorKind, Ledger, Reader, ReloadOutcome};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;
use tokio::sync::mpsc;

use super::{
    Active, Attempt, Checked, Look, Mark, Note, Origin, Problem, ROUNDS, Refused, ReloadCause, ReloadStatus, Road,
    SETTLE, Seen, Settings,
    memory::{self, Memory},
};
use crate::{
    Project,
    serve::{Handle, StartError},
};

/// What a daemon begins with.
#[derive(Debug)]
pub(in crate::serve) struct First {
    pub(in crate::serve) active: Active,
    pub(in crate::serve) status: ReloadStatus,
    pub(super) mark: Mark,
    pub(super) settings: Settings,
    /// To be written down, unless the ledger says so already.
    pub(super) note: Option<Note>,
}

impl First {
    /// The task that goes on from here; what is to be written down is sent off.
    pub(in crate::serve) fn road(self, handle: Handle, notes: mpsc::UnboundedSender<Note>) -> Road {
        if let Some(refused) = &self.active.refused {
            super::log_refused(refused, &self.active.rules.revision.short());
        }
        let road = Road { handle, mark: self.mark, settings: self.settings, notes };
        self.note.into_iter().for_each(|note| road.write_down(note));
        road
    }
}

/// Reads the files and what the ledger remembers. Changes neither, but for a ledger of an older version: that is brought up to date.
pub(in crate::serve) fn first(project: &Project, now: Timestamp) -> Result<First, StartError> {
    let checked = at_rest(project);
    let ledger = match &checked.rules {
        Ok(rules) => project.ledger(&rules.config),
        // The place that a broken configuration names, as far as it can be read, or else the default one.
        Err(_) => project.ledger_as_written(),
    };
    let memory = match Memory::read(project, &ledger) {
        Err(error) if matches!(error.kind, ErrorKind::Older { .. }) => {
            drop(Ledger::open(&ledger, "tierd serve")?);
            Memory::read(project, &ledger)?
        }
        read => read?,
    };
    let rolled_back = memory.rolled_back(&checked.mark).map(|revision| {
        let reader = Reader::open(&ledger)?;
        let rules = crate::revision::rules_of(project, &reader, revision)?;
        Ok::<_, tierd_ledger::Error>(rules.and_then(|rules| memory::same_ledger(project, &ledger, rules)))
    });
    let rolled_back = rolled_back.transpose()?.and_then(|rules| {
        rules.inspect_err(|why| tracing::warn!(reason = why, "the revision rolled back to can't be used any more")).ok()
    });
    begin(checked, memory, rolled_back, now)
}

/// The rules that a daemon goes on with where the files are refused, if the ledger has any that can be used.
///
/// # Errors
/// [`tierd_ledger::Error`] where there is a ledger and it can't be read; one of an older version stays as it is.
pub fn last_good(project: &Project, ledger: &Path) -> Result<Option<RuleSet>, tierd_ledger::Error> {
    Ok(Memory::read(project, ledger)?.last_good.map(|(rules, _)| rules))
}

/// The files once nobody writes them any more; those that never rest as they are by then.
fn at_rest(project: &Project) -> Checked {
    let (look, mut before) = (Look::first(project), None);
    for _ in 0..ROUNDS {
        match look.attempt(before.as_ref()) {
            Attempt::Decided(checked) => return *checked,
            Attempt::Restless(seen) => before = Some(seen),
            Attempt::Known => {}
        }
        std::thread::sleep(SETTLE);
    }
    Seen::read(project).check(project, None)
}

fn begin(checked: Checked, memory: Memory, rolled_back: Option<RuleSet>, now: Timestamp) -> Result<First, StartError> {
    let Checked { mark, files, rules } = checked;
    let last_at = memory.last.as_ref().map_or(now, |last| last.at);
    let refused = rules.as_ref().err().map(|problems| {
        let since = memory.refused_since(&mark, problems).unwrap_or(now);
        Refused { since, files: mark.hash().to_owned(), problems: problems.clone() }
    });
    let (rules, since, origin, outcome) = match (rolled_back, rules) {
        (Some(rules), _) => (rules, last_at, Origin::RolledBack, ReloadOutcome::RolledBack),
        (None, Ok(rules)) => {
            let since = in_force_since(&memory, &rules).unwrap_or(now);
            (rules, since, Origin::Files, ReloadOutcome::Activated)
        }
        (None, Err(problems)) => match memory.last_good {
            Some((ref rules, since)) => (rules.clone(), since, Origin::LastGood, ReloadOutcome::Refused),
            None => return Err(no_rules(&problems, memory.unusable)),
        },
    };
    let active = Active { rules: Arc::new(rules), since, origin, refused };
    let note = active.note(now, ReloadCause::Start, outcome, &mark);
    let known = outcome == ReloadOutcome::RolledBack || memory.last.as_ref().is_some_and(|last| note.repeats(last));
    let successful = outcome != ReloadOutcome::Refused;
    let status = ReloadStatus {
        at: now,
        cause: ReloadCause::Start,
        successful,
        activated: u64::from(successful),
        refused: u64::from(!successful),
        files: files.beside(&active.rules),
    };
    Ok(First { settings: Settings::of(&active.rules.config), active, status, mark, note: (!known).then_some(note) })
}

/// A restart puts nothing into force that was in force before.
fn in_force_since(memory: &Memory, rules: &RuleSet) -> Option<Timestamp> {
    memory.last_good.as_ref().filter(|(good, _)| good.revision == rules.revision).map(|(_, since)| *since)
}

fn no_rules(problems: &[Problem], unusable: Option<String>) -> StartError {
    let problems = problems.iter().map(|problem| problem.rendered.clone());
    StartError::NoRules { problems: problems.chain(unusable).collect() }
}
