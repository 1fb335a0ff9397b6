//! From the decisions of one tier set to rows, and to a summary of what changed.

use rusqlite::{Connection, params};

use crate::{
    changes::ChangeWriter,
    compare::{BATCH, Comparison},
    decisions::SetDecisions,
    dictionary::{self, Levels},
    error::KindResult,
    movement::MovementWriter,
    run::{RunId, restored, stored},
};

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
    let mut movement = MovementWriter::new(conn, known.id, set, &levels)?;
    let difference = match known.last {
        Some(last) if last.digest == digest => Difference { absent: restored(last.absent)?, moves: Vec::new() },
        _ => write_difference(conn, run, known.id, set, &levels, movement.as_mut())?,
    };
    movement.map_or(Ok(()), |movement| movement.write(conn))?;
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

/// Reading and writing alternate by batch: what a statement sees of rows that are written while it steps isn't defined.
fn write_difference(
    conn: &Connection,
    run: RunId,
    tier_set: i64,
    set: &SetDecisions<'_>,
    levels: &Levels,
    mut movement: Option<&mut MovementWriter<'_>>,
) -> KindResult<Difference> {
    let mut comparison = Comparison::new(conn, tier_set, set, levels)?;
    let mut writer = ChangeWriter::new(conn, run, tier_set, set, levels)?;
    let mut changes = Vec::with_capacity(BATCH);
    loop {
        comparison.next_batch(&mut changes)?;
        if changes.is_empty() {
            return Ok(Difference { absent: comparison.absent(), moves: writer.moves() });
        }
        changes.drain(..).try_for_each(|change| writer.write(&change, movement.as_deref_mut()))?;
    }
}
