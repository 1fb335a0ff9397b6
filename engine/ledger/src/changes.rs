//! Writing changes of level: what is held from now on, and the transition with its reason and the metrics that decided it.

use rusqlite::{Connection, Statement};

use crate::{
    apply::Move,
    compare::{Before, Change},
    decisions::SetDecisions,
    dictionary::{self, Levels},
    error::{ErrorKind, KindResult},
    movement::MovementWriter,
    outbox,
    run::RunId,
};

/// Writes changes, and counts them by kind.
pub(crate) struct ChangeWriter<'a> {
    conn: &'a Connection,
    run: RunId,
    tier_set: i64,
    set: &'a SetDecisions<'a>,
    levels: &'a Levels,
    insert_held: Statement<'a>,
    update_held: Statement<'a>,
    insert_transition: Statement<'a>,
    /// The id of the next transition.
    next: i64,
    /// Reasons met so far, and their numbers: a handful.
    reasons: Vec<(&'static str, i64)>,
    /// Kept for its memory.
    metrics: String,
    /// By `level.id` before and after, where 0 is no level: row by row.
    counts: Vec<u64>,
}

impl<'a> ChangeWriter<'a> {
    pub(crate) fn new(
        conn: &'a Connection,
        run: RunId,
        tier_set: i64,
        set: &'a SetDecisions<'a>,
        levels: &'a Levels,
    ) -> rusqlite::Result<Self> {
        Ok(ChangeWriter {
            conn,
            run,
            tier_set,
            set,
            levels,
            insert_held: conn
                .prepare("INSERT INTO held (tier_set, subject, level, transition) VALUES (?1, ?2, ?3, ?4)")?,
            update_held: conn
                .prepare("UPDATE held SET level = ?3, transition = ?4 WHERE tier_set = ?1 AND subject = ?2")?,
            insert_transition: conn.prepare(
                "INSERT INTO transition (id, run, tier_set, subject, from_level, to_level, previous, metrics, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            next: outbox::next_number(conn)?,
            reasons: Vec::new(),
            metrics: String::new(),
            counts: vec![0; (levels.len() + 1).pow(2)],
        })
    }

    pub(crate) fn write(&mut self, change: &Change, movement: Option<&mut MovementWriter<'_>>) -> KindResult<()> {
        let (id, tier_set, to) = (self.next, self.tier_set, change.level);
        self.next += 1;
        let subject = self.set.keys.get(change.subject);
        let (from, previous) = match change.before {
            Before::Nothing => {
                self.insert_held.execute((tier_set, subject, to, id))?;
                (None, None)
            }
            Before::Held(from, previous) => {
                self.update_held.execute((tier_set, subject, to, id))?;
                (from, Some(previous))
            }
        };
        self.metrics.clear();
        (self.set.metrics)(change.subject, &mut self.metrics);
        let reason = self.reason((self.set.reason)(change.subject))?;
        let (run, metrics) = (self.run.0, self.metrics.as_str());
        self.insert_transition.execute((id, run, tier_set, subject, from, to, previous, metrics, reason))?;
        if let Some(movement) = movement {
            movement.moved(change.subject, from)?;
        }
        self.count(from, to)
    }

    fn reason(&mut self, text: &'static str) -> KindResult<i64> {
        if let Some((_, id)) = self.reasons.iter().find(|(known, _)| *known == text) {
            return Ok(*id);
        }
        let id = dictionary::reason(self.conn, text)?;
        self.reasons.push((text, id));
        Ok(id)
    }

    fn count(&mut self, from: Option<i64>, to: Option<i64>) -> KindResult<()> {
        let width = self.levels.len() + 1;
        let place = |level: Option<i64>| usize::try_from(level.unwrap_or(0)).ok().filter(|&id| id < width);
        let (Some(from), Some(to)) = (place(from), place(to)) else {
            return Err(ErrorKind::Unreadable("a level without a name"));
        };
        self.counts[from * width + to] += 1;
        Ok(())
    }

    /// The changes so far by kind, in the order of `level.id`.
    pub(crate) fn moves(&self) -> Vec<Move> {
        let width = self.levels.len() + 1;
        let name = |id: usize| self.levels.name(id).map(str::to_owned);
        let counted = self.counts.iter().enumerate().filter(|(_, subjects)| **subjects > 0);
        counted
            .map(|(place, &subjects)| Move { from: name(place / width), to: name(place % width), subjects })
            .collect()
    }
}
