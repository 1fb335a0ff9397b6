//! One row of the decision file, evaluated.
//!
//! The rules, all of them, are evaluated on a company of one: metrics that were found from others (ranks, looked-up and rolled-up
//! ones, and those that plugins found) are given as the run found them, everything that is the subject's own is computed from them
//! again. So no plugin is called.

use std::sync::Arc;

use arrow_array::{ArrayRef, new_empty_array};
use tierd_eval::{
    columns::{array_of, arrow_type},
    due::Due,
    evaluate::{self, Outcome},
    explain::How,
    given::{Given, KeyOf, NO_PARENT},
    plugin::{self, Plugins, Proposal},
};
use tierd_ledger::Reader;
use tierd_model::{Clock, Key};
use tierd_rules::{
    MetricId, MetricKind, RuleSet, SubjectId,
    plugin::PluginCall,
    retention::{Exceed, RunLimit},
};
use tierd_sources::Keys;

use super::{Answers, ExplainError, Seen, answers, history::OneHistory};
use crate::{
    Project,
    decisions::{Damaged, DecisionFile, Row},
    evaluate::EvaluateError,
    report::PluginFailure,
};

/// Explains one subject by the decision file; `None` where the file turns out to be damaged. `spent` are the rules as
/// [`limits_used_up`] gives them; no plugin is called, so `failures` says which gave nothing in the run.
pub(crate) fn from_file(
    project: &Project,
    spent: &RuleSet,
    file: &DecisionFile,
    ledger: &Reader,
    clock: &Clock,
    (key, set): (&str, Option<&str>),
    failures: &[PluginFailure],
) -> Result<Option<Answers>, ExplainError> {
    let mut outcomes = Vec::new();
    for kind in file.kinds() {
        let Some(parsed) = Key::parse(key, spent.config.subjects[kind.0].key_type) else { continue };
        match file.row(kind, &parsed) {
            Err(Damaged) => return Ok(None),
            Ok(None) => {}
            Ok(Some(row)) => {
                let one = One { rules: spent, kind, key: &parsed, clock };
                let personal = one.personal_attributes(project)?;
                let outcome = one.evaluate(file, row, personal, ledger)?;
                outcomes.push((kind, parsed, outcome));
            }
        }
    }
    let seen = outcomes.iter().map(|(kind, key, outcome)| Seen { kind: *kind, key: key.clone(), outcome, subject: 0 });
    let mut answers = answers(spent, &seen.collect::<Vec<_>>(), Some(ledger), clock, key, set)?;
    let stories = answers.sets.iter_mut().flat_map(|answer| &mut answer.explanation.metrics);
    for story in stories {
        let of_story = failures.iter().find(|failure| failure.metric.as_ref() == Some(&story.name));
        if let (How::Plugin { failed, .. }, Some(failure)) = (&mut story.how, of_story) {
            *failed = Some(failure.why());
        }
    }
    Ok(Some(answers))
}

/// The rules as they are after a run: it has used up what limits allow it, so that whoever it left over waits for the next one.
/// A subject alone would never meet a limit.
pub fn limits_used_up(rules: &RuleSet) -> RuleSet {
    let mut spent = rules.clone();
    let limits = spent.retention.iter_mut().filter_map(|rule| rule.limit.as_mut());
    limits.for_each(|limit| *limit = RunLimit { per_run: 0, exceed: Exceed::Defer });
    spent
}

/// A subject alone.
struct One<'a> {
    rules: &'a RuleSet,
    kind: SubjectId,
    key: &'a Key,
    clock: &'a Clock,
}

impl One<'_> {
    fn evaluate(
        &self,
        file: &DecisionFile,
        row: Row<'_>,
        personal: Vec<(MetricId, ArrayRef)>,
        ledger: &Reader,
    ) -> Result<Outcome, ExplainError> {
        let mut given: Vec<Given> = file.kinds().map(|kind| self.nobody(kind, &row)).collect();
        if let Some(mine) = given.iter_mut().find(|given| given.subject == self.kind) {
            *mine = self.somebody(&row, personal);
        }
        let history = OneHistory {
            ledger,
            rules: self.rules,
            kind: self.kind,
            key: self.key,
            clock: self.clock,
            asked: &file.asked,
        };
        let mut outcome = evaluate::evaluate(self.rules, given, &history, &Kept, &Due::ALL, self.clock)
            .map_err(EvaluateError::from)?;
        for of in outcome.subjects.iter_mut().filter(|of| of.subject == self.kind) {
            of.metrics.cut_points = row.cuts.to_vec();
        }
        Ok(outcome)
    }

    fn somebody(&self, row: &Row<'_>, personal: Vec<(MetricId, ArrayRef)>) -> Given {
        let mut columns = vec![None; self.rules.metrics.len()];
        for (id, value) in &row.values {
            columns[id.0] = Some(array_of(self.rules.metrics[id.0].ty, value.as_ref(), 1));
        }
        for (id, column) in personal {
            columns[id.0] = Some(column);
        }
        let parents = match row.parent {
            Some(_) => vec![0],
            None => vec![NO_PARENT],
        };
        let (key, bookings) = (always(self.key.clone()), row.bookings.clone());
        // Whatever a plugin finds is among the columns.
        let gathered = Vec::new();
        Given { subject: self.kind, subjects: 1, key, columns, parents, bookings, gathered }
    }

    /// Another kind: no subjects, but as much as an explanation of this subject says of them. Its parent's key, and how many
    /// members it has.
    fn nobody(&self, kind: SubjectId, row: &Row<'_>) -> Given {
        let column = |id: usize| {
            let metric = &self.rules.metrics[id];
            (metric.subject == kind).then(|| new_empty_array(&arrow_type(metric.ty)))
        };
        let parent = row.parent.as_ref().filter(|(parent, _)| *parent == kind);
        let key = parent.map_or(Key::Integer(0), |(_, key)| key.clone());
        let members = row.members.iter().find(|(members, _)| *members == kind).map_or(0, |(_, count)| *count);
        Given {
            subject: kind,
            subjects: 0,
            key: always(key),
            columns: (0..self.rules.metrics.len()).map(column).collect(),
            parents: vec![0; members as usize],
            bookings: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// Attributes that are stored nowhere, read again.
    fn personal_attributes(&self, project: &Project) -> Result<Vec<(MetricId, ArrayRef)>, ExplainError> {
        let personal = self.rules.personal();
        let metrics = self.rules.metrics.iter().enumerate();
        let (ids, attributes): (Vec<_>, Vec<_>) = metrics
            .filter_map(|(id, metric)| match metric.kind {
                MetricKind::Attribute(attribute) if metric.subject == self.kind && personal[id] => {
                    Some((MetricId(id), attribute))
                }
                _ => None,
            })
            .unzip();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let database = crate::evaluate::open(project.database(&self.rules.config)).map_err(EvaluateError::from)?;
        let keys = Keys::sorted([self.key.clone()], self.rules.config.subjects[self.kind.0].key_type);
        let columns = tierd_sources::attributes(&database, self.rules, self.kind, &keys, &attributes, self.clock);
        Ok(ids.into_iter().zip(columns.map_err(EvaluateError::from)?).collect())
    }
}

fn always(key: Key) -> KeyOf {
    Arc::new(move |_| key.clone())
}

/// In the place of plugins: what they found is kept, and what planners would propose isn't shown.
struct Kept;

impl Plugins for Kept {
    fn plan(
        &self,
        _: &PluginCall,
        _: &[ArrayRef],
        _: usize,
        _: &Clock,
    ) -> Result<Vec<Proposal>, plugin::PluginFailure> {
        Ok(Vec::new())
    }
}
