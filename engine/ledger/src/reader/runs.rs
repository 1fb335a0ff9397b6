use rusqlite::{OptionalExtension, Row};
use tierd_model::Timestamp;

use super::{Reader, revision_hash};
use crate::{
    error::{At, ErrorKind, KindResult, Result},
    revision::{self, RevisionHash},
    run::{Cause, Outcome, RunId, parse_schedules, restored},
};

/// One run, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// The time that it evaluated.
    pub as_of: Timestamp,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, before the commit.
    pub finished: Timestamp,
    /// Its rules.
    pub revision: RevisionHash,
    /// The state of the data, as the reader of the source wrote it.
    pub data_version: String,
    /// Subjects read.
    pub subjects: u64,
    /// Fact rows read.
    pub fact_rows: u64,
    /// Stored values that didn't fit their declared types.
    pub bad_values: u64,
    /// Fact rows whose subject is unknown.
    pub unknown_subjects: u64,
    /// Levels changed.
    pub transitions: u64,
    /// Actions of retention rules, also held out and watched ones.
    pub actions: u64,
    /// Milliseconds of reading.
    pub read_ms: u64,
    /// Milliseconds of evaluating.
    pub evaluate_ms: u64,
    /// Milliseconds of comparing and writing, without the commit.
    pub write_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Cut points of the ranks, as JSON.
    pub cut_points: Option<String>,
    /// Why it was made.
    pub cause: Cause,
    /// The schedules that it decided; `None` for everything.
    pub schedules: Option<Vec<String>>,
    /// Rows of each table that it read, as a JSON object.
    pub table_rows: Option<String>,
    /// Metrics that are NULL because a plugin gave nothing, as a JSON array; `None` for none.
    pub plugin_failures: Option<String>,
}

/// One revision, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The hash over all its files.
    pub hash: RevisionHash,
    /// When it was first loaded.
    pub first_seen: Timestamp,
    /// How many files it has.
    pub files: u64,
    /// How many runs used it.
    pub runs: u64,
}

/// What [`read_run`] reads,
pub(super) const RUN_COLUMNS: &str = "r.id, r.as_of, r.started, r.finished, v.sha256, r.data_version, r.subjects, r.fact_rows, r.bad_values,
       r.unknown_subjects, r.transitions, r.read_ms, r.evaluate_ms, r.write_ms, r.outcome, r.message, r.cut_points, r.actions,
       r.cause, r.schedules, r.table_rows, r.plugin_failures";

/// and where it is.
pub(super) const RUN_FROM: &str = "run AS r JOIN revision AS v ON v.id = r.revision";

