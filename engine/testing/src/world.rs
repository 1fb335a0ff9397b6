//! What a case has told so far, as the rows that a database would have.

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef};
use arrow_select::concat::concat;
use tierd_eval::{
    columns::array_of,
    given::{Given, needed_subjects},
    scan::memory::{MemoryRow, MemorySubjects, given},
};
use tierd_model::{Clock, Key, Value};
use tierd_rules::{
    MetricId, RuleSet, SubjectId,
    cases::{Case, Told, Who},
};

/// The subjects of a case, with everything that is so up to a step.
pub(crate) struct World<'a> {
    rules: &'a RuleSet,
    /// Each kind of subject that the rules need.
    kinds: Vec<MemorySubjects>,
    /// Metrics given in place of computed ones.
    given: &'a [MetricId],
    values: BTreeMap<(MetricId, Key), Option<Value>>,
}

impl<'a> World<'a> {
    /// Before anything is told.
    pub(crate) fn new(rules: &'a RuleSet, case: &'a Case) -> Self {
        let mut subjects = needed_subjects(rules);
        let told = case.steps.iter().flat_map(|step| &step.told);
        subjects.extend(told.map(|told| told.who.subject));
        subjects.sort_unstable();
        subjects.dedup();
        let kinds = subjects.into_iter().map(|subject| MemorySubjects { subject, rows: Vec::new(), facts: Vec::new() });
        World { rules, kinds: kinds.collect(), given: &case.given, values: BTreeMap::new() }
    }

    /// Adds what a step tells.
    pub(crate) fn tell(&mut self, told: &Told) {
        let attributes = self.rules.config.subjects[told.who.subject.0].attributes.len();
        let Some(kind) = self.kinds.iter_mut().find(|kind| kind.subject == told.who.subject) else { return };
        let row = row(&mut kind.rows, &told.who, attributes);
        for (index, value) in &told.attributes {
            row.values[*index] = value.clone();
        }
        for fact in &told.facts {
            let row = MemoryRow { key: told.who.key.clone(), values: fact.values.clone() };
            match kind.facts.iter_mut().find(|(id, _)| *id == fact.facts) {
                Some((_, rows)) => rows.push(row),
                None => kind.facts.push((fact.facts, vec![row])),
            }
        }
        for (metric, value) in &told.metrics {
            self.values.insert((*metric, told.who.key.clone()), value.clone());
        }
    }

    /// What an evaluation starts from at this time.
    pub(crate) fn given(&self, clock: &Clock) -> Vec<Given> {
        let mut all = given(self.rules, &self.kinds, clock);
        for given in &mut all {
            given.columns.resize(self.rules.metrics.len(), None);
            for &metric in self.given.iter().filter(|metric| self.kind_of(**metric) == given.subject) {
                given.columns[metric.0] = Some(self.column(metric, given));
            }
        }
        all
    }

    fn kind_of(&self, metric: MetricId) -> SubjectId {
        self.rules.metrics[metric.0].subject
    }

    /// The given values of a metric, by subject.
    fn column(&self, metric: MetricId, given: &Given) -> ArrayRef {
        let ty = self.rules.metrics[metric.0].ty;
        let value = |index| self.values.get(&(metric, (given.key)(index))).and_then(Option::as_ref);
        let parts: Vec<ArrayRef> = (0..given.subjects).map(|index| array_of(ty, value(index), 1)).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        // Parts of one type always fit together; without any there is nothing to join.
        concat(&parts).unwrap_or_else(|_| array_of(ty, None, given.subjects))
    }
}

/// The row of a subject; a new one where there is none yet.
fn row<'r>(rows: &'r mut Vec<MemoryRow>, who: &Who, attributes: usize) -> &'r mut MemoryRow {
    let place = rows.iter().position(|row| row.key == who.key).unwrap_or_else(|| {
        rows.push(MemoryRow { key: who.key.clone(), values: vec![None; attributes] });
        rows.len() - 1
    });
    &mut rows[place]
}
