use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Reader;
use crate::{
    apply::Move,
    error::{At, ErrorKind, KindResult, Result},
    run::{RunId, restored},
};

/// What a run of the past did to one tier set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSet {
    /// The tier set's full name.
    pub name: String,
    /// Subjects per level, lowest first.
    pub levels: Vec<(String, u64)>,
    /// Subjects without a level.
    pub without_level: u64,
    /// Held levels of subjects that weren't in the data.
    pub absent: u64,
    /// Changes by kind: from, to, how many.
    pub moves: Vec<Move>,
}

const SETS: &str = "SELECT s.id, s.name, r.without_level, r.absent
FROM run_set AS r JOIN tier_set AS s ON s.id = r.tier_set WHERE r.run = ?1 ORDER BY s.id";

/// Levels that the rules have no longer come last.
const LEVELS: &str = "SELECT c.tier_set, l.name, c.subjects
FROM run_level AS c JOIN level AS l ON l.tier_set = c.tier_set AND l.id = c.level
WHERE c.run = ?1 ORDER BY c.tier_set, coalesce(l.position, 65536 + l.id)";

/// The range of ids finds the transitions of the run without reading the others.
const MOVES: &str = "SELECT t.tier_set, f.name, l.name, count(*)
FROM run AS r
JOIN transition AS t ON t.run = r.id AND t.id BETWEEN r.first_transition AND r.first_transition + r.transitions - 1
LEFT JOIN level AS f ON f.tier_set = t.tier_set AND f.id = t.from_level
LEFT JOIN level AS l ON l.tier_set = t.tier_set AND l.id = t.to_level
WHERE r.id = ?1 GROUP BY t.tier_set, t.from_level, t.to_level
ORDER BY t.tier_set, t.from_level, t.to_level";

impl Reader {
    /// What a run did to each tier set that it decided, in the order in which the sets were first seen; empty for runs that decided none.
    /// Reads every change of the run.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn run_sets(&self, run: RunId) -> Result<Vec<RunSet>> {
        self.select_run_sets(run).at(&self.path)
    }

    fn select_run_sets(&self, run: RunId) -> KindResult<Vec<RunSet>> {
        let snapshot = self.conn.unchecked_transaction()?;
        let mut sets = BTreeMap::new();
        let mut select = snapshot.prepare(SETS)?;
        let mut rows = select.query([run.0])?;
        while let Some(row) = rows.next()? {
            let set = RunSet {
                name: row.get(1)?,
                levels: Vec::new(),
                without_level: restored(row.get(2)?)?,
                absent: restored(row.get(3)?)?,
                moves: Vec::new(),
            };
            sets.insert(row.get::<_, i64>(0)?, set);
        }
        add_levels(&snapshot, run, &mut sets)?;
        add_moves(&snapshot, run, &mut sets)?;
        Ok(sets.into_values().collect())
    }
}

const UNKNOWN_SET: ErrorKind = ErrorKind::Unreadable("a level of a run without its tier set");

fn add_levels(conn: &Connection, run: RunId, sets: &mut BTreeMap<i64, RunSet>) -> KindResult<()> {
    let mut select = conn.prepare(LEVELS)?;
    let mut rows = select.query([run.0])?;
    while let Some(row) = rows.next()? {
        let set = sets.get_mut(&row.get::<_, i64>(0)?).ok_or(UNKNOWN_SET)?;
        set.levels.push((row.get(1)?, restored(row.get(2)?)?));
    }
    Ok(())
}

fn add_moves(conn: &Connection, run: RunId, sets: &mut BTreeMap<i64, RunSet>) -> KindResult<()> {
    let mut select = conn.prepare(MOVES)?;
    let mut rows = select.query([run.0])?;
    while let Some(row) = rows.next()? {
        let set = sets.get_mut(&row.get::<_, i64>(0)?).ok_or(UNKNOWN_SET)?;
        set.moves.push(Move { from: row.get(1)?, to: row.get(2)?, subjects: restored(row.get(3)?)? });
    }
    Ok(())
}
