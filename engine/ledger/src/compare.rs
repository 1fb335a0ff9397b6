//! What differs between the decisions of a tier set and what is held.
//!
//! Both are in the order of keys, so that one pass over both finds every difference: no map, and memory for a batch only.

use rusqlite::{Connection, Statement, params, types::ValueRef};

use crate::{
    decisions::SetDecisions,
    dictionary::Levels,
    error::{ErrorKind, KindResult},
    key::KeyRef,
};

/// Changes found before they are written.
pub(crate) const BATCH: usize = 4096;

/// A subject whose level isn't the held one.
pub(crate) struct Change {
    /// Index of the subject.
    pub(crate) subject: usize,
    /// `level.id` that it is given.
    pub(crate) level: Option<i64>,
    /// What is held of it so far.
    pub(crate) before: Before,
}

/// What is held of a subject before this run.
#[derive(Clone, Copy)]
pub(crate) enum Before {
    /// It has never had a level.
    Nothing,
    /// `level.id`, and its last transition.
    Held(Option<i64>, i64),
}

/// A comparison that has come some way.
pub(crate) struct Comparison<'a> {
    tier_set: i64,
    select: Statement<'a>,
    /// No held row is left.
    held_done: bool,
    /// Held levels without a decision.
    absent: u64,
    decisions: Decisions<'a>,
}

/// The decisions, up to `next` compared.
struct Decisions<'a> {
    set: &'a SetDecisions<'a>,
    levels: &'a Levels,
    next: usize,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(
        conn: &'a Connection,
        tier_set: i64,
        set: &'a SetDecisions<'a>,
        levels: &'a Levels,
    ) -> rusqlite::Result<Self> {
        let sql = "SELECT subject, level, transition FROM held WHERE tier_set = ?1 AND subject > ?2 ORDER BY subject";
        let decisions = Decisions { set, levels, next: 0 };
        Ok(Comparison { tier_set, select: conn.prepare(sql)?, held_done: false, absent: 0, decisions })
    }

    /// Held levels whose subjects aren't among the decisions, as far as compared.
    pub(crate) fn absent(&self) -> u64 {
        self.absent
    }

    /// Adds the next changes, at most [`BATCH`]. None are left once it adds nothing to an empty vector.
    pub(crate) fn next_batch(&mut self, changes: &mut Vec<Change>) -> KindResult<()> {
        if !self.held_done {
            self.compare_held(changes)?;
        }
        if self.held_done {
            self.decisions.take_new_before(None, changes);
        }
        Ok(())
    }

    /// The part where held rows are left. It stops early only right after a change, so that every held row up to the key
    /// of the last decision taken is done, and the next batch begins behind that key.
    fn compare_held(&mut self, changes: &mut Vec<Change>) -> KindResult<()> {
        let mut rows = match self.decisions.last_taken() {
            Some(key) => self.select.query(params![self.tier_set, key])?,
            // Less than every key, integer or text.
            None => self.select.query(params![self.tier_set, f64::NEG_INFINITY])?,
        };
        while let Some(row) = rows.next()? {
            let key = KeyRef::read(row.get_ref(0)?)?;
            if !self.decisions.take_new_before(Some(key), changes) {
                return Ok(());
            }
            let held = read_level(row.get_ref(1)?)?;
            match self.decisions.take(key) {
                Some((_, level)) if level == held => {}
                Some((subject, level)) => {
                    changes.push(Change { subject, level, before: Before::Held(held, row.get(2)?) });
                }
                None => self.absent += u64::from(held.is_some()),
            }
        }
        self.held_done = true;
        Ok(())
    }
}

impl Decisions<'_> {
    /// The key of the decision taken last.
    fn last_taken(&self) -> Option<KeyRef<'_>> {
        self.next.checked_sub(1).map(|subject| self.set.keys.get(subject))
    }

    /// Takes the subjects before this key (or all that are left): nothing is held of them, so that a level is a change.
    /// Returns whether there is room for more changes.
    fn take_new_before(&mut self, key: Option<KeyRef<'_>>, changes: &mut Vec<Change>) -> bool {
        while changes.len() < BATCH {
            if self.next == self.set.keys.len() || key.is_some_and(|key| self.set.keys.get(self.next) >= key) {
                return true;
            }
            let (subject, level) = self.take_next();
            if level.is_some() {
                changes.push(Change { subject, level, before: Before::Nothing });
            }
        }
        false
    }

    /// Takes the decision on this key, if it is the next.
    fn take(&mut self, key: KeyRef<'_>) -> Option<(usize, Option<i64>)> {
        let is_next = self.next < self.set.keys.len() && self.set.keys.get(self.next) == key;
        is_next.then(|| self.take_next())
    }

    /// The next subject and its `level.id`.
    fn take_next(&mut self) -> (usize, Option<i64>) {
        let subject = self.next;
        self.next += 1;
        (subject, self.levels.id(self.set.assigned[subject]))
    }
}

fn read_level(value: ValueRef<'_>) -> KindResult<Option<i64>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(id) => Ok(Some(id)),
        _ => Err(ErrorKind::Unreadable("a level that isn't a number")),
    }
}
