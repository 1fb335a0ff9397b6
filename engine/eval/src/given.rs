//! What an evaluation starts from: everything that was read of one kind of subject.

use std::{fmt, sync::Arc};

use arrow_array::ArrayRef;
use tierd_model::{Key, Timestamp};
use tierd_rules::{MetricId, MetricKind, PointsId, RuleSet, SubjectId};

use crate::plugin::SubjectFacts;

/// In [`Given::parents`]: the subject has no parent, or one that isn't in the data.
pub const NO_PARENT: u32 = u32::MAX;

/// The key of a subject, by its index.
pub type KeyOf = Arc<dyn Fn(usize) -> Key + Send + Sync>;

/// Everything that was read of one kind of subject, in the order of keys.
#[derive(Clone)]
pub struct Given {
    /// Which kind.
    pub subject: SubjectId,
    /// How many subjects there are.
    pub subjects: usize,
    /// Their keys, ascending.
    pub key: KeyOf,
    /// By [`MetricId`]: a column for each attribute and aggregate of these subjects, one value per subject.
    pub columns: Vec<Option<ArrayRef>>,
    /// By subject, the index of its parent among the parents' subjects, or [`NO_PARENT`]. Empty where the kind has no parent.
    pub parents: Vec<u32>,
    /// The bookings of each points program that some metric asks about, in any order.
    pub bookings: Vec<(PointsId, Vec<Booked>)>,
    /// For each metric that a plugin finds of facts, these facts: `rows_of` has one number per subject.
    pub gathered: Vec<(MetricId, SubjectFacts)>,
}

/// The kinds of subjects that must be read, ascending: those that tier sets and retention rules are about, and those whose metrics
/// these look up or roll up.
pub fn needed_subjects(rules: &RuleSet) -> Vec<SubjectId> {
    let sets = rules.tier_sets.iter().map(|set| set.subject);
    let mut needed: Vec<SubjectId> = sets.chain(rules.retention.iter().map(|rule| rule.subject)).collect();
    // Each may need others, which stand further on in the list by then.
    let mut next = 0;
    while let Some(&subject) = needed.get(next) {
        for other in others(rules, subject) {
            if !needed.contains(&other) {
                needed.push(other);
            }
        }
        next += 1;
    }
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Whose metrics the metrics of these subjects are found from.
fn others(rules: &RuleSet, subject: SubjectId) -> impl Iterator<Item = SubjectId> {
    let metrics = rules.metrics.iter().filter(move |metric| metric.subject == subject);
    metrics.filter_map(|metric| match &metric.kind {
        MetricKind::Lookup(of) => Some(rules.metrics[of.0].subject),
        MetricKind::Rollup(rollup) => Some(rollup.members),
        _ => None,
    })
}

/// One booking of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booked {
    /// Index of the subject.
    pub subject: u32,
    /// Index into [`tierd_rules::PointsProgram::bookings`].
    pub booking: u16,
    /// When: before the run.
    pub at: Timestamp,
    /// How many points, in units of the program's digits; above 0.
    pub amount: i64,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("subject", &self.subject)
            .field("subjects", &self.subjects)
            .finish_non_exhaustive()
    }
}
