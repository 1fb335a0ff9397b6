//! From what a member's row says of its group to the group's place among the groups.

use arrow_array::{ArrayRef, cast::AsArray, types::Int64Type};
use tierd_eval::given::NO_PARENT;
use tierd_rules::{MetricKind, Parent, RuleSet, SubjectId};

use crate::keys::Keys;

/// The parent of these subjects, if they have one and some metric goes from one to the other.
pub(crate) fn needed_parent(rules: &RuleSet, members: SubjectId) -> Option<Parent> {
    let needs = rules.metrics.iter().any(|metric| match &metric.kind {
        MetricKind::Lookup(_) => metric.subject == members,
        MetricKind::Rollup(rollup) => rollup.members == members,
        _ => false,
    });
    rules.config.subjects[members.0].parent.filter(|_| needs)
}

/// The place of each member's group among the groups, whose keys the column holds; [`NO_PARENT`] without group, or with one
/// that isn't there.
pub(crate) fn places(column: &ArrayRef, groups: &Keys) -> Vec<u32> {
    let place = |found: Option<usize>| found.map_or(NO_PARENT, |place| place as u32);
    match groups {
        Keys::Integer(groups) => {
            let keys = column.as_primitive::<Int64Type>().iter();
            keys.map(|key| place(key.and_then(|key| groups.binary_search(&key).ok()))).collect()
        }
        Keys::Text(groups) => {
            let keys = column.as_string::<i32>().iter();
            keys.map(|key| place(key.and_then(|key| groups.find(key)))).collect()
        }
    }
}
