use rusqlite::{Row, params};
use tierd_model::Timestamp;

use super::{
    Reader, Run,
    runs::{RUN_COLUMNS, RUN_FROM, read_run},
};
use crate::{
    error::{At, ErrorKind, KindResult, Result},
    hold::{HoldDigest, HoldState},
    run::RunId,
};

/// A run that was held, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The run itself; its outcome says which guards it exceeds.
    pub run: Run,
    /// What a person decides by, as JSON.
    pub shown: String,
    /// Over everything that would have been applied.
    pub digest: HoldDigest,
    /// What became of it.
    pub state: HoldState,
    /// When it stopped waiting.
    pub at: Option<Timestamp>,
    /// Who decided, where somebody did.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// The run that applied it, or that took its place.
    pub followed: Option<RunId>,
}

impl Reader {
    /// The latest holds, newest first: all, or those that wait.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn holds(&self, waiting_only: bool, limit: u32) -> Result<Vec<Hold>> {
        self.select_holds(
            "WHERE (?1 = 0 OR h.state = 'waiting') ORDER BY h.run DESC LIMIT ?2",
            (waiting_only, i64::from(limit)),
        )
        .at(&self.path)
    }

    /// The hold of one run; `None` for a run that was never held.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn hold(&self, run: RunId) -> Result<Option<Hold>> {
        self.select_holds("WHERE ?1 = 0 AND h.run = ?2", (false, run.0)).map(|mut holds| holds.pop()).at(&self.path)
    }

    fn select_holds(&self, rest: &str, (waiting_only, number): (bool, i64)) -> KindResult<Vec<Hold>> {
        let sql = format!(
            "SELECT {RUN_COLUMNS}, h.shown, h.digest, h.state, h.at, h.by, h.why, h.followed
             FROM {RUN_FROM} JOIN hold AS h ON h.run = r.id {rest}"
        );
        let mut select = self.conn.prepare(&sql)?;
        let mut rows = select.query(params![waiting_only, number])?;
        let mut holds = Vec::new();
        while let Some(row) = rows.next()? {
            holds.push(read_hold(row)?);
        }
        Ok(holds)
    }
}

fn read_hold(row: &Row<'_>) -> KindResult<Hold> {
    let digest: Vec<u8> = row.get("digest")?;
    let digest = digest.try_into().map_err(|_| ErrorKind::Unreadable("a hold without a digest"))?;
    Ok(Hold {
        run: read_run(row)?,
        shown: row.get("shown")?,
        digest: HoldDigest(digest),
        state: HoldState::parse(&row.get::<_, String>("state")?)?,
        at: row.get::<_, Option<i64>>("at")?.map(Timestamp),
        by: row.get("by")?,
        why: row.get("why")?,
        followed: row.get::<_, Option<i64>>("followed")?.map(RunId),
    })
}