impl Reader {
    /// The latest runs, newest first, failed ones among them.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn runs(&self, limit: u32) -> Result<Vec<Run>> {
        self.select_runs("ORDER BY r.id DESC LIMIT ?1", i64::from(limit)).at(&self.path)
    }

    /// The latest runs before this one, newest first: the page after the one that ended with it.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn runs_before(&self, before: RunId, limit: u32) -> Result<Vec<Run>> {
        // A number, so that it can't be anything else.
        self.select_runs(&format!("WHERE r.id < ?1 ORDER BY r.id DESC LIMIT {limit}"), before.0).at(&self.path)
    }

    /// One run.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn run(&self, run: RunId) -> Result<Option<Run>> {
        self.select_runs("WHERE r.id = ?1", run.0).map(|mut runs| runs.pop()).at(&self.path)
    }

    /// The latest run that decided levels, whether they changed or not.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn last_applied_run(&self) -> Result<Option<Run>> {
        let rest = "WHERE r.outcome IN ('applied', 'unchanged') ORDER BY r.id DESC LIMIT ?1";
        self.select_runs(rest, 1).map(|mut runs| runs.pop()).at(&self.path)
    }

    /// Rows of each table ([`Run::table_rows`]) in the latest run that decided levels and followed this schedule, or everything.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn last_table_rows(&self, schedule: Option<&str>) -> Result<Option<String>> {
        let sql = "SELECT table_rows FROM run AS r
            WHERE outcome IN ('applied', 'unchanged') AND table_rows IS NOT NULL
              AND (schedules IS NULL OR EXISTS (SELECT 1 FROM json_each(r.schedules) WHERE value = ?1))
            ORDER BY id DESC LIMIT 1";
        self.conn.query_row(sql, [schedule], |row| row.get(0)).optional().at(&self.path)
    }

    /// All revisions, the latest first seen first.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn revisions(&self) -> Result<Vec<Revision>> {
        self.select_revisions().at(&self.path)
    }

    /// The revision that was recorded last: what a restart falls back to while the files on disk are invalid.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn revision_in_force(&self) -> Result<Option<RevisionHash>> {
        let hex = revision::in_force(&self.conn).at(&self.path)?;
        hex.map(|hex| revision_hash(&hex)).transpose().at(&self.path)
    }

    /// Path and text of each file of a revision, in the order of their paths; empty for an unknown revision.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn revision_files(&self, revision: RevisionHash) -> Result<Vec<(String, String)>> {
        self.select_files(revision).at(&self.path)
    }

    /// What is in a plugin's file, by its hash; `None` where no recorded revision has it.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn plugin(&self, hash: RevisionHash) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT bytes FROM plugin WHERE sha256 = ?1";
        let bytes = self.conn.query_row(sql, [hash.to_string()], |row| row.get(0)).optional();
        bytes.map_err(ErrorKind::from).at(&self.path)
    }

    fn select_runs(&self, rest: &str, parameter: i64) -> KindResult<Vec<Run>> {
        let mut select = self.conn.prepare(&format!("SELECT {RUN_COLUMNS} FROM {RUN_FROM} {rest}"))?;
        let mut rows = select.query([parameter])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            runs.push(read_run(row)?);
        }
        Ok(runs)
    }

    fn select_revisions(&self) -> KindResult<Vec<Revision>> {
        let mut select = self.conn.prepare(
            "SELECT v.sha256, v.first_seen,
                    (SELECT count(*) FROM revision_file AS f WHERE f.revision = v.id),
                    (SELECT count(*) FROM run AS r WHERE r.revision = v.id)
             FROM revision AS v ORDER BY v.id DESC",
        )?;
        let mut rows = select.query([])?;
        let mut revisions = Vec::new();
        while let Some(row) = rows.next()? {
            revisions.push(Revision {
                hash: revision_hash(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?,
                first_seen: Timestamp(row.get(1)?),
                files: restored(row.get(2)?)?,
                runs: restored(row.get(3)?)?,
            });
        }
        Ok(revisions)
    }

    fn select_files(&self, revision: RevisionHash) -> rusqlite::Result<Vec<(String, String)>> {
        let mut select = self.conn.prepare(
            "SELECT f.path, c.text
             FROM revision AS v JOIN revision_file AS f ON f.revision = v.id JOIN content AS c ON c.sha256 = f.sha256
             WHERE v.sha256 = ?1 ORDER BY f.path",
        )?;
        select.query_map([revision.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

pub(super) fn read_run(row: &Row<'_>) -> KindResult<Run> {
    let outcome = match row.get::<_, String>(14)?.as_str() {
        "applied" => Outcome::Applied,
        "unchanged" => Outcome::Unchanged,
        "held" => Outcome::Held(row.get(15)?),
        "failed" => Outcome::Failed(row.get(15)?),
        _ => return Err(ErrorKind::Unreadable("a run with an unknown outcome")),
    };
    Ok(Run {
        id: RunId(row.get(0)?),
        as_of: Timestamp(row.get(1)?),
        started: Timestamp(row.get(2)?),
        finished: Timestamp(row.get(3)?),
        revision: revision_hash(&row.get::<_, String>(4)?)?,
        data_version: row.get(5)?,
        subjects: restored(row.get(6)?)?,
        fact_rows: restored(row.get(7)?)?,
        bad_values: restored(row.get(8)?)?,
        unknown_subjects: restored(row.get(9)?)?,
        transitions: restored(row.get(10)?)?,
        actions: restored(row.get(17)?)?,
        read_ms: restored(row.get(11)?)?,
        evaluate_ms: restored(row.get(12)?)?,
        write_ms: restored(row.get(13)?)?,
        outcome,
        cut_points: row.get(16)?,
        cause: Cause::of_name(&row.get::<_, String>(18)?)
            .ok_or(ErrorKind::Unreadable("a run with an unknown cause"))?,
        schedules: parse_schedules(row.get(19)?)?,
        table_rows: row.get(20)?,
        plugin_failures: row.get(21)?,
    })
}
