//! From the decisions of one tier set to rows.
//!
//! Decisions and held levels are both in the order of keys, so that one pass over both finds every difference: no map, and
//! memory for a batch only. Reading and writing alternate by batch, because what a statement sees of rows that are written
//! while it steps is not defined.

use std::cmp::Ordering;

use rusqlite::{Connection, Statement, params};

use crate::{
    decisions::{NO_LEVEL, SetDecisions},
    dictionary::{self, Levels},
    error::{ErrorKind, KindResult},
    key::KeyRef,
    run::{RunId, restored, stored},
};

/// Changes found before they are written.
const BATCH: usize = 4096;

/// What a run did to one tier set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSummary {
    /// The tier set.
    pub name: String,
    /// Subjects with each level of the rules, lowest first.
    pub levels: Vec<(String, u64)>,
    /// Subjects without a level.
    pub without_level: u64,
    /// Held levels of subjects that aren't in the data any more. They are left as they are.
    pub absent: u64,
    /// Levels changed.
    pub transitions: u64,
    /// The changes by kind.
    pub moves: Vec<Move>,
}

/// How many subjects went from one level to another. `None` is no level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The level before.
    pub from: Option<String>,
    /// The level now.
    pub to: Option<String>,
    /// How many.
    pub subjects: u64,
}

/// Compares with what is held, and writes what differs.
pub(crate) fn apply_set(conn: &Connection, run: RunId, set: &SetDecisions<'_>) -> KindResult<SetSummary> {
    set.check()?;
    let digest = set.digest();
    let known = dictionary::tier_set(conn, set)?;
    let levels = Levels::load(conn, known.id, set.levels)?;
    let difference = match known.last {
        Some(last) if last.digest == digest => Difference { absent: restored(last.absent)?, moves: Vec::new() },
        _ => Merge { conn, run, tier_set: known.id, set, levels: &levels }.write_difference()?,
    };
    let (counts, without_level) = set.count();
    let summary = SetSummary {
        name: set.name.to_owned(),
        levels: set.levels.iter().map(|&name| name.to_owned()).zip(counts).collect(),
        without_level,
        absent: difference.absent,
        transitions: difference.moves.iter().map(|m| m.subjects).sum(),
        moves: difference.moves,
    };
    insert_summary(conn, run, known.id, &digest, &levels, &summary)?;
    dictionary::set_last_run(conn, known.id, run)?;
    Ok(summary)
}

fn insert_summary(
    conn: &Connection,
    run: RunId,
    tier_set: i64,
    digest: &[u8],
    levels: &Levels,
    summary: &SetSummary,
) -> rusqlite::Result<()> {
    let with_level: u64 = summary.levels.iter().map(|(_, subjects)| subjects).sum();
    conn.execute(
        "INSERT INTO run_set (run, tier_set, digest, subjects, without_level, absent, transitions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            run.0,
            tier_set,
            digest,
            stored(with_level + summary.without_level),
            stored(summary.without_level),
            stored(summary.absent),
            stored(summary.transitions)
        ],
    )?;
    let mut insert = conn.prepare("INSERT INTO run_level (run, tier_set, level, subjects) VALUES (?1, ?2, ?3, ?4)")?;
    for (id, (_, subjects)) in levels.ids().iter().zip(&summary.levels) {
        insert.execute(params![run.0, tier_set, id, stored(*subjects)])?;
    }
    Ok(())
}

/// What the comparison found.
struct Difference {
    absent: u64,
    moves: Vec<Move>,
}

/// The comparison of one tier set.
struct Merge<'a> {
    conn: &'a Connection,
    run: RunId,
    tier_set: i64,
    set: &'a SetDecisions<'a>,
    levels: &'a Levels,
}

/// A subject whose level isn't the held one.
struct Change {
    subject: usize,
    before: Before,
}

/// What is held of a subject before this run.
#[derive(Clone, Copy)]
enum Before {
    /// It has never had a level.
    NoRow,
    /// `level.id` and the run of its last transition.
    Row(Option<i64>, i64),
}

/// How far the comparison has come.
#[derive(Default)]
struct Progress {
    /// Decisions up to here are compared.
    next: usize,
    /// No held row is left.
    held_done: bool,
    /// Held rows without a decision.
    absent: u64,
}

