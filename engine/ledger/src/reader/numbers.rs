use super::Reader;
use crate::{
    error::{At, KindResult, Result},
    run::restored,
};

/// How the ledger stands, in a few numbers for whoever watches it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Runs that wait for a person.
    pub holds_waiting: u64,
    /// Tasks that nobody has done yet, snoozed ones among them.
    pub tasks_open: u64,
    /// The cursor of the newest event; 0 before the first.
    pub last_event: i64,
    /// By schedule: slots for which there was no run, filled ones among them.
    pub missed: Vec<(String, u64)>,
}

const NUMBERS: &str = "SELECT (SELECT count(*) FROM hold WHERE state = 'waiting'),
    (SELECT count(*) FROM task WHERE done IS NULL),
    max(coalesce((SELECT max(id) FROM outbox), 0), coalesce((SELECT max(id) FROM transition), 0))";

const MISSED: &str = "SELECT schedule, sum(slots) FROM gap GROUP BY schedule ORDER BY schedule";

impl Reader {
    /// How the ledger stands. Reads open tasks, holds and gaps, and nothing that grows with the subjects.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn numbers(&self) -> Result<Numbers> {
        self.select_numbers().at(&self.path)
    }

    /// What SQLite finds wrong with the file (`PRAGMA quick_check`); nothing where it is good. Reads all of it.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn damage(&self) -> Result<Vec<String>> {
        let check = || -> rusqlite::Result<_> {
            let mut select = self.conn.prepare("PRAGMA quick_check(10)")?;
            let found = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            Ok(found.into_iter().filter(|line| line != "ok").collect())
        };
        match check() {
            // Pages so bad that looking through them ends.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
                Ok(vec![error.to_string()])
            }
            checked => checked.at(&self.path),
        }
    }

    fn select_numbers(&self) -> KindResult<Numbers> {
        let (holds_waiting, tasks_open, last_event) =
            self.conn.query_row(NUMBERS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut select = self.conn.prepare(MISSED)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let missed = rows.map(|row| {
            let (schedule, slots) = row?;
            Ok((schedule, restored(slots)?))
        });
        Ok(Numbers {
            holds_waiting: restored(holds_waiting)?,
            tasks_open: restored(tasks_open)?,
            last_event,
            missed: missed.collect::<KindResult<_>>()?,
        })
    }
}
