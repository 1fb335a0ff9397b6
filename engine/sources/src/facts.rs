//! One fact table, read once for all metrics over it.

use std::ops::ControlFlow;

use rusqlite::{Connection, types::ValueRef};
use tierd_eval::scan::{BAD, BATCH_ROWS, BadCell, Batch, FactCounts, FactPlan, FactScan, VALID};
use tierd_model::{Clock, Key};
use tierd_rules::{Column, Facts, RuleSet};

use crate::{
    bad::{BadExample, BadValues, FEW},
    decode::{Decoder, describe},
    index::SubjectIndex,
    progress::Progress,
    reader::{Reader, ReaderKind, Request, Row, RowSink, read_table},
    schema::Table,
    step::StepReader,
};

/// Which facts are read, and how.
pub(crate) struct FactQuery<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) facts: &'a Facts,
    pub(crate) table: &'a Table,
    pub(crate) plan: &'a FactPlan,
    pub(crate) index: &'a SubjectIndex<'a>,
    pub(crate) clock: &'a Clock,
    pub(crate) kind: ReaderKind,
}

impl<'a> FactQuery<'a> {
    /// Reads the table on all connections and merges what they have found.
    pub(crate) fn scan(&self, connections: &mut [Connection], progress: &Progress) -> rusqlite::Result<FactScan<'a>> {
        let decoders = self.decoders();
        let sink = |_: &Connection| FactSink {
            scan: FactScan::new(self.plan, self.index.spare() as usize),
            decoders: &decoders,
            index: self.index,
            keys: [0; BATCH_ROWS],
            progress,
        };
        let sinks = connections.iter().map(sink).collect();
        let request = Request { table: self.table, columns: self.columns() };
        let sinks = read_table(connections, &request, self.kind, progress, sinks)?;
        let mut scans = sinks.into_iter().map(FactSink::end);
        let whole = scans.next().unwrap_or_else(|| FactScan::new(self.plan, self.index.spare() as usize));
        Ok(scans.filter(|scan| scan.counts().rows > 0).fold(whole, |mut whole, scan| {
            whole.merge(scan);
            whole
        }))
    }

    /// The bad values that a scan has counted, with the first few of each column: found by a second look, which only a table
    /// with bad values gets.
    pub(crate) fn bad_values(&self, connection: &Connection, counts: &FactCounts) -> rusqlite::Result<Vec<BadValues>> {
        let mut found = self.counted(counts);
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let row_id = self.table.row_id();
        let mut columns: Vec<&str> = row_id.into_iter().collect();
        columns.extend(self.columns());
        let decoders = self.decoders();
        let mut sink = InspectSink {
            query: self,
            scan: FactScan::new(self.plan, 0),
            decoders: &decoders,
            row_ids: row_id.is_some(),
            rows: Vec::new(),
            found: &mut found,
        };
        StepReader::read(connection, &Request { table: self.table, columns }, None, &mut sink)?;
        sink.inspect();
        Ok(found.into_iter().map(|(_, bad)| bad).collect())
    }

    /// Columns of the batch, each with what the table has for it.
    fn of_facts(&self) -> impl Iterator<Item = (usize, &'a Column)> + '_ {
        self.plan.columns().map(|(column, of_facts)| (column, &self.facts.columns[of_facts]))
    }

    /// The subject column, then those of the plan.
    fn columns(&self) -> Vec<&'a str> {
        let columns = self.of_facts().map(|(_, column)| column.column.as_str());
        std::iter::once(self.facts.subject_column.as_str()).chain(columns).collect()
    }

    fn decoders(&self) -> Vec<(usize, Decoder<'a>)> {
        self.of_facts().map(|(at, column)| (at, Decoder::new(column, self.clock.zone()))).collect()
    }

    /// By column of the batch (`None` for the subject column).
    fn counted(&self, counts: &FactCounts) -> Vec<(Option<usize>, BadValues)> {
        let bad = |column: &str, expected: String, count: u64| BadValues {
            table: self.table.name.clone(),
            column: column.to_owned(),
            expected,
            count,
            examples: Vec::new(),
        };
        let subject = &self.rules.config.subjects[self.facts.subject.0];
        let expected = format!("a key of {}", subject.name);
        let of_subject =
            (counts.bad_subjects > 0).then(|| (None, bad(&self.facts.subject_column, expected, counts.bad_subjects)));
        let of_columns = counts.bad_values.iter().enumerate().filter(|(_, count)| **count > 0).map(|(at, &count)| {
            let values = match self.of_facts().find(|(column, _)| *column == at) {
                Some((_, column)) => bad(&column.column, column.ty.to_string(), count),
                None => {
                    bad(&self.plan.names_of(at).collect::<Vec<_>>().join(", "), "a number of 64 bits".to_owned(), count)
                }
            };
            (Some(at), values)
        });
        of_subject.into_iter().chain(of_columns).collect()
    }
}

