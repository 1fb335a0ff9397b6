//! What is told to programs, as typed JSON documents: the same over HTTP and by `--output json`. Their keys are named in `docs/json.md`.
//!
//! Keys of customers are in them, personal values are not, but for masked ones.

mod event;
mod overruled;
mod refused;
mod run;
mod status;
mod task;

use serde::{Deserialize, Serialize};
use tierd_model::{Key, KeyType};
use utoipa::ToSchema;

pub use event::Event;
pub use overruled::Override;
pub use refused::{Problem, Refused};
pub use run::{Change, LevelCount, PluginFailure, RuleOutcome, Run, SetOutcome, Waits};
pub use status::{LastRun, LastSlot, NextRun, PluginStatus, Running, Status, Watching};
pub use task::Task;

/// The key of a customer, as the company's database has it
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CustomerKey {
    /// An integer key
    Integer(i64),
    /// A text key
    Text(String),
}

impl From<&Key> for CustomerKey {
    fn from(key: &Key) -> Self {
        match key {
            Key::Integer(key) => CustomerKey::Integer(*key),
            Key::Text(key) => CustomerKey::Text(key.to_string()),
        }
    }
}

impl CustomerKey {
    /// The key as one of this type; `None` where it is of the other.
    pub fn to_key(&self, ty: KeyType) -> Option<Key> {
        match self {
            CustomerKey::Integer(key) => Key::parse(&key.to_string(), ty),
            CustomerKey::Text(key) => Key::parse(key, ty),
        }
    }
}
