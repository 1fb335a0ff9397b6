//! Schedules: up to which slot each has been taken care of, and the slots for which there was no run.
//!
//! A slot is one time at which a schedule comes. Every slot of a schedule that is followed ends in one of two ways: a run decides
//! it, or it becomes part of a gap. Both are written together with how far the schedule has come, so that a crash neither loses a
//! slot nor has it decided twice. That mark only moves forward while the schedule's times are the same.
//!
//! When schedules come is for others to know: here a slot is an instant.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tierd_model::Timestamp;

use crate::{
    error::{ErrorKind, KindResult},
    run::{Cause, RunId, RunStart, stored},
};

/// A schedule that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedSchedule {
    /// Its name.
    pub name: String,
    /// Its recurrence and zone, as they were given.
    pub written: String,
    /// All slots up to this time have been taken care of.
    pub handled: Timestamp,
}

/// The number of a gap. Later ones have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GapId(pub i64);

/// Why there was no run for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Nobody was there when it came, and a later one took its place or `missed` says to skip it.
    Missed,
    /// The run of an earlier slot of the same schedule was waiting or running.
    Overlap,
    /// A run could not begin before its deadline.
    Deadline,
    /// Its run failed, until a later slot came or its deadline passed.
    Failed,
    /// The database or the ledger stayed locked, until a later slot came or its deadline passed.
    Deferred,
    /// The schedule was changed or removed before its run began.
    Changed,
}

impl GapReason {
    const ALL: [GapReason; 6] = [
        GapReason::Missed,
        GapReason::Overlap,
        GapReason::Deadline,
        GapReason::Failed,
        GapReason::Deferred,
        GapReason::Changed,
    ];

    /// As in the column `gap.reason`.
    pub fn name(self) -> &'static str {
        match self {
            GapReason::Missed => "missed",
            GapReason::Overlap => "overlap",
            GapReason::Deadline => "deadline",
            GapReason::Failed => "failed",
            GapReason::Deferred => "deferred",
            GapReason::Changed => "changed",
        }
    }

    pub(crate) fn parse(name: &str) -> KindResult<Self> {
        let found = GapReason::ALL.into_iter().find(|reason| reason.name() == name);
        found.ok_or(ErrorKind::Unreadable("a gap for an unknown reason"))
    }
}

/// Slots of a schedule, one after the other, for which there will be no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewGap<'a> {
    /// The schedule.
    pub schedule: &'a str,
    /// The first slot.
    pub first: Timestamp,
    /// The last slot; the same one for a gap of one.
    pub last: Timestamp,
    /// How many there are; at least one.
    pub slots: u64,
    /// Why.
    pub reason: GapReason,
}

pub(crate) fn follow(conn: &mut Connection, schedules: &[(&str, String)], now: Timestamp) -> KindResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let names: Vec<&str> = schedules.iter().map(|(name, _)| *name).collect();
    tx.execute(
        "DELETE FROM schedule WHERE name NOT IN (SELECT value FROM json_each(?1))",
        [serde_json::json!(names).to_string()],
    )?;
    for (name, written) in schedules {
        tx.execute(
            "INSERT INTO schedule (name, written, handled) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET written = excluded.written, handled = excluded.handled
             WHERE written IS NOT excluded.written",
            params![name, written, now.0],
        )?;
    }
    Ok(tx.commit()?)
}

pub(crate) fn note_gaps(conn: &mut Connection, gaps: &[NewGap<'_>], noted: Timestamp) -> KindResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for gap in gaps {
        if !prolong_last(&tx, gap, noted)? {
            tx.execute(
                "INSERT INTO gap (schedule, first, last, slots, reason, noted) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![gap.schedule, gap.first.0, gap.last.0, stored(gap.slots), gap.reason.name(), noted.0],
            )?;
        }
        advance(&tx, gap.schedule, gap.last)?;
    }
    Ok(tx.commit()?)
}

/// Makes a gap part of the last one of its schedule; returns false where that is filled, has another reason, or where a run has
/// decided a slot in between.
fn prolong_last(conn: &Connection, gap: &NewGap<'_>, noted: Timestamp) -> KindResult<bool> {
    let last = conn.query_row(
        "SELECT g.id, g.reason FROM gap AS g JOIN schedule AS s ON s.name = g.schedule AND s.handled = g.last
         WHERE g.schedule = ?1 AND g.filled IS NULL ORDER BY g.id DESC LIMIT 1",
        [gap.schedule],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
    );
    let Some((id, reason)) = last.optional()? else { return Ok(false) };
    if reason != gap.reason.name() {
        return Ok(false);
    }
    let sql = "UPDATE gap SET last = ?2, slots = slots + ?3, noted = ?4 WHERE id = ?1";
    conn.execute(sql, params![id, gap.last.0, stored(gap.slots), noted.0])?;
    Ok(true)
}

/// What a run that was decided, or is held, means for the schedules that it was made for.
pub(crate) fn taken_care_of(conn: &Connection, run: RunId, start: RunStart<'_>) -> KindResult<()> {
    for name in start.schedules.unwrap_or_default() {
        match start.cause {
            Cause::Schedule => advance(conn, name, start.as_of)?,
            Cause::Fill => fill(conn, name, start.as_of, run)?,
            Cause::Hand | Cause::Change | Cause::Approval => {}
        }
    }
    Ok(())
}

fn advance(conn: &Connection, name: &str, slot: Timestamp) -> KindResult<()> {
    conn.execute("UPDATE schedule SET handled = max(handled, ?2) WHERE name = ?1", params![name, slot.0])?;
    Ok(())
}

/// Slots of a gap are filled in their order: with its last one, a gap is.
fn fill(conn: &Connection, name: &str, slot: Timestamp, run: RunId) -> KindResult<()> {
    let sql = "UPDATE gap SET filled = ?3 WHERE schedule = ?1 AND last = ?2 AND filled IS NULL";
    conn.execute(sql, params![name, slot.0, run.0])?;
    Ok(())
}
