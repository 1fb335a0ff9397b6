//! What a read brings home.

use std::{fmt, mem::take, sync::Arc, time::Duration};

use arrow_array::ArrayRef;
use tierd_eval::{
    given::{Booked, Given, KeyOf},
    plugin::SubjectFacts,
};
use tierd_model::Timestamp;
use tierd_rules::{FactsId, MetricId, PointsId, SubjectId};

use crate::{bad::BadValues, keys::Keys};

/// What the database says about all subjects of one kind.
#[derive(Debug)]
pub struct SourceData {
    /// Which kind.
    pub subject: SubjectId,
    /// Who they are.
    pub keys: Arc<Keys>,
    /// By [`tierd_rules::MetricId`]: a column for each aggregate and attribute of these subjects, one value per subject.
    pub given: Vec<Option<ArrayRef>>,
    /// By subject, the place of its parent, or [`NO_PARENT`]. Empty where the kind has no parent, no metric needs it, or the
    /// parents weren't read.
    ///
    /// [`NO_PARENT`]: tierd_eval::given::NO_PARENT
    pub parents: Vec<u32>,
    /// What facts have booked in each points program that some metric asks about, in any order.
    pub bookings: Vec<(PointsId, Vec<Booked>)>,
    /// What plugins are to be given of facts, by metric.
    pub gathered: Vec<(MetricId, SubjectFacts)>,
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
    /// What an evaluation starts from. Columns, parents, bookings and facts for plugins move there; everything else stays.
    pub fn take_given(&mut self) -> Given {
        let keys = Arc::clone(&self.keys);
        let key: KeyOf = Arc::new(move |subject| keys.key(subject));
        Given {
            subject: self.subject,
            subjects: self.keys.len(),
            key,
            columns: take(&mut self.given),
            parents: take(&mut self.parents),
            bookings: take(&mut self.bookings),
            gathered: take(&mut self.gathered),
        }
    }

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
