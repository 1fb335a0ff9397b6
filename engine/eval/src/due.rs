//! Which tier sets and retention rules a run decides.
//!
//! What isn't due is still looked at by what is: a level that another run gave is a value like any other in the conditions of this
//! one. So a daily rule may ask for the level of a monthly set, and a monthly set for that of a daily one.
//!
//! Deliberately absent: when a schedule comes. Whoever makes the run knows.

use tierd_rules::{RuleId, RuleSet, ScheduleId, TierSetId, retention::Trigger};

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

    /// What follows schedules of these names; everything without names. Names that the rules don't have are passed over.
    pub fn named(rules: &RuleSet, names: Option<&[String]>) -> Self {
        let Some(names) = names else { return Due::ALL };
        let named = rules.schedules.iter().enumerate().filter(|(_, schedule)| names.contains(&schedule.name));
        Due::by(named.map(|(id, _)| ScheduleId(id)).collect())
    }

    /// Whether a tier set is decided.
    pub fn set(&self, rules: &RuleSet, set: TierSetId) -> bool {
        self.holds(rules.tier_sets[set.0].schedule)
    }

    /// Whether a retention rule is decided. One on moves goes with its tier set: only a run that decides the set can move anybody.
    pub fn rule(&self, rules: &RuleSet, rule: RuleId) -> bool {
        let rule = &rules.retention[rule.0];
        match rule.trigger {
            Trigger::Moved { set, .. } => self.set(rules, set),
            _ => self.holds(rule.schedule),
        }
    }

    fn holds(&self, schedule: Option<ScheduleId>) -> bool {
        self.schedules.as_ref().is_none_or(|due| schedule.is_some_and(|schedule| due.contains(&schedule)))
    }
}
