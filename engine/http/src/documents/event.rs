use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::CustomerKey;

/// Something that other systems may want to be told
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its place in the order of all events
    pub cursor: i64,
    /// Its stable id, by which a receiver recognises one that comes twice
    pub id: String,
    /// `level.changed`, `task.created`, `task.escalated`, `task.done`, or `event.NAME` of a rule
    pub kind: String,
    /// The time that its run evaluated, or when a person did it
    pub as_of: String,
    /// The run that gave it
    pub run: Option<i64>,
    /// Which kind of subject it is about
    pub subject: String,
    /// And which one
    pub key: CustomerKey,
    /// The tier set, of changes of level
    pub set: Option<String>,
    /// The retention rule, of everything else
    pub rule: Option<String>,
    /// What goes with it
    pub data: Json,
}

impl From<tierd_ledger::Event> for Event {
    fn from(event: tierd_ledger::Event) -> Self {
        Event {
            key: CustomerKey::from(&event.key),
            // A text that isn't JSON stays a text.
            data: serde_json::from_str(&event.data).unwrap_or(Json::String(event.data)),
            cursor: event.cursor,
            id: event.id,
            kind: event.kind,
            as_of: event.as_of,
            run: event.run.map(|run| run.0),
            subject: event.subject,
            set: event.set,
            rule: event.rule,
        }
    }
}
