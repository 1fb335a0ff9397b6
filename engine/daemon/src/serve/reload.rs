//! One road by which rules come into force, at the start and ever after.
//!
//! ```text
//! start, watcher, poll, SIGHUP, request ─► read all files ─► check ─► read again: still the same? ─► swap ─► note in the ledger
//! ```
//!
//! The whole folder is one revision. It comes into force as a whole, by one store to a watch channel, or not at all; a run that
//! runs holds the rules that it began with. What is refused changes nothing but [`Active::refused`], and a state of the files that
//! has been decided on isn't decided on again, so that looking is cheap and may happen for any reason.
//!
//! One look is made at a time. Requests that come meanwhile wait, and the next look answers them all.

mod look;
mod memory;
mod problem;
mod rollback;
mod settings;
mod start;
mod status;

use std::sync::Arc;

use tierd_ledger::ReloadOutcome;
use tierd_rules::RuleSet;
use tokio::sync::{mpsc, oneshot};

use super::{Active, Handle, Origin, Problem, Refused, watcher::SETTLE};
use look::{Attempt, Checked, Look, Mark, Seen};
use settings::Settings;

pub(super) use memory::{Note, task as note_task};
pub(super) use rollback::RollbackRequest;
pub use rollback::{RollbackRefused, roll_back};
pub(super) use start::first;
pub use start::last_good;
pub use status::{FileInfo, FileState, ReloadStatus};

/// How often files that change under a look are read anew before it is given up; whatever changes them makes for another look.
const ROUNDS: usize = 10;

/// Why the files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReloadCause {
    /// The daemon starts.
    Start,
    /// A file has changed.
    Watch,
    /// It is time to look, in case that a change went unseen.
    Poll,
    /// SIGHUP.
    Signal,
    /// Somebody asked.
    Request,
}

impl ReloadCause {
    /// In one word, for the ledger, logs and JSON.
    pub fn name(self) -> &'static str {
        match self {
            ReloadCause::Start => "start",
            ReloadCause::Watch => "watch",
            ReloadCause::Poll => "poll",
            ReloadCause::Signal => "signal",
            ReloadCause::Request => "request",
        }
    }
}

/// What came of looking at the files.
#[derive(Debug, Clone)]
pub enum Reloaded {
    /// They are as they were. [`Active::refused`] still says whether they are in force.
    Unchanged(Arc<Active>),
    /// They are in force from now on.
    Activated(Arc<Active>),
    /// They are refused; the rules before stay in force. [`Active::refused`] says why.
    Refused(Arc<Active>),
}

impl Reloaded {
    /// The rules in force afterwards.
    pub fn active(&self) -> &Arc<Active> {
        match self {
            Reloaded::Unchanged(active) | Reloaded::Activated(active) | Reloaded::Refused(active) => active,
        }
    }
}

/// What the task is asked to do.
#[derive(Debug)]
pub(super) enum Ask {
    Look(ReloadRequest),
    /// The watcher has looked around and seen nothing: this moves the task, by which it is seen that both of them live.
    Nothing,
    RollBack(RollbackRequest),
}

/// Somebody wants the files to be looked at.
#[derive(Debug)]
pub(super) struct ReloadRequest {
    pub(super) cause: ReloadCause,
    pub(super) reply: Option<oneshot::Sender<Reloaded>>,
}

/// Looks at the files whenever asked to, until the daemon stops.
pub(super) async fn task(handle: Handle, mut asks: mpsc::Receiver<Ask>, mut road: Road) {
    loop {
        let ask = tokio::select! {
            biased;
            () = handle.stopped() => return,
            ask = asks.recv() => ask,
        };
        let Some(ask) = ask else { return };
        road.answer(ask, &mut asks).await;
    }
}

/// What the task knows from one look to the next.
#[derive(Debug)]
pub(super) struct Road {
    handle: Handle,
    /// The state of the files that was decided on last.
    mark: Mark,
    /// What the daemon began with and keeps.
    settings: Settings,
    notes: mpsc::UnboundedSender<Note>,
}

impl Road {
    /// Answers this one and, where it asks for a look, all others that wait for one.
    async fn answer(&mut self, ask: Ask, asks: &mut mpsc::Receiver<Ask>) {
        let (mut looks, mut rollbacks) = (Vec::new(), Vec::new());
        for ask in std::iter::once(ask).chain(std::iter::from_fn(|| asks.try_recv().ok())) {
            match ask {
                Ask::Look(request) => looks.push(request),
                Ask::Nothing => {}
                Ask::RollBack(request) => rollbacks.push(request),
            }
        }
        // A person's request has the say: to them the files are complete.
        if let Some(first) = looks.iter().max_by_key(|request| request.reply.is_some()) {
            let reloaded = self.look(first.cause).await;
            // Whoever asked may have gone.
            looks.into_iter().filter_map(|request| request.reply).for_each(|reply| drop(reply.send(reloaded.clone())));
        }
        for request in rollbacks {
            self.roll_back(request).await;
        }
    }

