//! Which tier sets and retention rules a run decides.

use tierd_rules::{RuleId, RuleSet, ScheduleId, TierSetId};

/// Which tier sets and retention rules a run decides. The others stay as they are: their subjects hold what they held, and nobody is
/// acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// `None` for all.
    schedules: Option<Vec<ScheduleId>>,
}

impl Due {
    /// Everything, as in a run by hand.
    pub const ALL: Due = Due { schedules: None };

    /// What follows any of these schedules.
    pub fn by(schedules: Vec<ScheduleId>) -> Self {
        Due { schedules: Some(schedules) }
    }

    /// Whether a tier set is decided.
    pub fn set(&self, rules: &RuleSet, set: TierSetId) -> bool {
        self.holds(rules.tier_sets[set.0].schedule)
    }

    /// Whether a retention rule is decided.
    pub fn rule(&self, rules: &RuleSet, rule: RuleId) -> bool {
        self.holds(rules.retention[rule.0].schedule)
    }

    fn holds(&self, schedule: Option<ScheduleId>) -> bool {
        self.schedules.as_ref().is_none_or(|due| schedule.is_some_and(|schedule| due.contains(&schedule)))
    }
}
