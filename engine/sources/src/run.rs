//! Reading one kind of subject: the subjects first, then each of their fact tables.

use std::time::{Duration, Instant};

use arrow_array::ArrayRef;
use rusqlite::Connection;
use tierd_eval::scan::FactPlan;
use tierd_model::Clock;
use tierd_rules::{FactsId, MetricKind, RuleSet, SubjectId};

use crate::{
    bad::BadValues,
    data::{DataVersion, SourceData, TableRead},
    database::Database,
    facts::FactQuery,
    index::SubjectIndex,
    progress::Progress,
    read::{ReadError, ReadOptions},
    reader::quoted,
    schema::Table,
    subjects::{SubjectQuery, Subjects, SubjectsFailed},
    verify::{find_table, verify_facts, verify_subject},
};

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
    pub(crate) fn check_schema(&self) -> Result<(), ReadError> {
        let config = &self.rules.config;
        let mut problems = verify_subject(&config.subjects[self.subject.0], self.tables);
        problems.extend(self.needed_facts().flat_map(|id| verify_facts(&config.facts[id.0], self.tables)));
        if problems.is_empty() { Ok(()) } else { Err(ReadError::Schema(problems)) }
    }

    pub(crate) fn read(&self, connections: &mut [Connection]) -> Result<SourceData, ReadError> {
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

    pub(crate) fn read_subjects(
        &self,
        connections: &mut [Connection],
        mut wanted: Vec<usize>,
    ) -> Result<(Subjects, Vec<TableRead>), ReadError> {
        let started = Instant::now();
        let subject = &self.rules.config.subjects[self.subject.0];
        let table = self.table(&subject.table);
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
        let table = self.table(&facts.table);
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
