//! Writing what movement policies remember, sparsely: most subjects have nothing but the level that they hold.

use rusqlite::{Connection, Statement, params};

use crate::{
    decisions::{SetDecisions, StateRow},
    dictionary::Levels,
    error::KindResult,
};

/// Writes the states of one tier set.
pub(crate) struct MovementWriter<'a> {
    tier_set: i64,
    set: &'a SetDecisions<'a>,
    levels: &'a Levels,
    states: &'a [StateRow],
    /// States of subjects up to the last one that moved.
    passed: usize,
    /// Whether there is anything to forget.
    has_rows: bool,
    keep: Statement<'a>,
}

impl<'a> MovementWriter<'a> {
    /// `None` for a set without policy: what one remembered is forgotten.
    pub(crate) fn new(
        conn: &'a Connection,
        tier_set: i64,
        set: &'a SetDecisions<'a>,
        levels: &'a Levels,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(states) = set.states else {
            conn.execute("DELETE FROM movement WHERE tier_set = ?1", [tier_set])?;
            return Ok(None);
        };
        let sql = "SELECT EXISTS (SELECT 1 FROM movement WHERE tier_set = ?1)";
        let has_rows = conn.query_row(sql, [tier_set], |row| row.get(0))?;
        let keep = "INSERT INTO movement (tier_set, subject, policy) VALUES (?1, ?2, ?3)
                    ON CONFLICT (tier_set, subject) DO NOTHING";
        Ok(Some(MovementWriter { tier_set, set, levels, states, passed: 0, has_rows, keep: conn.prepare(keep)? }))
    }

    /// A subject's held level changes from this `level.id`. Subjects ascend.
    ///
    /// Without a row so far, its policy gave that level. If its state doesn't change, the policy still gives it, and it is an
    /// override that made the difference: so what was implied has to be written down.
    pub(crate) fn moved(&mut self, subject: usize, from: Option<i64>) -> KindResult<()> {
        while self.states.get(self.passed).is_some_and(|state| (state.subject as usize) < subject) {
            self.passed += 1;
        }
        let is_given = self.states.get(self.passed).is_some_and(|state| state.subject as usize == subject);
        if !is_given {
            self.keep.execute(params![self.tier_set, self.set.keys.get(subject), from])?;
        }
        Ok(())
    }

    /// Writes the states that changed.
    pub(crate) fn write(self, conn: &Connection) -> KindResult<()> {
        let mut delete = conn.prepare("DELETE FROM movement WHERE tier_set = ?1 AND subject = ?2")?;
        let mut upsert = conn.prepare(
            "INSERT INTO movement (tier_set, subject, policy, below_since, locked_until, decided) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tier_set, subject) DO UPDATE
             SET policy = excluded.policy, below_since = excluded.below_since, locked_until = excluded.locked_until,
                 decided = excluded.decided",
        )?;
        for state in self.states {
            let subject = state.subject as usize;
            let key = self.set.keys.get(subject);
            if !state.is_plain(self.set.assigned[subject]) {
                let days = [state.below_since, state.locked_until, state.decided].map(|day| day.map(|day| day.0));
                let policy = self.levels.id(state.policy);
                upsert.execute(params![self.tier_set, key, policy, days[0], days[1], days[2]])?;
            } else if self.has_rows {
                delete.execute(params![self.tier_set, key])?;
            }
        }
        Ok(())
    }
}
