//! Everything that a run needs from the database, read on one snapshot.

use std::{
    fmt,
    time::{Duration, Instant},
};

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use rusqlite::Connection;
use tierd_eval::scan::FactPlan;
use tierd_model::{Clock, Timestamp};
use tierd_rules::{FactsId, MetricKind, RuleSet, SubjectId};

use crate::{
    bad::BadValues,
    database::Database,
    error::DatabaseError,
    facts::FactQuery,
    index::SubjectIndex,
    keys::Keys,
    progress::Progress,
    reader::{ReaderKind, quoted},
    schema::{Table, schema},
    snapshot::Snapshot,
    subjects::{SubjectError, SubjectQuery, Subjects, SubjectsFailed},
    verify::{SchemaProblem, find_table, verify_facts, verify_subject},
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

/// What the database says about all subjects of one kind.
#[derive(Debug)]
pub struct SourceData {
    /// Who they are.
    pub keys: Keys,
    /// By [`tierd_rules::MetricId`]: a column for each aggregate and attribute of these subjects, one value per subject.
    pub given: Vec<Option<ArrayRef>>,
    /// What was read: the subject table, then the fact tables, in the order of the configuration.
    pub tables: Vec<TableRead>,
    /// Values that didn't fit their type and were read as NULL. [`tierd_rules::Config::bad_values`] decides what becomes of it.
    pub bad_values: Vec<BadValues>,
    /// Which state of the data this was.
    pub version: DataVersion,
    /// How long the read transactions were open.
    pub snapshot: Duration,
}

impl SourceData {
    /// Rows with bad values, and rows read, over all tables: what the configured limit is about.
    pub fn bad_rows(&self) -> (u64, u64) {
        self.tables.iter().fold((0, 0), |(bad, rows), table| (bad + table.bad_rows, rows + table.rows))
    }

    /// Facts that name no known subject, and facts read.
    pub fn unknown_subjects(&self) -> (u64, u64) {
        self.tables
            .iter()
            .filter(|table| table.facts.is_some())
            .fold((0, 0), |(unknown, rows), table| (unknown + table.unknown_subjects, rows + table.rows))
    }
}

/// One table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// Which facts; `None` for the subject table.
    pub facts: Option<FactsId>,
    /// The table or view.
    pub table: String,
    /// Rows read.
    pub rows: u64,
    /// Rows with at least one bad value.
    pub bad_rows: u64,
    /// Facts that name no known subject.
    pub unknown_subjects: u64,
    /// Time of the newest fact up to `as_of`.
    pub newest: Option<Timestamp>,
    /// The largest row id, where the table has such.
    pub last_row_id: Option<i64>,
    /// How long it took.
    pub duration: Duration,
}

/// A mark of the state that was read. Equal marks don't prove equal data: SQLite has no number that survives its connections
/// and grows with every commit of a WAL database, and rows that were edited in place change neither counts nor row ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataVersion {
    /// SQLite's counter of changes to the schema.
    pub schema_version: i64,
    /// Table, rows read, largest row id.
    pub tables: Vec<(String, u64, Option<i64>)>,
}

/// `schema 3; customers 1000 rows to 1000; orders 9876 rows to 9990`
impl fmt::Display for DataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema {}", self.schema_version)?;
        for (table, rows, last) in &self.tables {
            write!(f, "; {table} {rows} rows")?;
            if let Some(last) = last {
                write!(f, " to {last}")?;
            }
        }
        Ok(())
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

/// As [`read`], for several kinds of subjects, in their order: all on one and the same snapshot.
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
    for data in &mut all {
        data.snapshot = opened.elapsed();
        data.version.schema_version = version;
    }
    Ok(all)
}

/// Attributes (indices into [`tierd_rules::Subject::attributes`]) of these subjects, in the order of `keys`: also such as no rule
/// reads. A subject that has left the table since has NULL.
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
    let (found, _) = run.read_subjects(snapshot.connections(), attributes.to_vec())?;
    let rows = UInt32Array::from_iter((0..keys.len()).map(|i| found.keys.find(&keys.key(i)).map(|row| row as u32)));
    let columns = attributes.iter().filter_map(|&attribute| found.attributes[attribute].as_ref());
    columns.map(|column| take(column, &rows, None).map_err(ReadError::Columns)).collect()
}

struct Run<'a> {
    database: &'a Database,
    rules: &'a RuleSet,
    subject: SubjectId,
    clock: &'a Clock,
    options: ReadOptions,
    progress: &'a Progress,
    tables: &'a [Table],
}

