//! What became of each change of the files that a daemon saw.
//!
//! A change that is refused leaves a row as well: after a restart the daemon knows since when the files are refused, and which
//! revision goes on in the meantime. A rollback is a row too, and holds for as long as the files hash as they did then.

use rusqlite::{Connection, TransactionBehavior, params};
use tierd_model::Timestamp;

use crate::{
    error::KindResult,
    revision::{self, RevisionRecord},
};

/// What became of a change of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReloadOutcome {
    /// The files are in force.
    Activated,
    /// The files aren't; what was in force before is.
    Refused,
    /// An earlier revision is in force until the files change.
    RolledBack,
}

impl ReloadOutcome {
    /// As in the table `reload`.
    pub fn name(self) -> &'static str {
        match self {
            ReloadOutcome::Activated => "activated",
            ReloadOutcome::Refused => "refused",
            ReloadOutcome::RolledBack => "rolled_back",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [ReloadOutcome::Activated, ReloadOutcome::Refused, ReloadOutcome::RolledBack]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// A change of the files, or a rollback, to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct NewReload<'a> {
    /// When it was decided.
    pub at: Timestamp,
    /// Why the files were looked at, in one word.
    pub cause: &'a str,
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// Hash over the files as they are on disk, in hexadecimal; empty where they can't be read.
    pub files: &'a str,
    /// The revision in force from then on.
    pub revision: RevisionRecord<'a>,
    /// Why files were refused, as JSON.
    pub problems: Option<&'a str>,
    /// Who rolled back, where that was said.
    pub by: Option<&'a str>,
    /// Why it was rolled back, where that was said.
    pub why: Option<&'a str>,
}

/// Adds the row, and the revision where it isn't known yet or wasn't in force.
pub(crate) fn record(conn: &mut Connection, new: &NewReload<'_>) -> KindResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let revision = revision::activate(&tx, &new.revision)?;
    tx.execute(
        "INSERT INTO reload (at, cause, outcome, files, revision, problems, by, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![new.at.0, new.cause, new.outcome.name(), new.files, revision, new.problems, new.by, new.why],
    )?;
    tx.commit()?;
    Ok(())
}
