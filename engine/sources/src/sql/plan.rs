//! What a query needs: the metrics behind the metrics asked for, and names for everything.

use tierd_model::Clock;
use tierd_rules::{Aggregate, FactsId, MetricId, MetricKind, RuleSet, SubjectId};

use super::text::{Names, name};

/// What one query is about.
pub(super) struct Plan<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) clock: &'a Clock,
    pub(super) subject: SubjectId,
    /// The metrics asked for and all that they refer to, each after those.
    pub(super) metrics: Vec<MetricId>,
    /// Quoted column names by metric; those that aren't needed have one too, unused.
    pub(super) columns: Vec<String>,
}

impl<'a> Plan<'a> {
    /// The plan for these metrics of a subject.
    pub(super) fn new(rules: &'a RuleSet, subject: SubjectId, asked: &[MetricId], clock: &'a Clock) -> Self {
        let mut needed = vec![false; rules.metrics.len()];
        asked.iter().for_each(|id| needed[id.0] = true);
        // References point backwards only, so that one pass from the end finds them all.
        for id in (0..needed.len()).rev().filter(|id| needed[*id]).collect::<Vec<_>>() {
            mark(rules, MetricId(id), &mut needed);
        }
        // Names that columns of the query's own have beside those of metrics.
        let mut names = Names::without(&["key", "level", "nth", &rules.config.subjects[subject.0].name]);
        Plan {
            rules,
            clock,
            subject,
            metrics: (0..needed.len()).filter(|id| needed[*id]).map(MetricId).collect(),
            columns: rules.metrics.iter().map(|m| name(&names.take(&m.name))).collect(),
        }
    }

    /// The aggregates needed, with their metrics.
    pub(super) fn aggregates(&self) -> impl Iterator<Item = (MetricId, &'a Aggregate)> {
        let rules = self.rules;
        self.metrics.iter().filter_map(move |id| match &rules.metrics[id.0].kind {
            MetricKind::Aggregate(aggregate) => Some((*id, aggregate)),
            _ => None,
        })
    }

    /// The aggregates needed over one fact table.
    pub(super) fn aggregates_of(&self, facts: FactsId) -> Vec<(MetricId, &'a Aggregate)> {
        self.aggregates().filter(|(_, aggregate)| aggregate.facts == facts).collect()
    }

    /// The fact tables needed.
    pub(super) fn facts(&self) -> Vec<FactsId> {
        (0..self.rules.config.facts.len())
            .map(FactsId)
            .filter(|id| self.aggregates().any(|(_, a)| a.facts == *id))
            .collect()
    }

    /// The attributes that the subject's table must give: those of metrics, and those of its filter.
    pub(super) fn attributes(&self) -> Vec<usize> {
        let subject = &self.rules.config.subjects[self.subject.0];
        let filtered = subject.filter.iter().flat_map(|filter| filter.columns());
        let read = self.metrics.iter().filter_map(|id| match self.rules.metrics[id.0].kind {
            MetricKind::Attribute(attribute) => Some(attribute),
            _ => None,
        });
        let mut all: Vec<usize> = filtered.chain(read).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The metrics that this one is computed from.
pub(super) fn references(rules: &RuleSet, id: MetricId) -> Vec<MetricId> {
    match &rules.metrics[id.0].kind {
        MetricKind::Derived(expr) => expr.columns().into_iter().map(MetricId).collect(),
        MetricKind::Rank { of, .. } => vec![*of],
        _ => Vec::new(),
    }
}

fn mark(rules: &RuleSet, id: MetricId, needed: &mut [bool]) {
    for reference in references(rules, id) {
        needed[reference.0] = true;
        mark(rules, reference, needed);
    }
}
