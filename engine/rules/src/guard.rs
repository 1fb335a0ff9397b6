//! Guards: how much a run may change before it waits for a person.

use tierd_model::CalendarSpan;

use crate::config::Limit;

/// What a run may do in a tier set, or by a retention rule, before it becomes a hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guard {
    /// Tier sets: subjects that may change their level, of those that had one. First levels are no moves.
    pub moved: Option<Limit>,
    /// Tier sets with ordered levels: likewise to a lower level or to none.
    pub fallen: Option<Limit>,
    /// Tier sets: the largest share of subjects that a level (its index) may have, in parts per million of all subjects of the set.
    pub share: Vec<(u16, u32)>,
    /// Retention rules: subjects that may be acted on, of all subjects.
    pub acted: Option<Limit>,
    /// How many rows fewer than in the last run that decided it a table that it reads may have: a number, or a share.
    pub shrunk: Option<Limit>,
    /// How old the newest row of each facts that it reads may be.
    pub stale: Option<CalendarSpan>,
    /// Bad values that the tables that it reads may hold: rows, or a share of the rows.
    pub bad_rows: Option<Limit>,
    /// What happens above any of these.
    pub exceed: GuardExceed,
}

impl Guard {
    /// Whether it asks what subjects held before.
    pub fn asks_for_moves(&self) -> bool {
        self.moved.is_some() || self.fallen.is_some()
    }
}

/// What happens above a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GuardExceed {
    /// The run waits, unapplied, for a person (default).
    #[default]
    Hold,
    /// The run is applied, and says so.
    Warn,
}
