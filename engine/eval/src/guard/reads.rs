//! Which tables decide a tier set or a retention rule: through its conditions, the metrics in them, and what those are found from.

use std::collections::BTreeSet;

use tierd_model::{Window, WindowKind};
use tierd_rules::{
    Expr, MetricId, MetricKind, PointsId, RetentionRule, RuleSet, Standing, SubjectId, TierSetId,
    retention::{Action, DateTrigger, Trigger},
};

use super::{Guarded, Table};
use crate::evaluate::Outcome;

/// The tables that a set or rule is decided by. The level of a set that isn't due is what it was, and reads nothing; what only fills
/// in the words of an action decides nothing.
pub(super) fn tables(rules: &RuleSet, outcome: &Outcome, of: Guarded) -> BTreeSet<Table> {
    let mut reads = Reads { rules, outcome, tables: BTreeSet::new(), metrics: BTreeSet::new(), sets: BTreeSet::new() };
    match of {
        Guarded::Set(set) => reads.set(set),
        Guarded::Rule(rule) => reads.rule(&rules.retention[rule.0]),
    }
    reads.tables
}

/// What has been found, and what has been looked at.
struct Reads<'a> {
    rules: &'a RuleSet,
    outcome: &'a Outcome,
    tables: BTreeSet<Table>,
    metrics: BTreeSet<MetricId>,
    sets: BTreeSet<TierSetId>,
}

impl Reads<'_> {
    fn set(&mut self, set: TierSetId) {
        if !self.outcome.sets[set.0].due || !self.sets.insert(set) {
            return;
        }
        let of = &self.rules.tier_sets[set.0];
        self.subject(of.subject);
        of.metrics().into_iter().for_each(|metric| self.metric(metric));
    }

    fn rule(&mut self, rule: &RetentionRule) {
        self.subject(rule.subject);
        self.expr(rule.when.as_ref());
        match &rule.trigger {
            Trigger::State => {}
            Trigger::Moved { set, .. } | Trigger::FollowUp(set) => self.set(*set),
            Trigger::Date { day: DateTrigger::Anniversary(metric) | DateTrigger::On(metric), .. } => {
                self.metric(*metric);
            }
            Trigger::Date { day: DateTrigger::Yearly(_), .. } => {}
        }
        // What a planner is given decides what is done.
        if let Action::Planned(call) = &rule.action {
            call.inputs.iter().for_each(|input| self.expr(Some(input)));
        }
    }

    fn subject(&mut self, subject: SubjectId) {
        self.tables.insert(Table::Subject(subject));
    }

    /// Every metric that a condition over metrics reads.
    fn expr(&mut self, expr: Option<&Expr>) {
        expr.map(Expr::columns).into_iter().flatten().for_each(|metric| self.metric(MetricId(metric)));
    }

    fn metric(&mut self, metric: MetricId) {
        if !self.metrics.insert(metric) {
            return;
        }
        let of = &self.rules.metrics[metric.0];
        self.subject(of.subject);
        match &of.kind {
            MetricKind::Attribute(_) | MetricKind::Standing { what: Standing::Was | Standing::Since, .. } => {}
            MetricKind::Aggregate(aggregate) => {
                self.tables.insert(Table::Facts(aggregate.facts));
                self.window(aggregate.window);
            }
            MetricKind::Derived(expr) => self.expr(Some(expr)),
            MetricKind::Rank { of, .. } | MetricKind::Lookup(of) => self.metric(*of),
            MetricKind::Rollup(rollup) => {
                self.subject(rollup.members);
                self.expr(rollup.argument.as_ref());
                self.expr(rollup.filter.as_ref());
            }
            MetricKind::Plugin(plugin) => match &plugin.facts {
                None => plugin.metrics().into_iter().for_each(|metric| self.metric(metric)),
                Some(of) => {
                    self.tables.insert(Table::Facts(of.facts));
                    self.window(of.window);
                }
            },
            MetricKind::Points { program, .. } => self.points(*program),
            MetricKind::Standing { set, what: Standing::Level } => self.set(*set),
        }
    }

    fn points(&mut self, program: PointsId) {
        let bookings = &self.rules.points[program.0].bookings;
        self.tables.extend(bookings.iter().map(|booking| Table::Facts(booking.facts)));
    }

    fn window(&mut self, window: Window) {
        if let WindowKind::AnniversaryOf(metric) | WindowKind::Since(metric) = window.kind {
            self.metric(MetricId(metric));
        }
    }
}
