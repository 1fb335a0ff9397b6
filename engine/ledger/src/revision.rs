use std::fmt;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use tierd_model::Timestamp;

use crate::error::{ErrorKind, KindResult};

/// The content hash of one loaded rule directory: SHA-256, made by the crate that loads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevisionHash(pub [u8; 32]);

impl RevisionHash {
    /// Reads 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(RevisionHash(bytes))
    }
}

/// 64 hexadecimal digits, as in the table `revision`.
impl fmt::Display for RevisionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A revision that is now in force: valid as a whole, with all its files.
#[derive(Debug, Clone, Copy)]
pub struct RevisionRecord<'a> {
    /// The hash over all files.
    pub hash: RevisionHash,
    /// When it was loaded.
    pub loaded: Timestamp,
    /// Path (relative, with `/`) and text of each file; for a plugin a text that names its hash.
    pub files: &'a [(&'a str, &'a str)],
    /// What is in each plugin's file.
    pub plugins: &'a [&'a [u8]],
}

/// The row of a recorded revision.
pub(crate) fn find(conn: &Connection, hash: RevisionHash) -> KindResult<i64> {
    let sql = "SELECT id FROM revision WHERE sha256 = ?1";
    let id = conn.query_row(sql, [hash.to_string()], |row| row.get(0)).optional()?;
    id.ok_or(ErrorKind::UnknownRevision(hash))
}

/// Records a revision and that it is in force. Returns whether another one (or none) was in force before.
pub(crate) fn record(conn: &mut Connection, record: &RevisionRecord<'_>) -> KindResult<bool> {
    if in_force(conn)?.as_deref() == Some(&record.hash.to_string()) {
        return Ok(false);
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    activate(&tx, record)?;
    tx.commit()?;
    Ok(true)
}

/// Records a revision where it isn't yet, whichever is in force.
pub(crate) fn keep(conn: &mut Connection, record: &RevisionRecord<'_>) -> KindResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    find_or_insert(&tx, record)?;
    tx.commit()?;
    Ok(())
}

fn find_or_insert(conn: &Connection, record: &RevisionRecord<'_>) -> KindResult<i64> {
    match find(conn, record.hash) {
        Err(ErrorKind::UnknownRevision(_)) => Ok(insert(conn, record)?),
        found => found,
    }
}

/// Records a revision where it isn't yet, and that it is in force where another one was. Returns its row.
pub(crate) fn activate(conn: &Connection, record: &RevisionRecord<'_>) -> KindResult<i64> {
    let revision = find_or_insert(conn, record)?;
    if in_force(conn)?.as_deref() != Some(&record.hash.to_string()) {
        conn.execute("INSERT INTO activation (revision, at) VALUES (?1, ?2)", params![revision, record.loaded.0])?;
    }
    Ok(revision)
}

/// The hash of the revision in force, in hexadecimal.
pub(crate) fn in_force(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT r.sha256 FROM activation AS a JOIN revision AS r ON r.id = a.revision ORDER BY a.id DESC LIMIT 1";
    conn.query_row(sql, [], |row| row.get(0)).optional()
}

fn insert(conn: &Connection, record: &RevisionRecord<'_>) -> rusqlite::Result<i64> {
    let values = params![record.hash.to_string(), record.loaded.0];
    conn.execute("INSERT INTO revision (sha256, first_seen) VALUES (?1, ?2)", values)?;
    let revision = conn.last_insert_rowid();
    let mut content = conn.prepare("INSERT OR IGNORE INTO content (sha256, text) VALUES (?1, ?2)")?;
    let mut file = conn.prepare("INSERT INTO revision_file (revision, path, sha256) VALUES (?1, ?2, ?3)")?;
    for (path, text) in record.files {
        let sha256 = RevisionHash(Sha256::digest(text).into()).to_string();
        content.execute(params![sha256, text])?;
        file.execute(params![revision, path, sha256])?;
    }
    let mut plugin = conn.prepare("INSERT OR IGNORE INTO plugin (sha256, bytes) VALUES (?1, ?2)")?;
    for bytes in record.plugins {
        plugin.execute(params![RevisionHash(Sha256::digest(bytes).into()).to_string(), bytes])?;
    }
    Ok(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_round_trip() {
        let hash = RevisionHash(std::array::from_fn(|i| (i * 9) as u8));
        assert_eq!(RevisionHash::parse(&hash.to_string()), Some(hash));
        for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert_eq!(RevisionHash::parse(bad), None, "{bad}");
        }
    }
}
