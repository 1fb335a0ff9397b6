use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_ledger::GapState;
use utoipa::{IntoParams, ToSchema};

use super::{Api, extract::Query};
use crate::problem::Problem;

/// Which gaps
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GapsQuery {
    /// Only of this schedule
    schedule: Option<String>,
    /// Also those that were made good, or can't be any more
    #[serde(default)]
    all: bool,
}

/// Times of schedules for which there was no run
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gaps {
    gaps: Vec<Gap>,
}

/// Slots of a schedule, one after the other, for which there was no run
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gap {
    /// Its number
    gap: i64,
    /// The schedule
    schedule: String,
    /// The first slot
    first: String,
    /// The last slot
    last: String,
    /// How many slots it has
    slots: u64,
    /// How many of them have been made good
    filled: u64,
    /// Why there was no run: `missed`, `overlap`, `deadline`, `failed`, `deferred` or `changed`
    reason: &'static str,
    /// `open` (its last slot can be made good), `filled`, or `overtaken` (by a run as of a later time)
    state: &'static str,
    /// When it was noted
    noted: String,
}

/// Times of schedules for which there was no run, the earliest first
#[utoipa::path(get, path = "/api/v1/gaps", tag = "schedules", params(GapsQuery),
    responses((status = 200, body = Gaps, description = "The earliest first")))]
pub(super) async fn list(State(api): State<Api>, Query(query): Query<GapsQuery>) -> Result<Json<Gaps>, Problem> {
    let read = api.read(move |ledger, _| {
        let gaps = ledger.gaps(query.schedule.as_deref())?;
        let wanted = gaps.into_iter().filter(|gap| query.all || gap.state == GapState::Open);
        Ok(Gaps { gaps: wanted.map(Gap::from).collect() })
    });
    read.await.map(Json)
}

impl From<tierd_ledger::Gap> for Gap {
    fn from(gap: tierd_ledger::Gap) -> Self {
        Gap {
            gap: gap.id.0,
            first: gap.first.to_string(),
            last: gap.last.to_string(),
            slots: gap.slots,
            filled: gap.filled,
            reason: gap.reason.name(),
            state: gap.state.name(),
            noted: gap.noted.to_string(),
            schedule: gap.schedule,
        }
    }
}
