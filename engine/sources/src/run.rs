//! Reading one kind of subject: the subjects first, then each of their fact tables.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::ArrayRef;
use rusqlite::Connection;
use tierd_eval::scan::{self, Collected, Reading, readings};
use tierd_model::{Clock, Key};
use tierd_rules::{FactsId, MetricKind, RuleSet, SubjectId};

use crate::{
    bad::BadValues,
    data::{DataVersion, SourceData, TableRead},
    database::Database,
    facts::FactQuery,
    index::SubjectIndex,
    parents::needed_parent,
    progress::Progress,
    read::{ReadError, ReadOptions},
    reader::quoted,
    schema::Table,
    subjects::{SubjectQuery, Subjects, SubjectsFailed},
    verify::{find_table, verify_facts, verify_subject},
};

/// What was read of one kind of subject.
pub(crate) struct Found {
    pub(crate) data: SourceData,
    /// Who the parents are, and the column that holds their keys, where some metric needs them.
    pub(crate) parents: Option<(SubjectId, ArrayRef)>,
}

/// One kind of subject on one snapshot.
pub(crate) struct Run<'a> {
    pub(crate) database: &'a Database,
    pub(crate) rules: &'a RuleSet,
    pub(crate) subject: SubjectId,
    pub(crate) clock: &'a Clock,
    pub(crate) options: ReadOptions,
    pub(crate) progress: &'a Progress,
    pub(crate) tables: &'a [Table],
}

impl<'a> Run<'a> {
    /// Facts that some metric of these subjects needs, in the order of the configuration.
    fn needed_facts(&self) -> Vec<FactsId> {
        let mut facts: Vec<FactsId> = readings(self.rules, self.subject).iter().map(|reading| reading.facts).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    /// Only what this read needs: a table that no rule reads may be absent.
    pub(crate) fn check_schema(&self) -> Result<(), ReadError> {
        let config = &self.rules.config;
        let mut problems = verify_subject(&config.subjects[self.subject.0], self.tables);
        problems.extend(self.needed_facts().into_iter().flat_map(|id| verify_facts(&config.facts[id.0], self.tables)));
        if problems.is_empty() { Ok(()) } else { Err(ReadError::Schema(problems)) }
    }

    /// All but the parents' places, for which the parents' keys must be there.
    pub(crate) fn read(&self, connections: &mut [Connection]) -> Result<Found, ReadError> {
        let (subjects, of_subjects) = self.read_subjects(connections, self.attributes())?;
        let mut collected = Collected::new(self.rules, self.subject, &subjects.attributes, subjects.keys.len());
        let mut of_facts: Vec<(TableRead, Vec<BadValues>)> = Vec::new();
        let index = SubjectIndex::new(&subjects.keys);
        for reading in readings(self.rules, self.subject) {
            let (mut table, bad_values) = self.read_facts(connections, reading, &index, &mut collected)?;
            // The last reading of a table speaks for all of them.
            if let Some(earlier) = of_facts.iter().position(|(earlier, _)| earlier.facts == table.facts) {
                table.duration += of_facts.remove(earlier).0.duration;
            }
            of_facts.push((table, bad_values));
        }
        drop(index);
        of_facts.sort_by_key(|(table, _)| table.facts);
        let (of_facts, bad_values): (Vec<_>, Vec<_>) = of_facts.into_iter().unzip();
        let tables: Vec<TableRead> = of_subjects.into_iter().chain(of_facts).collect();
        let marks = tables.iter().map(|table| (table.table.clone(), table.rows, table.last_row_id)).collect();
        let scan::Found { columns: given, bookings, gathered } = collected.finish();
        let parents = needed_parent(self.rules, self.subject);
        let parents = parents.and_then(|parent| Some((parent.subject, subjects.attributes[parent.attribute].clone()?)));
        let data = SourceData {
            subject: self.subject,
            keys: Arc::new(subjects.keys),
            given,
            parents: Vec::new(),
            bookings,
            gathered,
            tables,
            bad_values: subjects.bad_values.into_iter().chain(bad_values.into_iter().flatten()).collect(),
            version: DataVersion { schema_version: 0, tables: marks },
            snapshot: Duration::ZERO,
        };
        Ok(Found { data, parents })
    }

    /// Attributes that some rule reads, and what names the parent.
    fn attributes(&self) -> Vec<usize> {
        let of_subject = self.rules.metrics.iter().filter(|metric| metric.subject == self.subject);
        let read = of_subject.filter_map(|metric| match metric.kind {
            MetricKind::Attribute(attribute) => Some(attribute),
            _ => None,
        });
        read.chain(needed_parent(self.rules, self.subject).map(|parent| parent.attribute)).collect()
    }

    pub(crate) fn read_subjects(
        &self,
        connections: &mut [Connection],
        mut wanted: Vec<usize>,
    ) -> Result<(Subjects, Vec<TableRead>), ReadError> {
        let started = Instant::now();
        wanted.sort_unstable();
        wanted.dedup();
        let query = self.subject_query(&wanted);
        let table = query.table;
        let subjects = query.read(connections, self.progress).map_err(|failed| self.subjects_failed(failed));
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

    /// As [`Run::read_subjects`], one of them; `None` where it can't be found so.
    pub(crate) fn read_subject(
        &self,
        connection: &Connection,
        key: &Key,
        wanted: &[usize],
    ) -> Result<Option<Subjects>, ReadError> {
        let read = self.subject_query(wanted).read_one(connection, key, self.progress);
        read.map_err(|failed| self.subjects_failed(failed))
    }

    fn subject_query<'b>(&'b self, wanted: &'b [usize]) -> SubjectQuery<'b> {
        let subject = &self.rules.config.subjects[self.subject.0];
        let table = self.table(&subject.table);
        SubjectQuery { subject, table, wanted, clock: self.clock, kind: self.options.reader }
    }

    fn subjects_failed(&self, failed: SubjectsFailed) -> ReadError {
        match failed {
            SubjectsFailed::Sqlite(source) => self.database.error(source).into(),
            SubjectsFailed::Subjects(error) => error.into(),
            SubjectsFailed::Columns(source) => ReadError::Columns(source),
        }
    }

    fn read_facts(
        &self,
        connections: &mut [Connection],
        reading: Reading,
        index: &SubjectIndex,
        collected: &mut Collected,
    ) -> Result<(TableRead, Vec<BadValues>), ReadError> {
        let started = Instant::now();
        let facts = &self.rules.config.facts[reading.facts.0];
        let table = self.table(&facts.table);
        let plan = collected.plan(self.rules, reading, self.clock);
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
        let found = scan.finish();
        let counts = &found.counts;
        let read = TableRead {
            facts: Some(reading.facts),
            table: table.name.clone(),
            rows: counts.rows,
            bad_rows: counts.bad_rows,
            unknown_subjects: counts.unknown_subjects,
            newest: counts.newest,
            last_row_id: self.last_row_id(&connections[0], table)?,
            duration: started.elapsed(),
        };
        collected.add(found);
        Ok((read, bad_values))
    }

    #[expect(clippy::expect_used, reason = "`check_schema` has found every table that is read")]
    fn table(&self, name: &str) -> &'a Table {
        find_table(self.tables, name).expect("a table of the schema")
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
