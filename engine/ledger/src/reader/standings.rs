use rusqlite::{Connection, Row, params};
use tierd_model::{Date, Timestamp};

use super::{
    Reader,
    align::Alignment,
    levels::{LevelNames, NAMELESS},
};
use crate::{
    decisions::NO_LEVEL,
    error::{At, ErrorKind, KindResult, Result},
    key::{KeyRef, Keys},
};

/// Where a subject stands in a tier set before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The level held: an index into the names given, or [`NO_LEVEL`] where there is none or the rules have it no longer.
    pub level: u16,
    /// `as_of` of the run that gave it; 0 where there was none.
    pub since: Timestamp,
    /// The level that the movement policy gives, without overrides, likewise.
    pub policy: u16,
    /// The day since which the subject has been below that level.
    pub below_since: Option<Date>,
    /// The first day on which the level may be lost.
    pub locked_until: Option<Date>,
    /// The first day of the period in which the level was last decided.
    pub decided: Option<Date>,
}

impl Standing {
    /// Of a subject that has never had a level.
    pub const NOTHING: Standing = Standing {
        level: NO_LEVEL,
        since: Timestamp(0),
        policy: NO_LEVEL,
        below_since: None,
        locked_until: None,
        decided: None,
    };
}

pub(super) const HELD_OF_ONE: &str = "SELECT h.level, r.as_of
FROM held AS h JOIN transition AS t ON t.id = h.transition JOIN run AS r ON r.id = t.run
WHERE h.tier_set = (SELECT id FROM tier_set WHERE name = ?1) AND h.subject = ?2";

pub(super) const MOVEMENT_OF_ONE: &str = "SELECT subject, policy, below_since, locked_until, decided FROM movement
WHERE tier_set = (SELECT id FROM tier_set WHERE name = ?1) AND subject = ?2";

impl Reader {
    /// What is held of these subjects, since when, and what the movement policy remembers, in the order of `keys`.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn standings(&self, set: &str, keys: Keys<'_>, levels: &[&str]) -> Result<Vec<Standing>> {
        self.read_standings(set, keys, levels).at(&self.path)
    }

    /// As [`Reader::standings`], of one subject.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn standing(&self, set: &str, key: KeyRef<'_>, levels: &[&str]) -> Result<Standing> {
        self.read_standing(set, key, levels).at(&self.path)
    }

    /// Whether a movement policy remembers anything of any subject in this set, besides the level held.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn has_states(&self, set: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM movement WHERE tier_set = (SELECT id FROM tier_set WHERE name = ?1))";
        let answer = self.conn.query_row(sql, [set], |row| row.get(0)).map_err(ErrorKind::from);
        answer.at(&self.path)
    }

    fn read_standing(&self, set: &str, key: KeyRef<'_>, levels: &[&str]) -> KindResult<Standing> {
        let snapshot = self.conn.unchecked_transaction()?;
        let index = LevelNames::read(&snapshot, set)?.indices_in(levels);
        let mut standing = Standing::NOTHING;
        let mut held = snapshot.prepare(HELD_OF_ONE)?;
        if let Some(row) = held.query(params![set, key])?.next()? {
            standing.level = read_level(row, 0, &index)?;
            standing.policy = standing.level;
            standing.since = Timestamp(row.get(1)?);
        }
        let mut movement = snapshot.prepare(MOVEMENT_OF_ONE)?;
        if let Some(row) = movement.query(params![set, key])?.next()? {
            read_state(row, &index, &mut standing)?;
        }
        Ok(standing)
    }

    fn read_standings(&self, set: &str, keys: Keys<'_>, levels: &[&str]) -> KindResult<Vec<Standing>> {
        let snapshot = self.conn.unchecked_transaction()?;
        let index = LevelNames::read(&snapshot, set)?.indices_in(levels);
        let mut standings = vec![Standing::NOTHING; keys.len()];
        read_held(&snapshot, set, keys, &index, &mut standings)?;
        read_movement(&snapshot, set, keys, &index, &mut standings)?;
        Ok(standings)
    }
}

/// `index` has the index of a level's name for each `level.id`.
fn read_held(
    conn: &Connection,
    set: &str,
    keys: Keys<'_>,
    index: &[u16],
    standings: &mut [Standing],
) -> KindResult<()> {
    let runs = RunTimes::read(conn)?;
    let mut select = conn.prepare(
        "SELECT subject, level, transition FROM held WHERE tier_set = (SELECT id FROM tier_set WHERE name = ?1)
         ORDER BY subject",
    )?;
    let (mut rows, mut alignment) = (select.query([set])?, Alignment::new(keys));
    while let Some(row) = rows.next()? {
        if let Some(subject) = alignment.find(KeyRef::read(row.get_ref(0)?)?) {
            let level = read_level(row, 1, index)?;
            let since = runs.of_transition(row.get(2)?)?;
            standings[subject] = Standing { level, since, policy: level, ..Standing::NOTHING };
        }
    }
    Ok(())
}

fn read_movement(
    conn: &Connection,
    set: &str,
    keys: Keys<'_>,
    index: &[u16],
    standings: &mut [Standing],
) -> KindResult<()> {
    let mut select = conn.prepare(
        "SELECT subject, policy, below_since, locked_until, decided FROM movement
         WHERE tier_set = (SELECT id FROM tier_set WHERE name = ?1) ORDER BY subject",
    )?;
    let (mut rows, mut alignment) = (select.query([set])?, Alignment::new(keys));
    while let Some(row) = rows.next()? {
        if let Some(subject) = alignment.find(KeyRef::read(row.get_ref(0)?)?) {
            read_state(row, index, &mut standings[subject])?;
        }
    }
    Ok(())
}

/// What follows the subject in a row of `movement`.
fn read_state(row: &Row<'_>, index: &[u16], standing: &mut Standing) -> KindResult<()> {
    let day = |column| row.get::<_, Option<i32>>(column).map(|day| day.map(Date));
    standing.policy = read_level(row, 1, index)?;
    (standing.below_since, standing.locked_until, standing.decided) = (day(2)?, day(3)?, day(4)?);
    Ok(())
}

fn read_level(row: &Row<'_>, column: usize, index: &[u16]) -> KindResult<u16> {
    match row.get::<_, Option<i64>>(column)? {
        None => Ok(NO_LEVEL),
        Some(id) => usize::try_from(id).ok().and_then(|id| index.get(id)).copied().ok_or(NAMELESS),
    }
}

/// The `as_of` of each run that changed something, by the range of its transitions: no row of `transition` has to be read.
struct RunTimes(Vec<(i64, Timestamp)>);

impl RunTimes {
    fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT first_transition, as_of FROM run WHERE first_transition IS NOT NULL ORDER BY id";
        let mut select = conn.prepare(sql)?;
        select
            .query_map([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?
            .collect::<rusqlite::Result<_>>()
            .map(RunTimes)
    }

    /// Ranges follow each other, but for numbers of outbox rows between them.
    fn of_transition(&self, transition: i64) -> KindResult<Timestamp> {
        let after = self.0.partition_point(|(first, _)| *first <= transition);
        let run = after.checked_sub(1).and_then(|run| self.0.get(run));
        run.map(|(_, as_of)| *as_of).ok_or(ErrorKind::Unreadable("a transition without a run"))
    }
}
