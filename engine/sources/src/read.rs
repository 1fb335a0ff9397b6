//! Everything that a run needs from the database, read on one snapshot.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use tierd_model::Clock;
use tierd_rules::{RuleSet, SubjectId};

use crate::{
    data::SourceData,
    database::Database,
    error::DatabaseError,
    keys::Keys,
    parents::places,
    progress::Progress,
    reader::ReaderKind,
    run::{Found, Run},
    schema::schema,
    snapshot::Snapshot,
    subjects::SubjectError,
    verify::SchemaProblem,
};

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    /// Connections, each on a thread of its own.
    pub threads: usize,
    /// The way of reading.
    pub reader: ReaderKind,
}

impl Default for ReadOptions {
    /// As many threads as the machine has processors (four at most: reading is then bound by memory), the fastest reader.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        ReadOptions { threads: processors.min(4), reader: ReaderKind::Auto }
    }
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database as a whole.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Tables or columns that the rules need are not there.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Schema(Vec<SchemaProblem>),
    /// Subjects can't be told apart.
    #[error(transparent)]
    Subjects(#[from] SubjectError),
    /// A text column larger than 2 GiB.
    #[error("the attributes don't fit in memory as columns")]
    Columns(#[source] arrow_schema::ArrowError),
    /// [`Progress::cancel`] was called.
    #[error("the read was cancelled")]
    Cancelled,
}

/// Reads all subjects of one kind, and every aggregate over their facts, on one snapshot, which is closed on return.
///
/// # Errors
/// [`ReadError`]; nothing has been written in any case.
pub fn read(
    database: &Database,
    rules: &RuleSet,
    subject: SubjectId,
    clock: &Clock,
    options: ReadOptions,
    progress: &Progress,
) -> Result<SourceData, ReadError> {
    let mut all = read_all(database, rules, &[subject], clock, options, progress)?;
    #[expect(clippy::expect_used, reason = "one subject in, one result out")]
    Ok(all.pop().expect("the data of the one subject"))
}

/// As [`read`], for several kinds of subjects, in their order: all on one and the same snapshot. With [`crate::needed_subjects`]
/// nothing is missing that the rules need.
///
/// # Errors
/// [`ReadError`].
pub fn read_all(
    database: &Database,
    rules: &RuleSet,
    subjects: &[SubjectId],
    clock: &Clock,
    options: ReadOptions,
    progress: &Progress,
) -> Result<Vec<SourceData>, ReadError> {
    let mut snapshot = Snapshot::open(database, options.threads)?;
    let tables = schema(snapshot.connection()).map_err(|source| database.error(source))?;
    let runs =
        subjects.iter().map(|&subject| Run { database, rules, subject, clock, options, progress, tables: &tables });
    let runs: Vec<Run<'_>> = runs.collect();
    runs.iter().try_for_each(Run::check_schema)?;
    let (version, opened) = (snapshot.schema_version(), snapshot.opened());
    let mut all = Vec::with_capacity(runs.len());
    for run in &runs {
        all.push(run.read(snapshot.connections())?);
    }
    drop(snapshot);
    let open = opened.elapsed();
    for found in &mut all {
        found.data.snapshot = open;
        found.data.version.schema_version = version;
    }
    Ok(with_parents(all))
}

/// Each with the places of its parents, as far as these were read as well.
fn with_parents(all: Vec<Found>) -> Vec<SourceData> {
    let keys: Vec<(SubjectId, Arc<Keys>)> =
        all.iter().map(|found| (found.data.subject, Arc::clone(&found.data.keys))).collect();
    let of = |Found { mut data, parents }: Found| {
        if let Some((subject, column)) = parents
            && let Some((_, keys)) = keys.iter().find(|(read, _)| *read == subject)
        {
            data.parents = places(&column, keys);
        }
        data
    };
    all.into_iter().map(of).collect()
}

/// Attributes (indices into [`tierd_rules::Subject::attributes`]) of these subjects, in the order of `keys`: also such as no rule
/// reads. A subject that has left the table since has NULL. Of one subject only its own row is read, where its key leads there.
///
/// # Errors
/// [`ReadError`].
pub fn attributes(
    database: &Database,
    rules: &RuleSet,
    subject: SubjectId,
    keys: &Keys,
    attributes: &[usize],
    clock: &Clock,
) -> Result<Vec<ArrayRef>, ReadError> {
    let mut snapshot = Snapshot::open(database, 1)?;
    let tables = schema(snapshot.connection()).map_err(|source| database.error(source))?;
    let (options, progress) = (ReadOptions { threads: 1, ..ReadOptions::default() }, &Progress::default());
    let run = Run { database, rules, subject, clock, options, progress, tables: &tables };
    run.check_schema()?;
    let one = match keys.len() {
        1 => run.read_subject(snapshot.connection(), &keys.key(0), attributes)?,
        _ => None,
    };
    let found = match one {
        Some(found) => found,
        None => run.read_subjects(snapshot.connections(), attributes.to_vec())?.0,
    };
    let rows = UInt32Array::from_iter((0..keys.len()).map(|i| found.keys.find(&keys.key(i)).map(|row| row as u32)));
    let columns = attributes.iter().filter_map(|&attribute| found.attributes[attribute].as_ref());
    columns.map(|column| take(column, &rows, None).map_err(ReadError::Columns)).collect()
}
