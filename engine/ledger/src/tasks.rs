//! What becomes of tasks: done, put off, or somebody else's because they weren't done in time.

use rusqlite::{Connection, TransactionBehavior, params};
use tierd_model::{Date, Timestamp};

use crate::{
    error::{ErrorKind, KindResult},
    outbox::{Occasion, Outbox},
};

/// Fewer characters of an id would be taken for a mistake.
const SHORTEST_PREFIX: usize = 4;

/// Gives open tasks whose time is over to those who are named for that. Returns how many.
pub(crate) fn escalate(conn: &Connection, as_of: Timestamp, today: Date, outbox: &mut Outbox<'_>) -> KindResult<u64> {
    let mut select = conn.prepare(
        "SELECT action, owner FROM task
         WHERE done IS NULL AND escalated IS NULL AND escalate_on IS NOT NULL AND escalate_on <= ?1
           AND coalesce(snoozed_until <= ?1, true)
         ORDER BY action",
    )?;
    let late = select.query_map([today.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let late: Vec<(i64, Option<String>)> = late.collect::<rusqlite::Result<_>>()?;
    let mut update = conn.prepare("UPDATE task SET owner = escalate_to, escalated = ?2 WHERE action = ?1")?;
    for (action, owner) in &late {
        update.execute([*action, as_of.0])?;
        outbox.escalated(*action, owner.as_deref())?;
    }
    Ok(late.len() as u64)
}

pub(crate) fn finish(
    conn: &mut Connection,
    prefix: &str,
    at: Timestamp,
    by: &str,
    note: Option<&str>,
) -> KindResult<String> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (action, code) = open_task(&tx, prefix, by)?;
    let sql = "UPDATE task SET done = ?2, done_by = ?3, done_note = ?4 WHERE action = ?1";
    tx.execute(sql, params![action, at.0, by, note])?;
    Outbox::new(&tx, Occasion { at: at.0, run: None })?.done(action)?;
    tx.commit()?;
    Ok(code)
}

pub(crate) fn snooze(conn: &mut Connection, prefix: &str, until: Date, by: &str) -> KindResult<String> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (action, code) = open_task(&tx, prefix, by)?;
    let sql = "UPDATE task SET snoozed_until = ?2, snoozed_by = ?3 WHERE action = ?1";
    tx.execute(sql, params![action, until.0, by])?;
    tx.commit()?;
    Ok(code)
}

/// The number and the id of the only task whose id begins so, if it isn't done and somebody is named.
fn open_task(conn: &Connection, prefix: &str, by: &str) -> KindResult<(i64, String)> {
    if by.trim().is_empty() {
        return Err(ErrorKind::Nobody);
    }
    let prefix = prefix.to_ascii_lowercase();
    if prefix.len() < SHORTEST_PREFIX {
        return Err(ErrorKind::AmbiguousTask { prefix });
    }
    // Ids are hexadecimal digits: all that begin so come before the one with a `g` after it.
    let mut select = conn.prepare(
        "SELECT a.id, a.code, t.done_by FROM action AS a JOIN task AS t ON t.action = a.id
         WHERE a.code >= ?1 AND a.code < ?1 || 'g' LIMIT 2",
    )?;
    let found = select.query_map([&prefix], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut found: Vec<(i64, String, Option<String>)> = found.collect::<rusqlite::Result<_>>()?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(ErrorKind::NoTask(prefix)),
        (Some(_), false) => Err(ErrorKind::AmbiguousTask { prefix }),
        (Some((_, id, Some(by))), true) => Err(ErrorKind::TaskDone { id, by }),
        (Some((action, code, None)), true) => Ok((action, code)),
    }
}
