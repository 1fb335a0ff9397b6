//! Decisions of people that overrule the rules for a while: a level pinned, a floor, a ceiling.
//!
//! They name their level, so that they outlive edits of the rules, and they are never removed: who granted what, and why,
//! can be read years later.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tierd_model::Timestamp;

use crate::{
    error::{ErrorKind, KindResult},
    key::KeyRef,
};

/// The number of an override. Later ones have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OverrideId(pub i64);

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverrideKind {
    /// Exactly this level.
    Pin,
    /// At least this level.
    Floor,
    /// At most this level.
    Ceiling,
}

impl OverrideKind {
    /// As in the column `override.kind`.
    pub fn name(self) -> &'static str {
        match self {
            OverrideKind::Pin => "pin",
            OverrideKind::Floor => "floor",
            OverrideKind::Ceiling => "ceiling",
        }
    }

    pub(crate) fn parse(name: &str) -> KindResult<Self> {
        let all = [OverrideKind::Pin, OverrideKind::Floor, OverrideKind::Ceiling];
        all.into_iter().find(|kind| kind.name() == name).ok_or(ErrorKind::Unreadable("an override of unknown kind"))
    }
}

/// An override to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct NewOverride<'a> {
    /// The tier set's full name.
    pub set: &'a str,
    /// Whom the set grades, such as `customer`.
    pub subject: &'a str,
    /// Whose level it is about.
    pub key: KeyRef<'a>,
    /// What it does.
    pub kind: OverrideKind,
    /// The level's name.
    pub level: &'a str,
    /// Why; never empty.
    pub reason: &'a str,
    /// Who answers for it; never empty.
    pub approver: &'a str,
    /// In force from then on,
    pub starts: Timestamp,
    /// and no longer from then on.
    pub expires: Timestamp,
    /// When it is recorded.
    pub created: Timestamp,
}

/// The end of an override before its time.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// Not in force from then on.
    pub at: Timestamp,
    /// Who ends it; never empty.
    pub by: &'a str,
    /// Why; never empty.
    pub why: &'a str,
}

pub(crate) fn add(conn: &Connection, new: &NewOverride<'_>) -> KindResult<OverrideId> {
    let missing = |text: &str| text.trim().is_empty();
    let problem = match new {
        _ if missing(new.reason) => Some("it needs a reason"),
        _ if missing(new.approver) => Some("it needs an approver"),
        _ if missing(new.level) || missing(new.set) => Some("it needs a tier set and a level"),
        _ if new.expires <= new.starts => Some("it would expire before it starts"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(ErrorKind::Override(problem));
    }
    conn.execute(
        "INSERT INTO override (tier_set, subject_kind, subject, kind, level, reason, approver, starts, expires, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            new.set,
            new.subject,
            new.key,
            new.kind.name(),
            new.level,
            new.reason,
            new.approver,
            new.starts.0,
            new.expires.0,
            new.created.0
        ],
    )?;
    Ok(OverrideId(conn.last_insert_rowid()))
}

pub(crate) fn end(conn: &mut Connection, id: OverrideId, end: &End<'_>) -> KindResult<()> {
    if end.by.trim().is_empty() {
        return Err(ErrorKind::Nobody);
    }
    if end.why.trim().is_empty() {
        return Err(ErrorKind::Override("ending it needs a reason"));
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT ended_by FROM override WHERE id = ?1";
    match tx.query_row(sql, [id.0], |row| row.get::<_, Option<String>>(0)).optional()? {
        None => return Err(ErrorKind::NoOverride(id.0)),
        Some(Some(by)) => return Err(ErrorKind::OverrideEnded { id: id.0, by }),
        Some(None) => {}
    }
    let sql = "UPDATE override SET ended = ?2, ended_by = ?3, ended_why = ?4 WHERE id = ?1";
    tx.execute(sql, params![id.0, end.at.0, end.by, end.why])?;
    tx.commit()?;
    Ok(())
}
