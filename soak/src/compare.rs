//! Whether two ledgers say the same, but for the runs that it took.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::Failure;

/// What must be alike, line by line. Runs that were killed after their commit are made again and change nothing, so that numbers of
/// runs differ.
const SAME: &[(&str, &str)] = &[
    (
        "transitions",
        "SELECT as_of, tier_set, subject, from_level, to_level, reason, metrics FROM level_changes ORDER BY transition",
    ),
    (
        "actions",
        "SELECT r.as_of, a.code, u.name, a.kind, a.subject, a.entered, a.occurrence
         FROM action AS a JOIN rule AS u ON u.id = a.rule JOIN run AS r ON r.id = a.run ORDER BY a.id",
    ),
    (
        "tasks",
        "SELECT a.code, t.title, t.owner, t.due, t.escalate_on, t.escalate_to, t.escalated, t.done, t.done_by
         FROM task AS t JOIN action AS a ON a.id = t.action ORDER BY t.action",
    ),
    ("events", "SELECT o.code, o.kind, o.at, json_remove(o.data, '$.run') FROM outbox AS o ORDER BY o.id"),
    (
        "levels",
        "SELECT s.name, h.subject, l.name FROM held AS h JOIN tier_set AS s ON s.id = h.tier_set
         LEFT JOIN level AS l ON l.tier_set = h.tier_set AND l.id = h.level ORDER BY s.name, h.subject",
    ),
    (
        "movement",
        "SELECT s.name, m.subject, l.name, m.below_since, m.locked_until, m.decided
         FROM movement AS m JOIN tier_set AS s ON s.id = m.tier_set
         LEFT JOIN level AS l ON l.tier_set = m.tier_set AND l.id = m.policy ORDER BY s.name, m.subject",
    ),
    (
        "what rules remember",
        "SELECT u.name, x.shadow, x.subject, x.entered, x.acted, x.last_acted, x.occurrence
         FROM rule_state AS x JOIN rule AS u ON u.id = x.rule ORDER BY u.name, x.shadow, x.subject",
    ),
    ("overrides", "SELECT tier_set, subject, kind, level, reason, approver, ended_by FROM override ORDER BY id"),
];

/// How many lines of each kind there are, if the ledgers agree and are sound.
pub(crate) fn same(killed: &Path, reference: &Path) -> Result<Vec<(&'static str, usize)>, Failure> {
    let (killed, reference) = (open(killed)?, open(reference)?);
    sound(&killed)?;
    let mut counts = Vec::new();
    for &(what, sql) in SAME {
        let (found, expected) = (lines(&killed, sql)?, lines(&reference, sql)?);
        if let Some(at) = (0..found.len().max(expected.len())).find(|&at| found.get(at) != expected.get(at)) {
            let (found, expected) = (found.get(at), expected.get(at));
            return Err(format!("{what}, line {at}: {found:?} after kills, {expected:?} without").into());
        }
        counts.push((what, found.len()));
    }
    Ok(counts)
}

/// Whether the comparison is one: a ledger that lacks a single event is told from the other.
pub(crate) fn notices_a_lost_event(killed: &Path, reference: &Path) -> Result<(), Failure> {
    let spoilt = killed.with_extension("spoilt");
    open(killed)?.execute("VACUUM INTO ?1", [spoilt.to_string_lossy()])?;
    Connection::open(&spoilt)?.execute("DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)", [])?;
    match same(&spoilt, reference) {
        Err(_) => Ok(()),
        Ok(_) => Err("the comparison doesn't notice a lost event".into()),
    }
}

fn open(path: &Path) -> Result<Connection, Failure> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// The file is whole, and nothing in it refers to what isn't there.
pub(crate) fn sound(conn: &Connection) -> Result<(), Failure> {
    let integrity: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let dangling = lines(conn, "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check")?;
    match (integrity.as_str(), dangling.first()) {
        ("ok", None) => Ok(()),
        ("ok", Some(row)) => Err(format!("a row refers to one that isn't there: {row}").into()),
        (found, _) => Err(format!("integrity_check: {found}").into()),
    }
}

fn lines(conn: &Connection, sql: &str) -> Result<Vec<String>, Failure> {
    let mut select = conn.prepare(sql)?;
    let columns = select.column_count();
    let mut rows = select.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| Ok(format!("{:?}", row.get_ref(column)?)));
        lines.push(values.collect::<rusqlite::Result<Vec<_>>>()?.join(" | "));
    }
    Ok(lines)
}
