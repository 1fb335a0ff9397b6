//! When runs are due.

use tierd_model::Timestamp;

use super::Handle;

/// When runs are due, as far as the daemon knows now.
#[derive(Debug, Clone, Default)]
pub struct Schedules {
    /// Each schedule, in the order of the rules.
    pub schedules: Vec<NextRun>,
}

/// When one schedule comes.
#[derive(Debug, Clone)]
pub struct NextRun {
    /// The schedule.
    pub name: String,
    /// Its next slot.
    pub slot: Option<Timestamp>,
    /// When the run of that slot begins: later by the jitter.
    pub begins: Option<Timestamp>,
}

/// Asks for runs when their times come.
pub(super) async fn task(handle: Handle) {
    handle.stopped().await;
}
