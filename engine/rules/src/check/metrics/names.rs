//! What names mean in the conditions of a subject: its metrics and its attributes.

use std::collections::HashSet;

use super::{
    Metrics,
    draft::{Draft, Use},
};
use crate::{Column, Metric, MetricKind, SubjectId, check::catalog::Catalog, typing::Scope};

impl<'a> Metrics<'a> {
    pub(super) fn new(catalog: &'a Catalog, drafts: &[Draft<'a>], complete: bool) -> Self {
        let scope = |subject: SubjectId| {
            let entry = &catalog.subjects[subject.0];
            let hint =
                "conditions name metrics and attributes of the subject; text is written 'in single quotes'".to_owned();
            let mut scope = Scope::new(format!("subject `{}`", entry.name.text), "metric or attribute", hint);
            if !complete || entry.columns.is_none() {
                scope.incomplete();
            }
            let attributes = entry.columns.iter().flatten().map(|(name, _)| name);
            for name in drafts.iter().map(|draft| draft.name).chain(attributes) {
                scope.add(&name.text, None);
            }
            for (facts, column) in fact_columns(catalog, subject) {
                scope.hint(column, format!("`{column}` is a column of `{facts}`: use it in a metric from \"{facts}\""));
            }
            scope
        };
        Metrics {
            done: vec![],
            scopes: (0..catalog.subjects.len()).map(|i| scope(SubjectId(i))).collect(),
            declared: drafts.iter().map(|draft| (draft.name.text.as_str(), None)).collect(),
            used: HashSet::new(),
        }
    }

    /// What names stand for in the conditions of a subject.
    pub(in crate::check) fn scope(&self, subject: SubjectId) -> &Scope<'a> {
        &self.scopes[subject.0]
    }

    /// Whether a metric of this name is declared for another subject.
    pub(in crate::check) fn is_of_another(&self, name: &str, subject: SubjectId) -> bool {
        self.declared.get(name).copied().flatten().is_some_and(|other| other != subject)
    }

    /// The subject that these names belong to: the only one, that of a metric among them, or the only one with such an attribute.
    pub(in crate::check) fn subject_of(&self, uses: &[Use], catalog: &Catalog) -> Option<SubjectId> {
        if catalog.subjects.len() == 1 {
            return Some(SubjectId(0));
        }
        let metric = uses.iter().find_map(|(name, _)| self.declared.get(&**name).copied().flatten());
        metric.or_else(|| {
            let having = |name: &str| {
                let all = (0..catalog.subjects.len()).map(SubjectId);
                let mut having = all.filter(|subject| catalog.attribute(*subject, name).is_some());
                having.next().filter(|_| having.next().is_none())
            };
            uses.iter().find_map(|(name, _)| having(name))
        })
    }

    /// The attribute of this name as a metric, if there is one and it isn't a metric yet.
    pub(super) fn implicit(&mut self, name: &str, subject: SubjectId, catalog: &'a Catalog) {
        let Some((index, Some(column))) = catalog.attribute(subject, name) else {
            return;
        };
        if self.scopes[subject.0].is_unset(&column.name) {
            self.push(&column.name, attribute_metric(subject, index, column));
        }
    }

    pub(super) fn push(&mut self, name: &'a str, metric: Metric) {
        self.scopes[metric.subject.0].set(name, self.done.len(), metric.ty);
        self.done.push(metric);
    }
}

fn attribute_metric(subject: SubjectId, index: usize, column: &Column) -> Metric {
    Metric {
        name: column.name.clone(),
        title: None,
        subject,
        ty: column.ty,
        kind: MetricKind::Attribute(index),
        implicit: true,
        personal: column.personal,
        pass: 0,
        scorecard: Vec::new(),
        allow: Vec::new(),
        at: column.at.clone(),
    }
}

fn fact_columns(catalog: &Catalog, subject: SubjectId) -> impl Iterator<Item = (&str, &str)> {
    let facts = catalog.facts.iter().filter(move |facts| facts.subject == Some(subject));
    facts.flat_map(|facts| {
        let columns = facts.columns.iter().flatten();
        columns.map(|(name, _)| (facts.name.text.as_str(), name.text.as_str()))
    })
}
