use rusqlite::params;
use tierd_model::{Key, Timestamp};

use super::Reader;
use crate::{
    error::{At, KindResult, Result},
    key::KeyRef,
    run::RunId,
};

/// A stretch of those who hold something in a tier set.
#[derive(Debug, Clone, Copy)]
pub struct HeldPage<'a> {
    /// The tier set's full name.
    pub set: &'a str,
    /// Only those with this level.
    pub level: Option<&'a str>,
    /// Only those whose keys come after this one.
    pub after: Option<KeyRef<'a>>,
    /// At most this many.
    pub limit: u32,
}

/// What one subject holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The subject.
    pub key: Key,
    /// The level; `None` if it lost the last one.
    pub level: Option<String>,
    /// `as_of` of the run that gave it.
    pub since: Timestamp,
    /// The run that gave it.
    pub run: RunId,
    /// Why; `None` in runs of a tierd that kept no reasons.
    pub reason: Option<String>,
}

const PAGE: &str = "SELECT h.subject, l.name, r.as_of, t.run, w.text
FROM held AS h
JOIN transition AS t ON t.id = h.transition
JOIN run AS r ON r.id = t.run
LEFT JOIN level AS l ON l.tier_set = h.tier_set AND l.id = h.level
LEFT JOIN reason AS w ON w.id = t.reason
WHERE h.tier_set = (SELECT id FROM tier_set WHERE name = ?1) AND (?2 IS NULL OR l.name = ?2)";

impl Reader {
    /// Those who hold something in a set, ascending by key; absent ones are among them. Reads nothing that comes before the page.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn held_page(&self, page: &HeldPage<'_>) -> Result<Vec<HeldRow>> {
        self.select_page(page).at(&self.path)
    }

    fn select_page(&self, page: &HeldPage<'_>) -> KindResult<Vec<HeldRow>> {
        // Written out, so that the primary key finds where the page begins.
        let after = if page.after.is_some() { "AND h.subject > ?3" } else { "AND ?3 IS NULL" };
        let mut select = self.conn.prepare(&format!("{PAGE} {after} ORDER BY h.subject LIMIT ?4"))?;
        let mut rows = select.query(params![page.set, page.level, page.after, page.limit])?;
        let mut held = Vec::new();
        while let Some(row) = rows.next()? {
            held.push(HeldRow {
                key: KeyRef::read(row.get_ref(0)?)?.to_key(),
                level: row.get(1)?,
                since: Timestamp(row.get(2)?),
                run: RunId(row.get(3)?),
                reason: row.get(4)?,
            });
        }
        Ok(held)
    }
}
