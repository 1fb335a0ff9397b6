//! Going back to an earlier revision, until the files change.

use std::{path::Path, sync::Arc};

use tierd_ledger::{Ledger, Reader, ReloadOutcome};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;
use tokio::sync::oneshot;

use super::{Active, Note, Origin, ReloadCause, Road, Seen, memory};
use crate::{Project, lock::DaemonLock, serve::StartError};

/// Shorter beginnings of a hash are taken for a slip.
const SHORTEST: usize = 4;

/// Why there was no rollback. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RollbackRefused {
    /// The daemon is stopping.
    #[error("tierd is stopping")]
    Stopping,
    /// No revision begins so.
    #[error("the ledger has no revision that begins with `{0}`; `tierd revisions` lists them")]
    Unknown(String),
    /// Several do.
    #[error("{found} revisions begin with `{prefix}`; give more of the hash")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many.
        found: usize,
    },
    /// Too short to name one.
    #[error("`{0}` is too short; give at least {SHORTEST} characters of the revision's hash")]
    TooShort(String),
    /// This program can't use it, or it belongs to another ledger.
    #[error("{0}")]
    Unusable(String),
    /// A daemon runs, and would go on as it is.
    #[error("{holder} serves this project, and doesn't answer on a socket; stop it first, or give it `[http] socket`")]
    Served {
        /// What it says of itself.
        holder: String,
    },
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
}

/// Somebody wants an earlier revision.
#[derive(Debug)]
pub(in crate::serve) struct RollbackRequest {
    pub(in crate::serve) revision: String,
    pub(in crate::serve) by: Option<String>,
    pub(in crate::serve) why: Option<String>,
    pub(in crate::serve) reply: oneshot::Sender<Result<Arc<Active>, RollbackRefused>>,
}

/// Rolls back where no daemon runs: the next one begins with the rules of this revision (what its hash begins with), if the files
/// are still as they are now. Returns those rules.
///
/// # Errors
/// [`RollbackRefused`].
pub fn roll_back(
    project: &Project,
    ledger: &Path,
    revision: &str,
    (by, why): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<Arc<RuleSet>, RollbackRefused> {
    let rules = Arc::new(find(project, ledger, revision)?);
    // Held until the note is written, so that no daemon begins meanwhile. Where it can't be taken at all, none can run either.
    let _lock = match DaemonLock::take(ledger, None) {
        Err(StartError::Served { holder }) => return Err(RollbackRefused::Served { holder }),
        lock => lock.ok(),
    };
    let note = Note {
        at: now,
        cause: ReloadCause::Request,
        outcome: ReloadOutcome::RolledBack,
        mark: Seen::read(project).mark,
        active: Arc::clone(&rules),
        problems: None,
        by: by.map(str::to_owned),
        why: why.map(str::to_owned),
    };
    note.write(&mut Ledger::open(ledger, "tierd rollback")?)?;
    Ok(rules)
}

/// The rules of the one revision whose hash begins so.
fn find(project: &Project, ledger: &Path, prefix: &str) -> Result<RuleSet, RollbackRefused> {
    if prefix.len() < SHORTEST {
        return Err(RollbackRefused::TooShort(prefix.to_owned()));
    }
    let reader = Reader::open(ledger)?;
    let revision = match reader.revisions_beginning(prefix)?.as_slice() {
        [] => return Err(RollbackRefused::Unknown(prefix.to_owned())),
        [one] => *one,
        several => return Err(RollbackRefused::Ambiguous { prefix: prefix.to_owned(), found: several.len() }),
    };
    let rules = crate::revision::rules_of(project, &reader, revision)?.map_err(RollbackRefused::Unusable)?;
    memory::same_ledger(project, ledger, rules).map_err(RollbackRefused::Unusable)
}

impl Road {
    /// Puts an earlier revision into force, and answers.
    pub(super) async fn roll_back(&mut self, request: RollbackRequest) {
        let RollbackRequest { revision, by, why, reply } = request;
        let rolled = self.go_back_to(revision, by, why).await;
        // Whoever asked may have gone.
        let _ = reply.send(rolled);
    }

    async fn go_back_to(
        &mut self,
        revision: String,
        by: Option<String>,
        why: Option<String>,
    ) -> Result<Arc<Active>, RollbackRefused> {
        let (project, before) = (self.handle.project().clone(), self.handle.active());
        let ledger = project.ledger(&before.rules.config);
        let settings = self.settings.clone();
        let work = move || {
            let rules = find(&project, &ledger, &revision)?;
            Ok::<_, RollbackRefused>((rules, Seen::read(&project).check(&project, Some(&settings))))
        };
        let (rules, checked) = tokio::task::spawn_blocking(work).await.map_err(|_| RollbackRefused::Stopping)??;
        let now = self.handle.now();
        let refused = before.refused.clone().filter(|refused| refused.files == checked.mark.hash());
        let to_files = checked.rules.as_ref().is_ok_and(|files| files.revision == rules.revision);
        let (origin, outcome) = match to_files {
            true => (Origin::Files, ReloadOutcome::Activated),
            false => (Origin::RolledBack, ReloadOutcome::RolledBack),
        };
        let active = Arc::new(Active { origin, refused, ..before.with(rules, now) });
        self.mark = checked.mark;
        self.swap(&before, &active, outcome);
        let note = Note { by, why, ..active.note(now, ReloadCause::Request, outcome, &self.mark) };
        self.publish(&note, checked.files.beside(&active.rules));
        Ok(active)
    }
}
