//! What the ledger remembers of reloads, and writing it down.
//!
//! Writing has a task of its own: a run may hold the ledger for long, or the disk may be full, and neither may keep good rules
//! from coming into force. What couldn't be written is tried again until it is, in order.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tierd_ledger::{ErrorKind, Ledger, NewReload, Reader, Reload, ReloadOutcome, RevisionHash, RevisionRecord};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;
use tokio::sync::mpsc;

use super::{Mark, Problem, ReloadCause, problem};
use crate::{
    Project,
    serve::{Active, Handle},
};

/// How long after a failure the ledger is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A change of the files, or a rollback, to be written down.
#[derive(Debug, Clone)]
pub(in crate::serve) struct Note {
    pub(super) at: Timestamp,
    pub(super) cause: ReloadCause,
    pub(super) outcome: ReloadOutcome,
    pub(super) mark: Mark,
    pub(super) active: std::sync::Arc<RuleSet>,
    pub(super) problems: Option<String>,
    pub(super) by: Option<String>,
    pub(super) why: Option<String>,
}

impl Note {
    /// What the last row says already.
    pub(super) fn repeats(&self, last: &Reload) -> bool {
        last.outcome == self.outcome
            && last.files == self.mark.hash()
            && last.revision == Some(RevisionHash(self.active.revision.0))
            && last.problems == self.problems
    }

    pub(super) fn write(&self, ledger: &mut Ledger) -> Result<(), tierd_ledger::Error> {
        let files: Vec<(&str, &str)> = self.active.files.iter().map(|(_, file)| (&*file.path, &*file.text)).collect();
        let plugins: Vec<&[u8]> = self.active.files.plugins().iter().map(|plugin| &*plugin.bytes).collect();
        let hash = RevisionHash(self.active.revision.0);
        ledger.record_reload(&NewReload {
            at: self.at,
            cause: self.cause.name(),
            outcome: self.outcome,
            files: self.mark.hash(),
            revision: RevisionRecord { hash, loaded: self.at, files: &files, plugins: &plugins },
            problems: self.problems.as_deref(),
            by: self.by.as_deref(),
            why: self.why.as_deref(),
        })
    }
}

/// Writes notes in their order until the daemon stops; then what is left, once. Publishes how many are left.
pub(in crate::serve) async fn task(handle: Handle, mut notes: mpsc::UnboundedReceiver<Note>) {
    let path = handle.project().ledger(&handle.active().rules.config);
    let mut waiting = Vec::new();
    loop {
        let stopping = handle.is_stopping();
        if waiting.is_empty() && !stopping {
            tokio::select! {
                () = handle.stopped() => {}
                note = notes.recv() => waiting.extend(note),
            }
        }
        while let Ok(note) = notes.try_recv() {
            waiting.push(note);
        }
        waiting = write_all(path.clone(), waiting).await;
        handle.parts().unwritten.send_modify(|left| *left = waiting.len() + notes.len());
        if stopping {
            return;
        }
        if !waiting.is_empty() {
            tokio::select! {
                () = handle.stopped() => {}
                () = handle.parts().wall.sleep(AGAIN) => {}
            }
        }
    }
}

/// Writes them, and returns those that couldn't be written.
async fn write_all(path: PathBuf, waiting: Vec<Note>) -> Vec<Note> {
    let kept = waiting.clone();
    let write = move || {
        let mut waiting = waiting.into_iter();
        let written = Ledger::open(&path, "tierd serve").and_then(|mut ledger| {
            while let Some(note) = waiting.as_slice().first() {
                note.write(&mut ledger)?;
                waiting.next();
            }
            Ok(())
        });
        if let Err(error) = written {
            let chain = problem::chain(&error);
            tracing::warn!(error = chain, "what became of a change of the files can't be written down yet");
        }
        waiting.collect()
    };
    if kept.is_empty() {
        return kept;
    }
    tokio::task::spawn_blocking(write).await.unwrap_or(kept)
}

/// What the ledger remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What became of the last change of the files.
    pub(super) last: Option<Reload>,
    /// The revision to go on with where the files are invalid, with when it came into force.
    pub(super) last_good: Option<(RuleSet, Timestamp)>,
    /// Why there is none, where the ledger names one.
    pub(super) unusable: Option<String>,
}

impl Memory {
    /// Reads it, of the ledger at this place.
    pub(super) fn read(project: &Project, path: &Path) -> Result<Memory, tierd_ledger::Error> {
        let reader = match Reader::open(path) {
            Err(error) if matches!(error.kind, ErrorKind::Missing) => return Ok(Memory::default()),
            opened => opened?,
        };
        let mut memory = Memory { last: reader.last_reload()?, ..Memory::default() };
        if let Some(good) = reader.last_good()? {
            match crate::revision::rules_of(project, &reader, good.revision)?
                .and_then(|rules| same_ledger(project, path, rules))
            {
                Ok(rules) => memory.last_good = Some((rules, good.at)),
                Err(why) => memory.unusable = Some(why),
            }
        }
        Ok(memory)
    }

    /// Since when these very files are refused.
    pub(super) fn refused_since(&self, mark: &Mark, problems: &[Problem]) -> Option<Timestamp> {
        let last = self.last.as_ref().filter(|last| last.outcome == ReloadOutcome::Refused)?;
        let same = last.files == mark.hash()
            && (matches!(mark, Mark::Hash(_)) || last.problems.as_deref() == Some(&problem::to_json(problems)));
        same.then_some(last.at)
    }

    /// The revision that somebody rolled back to, if the files are still those of then.
    pub(super) fn rolled_back(&self, mark: &Mark) -> Option<RevisionHash> {
        let last = self.last.as_ref().filter(|last| last.outcome == ReloadOutcome::RolledBack)?;
        if last.files == mark.hash() { last.revision } else { None }
    }
}

/// Rules that belong to this ledger and no other one.
pub(super) fn same_ledger(project: &Project, path: &Path, rules: RuleSet) -> Result<RuleSet, String> {
    let named = project.ledger(&rules.config);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(&named) == real(path) {
        return Ok(rules);
    }
    Err(format!("revision {} keeps its ledger elsewhere, in {}", rules.revision.short(), named.display()))
}

impl Active {
    /// The note of how things are now.
    pub(super) fn note(&self, at: Timestamp, cause: ReloadCause, outcome: ReloadOutcome, mark: &Mark) -> Note {
        let refused = self.refused.as_ref().filter(|_| outcome == ReloadOutcome::Refused);
        Note {
            at,
            cause,
            outcome,
            mark: mark.clone(),
            active: std::sync::Arc::clone(&self.rules),
            problems: refused.map(|refused| problem::to_json(&refused.problems)),
            by: None,
            why: None,
        }
    }
}