    /// Looks at the files, and decides if they have changed since the last decision.
    async fn look(&mut self, cause: ReloadCause) -> Reloaded {
        let look = self.what_to_look_for(cause);
        let mut before = None;
        for _ in 0..ROUNDS {
            let look = look.clone();
            let work = move || look.attempt(before.as_ref());
            match tokio::task::spawn_blocking(work).await {
                Ok(Attempt::Decided(checked)) => return self.decide(*checked, cause),
                Ok(Attempt::Known) => return Reloaded::Unchanged(self.handle.active()),
                Ok(Attempt::Restless(seen)) => before = Some(seen),
                Err(_) => break,
            }
            self.handle.parts().wall.sleep(SETTLE).await;
        }
        tracing::warn!("the files don't come to rest; the rules in force stay");
        Reloaded::Unchanged(self.handle.active())
    }

    fn what_to_look_for(&self, cause: ReloadCause) -> Look {
        let project = self.handle.project();
        let decided_on = self.handle.reload_status();
        let there = decided_on.files.iter().filter(|file| file.state != FileState::Missing && !file.is_empty());
        Look {
            project: project.clone(),
            settings: Some(self.settings.clone()),
            known: Some(self.mark.clone()),
            files: there.map(|file| project.folder().join(&file.path)).collect(),
            complete: matches!(cause, ReloadCause::Signal | ReloadCause::Request),
        }
    }

    fn decide(&mut self, checked: Checked, cause: ReloadCause) -> Reloaded {
        let (before, now) = (self.handle.active(), self.handle.now());
        let on_disk = checked.files;
        let (active, outcome) = match checked.rules {
            Ok(rules) => (Active { origin: Origin::Files, ..before.with(rules, now) }, ReloadOutcome::Activated),
            Err(problems) => {
                let refused = Some(Refused { since: now, files: checked.mark.hash().to_owned(), problems });
                (Active { refused, ..(*before).clone() }, ReloadOutcome::Refused)
            }
        };
        let active = Arc::new(active);
        self.mark = checked.mark;
        self.swap(&before, &active, outcome);
        self.publish(&active.note(now, cause, outcome, &self.mark), on_disk.beside(&active.rules));
        match outcome {
            ReloadOutcome::Refused => Reloaded::Refused(active),
            _ => Reloaded::Activated(active),
        }
    }

    /// From here on, everyone sees these.
    fn swap(&self, before: &Active, active: &Arc<Active>, outcome: ReloadOutcome) {
        self.handle.parts().active.send_replace(Arc::clone(active));
        let revision = active.rules.revision.short();
        match &active.refused {
            Some(refused) if outcome == ReloadOutcome::Refused => log_refused(refused, &revision),
            _ => {
                let changes = tierd_rules::diff(&before.rules, &active.rules).len();
                tracing::info!(revision, changes, origin = active.origin.name(), "rules activated");
            }
        }
    }

    fn publish(&self, note: &Note, files: Vec<FileInfo>) {
        self.handle.parts().reload_status.send_modify(|status| {
            let successful = note.outcome != ReloadOutcome::Refused;
            *status = Arc::new(ReloadStatus {
                at: note.at,
                cause: note.cause,
                successful,
                activated: status.activated + u64::from(successful),
                refused: status.refused + u64::from(!successful),
                files,
            });
        });
        self.write_down(note.clone());
    }

    fn write_down(&self, note: Note) {
        self.handle.parts().unwritten.send_modify(|left| {
            *left += 1;
            // Sent under the lock of the count, so that it never misses one. The other end lives until the daemon has stopped.
            let _ = self.notes.send(note);
        });
    }
}

impl Active {
    /// These rules from now on; the very same ones where they are in force already, so that nothing begins anew.
    fn with(&self, rules: RuleSet, now: tierd_model::Timestamp) -> Active {
        if rules.revision == self.rules.revision {
            return Active { refused: None, ..self.clone() };
        }
        Active { rules: Arc::new(rules), since: now, origin: self.origin, refused: None }
    }
}

fn log_refused(refused: &Refused, revision: &str) {
    for problem in &refused.problems {
        let (code, file, line) = (&problem.code, problem.file.as_deref(), problem.line);
        tracing::warn!(
            revision,
            code,
            file,
            line,
            reason = problem.message,
            "files refused; the rules before stay in force"
        );
    }
}