impl Merge<'_> {
    fn write_difference(&self) -> KindResult<Difference> {
        let mut writer = Writer::new(self)?;
        let mut select = self
            .conn
            .prepare("SELECT subject, level, run FROM held WHERE tier_set = ?1 AND subject > ?2 ORDER BY subject")?;
        let mut progress = Progress::default();
        let mut changes = Vec::with_capacity(BATCH);
        loop {
            self.find_changes(&mut select, &mut progress, &mut changes)?;
            if changes.is_empty() {
                return Ok(Difference { absent: progress.absent, moves: writer.moves() });
            }
            changes.drain(..).try_for_each(|change| writer.write(&change))?;
        }
    }

    /// Looks for changes until the batch is full or everything is compared.
    fn find_changes(
        &self,
        select: &mut Statement<'_>,
        progress: &mut Progress,
        changes: &mut Vec<Change>,
    ) -> KindResult<()> {
        if !progress.held_done {
            self.compare_held(select, progress, changes)?;
        }
        while changes.len() < BATCH && progress.next < self.set.keys.len() {
            self.compare(progress, Before::NoRow, changes);
        }
        Ok(())
    }

    /// The part of the comparison where held rows are left. It stops only after it has found a change, so that every
    /// held row up to the key of the last compared decision is done: the next batch begins behind that key.
    fn compare_held(
        &self,
        select: &mut Statement<'_>,
        progress: &mut Progress,
        changes: &mut Vec<Change>,
    ) -> KindResult<()> {
        let mut rows = match progress.next {
            // Less than every key, integer or text.
            0 => select.query(params![self.tier_set, f64::NEG_INFINITY])?,
            next => select.query(params![self.tier_set, self.set.keys.get(next - 1)])?,
        };
        while let Some(row) = rows.next()? {
            let held = KeyRef::read(row.get_ref(0)?)?;
            loop {
                if changes.len() == BATCH {
                    return Ok(());
                }
                match self.key_at(progress.next).map_or(Ordering::Greater, |key| key.cmp(&held)) {
                    Ordering::Less => self.compare(progress, Before::NoRow, changes),
                    Ordering::Equal => {
                        self.compare(progress, Before::Row(row.get(1)?, row.get(2)?), changes);
                        break;
                    }
                    Ordering::Greater => {
                        progress.absent += u64::from(row.get::<_, Option<i64>>(1)?.is_some());
                        break;
                    }
                }
            }
        }
        progress.held_done = true;
        Ok(())
    }

    fn key_at(&self, subject: usize) -> Option<KeyRef<'_>> {
        (subject < self.set.keys.len()).then(|| self.set.keys.get(subject))
    }

    /// Compares the next decision with what is held of the same subject.
    fn compare(&self, progress: &mut Progress, before: Before, changes: &mut Vec<Change>) {
        let subject = progress.next;
        progress.next += 1;
        let held = match before {
            Before::NoRow => None,
            Before::Row(level, _) => level,
        };
        if self.level_id(subject) != held {
            changes.push(Change { subject, before });
        }
    }

    /// `level.id` of the level that a subject is given.
    fn level_id(&self, subject: usize) -> Option<i64> {
        match self.set.assigned[subject] {
            NO_LEVEL => None,
            level => Some(self.levels.ids()[usize::from(level)]),
        }
    }
}

/// Writes changes, and counts them by kind.
struct Writer<'a> {
    merge: &'a Merge<'a>,
    insert_held: Statement<'a>,
    update_held: Statement<'a>,
    insert_transition: Statement<'a>,
    /// Kept for its memory.
    metrics: String,
    /// By `level.id` before and after, where 0 is no level: row by row.
    counts: Vec<u64>,
}

impl<'a> Writer<'a> {
    fn new(merge: &'a Merge<'a>) -> rusqlite::Result<Self> {
        let conn = merge.conn;
        Ok(Writer {
            merge,
            insert_held: conn.prepare("INSERT INTO held (tier_set, subject, level, run) VALUES (?1, ?2, ?3, ?4)")?,
            update_held: conn.prepare("UPDATE held SET level = ?3, run = ?4 WHERE tier_set = ?1 AND subject = ?2")?,
            insert_transition: conn.prepare(
                "INSERT INTO transition (run, tier_set, subject, from_level, to_level, previous, metrics)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            metrics: String::new(),
            counts: vec![0; (merge.levels.len() + 1).pow(2)],
        })
    }

    fn write(&mut self, change: &Change) -> KindResult<()> {
        let (run, tier_set) = (self.merge.run.0, self.merge.tier_set);
        let subject = self.merge.set.keys.get(change.subject);
        let to = self.merge.level_id(change.subject);
        let (from, previous) = match change.before {
            Before::NoRow => {
                self.insert_held.execute((tier_set, subject, to, run))?;
                (None, None)
            }
            Before::Row(from, previous) => {
                self.update_held.execute((tier_set, subject, to, run))?;
                (from, Some(previous))
            }
        };
        self.metrics.clear();
        (self.merge.set.metrics)(change.subject, &mut self.metrics);
        self.insert_transition.execute((run, tier_set, subject, from, to, previous, self.metrics.as_str()))?;
        self.count(from, to)
    }

    fn count(&mut self, from: Option<i64>, to: Option<i64>) -> KindResult<()> {
        let place =
            |level: Option<i64>| usize::try_from(level.unwrap_or(0)).ok().filter(|&l| l <= self.merge.levels.len());
        let (Some(from), Some(to)) = (place(from), place(to)) else {
            return Err(ErrorKind::Unreadable("a level without a name"));
        };
        self.counts[from * (self.merge.levels.len() + 1) + to] += 1;
        Ok(())
    }

    fn moves(&self) -> Vec<Move> {
        let width = self.merge.levels.len() + 1;
        let name = |id: usize| self.merge.levels.name(id as i64).map(str::to_owned);
        let counted = self.counts.iter().enumerate().filter(|(_, subjects)| **subjects > 0);
        counted
            .map(|(place, &subjects)| Move { from: name(place / width), to: name(place % width), subjects })
            .collect()
    }
}
