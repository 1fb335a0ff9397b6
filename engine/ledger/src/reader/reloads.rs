use rusqlite::Row;
use tierd_model::Timestamp;

use super::{Reader, revision_hash};
use crate::{
    error::{At, ErrorKind, KindResult, Result},
    reload::ReloadOutcome,
    revision::RevisionHash,
};

/// What became of one change of the files, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// When it was decided.
    pub at: Timestamp,
    /// Why the files were looked at, in one word.
    pub cause: String,
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// Hash over the files as they were on disk, in hexadecimal; empty where they couldn't be read.
    pub files: String,
    /// The revision in force from then on.
    pub revision: Option<RevisionHash>,
    /// Why files were refused, as JSON.
    pub problems: Option<String>,
    /// Who rolled back.
    pub by: Option<String>,
    /// Why it was rolled back.
    pub why: Option<String>,
}

/// A revision coming into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// Which.
    pub revision: RevisionHash,
    /// When.
    pub at: Timestamp,
}

impl Reader {
    /// What became of changes of the files, the latest first.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn reloads(&self, limit: u32) -> Result<Vec<Reload>> {
        self.select_reloads(limit).at(&self.path)
    }

    /// What became of the last change of the files that a daemon saw.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn last_reload(&self) -> Result<Option<Reload>> {
        Ok(self.reloads(1)?.pop())
    }

    /// Every time that another revision came into force, the first one first.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn activations(&self) -> Result<Vec<Activation>> {
        self.select_activations("ORDER BY a.id").at(&self.path)
    }

    /// The revision that a restart goes on with while the files are invalid: the last one in force by a change of the files or a
    /// rollback, or by a run since then. (A run that began earlier may have been recorded later; that one doesn't count.)
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn last_good(&self) -> Result<Option<Activation>> {
        let activated = self.select_activations("ORDER BY a.id DESC LIMIT 1").at(&self.path)?.pop();
        let reload = self.last_reload()?;
        let reloaded = reload.and_then(|reload| Some(Activation { revision: reload.revision?, at: reload.at }));
        Ok(match (activated, reloaded) {
            (Some(activated), Some(reloaded))
                if activated.at > reloaded.at || activated.revision == reloaded.revision =>
            {
                Some(activated)
            }
            (activated, reloaded) => reloaded.or(activated),
        })
    }

    /// The revisions whose hash begins so (hexadecimal, either case).
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn revisions_beginning(&self, prefix: &str) -> Result<Vec<RevisionHash>> {
        self.select_beginning(&prefix.to_ascii_lowercase()).at(&self.path)
    }

    fn select_reloads(&self, limit: u32) -> KindResult<Vec<Reload>> {
        let mut select = self.conn.prepare(
            "SELECT l.at, l.cause, l.outcome, l.files, v.sha256, l.problems, l.by, l.why
             FROM reload AS l LEFT JOIN revision AS v ON v.id = l.revision ORDER BY l.id DESC LIMIT ?1",
        )?;
        let mut rows = select.query([limit])?;
        let mut reloads = Vec::new();
        while let Some(row) = rows.next()? {
            reloads.push(read_reload(row)?);
        }
        Ok(reloads)
    }

    fn select_activations(&self, order: &str) -> KindResult<Vec<Activation>> {
        let sql = format!("SELECT r.sha256, a.at FROM activation AS a JOIN revision AS r ON r.id = a.revision {order}");
        let mut select = self.conn.prepare(&sql)?;
        let mut rows = select.query([])?;
        let mut activations = Vec::new();
        while let Some(row) = rows.next()? {
            let revision = revision_hash(&row.get::<_, String>(0)?)?;
            activations.push(Activation { revision, at: Timestamp(row.get(1)?) });
        }
        Ok(activations)
    }

    fn select_beginning(&self, prefix: &str) -> KindResult<Vec<RevisionHash>> {
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let mut select =
            self.conn.prepare("SELECT sha256 FROM revision WHERE substr(sha256, 1, length(?1)) = ?1 ORDER BY id")?;
        let mut rows = select.query([prefix])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(revision_hash(&row.get::<_, String>(0)?)?);
        }
        Ok(found)
    }
}

fn read_reload(row: &Row<'_>) -> KindResult<Reload> {
    let outcome = ReloadOutcome::of_name(&row.get::<_, String>(2)?);
    Ok(Reload {
        at: Timestamp(row.get(0)?),
        cause: row.get(1)?,
        outcome: outcome.ok_or(ErrorKind::Unreadable("a reload with an unknown outcome"))?,
        files: row.get(3)?,
        revision: row.get::<_, Option<String>>(4)?.map(|hex| revision_hash(&hex)).transpose()?,
        problems: row.get(5)?,
        by: row.get(6)?,
        why: row.get(7)?,
    })
}
