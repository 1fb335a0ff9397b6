use serde::Serialize;
use tierd_model::{Timestamp, Zone};
use utoipa::ToSchema;

use super::CustomerKey;

/// A level that a person set, within stated times
#[derive(Debug, Serialize, ToSchema)]
pub struct Override {
    /// Its number
    pub id: i64,
    /// The tier set
    pub set: String,
    /// Whose level
    pub key: CustomerKey,
    /// `pin`, `floor` or `ceiling`
    pub kind: &'static str,
    /// The level
    pub level: String,
    /// The first day
    pub from: String,
    /// The last day
    pub until: String,
    /// `in force`, `to come`, `expired` or `ended`
    pub state: &'static str,
    /// Why
    pub reason: String,
    /// Who answers for it
    pub approver: String,
    /// Who ended it before its time
    pub ended_by: Option<String>,
    /// Why it was ended
    pub why: Option<String>,
}

impl Override {
    /// As it stands at a time; days are of this zone.
    pub fn new(given: tierd_ledger::Override, now: Timestamp, zone: &Zone) -> Self {
        let state = given.state(now);
        let (ended_by, why) = given.ended.map(|(_, by, why)| (by, why)).unzip();
        Override {
            id: given.id.0,
            set: given.set,
            key: CustomerKey::from(&given.key),
            kind: given.kind.name(),
            level: given.level,
            from: zone.date_of(given.starts).to_string(),
            // The last moment is inside.
            until: zone.date_of(Timestamp(given.expires.0 - 1)).to_string(),
            state,
            reason: given.reason,
            approver: given.approver,
            ended_by,
            why,
        }
    }
}
