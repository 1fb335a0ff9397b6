use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_daemon::{
    fill::{self, FillPlan, FillRun},
    serve::{Handle, RunRefused, RunRequest},
};
use tierd_ledger::{Cause, GapState};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{OptionalBody, Query},
    runs,
};
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

/// Runs for one request, at most.
const RUNS: u32 = 50;

/// What to make good
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fill {
    /// Only slots of this schedule. Default: all
    schedule: Option<String>,
    /// How many runs, at most
    #[schema(minimum = 1, maximum = 50, default = 10)]
    limit: Option<u32>,
}

/// Slots that were made good
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Filled {
    /// The runs that were made, in their order
    runs: Vec<FilledSlot>,
    /// Runs that are still to be made: ask again
    left: u64,
    /// Why it ended before the limit: a run failed, or waits for a person
    stopped: Option<String>,
    /// Slots that can't be made good
    refused: Vec<Unfillable>,
}

/// A slot that was made good
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FilledSlot {
    /// The slot: the run is as of then
    slot: String,
    /// The schedules that missed it
    schedules: Vec<String>,
    /// The run
    run: Option<i64>,
    /// `applied`, `unchanged` or `held`
    outcome: String,
}

/// Slots that can't be made good
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unfillable {
    /// The schedule
    schedule: String,
    /// The first of them
    first: String,
    /// The last of them
    last: String,
    /// How many
    slots: u64,
    /// Why not
    why: String,
}

/// Make the runs that were missed, each as of its slot, in their order
///
/// It ends at a run that fails or waits for a person. It goes on if the connection ends.
#[utoipa::path(post, path = "/api/v1/gaps/fill", tag = "schedules", request_body = Option<Fill>,
    responses((status = 200, body = Filled, description = "The runs that were made")))]
pub(super) async fn fill(
    State(api): State<Api>,
    OptionalBody(asked): OptionalBody<Fill>,
) -> Result<Json<Filled>, Problem> {
    let limit = runs::limit(asked.limit.unwrap_or(10), RUNS)? as usize;
    let rules = std::sync::Arc::clone(&api.handle().active().rules);
    if asked.schedule.as_ref().is_some_and(|name| !rules.schedules.iter().any(|schedule| schedule.name == *name)) {
        return Err(Problem::unprocessable("unknown-schedule", "the rules have no such schedule"));
    }
    let plan = api.read(move |ledger, _| Ok(fill::read_plan(&rules, ledger, asked.schedule.as_deref())?)).await?;
    let handle = api.handle().clone();
    let filled = tokio::spawn(async move { Filled::by(&handle, &plan, limit).await }).await;
    filled.map(Json).map_err(|_| Problem::failed("filling failed inside tierd; its log says more"))
}

impl Filled {
    async fn by(handle: &Handle, plan: &FillPlan, limit: usize) -> Self {
        let mut filled = Filled { runs: Vec::new(), left: 0, stopped: None, refused: Vec::new() };
        filled.refused.extend(plan.refused.iter().map(Unfillable::from));
        for run in plan.runs.iter().take(limit) {
            match FilledSlot::by(handle, run).await {
                Ok(slot) => filled.runs.push(slot),
                Err(refused) => filled.stopped = Some(refused.to_string()),
            }
            if filled.runs.last().is_some_and(|slot| slot.outcome == "held") {
                filled.stopped = Some("the last of these runs waits for a person".to_owned());
            }
            if filled.stopped.is_some() {
                break;
            }
        }
        filled.left = (plan.runs.len() - filled.runs.len()) as u64;
        filled
    }
}

impl FilledSlot {
    async fn by(handle: &Handle, run: &FillRun) -> Result<Self, RunRefused> {
        let schedules = run.schedules.clone();
        let request = RunRequest { cause: Cause::Fill, schedules: Some(schedules.clone()), as_of: Some(run.slot) };
        let done = handle.run(request).await?;
        let (slot, outcome) = (run.slot.to_string(), done.outcome.name().to_owned());
        Ok(FilledSlot { slot, schedules, run: done.run.map(|run| run.0), outcome })
    }
}

impl From<&fill::Unfillable> for Unfillable {
    fn from(refused: &fill::Unfillable) -> Self {
        Unfillable {
            schedule: refused.schedule.clone(),
            first: refused.first.to_string(),
            last: refused.last.to_string(),
            slots: refused.slots,
            why: refused.why.to_string(),
        }
    }
}
