use rusqlite::{Row, params};
use tierd_model::{Key, Timestamp};

use super::Reader;
use crate::{
    error::{At, ErrorKind, KindResult, Result},
    key::KeyRef,
    overrides::{OverrideId, OverrideKind},
};

/// One override, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number.
    pub id: OverrideId,
    /// The tier set's full name.
    pub set: String,
    /// Whom the set grades.
    pub subject: String,
    /// Whose level it is about.
    pub key: Key,
    /// What it does.
    pub kind: OverrideKind,
    /// The level's name; the rules may have it no longer.
    pub level: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub approver: String,
    /// In force from then on,
    pub starts: Timestamp,
    /// and no longer from then on.
    pub expires: Timestamp,
    /// When it was recorded.
    pub created: Timestamp,
    /// When it was ended before its time, by whom and why.
    pub ended: Option<(Timestamp, String, String)>,
}

impl Override {
    /// How it stands at this time: `in force`, `to come`, `expired` or `ended`.
    pub fn state(&self, at: Timestamp) -> &'static str {
        match &self.ended {
            Some(_) => "ended",
            None if self.expires <= at => "expired",
            None if self.starts > at => "to come",
            None => "in force",
        }
    }

    /// Whether it is in force at this time.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let ended = self.ended.as_ref().is_some_and(|(ended, ..)| *ended <= at);
        self.starts <= at && at < self.expires && !ended
    }
}

/// Which overrides to read. The default is all.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverrideFilter<'a> {
    /// Only of this tier set.
    pub set: Option<&'a str>,
    /// Only of this subject.
    pub key: Option<KeyRef<'a>>,
    /// Only those in force at this time.
    pub in_force: Option<Timestamp>,
}

impl Reader {
    /// Overrides by subject, ascending by key; of one subject in the order in which they were recorded.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn overrides(&self, filter: OverrideFilter<'_>) -> Result<Vec<Override>> {
        self.select_overrides(filter).at(&self.path)
    }

    /// Whether any override is in force in this tier set at this time.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn has_overrides(&self, set: &str, at: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM override
                   WHERE tier_set = ?1 AND starts <= ?2 AND ?2 < expires AND coalesce(?2 < ended, true))";
        let mut select = self.conn.prepare(sql).map_err(ErrorKind::from).at(&self.path)?;
        select.query_row(params![set, at.0], |row| row.get(0)).map_err(ErrorKind::from).at(&self.path)
    }

    fn select_overrides(&self, filter: OverrideFilter<'_>) -> KindResult<Vec<Override>> {
        let mut select = self.conn.prepare(&sql(&filter))?;
        let mut rows = select.query(params![filter.set, filter.key, filter.in_force.map(|at| at.0)])?;
        let mut overrides = Vec::new();
        while let Some(row) = rows.next()? {
            overrides.push(read_override(row)?);
        }
        Ok(overrides)
    }
}

/// Written out, so that the index of subjects can serve.
pub(super) fn sql(filter: &OverrideFilter<'_>) -> String {
    let set = if filter.set.is_some() { "tier_set = ?1" } else { "?1 IS NULL" };
    let key = if filter.key.is_some() { "subject = ?2" } else { "?2 IS NULL" };
    format!(
        "SELECT id, tier_set, subject_kind, subject, kind, level, reason, approver, starts, expires, created, ended, ended_by,
                ended_why
         FROM override
         WHERE {set} AND {key} AND (?3 IS NULL OR starts <= ?3 AND ?3 < expires AND coalesce(?3 < ended, true))
         ORDER BY tier_set, subject, id"
    )
}

fn read_override(row: &Row<'_>) -> KindResult<Override> {
    let ended = match row.get::<_, Option<i64>>(11)? {
        Some(at) => Some((Timestamp(at), row.get(12)?, row.get(13)?)),
        None => None,
    };
    Ok(Override {
        id: OverrideId(row.get(0)?),
        set: row.get(1)?,
        subject: row.get(2)?,
        key: KeyRef::read(row.get_ref(3)?)?.to_key(),
        kind: OverrideKind::parse(&row.get::<_, String>(4)?)?,
        level: row.get(5)?,
        reason: row.get(6)?,
        approver: row.get(7)?,
        starts: Timestamp(row.get(8)?),
        expires: Timestamp(row.get(9)?),
        created: Timestamp(row.get(10)?),
        ended,
    })
}
