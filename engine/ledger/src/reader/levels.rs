use rusqlite::{Connection, Row, params};
use tierd_model::Timestamp;

use super::{Reader, align::Alignment, revision_hash};
use crate::{
    decisions::NO_LEVEL,
    error::{At, ErrorKind, KindResult, Result},
    key::{KeyRef, Keys},
    revision::RevisionHash,
    run::{RunId, restored},
};

/// The level that a subject has, and how it came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The level; `None` if it lost the last one.
    pub level: Option<String>,
    /// `as_of` of the run that gave it.
    pub since: Timestamp,
    /// The run that gave it.
    pub run: RunId,
    /// The rules of that run.
    pub revision: RevisionHash,
    /// The metrics that decided it then, as a JSON object.
    pub metrics: String,
    /// Why it came to it; `None` in runs of a tierd that kept no reasons.
    pub reason: Option<String>,
}

/// One row of [`Reader::held_all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLevel<'a> {
    /// The subject.
    pub key: KeyRef<'a>,
    /// The level; `None` if it lost the last one.
    pub level: Option<&'a str>,
    /// `as_of` of the run that gave it.
    pub since: Timestamp,
    /// The run that gave it.
    pub run: RunId,
}

/// One change of a subject's level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The run that changed it.
    pub run: RunId,
    /// `as_of` of that run.
    pub as_of: Timestamp,
    /// The rules of that run.
    pub revision: RevisionHash,
    /// The level before.
    pub from: Option<String>,
    /// The level after.
    pub to: Option<String>,
    /// The metrics that decided it, as a JSON object.
    pub metrics: String,
    /// Why; `None` in runs of a tierd that kept no reasons.
    pub reason: Option<String>,
}

/// How many subjects have a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelCount {
    /// The level; `None` is no level.
    pub level: Option<String>,
    /// How many.
    pub subjects: u64,
}

/// From the row in `held` backwards along `previous`, newest first: one seek for each transition. `CROSS JOIN` keeps SQLite
/// from reading all transitions in their order, which it would prefer.
const HISTORY: &str = "WITH RECURSIVE chain (id) AS (
    SELECT h.transition FROM held AS h JOIN tier_set AS s ON s.id = h.tier_set WHERE s.name = ?1 AND h.subject = ?2
    UNION ALL
    SELECT t.previous FROM chain CROSS JOIN transition AS t USING (id) WHERE t.previous IS NOT NULL
)
SELECT t.run, r.as_of, v.sha256, f.name, l.name, t.metrics, w.text
FROM chain
CROSS JOIN transition AS t USING (id)
JOIN run AS r ON r.id = t.run
JOIN revision AS v ON v.id = r.revision
LEFT JOIN level AS f ON f.tier_set = t.tier_set AND f.id = t.from_level
LEFT JOIN level AS l ON l.tier_set = t.tier_set AND l.id = t.to_level
LEFT JOIN reason AS w ON w.id = t.reason
ORDER BY t.id DESC LIMIT ?3";

/// Levels that the rules have no longer come after the others, and no level last.
const DISTRIBUTION: &str = "WITH chosen AS (
    SELECT id AS tier_set, coalesce(?2, last_run) AS run FROM tier_set WHERE name = ?1
)
SELECT l.name, c.subjects, coalesce(l.position, 65536 + l.id) AS place
FROM chosen JOIN run_level AS c USING (run, tier_set) JOIN level AS l ON l.tier_set = c.tier_set AND l.id = c.level
UNION ALL
SELECT NULL, r.without_level, 9223372036854775807 FROM chosen JOIN run_set AS r USING (run, tier_set)
ORDER BY place";