impl<'a> Run<'a> {
    /// Facts that some metric of these subjects needs.
    fn needed_facts(&self) -> impl Iterator<Item = FactsId> + '_ {
        let facts = self.rules.config.facts.iter().enumerate();
        let needs = |id: FactsId| {
            self.rules.metrics.iter().any(|metric| match &metric.kind {
                MetricKind::Aggregate(aggregate) => aggregate.facts == id,
                _ => false,
            })
        };
        facts.filter(|(_, facts)| facts.subject == self.subject).map(|(id, _)| FactsId(id)).filter(move |id| needs(*id))
    }

    /// Only what this read needs: a table that no rule reads may be absent.
    fn check_schema(&self) -> Result<(), ReadError> {
        let config = &self.rules.config;
        let mut problems = verify_subject(&config.subjects[self.subject.0], self.tables);
        problems.extend(self.needed_facts().flat_map(|id| verify_facts(&config.facts[id.0], self.tables)));
        if problems.is_empty() { Ok(()) } else { Err(ReadError::Schema(problems)) }
    }

    fn read(&self, connections: &mut [Connection]) -> Result<SourceData, ReadError> {
        let (subjects, mut read) = self.read_subjects(connections, self.attributes())?;
        let mut given = vec![None; self.rules.metrics.len()];
        for (slot, metric) in given.iter_mut().zip(&self.rules.metrics).filter(|(_, m)| m.subject == self.subject) {
            if let MetricKind::Attribute(attribute) = metric.kind {
                slot.clone_from(&subjects.attributes[attribute]);
            }
        }
        let mut bad_values = subjects.bad_values;
        let index = SubjectIndex::new(&subjects.keys);
        for facts in self.needed_facts() {
            let (table, bad) = self.read_facts(connections, facts, &index, &mut given)?;
            read.push(table);
            bad_values.extend(bad);
        }
        drop(index);
        let tables = read.iter().map(|table| (table.table.clone(), table.rows, table.last_row_id)).collect();
        let version = DataVersion { schema_version: 0, tables };
        Ok(SourceData { keys: subjects.keys, given, tables: read, bad_values, version, snapshot: Duration::ZERO })
    }

    /// Attributes that some rule reads.
    fn attributes(&self) -> Vec<usize> {
        let of_subject = self.rules.metrics.iter().filter(|metric| metric.subject == self.subject);
        let read = of_subject.filter_map(|metric| match metric.kind {
            MetricKind::Attribute(attribute) => Some(attribute),
            _ => None,
        });
        read.collect()
    }

    fn read_subjects(
        &self,
        connections: &mut [Connection],
        mut wanted: Vec<usize>,
    ) -> Result<(Subjects, Vec<TableRead>), ReadError> {
        let started = Instant::now();
        let subject = &self.rules.config.subjects[self.subject.0];
        let table = self.table(&subject.table)?;
        wanted.sort_unstable();
        wanted.dedup();
        let query = SubjectQuery { subject, table, wanted: &wanted, clock: self.clock, kind: self.options.reader };
        let subjects = query.read(connections, self.progress).map_err(|failed| match failed {
            SubjectsFailed::Sqlite(source) => self.database.error(source).into(),
            SubjectsFailed::Subjects(error) => error.into(),
            SubjectsFailed::Columns(source) => ReadError::Columns(source),
        });
        self.check_cancelled()?;
        let subjects = subjects?;
        let read = TableRead {
            facts: None,
            table: table.name.clone(),
            rows: subjects.rows,
            bad_rows: subjects.bad_rows,
            unknown_subjects: 0,
            newest: None,
            last_row_id: self.last_row_id(&connections[0], table)?,
            duration: started.elapsed(),
        };
        Ok((subjects, vec![read]))
    }

    fn read_facts(
        &self,
        connections: &mut [Connection],
        id: FactsId,
        index: &SubjectIndex,
        given: &mut [Option<ArrayRef>],
    ) -> Result<(TableRead, Vec<BadValues>), ReadError> {
        let started = Instant::now();
        let facts = &self.rules.config.facts[id.0];
        let table = self.table(&facts.table)?;
        let plan = FactPlan::new(self.rules, id, self.clock);
        let query = FactQuery {
            rules: self.rules,
            facts,
            table,
            plan: &plan,
            index,
            clock: self.clock,
            kind: self.options.reader,
        };
        let error = |source| self.database.error(source);
        let scan = query.scan(connections, self.progress).map_err(error)?;
        self.check_cancelled()?;
        let bad_values = query.bad_values(&connections[0], scan.counts()).map_err(error)?;
        let (metrics, counts) = scan.finish();
        metrics.into_iter().for_each(|(metric, column)| given[metric.0] = Some(column));
        let read = TableRead {
            facts: Some(id),
            table: table.name.clone(),
            rows: counts.rows,
            bad_rows: counts.bad_rows,
            unknown_subjects: counts.unknown_subjects,
            newest: counts.newest,
            last_row_id: self.last_row_id(&connections[0], table)?,
            duration: started.elapsed(),
        };
        Ok((read, bad_values))
    }

    fn table(&self, name: &str) -> Result<&'a Table, ReadError> {
        // `check_schema` has found it; only a name that differs between two kinds of facts could be missing.
        find_table(self.tables, name).ok_or_else(|| ReadError::Schema(Vec::new()))
    }

    fn check_cancelled(&self) -> Result<(), ReadError> {
        if self.progress.is_cancelled() { Err(ReadError::Cancelled) } else { Ok(()) }
    }

    fn last_row_id(&self, connection: &Connection, table: &Table) -> Result<Option<i64>, ReadError> {
        let Some(row_id) = table.row_id() else { return Ok(None) };
        let sql = format!("SELECT max({row_id}) FROM main.{}", quoted(&table.name));
        Ok(connection.query_row(&sql, [], |row| row.get(0)).map_err(|source| self.database.error(source))?)
    }
}