/// Takes the rows that one thread reads.
struct FactSink<'a, 'p> {
    scan: FactScan<'p>,
    decoders: &'a [(usize, Decoder<'p>)],
    index: &'a SubjectIndex<'p>,
    /// Integer keys of the batch, looked up all at once.
    keys: [i64; BATCH_ROWS],
    progress: &'a Progress,
}

impl<'p> FactSink<'_, 'p> {
    fn take(&mut self) {
        let batch = self.scan.batch();
        let rows = batch.rows() as u64;
        if !self.index.is_text() {
            self.index.resolve(&self.keys, &batch.subject_flags, &mut batch.subjects);
        }
        self.scan.take();
        self.progress.add(rows);
    }

    fn end(mut self) -> FactScan<'p> {
        self.take();
        self.scan
    }
}

impl RowSink for FactSink<'_, '_> {
    #[inline]
    fn row(&mut self, row: &impl Row) -> ControlFlow<()> {
        let batch = self.scan.batch();
        let at = batch.rows();
        let (flag, integer, text) = match (row.value(0), self.index.is_text()) {
            (ValueRef::Integer(key), false) => (VALID, key, self.index.spare()),
            (ValueRef::Text(key), true) => (VALID, 0, self.index.find_text(key)),
            (ValueRef::Null, _) => (0, 0, self.index.spare()),
            _ => (BAD, 0, self.index.spare()),
        };
        self.keys[at] = integer;
        batch.subjects[at] = text;
        batch.set_subject_flag(flag);
        for (value, (column, decoder)) in (1..).zip(self.decoders) {
            fill(batch, *column, decoder, row.value(value));
        }
        if batch.end_row() {
            self.take();
            if self.progress.is_cancelled() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

#[inline(always)]
fn fill(batch: &mut Batch, column: usize, decoder: &Decoder, stored: ValueRef) {
    match stored {
        ValueRef::Text(text) if decoder.is_text() => batch.set_text(column, text),
        stored => batch.set(column, decoder.cell(stored)),
    }
}

/// Looks for bad values and where they are.
struct InspectSink<'a, 'b> {
    query: &'a FactQuery<'b>,
    scan: FactScan<'b>,
    decoders: &'a [(usize, Decoder<'b>)],
    row_ids: bool,
    rows: Vec<Inspected>,
    found: &'a mut Vec<(Option<usize>, BadValues)>,
}

/// A row of the batch that is being inspected.
struct Inspected {
    row_id: Option<i64>,
    subject: Option<Key>,
    /// What stands in columns that don't fit.
    bad: Vec<(Option<usize>, String)>,
}

impl RowSink for InspectSink<'_, '_> {
    fn row(&mut self, row: &impl Row) -> ControlFlow<()> {
        let first = usize::from(self.row_ids);
        let mut inspected = Inspected { row_id: None, subject: None, bad: Vec::new() };
        if let (true, ValueRef::Integer(id)) = (self.row_ids, row.value(0)) {
            inspected.row_id = Some(id);
        }
        let batch = self.scan.batch();
        batch.set_subject_flag(match (row.value(first), self.query.index.is_text()) {
            (ValueRef::Integer(key), false) => {
                inspected.subject = Some(Key::Integer(key));
                VALID
            }
            (ValueRef::Text(key), true) => {
                inspected.subject = Some(Key::Text(String::from_utf8_lossy(key).into()));
                VALID
            }
            (ValueRef::Null, _) => 0,
            (stored, _) => {
                inspected.bad.push((None, describe(stored, false)));
                BAD
            }
        });
        for (value, (column, decoder)) in (first + 1..).zip(self.decoders) {
            let stored = row.value(value);
            fill(batch, *column, decoder, stored);
            if batch.column(*column).flags[batch.rows()] == BAD {
                let personal = self.query.of_facts().any(|(at, of_facts)| at == *column && of_facts.personal);
                inspected.bad.push((Some(*column), describe(stored, personal)));
            }
        }
        let full = batch.end_row();
        self.rows.push(inspected);
        if full && self.inspect() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl InspectSink<'_, '_> {
    /// Whether enough has been found.
    fn inspect(&mut self) -> bool {
        for BadCell { row, column } in self.scan.inspect() {
            let Some((_, values)) = self.found.iter_mut().find(|(of, _)| *of == column) else { continue };
            if values.examples.len() < FEW {
                let row = &self.rows[row];
                let found = row.bad.iter().find(|(of, _)| *of == column).map(|(_, found)| found.clone());
                values.examples.push(BadExample {
                    row_id: row.row_id,
                    subject: row.subject.clone(),
                    found: found.unwrap_or_else(|| "a result that doesn't fit".to_owned()),
                });
            }
        }
        self.rows.clear();
        self.found.iter().all(|(_, values)| values.examples.len() as u64 >= values.count.min(FEW as u64))
    }
}
