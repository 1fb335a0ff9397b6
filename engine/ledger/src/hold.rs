//! Runs that wait for a person: what they would have changed, and what became of them.
//!
//! A held run is one row of `run` and one of `hold`, and nothing else. Whoever approves it has the decisions made again; their
//! digest proves that they are those that were shown, and they are applied in the transaction that marks the hold as approved.
//! So a hold is decided once, whoever comes at the same time.
//!
//! A hold waits for as long as nobody has decided any of it: a later run of the same schedules takes its place.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tierd_model::Timestamp;

use crate::{
    error::{ErrorKind, KindResult},
    run::RunId,
};

/// SHA-256 over everything that a run would write about levels, states and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HoldDigest(pub [u8; 32]);

/// Why a run is held, and what it would have changed.
#[derive(Debug, Clone, Copy)]
pub struct NewHold<'a> {
    /// Which guards it exceeds, in one line.
    pub message: &'a str,
    /// What a person decides by, as JSON.
    pub shown: &'a str,
    /// Over everything that would have been applied.
    pub digest: HoldDigest,
}

/// What a person says of a hold.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// When.
    pub at: Timestamp,
    /// Who; never empty.
    pub by: &'a str,
    /// Why; never empty.
    pub why: &'a str,
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldState {
    /// Nobody has decided yet.
    Waiting,
    /// What it showed was applied by another run.
    Approved,
    /// It is never applied.
    Rejected,
    /// A later run of the same schedules has taken its place.
    Superseded,
}

impl HoldState {
    const ALL: [HoldState; 4] = [HoldState::Waiting, HoldState::Approved, HoldState::Rejected, HoldState::Superseded];

    /// As in the column `hold.state`.
    pub fn name(self) -> &'static str {
        match self {
            HoldState::Waiting => "waiting",
            HoldState::Approved => "approved",
            HoldState::Rejected => "rejected",
            HoldState::Superseded => "superseded",
        }
    }

    pub(crate) fn parse(name: &str) -> KindResult<Self> {
        HoldState::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(ErrorKind::Unreadable("a hold of unknown state"))
    }
}

impl Verdict<'_> {
    /// Proves that somebody says something.
    pub(crate) fn check(&self) -> KindResult<()> {
        if self.by.trim().is_empty() {
            return Err(ErrorKind::Nobody);
        }
        if self.why.trim().is_empty() { Err(ErrorKind::NoReason) } else { Ok(()) }
    }
}

/// Notes what a held run would have changed.
pub(crate) fn insert(conn: &Connection, run: RunId, new: &NewHold<'_>) -> KindResult<()> {
    let sql = "INSERT INTO hold (run, shown, digest) VALUES (?1, ?2, ?3)";
    conn.execute(sql, params![run.0, new.shown, new.digest.0])?;
    Ok(())
}

/// A person's word that a hold is never to be applied.
pub(crate) fn reject(conn: &mut Connection, hold: RunId, verdict: &Verdict<'_>) -> KindResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    decide(&tx, hold, HoldState::Rejected, verdict, None)?;
    tx.commit()?;
    Ok(())
}

/// Marks a waiting hold as approved, and the run that applies it.
pub(crate) fn approve(conn: &Connection, hold: RunId, verdict: &Verdict<'_>, by_run: RunId) -> KindResult<()> {
    decide(conn, hold, HoldState::Approved, verdict, Some(by_run))
}

fn decide(
    conn: &Connection,
    hold: RunId,
    state: HoldState,
    verdict: &Verdict<'_>,
    followed: Option<RunId>,
) -> KindResult<()> {
    check(conn, hold, verdict)?;
    let sql = "UPDATE hold SET state = ?2, at = ?3, by = ?4, why = ?5, followed = ?6 WHERE run = ?1";
    let followed = followed.map(|run| run.0);
    conn.execute(sql, params![hold.0, state.name(), verdict.at.0, verdict.by, verdict.why, followed])?;
    Ok(())
}

/// Proves that a hold still waits, and that somebody says something about it.
pub(crate) fn check(conn: &Connection, hold: RunId, verdict: &Verdict<'_>) -> KindResult<()> {
    verdict.check()?;
    check_waits(conn, hold)
}

fn check_waits(conn: &Connection, hold: RunId) -> KindResult<()> {
    let sql = "SELECT state, by, followed FROM hold WHERE run = ?1";
    let found = conn.query_row(sql, [hold.0], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<i64>>(2)?))
    });
    let Some((state, by, followed)) = found.optional()? else { return Err(ErrorKind::NoHold(hold.0)) };
    match HoldState::parse(&state)? {
        HoldState::Waiting => Ok(()),
        state => Err(ErrorKind::HoldOver { run: hold.0, state, by, followed }),
    }
}

/// A run takes the place of every waiting hold that shares a schedule with it; `None` stands for all schedules.
pub(crate) fn supersede(
    conn: &Connection,
    by_run: RunId,
    schedules: Option<&[String]>,
    at: Timestamp,
) -> KindResult<()> {
    let mut select = conn.prepare(
        "SELECT h.run, r.schedules FROM hold AS h JOIN run AS r ON r.id = h.run WHERE h.state = 'waiting' AND h.run <> ?1",
    )?;
    let waiting = select.query_map([by_run.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))?;
    let waiting: Vec<(i64, Option<String>)> = waiting.collect::<rusqlite::Result<_>>()?;
    let mut update = conn.prepare("UPDATE hold SET state = 'superseded', at = ?2, followed = ?3 WHERE run = ?1")?;
    for (hold, held) in waiting {
        if overlap(schedules, crate::run::parse_schedules(held)?.as_deref()) {
            update.execute(params![hold, at.0, by_run.0])?;
        }
    }
    Ok(())
}

fn overlap(one: Option<&[String]>, other: Option<&[String]>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.iter().any(|name| other.contains(name)),
        _ => true,
    }
}
