//! What others may ask the ledger. Every method is one statement or one transaction, so that it sees the state after some
//! whole run.

mod align;
mod events;
mod held_page;
mod holds;
mod levels;
mod numbers;
mod overrides;
mod reloads;
mod rules;
mod run_sets;
mod runs;
mod schedules;
mod standings;
mod tasks;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use events::{Event, LEVEL_CHANGED};
pub use held_page::{HeldPage, HeldRow};
pub use holds::Hold;
pub use levels::{Held, HeldLevel, LevelCount, Transition};
pub use numbers::Numbers;
pub use overrides::{Override, OverrideFilter};
pub use reloads::{Activation, Reload};
pub use rules::Action;
pub use run_sets::RunSet;
pub use runs::{Revision, Run};
pub use schedules::{Gap, GapState};
pub use standings::Standing;
pub use tasks::{Done, Task, TaskFilter};

use crate::{
    error::{ErrorKind, KindResult, Result},
    file,
    revision::RevisionHash,
};

/// The ledger, open for reading. Works while a writer runs, and takes no lock that a writer would wait for.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    conn: Connection,
}

impl Reader {
    /// Opens the ledger for reading. Never changes it.
    ///
    /// # Errors
    /// [`ErrorKind`], above all: `Missing` where no run has made it yet, `NotALedger` for any other file, `Newer` and
    /// `Older` for a ledger of another version.
    pub fn open(path: &Path) -> Result<Self> {
        let (path, conn) = file::open_reader(path)?;
        Ok(Reader { path, conn })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads a `sha256` column of the table `revision`.
fn revision_hash(hex: &str) -> KindResult<RevisionHash> {
    RevisionHash::parse(hex).ok_or(ErrorKind::Unreadable("a revision without a hash"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    #[test]
    fn of_one_subject_only_its_own_rows_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = crate::Ledger::open(&folder.path().join("tierd.ledger"), "a test").unwrap();
        let filter = OverrideFilter { set: Some("value"), key: Some(KeyRef::Integer(1)), in_force: None };
        let overrides = overrides::sql(&filter);
        for sql in [standings::HELD_OF_ONE, standings::MOVEMENT_OF_ONE, rules::STATE_OF_ONE, &overrides] {
            let mut plan = ledger.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = vec![1; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            let scans: Vec<_> = steps.unwrap().map(|step| step.unwrap()).filter(|step| step.contains("SCAN")).collect();
            assert!(scans.is_empty(), "{sql}: {scans:?}");
        }
    }
}
