//! Names of tier sets and levels, as the small numbers that millions of rows refer to.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    decisions::{NO_LEVEL, SetDecisions},
    error::{ErrorKind, KindResult},
    key::key_type_name,
    retention::RuleDecisions,
    run::RunId,
};

/// A tier set that the ledger knows.
pub(crate) struct KnownSet {
    /// `tier_set.id`.
    pub(crate) id: i64,
    /// What the last run that decided it left.
    pub(crate) last: Option<LastRun>,
}

/// What a later run compares with before it reads anything else.
pub(crate) struct LastRun {
    /// Digest of its decisions.
    pub(crate) digest: Vec<u8>,
    /// Held levels of subjects that weren't in the data.
    pub(crate) absent: i64,
}

/// The tier set of these decisions; made where it is new.
pub(crate) fn tier_set(conn: &Connection, set: &SetDecisions<'_>) -> KindResult<KnownSet> {
    let sql = "SELECT s.id, s.subject, s.key_type, r.digest, r.absent
               FROM tier_set AS s LEFT JOIN run_set AS r ON r.run = s.last_run AND r.tier_set = s.id
               WHERE s.name = ?1";
    let known = conn.query_row(sql, [set.name], |row| {
        let last = match row.get(3)? {
            Some(digest) => Some(LastRun { digest, absent: row.get(4)? }),
            None => None,
        };
        Ok((KnownSet { id: row.get(0)?, last }, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    });
    let key_type = key_type_name(set.keys.ty());
    let Some((known, kept_subject, kept_key_type)) = known.optional()? else {
        let sql = "INSERT INTO tier_set (name, family, category, subject, key_type) VALUES (?1, ?2, ?3, ?4, ?5)";
        conn.execute(sql, params![set.name, set.family, set.category, set.subject, key_type])?;
        return Ok(KnownSet { id: conn.last_insert_rowid(), last: None });
    };
    if (kept_subject.as_str(), kept_key_type.as_str()) != (set.subject, key_type) {
        return Err(ErrorKind::OtherSubjects {
            what: format!("tier set `{}` has graded", set.name),
            kept: format!("`{kept_subject}` with {kept_key_type} keys"),
            given: format!("`{}` with {key_type} keys", set.subject),
        });
    }
    Ok(known)
}

/// Notes the run that decided a tier set last.
pub(crate) fn set_last_run(conn: &Connection, tier_set: i64, run: RunId) -> rusqlite::Result<()> {
    conn.execute("UPDATE tier_set SET last_run = ?2 WHERE id = ?1", [tier_set, run.0]).map(|_| ())
}

/// The levels of a tier set: those of the rules, and those that it had once.
pub(crate) struct Levels {
    /// `level.id` is 1 for the first name, and so on.
    names: Vec<String>,
    /// Which `level.id` each level of the rules has, lowest first.
    ids: Vec<i64>,
}

impl Levels {
    /// Reads the dictionary, adds the names that it lacks, and brings positions up to date.
    pub(crate) fn load(conn: &Connection, tier_set: i64, names: &[&str]) -> KindResult<Self> {
        let mut known = read(conn, tier_set)?;
        let mut ids = Vec::with_capacity(names.len());
        for &name in names {
            let place = known.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
                known.push((name.to_owned(), None));
                known.len() - 1
            });
            ids.push(place as i64 + 1);
        }
        let mut upsert = conn.prepare(
            "INSERT INTO level (tier_set, id, name, position) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tier_set, id) DO UPDATE SET position = excluded.position",
        )?;
        for ((name, was), id) in known.iter().zip(1i64..) {
            let position = ids.iter().position(|&i| i == id).map(|p| p as i64);
            // A level that is new has no position yet, and gets one here.
            if position != *was {
                upsert.execute(params![tier_set, id, name, position])?;
            }
        }
        Ok(Levels { names: known.into_iter().map(|(name, _)| name).collect(), ids })
    }

    /// How many levels the set has or had.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// `level.id` of each level of the rules, lowest first.
    pub(crate) fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// `level.id` of a level as decisions have it; `None` for [`NO_LEVEL`].
    #[inline]
    pub(crate) fn id(&self, level: u16) -> Option<i64> {
        if level == NO_LEVEL { None } else { Some(self.ids[usize::from(level)]) }
    }

    /// The name of this `level.id`; 0 is no level.
    pub(crate) fn name(&self, id: usize) -> Option<&str> {
        self.names.get(id.checked_sub(1)?).map(String::as_str)
    }
}

/// A retention rule that the ledger knows.
pub(crate) struct KnownRule {
    /// `rule.id`.
    pub(crate) id: i64,
    /// How long entries had to last in the last run that decided it; `None` where that isn't recorded.
    pub(crate) hold_for: Option<String>,
}

/// The rule of this name; made where it is new.
pub(crate) fn rule(conn: &Connection, rule: &RuleDecisions<'_>) -> KindResult<KnownRule> {
    let key_type = key_type_name(rule.keys.ty());
    let sql = "SELECT id, hold_for, subject, key_type FROM rule WHERE name = ?1";
    let known = conn.query_row(sql, [rule.rule], |row| {
        let known = KnownRule { id: row.get(0)?, hold_for: row.get(1)? };
        Ok((known, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
    });
    let Some((known, subject, kept_type)) = known.optional()? else {
        let sql = "INSERT INTO rule (name, subject, key_type) VALUES (?1, ?2, ?3)";
        conn.execute(sql, params![rule.rule, rule.subject, key_type])?;
        return Ok(KnownRule { id: conn.last_insert_rowid(), hold_for: None });
    };
    if (subject.as_str(), kept_type.as_str()) == (rule.subject, key_type) {
        return Ok(known);
    }
    Err(ErrorKind::OtherSubjects {
        what: format!("retention rule `{}` has looked at", rule.rule),
        kept: format!("`{subject}` with {kept_type} keys"),
        given: format!("`{}` with {key_type} keys", rule.subject),
    })
}

/// The number of a reason for changes of level; made where it is new.
pub(crate) fn reason(conn: &Connection, text: &str) -> rusqlite::Result<i64> {
    conn.execute("INSERT OR IGNORE INTO reason (text) VALUES (?1)", [text])?;
    conn.query_row("SELECT id FROM reason WHERE text = ?1", [text], |row| row.get(0))
}

/// Names and positions in the order of their ids, which count from 1 without gaps.
fn read(conn: &Connection, tier_set: i64) -> rusqlite::Result<Vec<(String, Option<i64>)>> {
    let mut select = conn.prepare("SELECT name, position FROM level WHERE tier_set = ?1 ORDER BY id")?;
    select.query_map([tier_set], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
