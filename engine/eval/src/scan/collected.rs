//! What is known of the subjects so far, from reading to reading.

use arrow_array::ArrayRef;
use tierd_model::Clock;
use tierd_rules::{MetricId, MetricKind, PointsId, RuleSet, SubjectId};

use super::{
    bookings::add_bookings,
    fact_scan::Scanned,
    plan::FactPlan,
    readings::{Reading, programs},
};
use crate::{given::Booked, plugin::SubjectFacts};

/// Columns, bookings and facts for plugins of one kind of subject, growing with each of its [`super::readings`].
#[derive(Debug)]
pub struct Collected {
    subjects: usize,
    columns: Vec<Option<ArrayRef>>,
    bookings: Vec<(PointsId, Vec<Booked>)>,
    gathered: Vec<(MetricId, SubjectFacts)>,
}

/// What all readings together have found, as [`crate::given::Given`] has it.
#[derive(Debug)]
pub struct Found {
    /// By [`MetricId`].
    pub columns: Vec<Option<ArrayRef>>,
    /// By points program.
    pub bookings: Vec<(PointsId, Vec<Booked>)>,
    /// By metric.
    pub gathered: Vec<(MetricId, SubjectFacts)>,
}

impl Collected {
    /// Before any facts: `attributes`, by index, holds those that rules read, with one value per subject.
    pub fn new(rules: &RuleSet, subject: SubjectId, attributes: &[Option<ArrayRef>], subjects: usize) -> Self {
        let column = |metric: &tierd_rules::Metric| match metric.kind {
            MetricKind::Attribute(attribute) if metric.subject == subject => attributes[attribute].clone(),
            _ => None,
        };
        Collected {
            subjects,
            columns: rules.metrics.iter().map(column).collect(),
            bookings: programs(rules, subject).map(|program| (program, Vec::new())).collect(),
            gathered: Vec::new(),
        }
    }

    /// The plan of the next reading.
    pub fn plan(&self, rules: &RuleSet, reading: Reading, clock: &Clock) -> FactPlan {
        FactPlan::new(rules, reading, clock, &self.columns, self.subjects)
    }

    /// Adds what a reading has found.
    pub fn add(&mut self, found: Scanned) {
        found.metrics.into_iter().for_each(|(metric, column)| self.columns[metric.0] = Some(column));
        self.gathered.extend(found.gathered);
        for (program, bookings) in found.bookings {
            add_bookings(&mut self.bookings, program, bookings);
        }
    }

    /// What was found.
    pub fn finish(self) -> Found {
        Found { columns: self.columns, bookings: self.bookings, gathered: self.gathered }
    }
}