impl Reader {
    /// What a subject holds; `None` if it never had a level in this set.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn held(&self, set: &str, key: KeyRef<'_>) -> Result<Option<Held>> {
        let latest = self.select_history(set, key, 1).at(&self.path)?.pop();
        Ok(latest.map(|t| Held {
            level: t.to,
            since: t.as_of,
            run: t.run,
            revision: t.revision,
            metrics: t.metrics,
            reason: t.reason,
        }))
    }

    /// All changes of a subject's level, newest first.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn history(&self, set: &str, key: KeyRef<'_>) -> Result<Vec<Transition>> {
        self.select_history(set, key, -1).at(&self.path)
    }

    /// Hands over everything that is held in a set, in the order of keys. Subjects that are absent from the data are
    /// among them.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn held_all(&self, set: &str, mut each: impl FnMut(HeldLevel<'_>)) -> Result<()> {
        self.each_held(set, &mut each).at(&self.path)
    }

    /// What is held of these subjects, as [`crate::SetDecisions::assigned`] has it: by subject, the index of the level in
    /// `levels`, or [`NO_LEVEL`] where there is none or the rules don't know it any more.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn held_levels(&self, set: &str, keys: Keys<'_>, levels: &[&str]) -> Result<Vec<u16>> {
        self.align_held(set, keys, levels).at(&self.path)
    }

    /// How many subjects had each level in the last run that decided this set, lowest first, and at last how many had none.
    /// Empty for a set that no run has decided.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn distribution(&self, set: &str) -> Result<Vec<LevelCount>> {
        self.select_distribution(set, None).at(&self.path)
    }

    /// As [`Reader::distribution`], in this run.
    ///
    /// # Errors
    /// [`ErrorKind`].
    pub fn distribution_in(&self, set: &str, run: RunId) -> Result<Vec<LevelCount>> {
        self.select_distribution(set, Some(run)).at(&self.path)
    }

    fn select_history(&self, set: &str, key: KeyRef<'_>, limit: i64) -> KindResult<Vec<Transition>> {
        let mut select = self.conn.prepare(HISTORY)?;
        let mut rows = select.query(params![set, key, limit])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            history.push(read_transition(row)?);
        }
        Ok(history)
    }

    fn each_held(&self, set: &str, each: &mut dyn FnMut(HeldLevel<'_>)) -> KindResult<()> {
        // Both statements see the same state.
        let snapshot = self.conn.unchecked_transaction()?;
        let names = LevelNames::read(&snapshot, set)?;
        let mut select = snapshot.prepare(
            "SELECT h.subject, h.level, t.run, r.as_of
             FROM held AS h JOIN transition AS t ON t.id = h.transition JOIN run AS r ON r.id = t.run
             WHERE h.tier_set = (SELECT id FROM tier_set WHERE name = ?1) ORDER BY h.subject",
        )?;
        let mut rows = select.query([set])?;
        while let Some(row) = rows.next()? {
            each(HeldLevel {
                key: KeyRef::read(row.get_ref(0)?)?,
                level: row.get::<_, Option<i64>>(1)?.map(|id| names.name(id)).transpose()?,
                run: RunId(row.get(2)?),
                since: Timestamp(row.get(3)?),
            });
        }
        Ok(())
    }

    fn align_held(&self, set: &str, keys: Keys<'_>, levels: &[&str]) -> KindResult<Vec<u16>> {
        let snapshot = self.conn.unchecked_transaction()?;
        let index = LevelNames::read(&snapshot, set)?.indices_in(levels);
        let mut select = snapshot.prepare(
            "SELECT subject, level FROM held
             WHERE tier_set = (SELECT id FROM tier_set WHERE name = ?1) AND level IS NOT NULL ORDER BY subject",
        )?;
        let mut rows = select.query([set])?;
        let (mut held, mut alignment) = (vec![NO_LEVEL; keys.len()], Alignment::new(keys));
        while let Some(row) = rows.next()? {
            if let Some(subject) = alignment.find(KeyRef::read(row.get_ref(0)?)?) {
                let level = usize::try_from(row.get::<_, i64>(1)?).ok().and_then(|id| index.get(id));
                held[subject] = *level.ok_or(NAMELESS)?;
            }
        }
        Ok(held)
    }

    fn select_distribution(&self, set: &str, run: Option<RunId>) -> KindResult<Vec<LevelCount>> {
        let mut select = self.conn.prepare(DISTRIBUTION)?;
        let mut rows = select.query(params![set, run.map(|run| run.0)])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            counts.push(LevelCount { level: row.get(0)?, subjects: restored(row.get(1)?)? });
        }
        Ok(counts)
    }
}

fn read_transition(row: &Row<'_>) -> KindResult<Transition> {
    Ok(Transition {
        run: RunId(row.get(0)?),
        as_of: Timestamp(row.get(1)?),
        revision: revision_hash(&row.get::<_, String>(2)?)?,
        from: row.get(3)?,
        to: row.get(4)?,
        metrics: row.get(5)?,
        reason: row.get(6)?,
    })
}

pub(super) const NAMELESS: ErrorKind = ErrorKind::Unreadable("a level without a name");

/// The names of a set's levels by `level.id`, which counts from 1.
pub(super) struct LevelNames(Vec<String>);

impl LevelNames {
    pub(super) fn read(conn: &Connection, set: &str) -> rusqlite::Result<Self> {
        let mut select = conn.prepare(
            "SELECT l.name FROM level AS l JOIN tier_set AS s ON s.id = l.tier_set WHERE s.name = ?1 ORDER BY l.id",
        )?;
        select.query_map([set], |row| row.get(0))?.collect::<rusqlite::Result<_>>().map(LevelNames)
    }

    fn name(&self, id: i64) -> KindResult<&str> {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1)).ok_or(NAMELESS)?;
        self.0.get(place).map(String::as_str).ok_or(NAMELESS)
    }

    /// For each `level.id`, the index of its name among these.
    pub(super) fn indices_in(&self, levels: &[&str]) -> Vec<u16> {
        let index = |name: &String| levels.iter().position(|level| level == name).map_or(NO_LEVEL, |i| i as u16);
        std::iter::once(NO_LEVEL).chain(self.0.iter().map(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_reads_only_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = crate::Ledger::open(&folder.path().join("tierd.ledger"), "a test").unwrap();
        let mut plan = ledger.conn.prepare(&format!("EXPLAIN QUERY PLAN {HISTORY}")).unwrap();
        let steps = plan.query_map(params!["value", 42, 1], |row| row.get::<_, String>(3)).unwrap();
        let scans: Vec<_> = steps.map(|step| step.unwrap()).filter(|step| step.starts_with("SCAN")).collect();
        assert_eq!(scans, ["SCAN chain", "SCAN chain"]);
    }
}
