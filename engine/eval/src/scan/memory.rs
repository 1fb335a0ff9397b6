//! Subjects and facts by hand, for tests of rules and of this crate: the same plans and the same scan as for a database.
//!
//! ```text
//! MemorySubjects (rows of values) ─► given ─► Vec<Given>
//! ```
//!
//! Passes, the subjects' order, filters, parents and bookings are taken care of. Deliberately absent: encodings and bad values.
//! A value that a column can't hold (a decimal beyond 64 bits) is NULL here; a database counts it.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{Array, ArrayRef};
use arrow_select::concat::concat;
use tierd_model::{Clock, Key, Type, Value};
use tierd_rules::{Facts, FactsId, RuleSet, SubjectId};

use super::{Cell, Collected, FactScan, Found, Reading, Scanned, arrays::stored, readings};
use crate::{
    columns::{array_of, arrow_type, value_at},
    expr::{sound, truth},
    given::{Given, KeyOf, NO_PARENT},
};

/// All subjects of one kind, with their facts.
#[derive(Debug, Clone, PartialEq)]
pub struct MemorySubjects {
    /// Which kind.
    pub subject: SubjectId,
    /// In any order, each key once. The values are by [`tierd_rules::Subject::attributes`]; what is absent at the end is NULL.
    pub rows: Vec<MemoryRow>,
    /// The facts of the tables that have any, in any order. The key is the subject's, known or not; the values are by
    /// [`tierd_rules::Facts::columns`].
    pub facts: Vec<(FactsId, Vec<MemoryRow>)>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryRow {
    /// Key of the subject.
    pub key: Key,
    /// By column; of the column's declared type, or a decimal of fewer digits.
    pub values: Vec<Option<Value>>,
}

/// What a read of a database with these rows would give, for each kind of subject in the order given. Subjects that the filter
/// of the configuration removes are left out; [`Given::key`] tells who is left.
///
/// # Panics
/// If two subjects of a kind have the same key, or a value isn't of its column's type.
pub fn given(rules: &RuleSet, subjects: &[MemorySubjects], clock: &Clock) -> Vec<Given> {
    let kept: Vec<Kept> = subjects.iter().map(|of| Kept::new(rules, of, clock)).collect();
    let mut all: Vec<Given> = kept.iter().map(|of| of.given(rules, clock)).collect();
    for (given, of) in all.iter_mut().zip(&kept) {
        given.parents = of.parents(rules, &kept);
    }
    all
}

/// The subjects of one kind that pass the filter, in the order of their keys.
struct Kept<'a> {
    subjects: &'a MemorySubjects,
    keys: Arc<Vec<Key>>,
    attributes: Vec<Option<ArrayRef>>,
    index: HashMap<Key, u32>,
}

impl<'a> Kept<'a> {
    fn new(rules: &RuleSet, subjects: &'a MemorySubjects, clock: &Clock) -> Self {
        let of_rules = &rules.config.subjects[subjects.subject.0];
        let types: Vec<Type> = of_rules.attributes.iter().map(|attribute| attribute.ty).collect();
        let mut rows: Vec<&MemoryRow> = subjects.rows.iter().collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        assert!(rows.windows(2).all(|pair| pair[0].key != pair[1].key), "a key stands twice");
        if let Some(filter) = &of_rules.filter {
            let passes = truth(filter, &columns(&types, &rows), rows.len(), clock);
            let mut passes = passes.iter();
            rows.retain(|_| passes.next().flatten() == Some(true));
        }
        let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
        let index = keys.iter().cloned().zip(0..).collect();
        Kept { subjects, attributes: columns(&types, &rows), keys: Arc::new(keys), index }
    }

    /// All but the parents.
    fn given(&self, rules: &RuleSet, clock: &Clock) -> Given {
        let (subject, count) = (self.subjects.subject, self.keys.len());
        let mut collected = Collected::new(rules, subject, &self.attributes, count);
        for reading in readings(rules, subject) {
            let found = self.read(rules, reading, &collected, clock);
            collected.add(found);
        }
        let Found { columns, bookings, gathered } = collected.finish();
        let keys = Arc::clone(&self.keys);
        let key: KeyOf = Arc::new(move |index| keys[index].clone());
        Given { subject, subjects: count, key, columns, parents: Vec::new(), bookings, gathered }
    }

    fn read(&self, rules: &RuleSet, reading: Reading, collected: &Collected, clock: &Clock) -> Scanned {
        let plan = collected.plan(rules, reading, clock);
        let mut scan = FactScan::new(&plan, self.keys.len());
        let facts = &rules.config.facts[reading.facts.0];
        let rows = self.subjects.facts.iter().filter(|(id, _)| *id == reading.facts);
        for row in rows.flat_map(|(_, rows)| rows) {
            for (column, of_facts) in plan.columns() {
                fill(&mut scan, column, row.values.get(of_facts).and_then(Option::as_ref), facts, of_facts);
            }
            let batch = scan.batch();
            let at = batch.rows();
            batch.subjects[at] = self.index.get(&row.key).copied().unwrap_or(self.keys.len() as u32);
            batch.set_subject_flag(super::VALID);
            if batch.end_row() {
                scan.take();
            }
        }
        scan.take();
        scan.finish()
    }

    /// The place of each subject's parent among the parents; empty where the kind has none, or the parents aren't given.
    fn parents(&self, rules: &RuleSet, all: &[Kept]) -> Vec<u32> {
        let of_rules = &rules.config.subjects[self.subjects.subject.0];
        let Some(parent) = of_rules.parent else { return Vec::new() };
        let Some(parents) = all.iter().find(|of| of.subjects.subject == parent.subject) else { return Vec::new() };
        let Some(column) = &self.attributes[parent.attribute] else { return Vec::new() };
        let key = |row| match value_at(column, of_rules.attributes[parent.attribute].ty, row)? {
            Value::Integer(key) => Some(Key::Integer(key)),
            Value::Text(key) => Some(Key::Text(key.as_ref().into())),
            _ => None,
        };
        (0..self.keys.len())
            .map(|row| key(row).and_then(|key| parents.index.get(&key).copied()).unwrap_or(NO_PARENT))
            .collect()
    }
}

fn fill(scan: &mut FactScan, column: usize, value: Option<&Value>, facts: &Facts, of_facts: usize) {
    let batch = scan.batch();
    match value {
        None => batch.set(column, Cell::Null),
        Some(Value::Text(text)) => batch.set_text(column, text.as_bytes()),
        Some(value) => batch.set(column, stored(value, facts.columns[of_facts].ty).map_or(Cell::Bad, Cell::Value)),
    }
}

fn columns(types: &[Type], rows: &[&MemoryRow]) -> Vec<Option<ArrayRef>> {
    let column = |(index, &ty): (usize, &Type)| {
        let values: Vec<ArrayRef> =
            rows.iter().map(|row| array_of(ty, row.values.get(index).and_then(Option::as_ref), 1)).collect();
        let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
        Some(if values.is_empty() { arrow_array::new_empty_array(&arrow_type(ty)) } else { sound(concat(&values)) })
    };
    types.iter().enumerate().map(column).collect()
}
