use serde::Serialize;
use tierd_model::Date;
use utoipa::ToSchema;

use super::CustomerKey;

/// What a retention rule asks a person to do
#[derive(Debug, Serialize, ToSchema)]
pub struct Task {
    /// Its id
    pub task: String,
    /// The day by which it is due
    pub due: Option<String>,
    /// `open`, `overdue`, `escalated`, `snoozed` or `done`
    pub state: &'static str,
    /// The day until which it is put off
    pub snoozed_until: Option<String>,
    /// Whose it is
    pub owner: Option<String>,
    /// What is to be done
    pub title: String,
    /// About whom
    pub key: CustomerKey,
    /// By which channel
    pub channel: Option<String>,
    /// Details
    pub text: Option<String>,
    /// The rule that gave it
    pub rule: String,
    /// The day on which it becomes somebody else's
    pub escalates: Option<String>,
    /// And whose
    pub to: Option<String>,
    /// Who did it
    pub by: Option<String>,
    /// What came of it
    pub note: Option<String>,
}

impl Task {
    /// As it stands on a day.
    pub fn new(task: tierd_ledger::Task, today: Date) -> Self {
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        let (state, snoozed) = (task.state(today), task.is_snoozed(today));
        // Once it has escalated, or can't any more, when it would is of no interest.
        let (escalates, to) = task.escalate.filter(|_| task.escalated.is_none() && task.done.is_none()).unzip();
        let (by, note) = task.done.map(|done| (done.by, done.note)).unzip();
        Task {
            task: task.id,
            due: day(task.due),
            state,
            snoozed_until: day(task.snoozed_until.filter(|_| snoozed)),
            owner: task.owner,
            title: task.title,
            key: CustomerKey::from(&task.key),
            channel: task.channel,
            text: task.text,
            rule: task.rule,
            escalates: day(escalates),
            to,
            by,
            note: note.flatten(),
        }
    }
}
