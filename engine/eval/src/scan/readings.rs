//! Which fact tables are read when.
//!
//! Windows that begin at a subject's own date need that date first. Where it is itself found from facts, they are read in a
//! later pass: [`tierd_rules::Metric::pass`] says in which. Most rules have one pass, in which every table is read once.

use tierd_rules::{
    Aggregate, Booking, FactsId, MetricId, MetricKind, PointsId, PointsProgram, RuleSet, SubjectId,
    plugin::{PluginCall, PluginFacts},
};

/// One reading of one fact table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which facts.
    pub facts: FactsId,
    /// The pass: all readings of the passes before are over, and their metrics known.
    pub pass: u8,
}

/// What must be read for the metrics of these subjects, in order: pass by pass, within a pass in the order of the configuration.
/// A table appears in a pass only if some metric of that pass is over it (by itself or by a plugin), or some account of points (which the first reading
/// of the table feeds).
pub fn readings(rules: &RuleSet, subject: SubjectId) -> Vec<Reading> {
    let facts = rules.config.facts.iter().enumerate().filter(|(_, facts)| facts.subject == subject);
    let mut all: Vec<Reading> = facts.flat_map(|(id, _)| readings_of(rules, FactsId(id))).collect();
    all.sort_by_key(|reading| reading.pass);
    all
}

/// The readings of one table.
fn readings_of(rules: &RuleSet, facts: FactsId) -> Vec<Reading> {
    let metrics = aggregates(rules, facts).map(|(id, _)| id).chain(gathers(rules, facts).map(|(id, ..)| id));
    let mut passes: Vec<u8> = metrics.map(|id| rules.metrics[id.0].pass).collect();
    passes.sort_unstable();
    passes.dedup();
    if passes.is_empty() && bookings(rules, facts).next().is_some() {
        passes.push(0);
    }
    passes.into_iter().map(|pass| Reading { facts, pass }).collect()
}

impl Reading {
    /// The metrics that it gives.
    pub(super) fn metrics<'a>(&self, rules: &'a RuleSet) -> impl Iterator<Item = (MetricId, &'a Aggregate)> + use<'a> {
        let pass = self.pass;
        aggregates(rules, self.facts).filter(move |(id, _)| rules.metrics[id.0].pass == pass)
    }

    /// The metrics that earlier readings of the table have given.
    pub(super) fn earlier<'a>(&self, rules: &'a RuleSet) -> impl Iterator<Item = (MetricId, &'a Aggregate)> + use<'a> {
        let pass = self.pass;
        aggregates(rules, self.facts).filter(move |(id, _)| rules.metrics[id.0].pass < pass)
    }

    /// The metrics whose facts it gathers for plugins.
    pub(super) fn gathers<'a>(
        &self,
        rules: &'a RuleSet,
    ) -> impl Iterator<Item = (MetricId, &'a PluginCall, &'a PluginFacts)> + use<'a> {
        let pass = self.pass;
        gathers(rules, self.facts).filter(move |(id, ..)| rules.metrics[id.0].pass == pass)
    }

    /// The metrics whose facts earlier readings of the table have gathered.
    pub(super) fn gathers_earlier<'a>(
        &self,
        rules: &'a RuleSet,
    ) -> impl Iterator<Item = (MetricId, &'a PluginCall, &'a PluginFacts)> + use<'a> {
        let pass = self.pass;
        gathers(rules, self.facts).filter(move |(id, ..)| rules.metrics[id.0].pass < pass)
    }

    /// Whether it is the table's first, which feeds the accounts of points.
    pub(super) fn is_first(&self, rules: &RuleSet) -> bool {
        self.earlier(rules).next().is_none() && self.gathers_earlier(rules).next().is_none()
    }
}

fn aggregates(rules: &RuleSet, of: FactsId) -> impl Iterator<Item = (MetricId, &Aggregate)> {
    rules.metrics.iter().enumerate().filter_map(move |(id, metric)| match &metric.kind {
        MetricKind::Aggregate(aggregate) if aggregate.facts == of => Some((MetricId(id), aggregate)),
        _ => None,
    })
}

/// The metrics that plugins find of these facts.
fn gathers(rules: &RuleSet, of: FactsId) -> impl Iterator<Item = (MetricId, &PluginCall, &PluginFacts)> {
    rules.metrics.iter().enumerate().filter_map(move |(id, metric)| match &metric.kind {
        MetricKind::Plugin(plugin) => {
            let facts = plugin.facts.as_ref().filter(|facts| facts.facts == of)?;
            Some((MetricId(id), &plugin.call, facts))
        }
        _ => None,
    })
}

/// What these facts book, in programs that some metric asks about.
pub(super) fn bookings(
    rules: &RuleSet,
    facts: FactsId,
) -> impl Iterator<Item = (PointsId, &PointsProgram, u16, &Booking)> {
    asked_programs(rules).flat_map(move |id| {
        let program = &rules.points[id.0];
        let bookings = (0..).zip(&program.bookings).filter(move |(_, booking)| booking.facts == facts);
        bookings.map(move |(index, booking)| (id, program, index, booking))
    })
}

/// The points programs that some metric asks about.
fn asked_programs(rules: &RuleSet) -> impl Iterator<Item = PointsId> {
    let asks = |id: PointsId| {
        let of = |kind: &MetricKind| matches!(kind, MetricKind::Points { program, .. } if *program == id);
        rules.metrics.iter().any(|metric| of(&metric.kind))
    };
    (0..rules.points.len()).map(PointsId).filter(move |id| asks(*id))
}

/// The points programs of these subjects that some metric asks about.
pub(super) fn programs(rules: &RuleSet, subject: SubjectId) -> impl Iterator<Item = PointsId> {
    asked_programs(rules).filter(move |id| rules.points[id.0].subject == subject)
}
