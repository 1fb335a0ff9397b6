use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tierd_daemon::serve::{Decision, VerdictRefused};
use tierd_ledger::RunId;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{Body, Path, Query},
    runs,
};
use crate::{documents::Run, problem::Problem};

/// Holds in an answer, at most; each shows its largest movers.
const PAGE: u32 = 100;

/// Which holds
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HoldsQuery {
    /// Also those that no longer wait
    #[serde(default)]
    all: bool,
    /// How many, at most
    #[param(minimum = 1, maximum = 100)]
    #[serde(default = "twenty")]
    limit: u32,
}

fn twenty() -> u32 {
    20
}

/// Runs that were held, the latest first
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Holds {
    holds: Vec<Hold>,
}

/// A run that exceeds a guard
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hold {
    /// The run
    run: Run,
    /// `waiting`, `approved`, `rejected` or `superseded` (by a later run)
    state: &'static str,
    /// When it stopped waiting
    at: Option<String>,
    /// Who decided
    by: Option<String>,
    /// Why
    why: Option<String>,
    /// The run that applied it, or took its place
    followed: Option<i64>,
    /// What it would have changed: `violations` of guards; `sets` with matrices of moves and the largest movers; `rules`
    #[schema(value_type = Object)]
    shown: Value,
}

/// Runs that exceed a guard and wait for a person
#[utoipa::path(get, path = "/api/v1/holds", tag = "holds", params(HoldsQuery),
    responses((status = 200, body = Holds, description = "The latest first")))]
pub(super) async fn list(State(api): State<Api>, Query(query): Query<HoldsQuery>) -> Result<Json<Holds>, Problem> {
    let limit = runs::limit(query.limit, PAGE)?;
    let read = api.read(move |ledger, _| {
        let holds = ledger.holds(!query.all, limit)?;
        Ok(Holds { holds: holds.into_iter().map(Hold::from).collect() })
    });
    read.await.map(Json)
}

/// One run that was held
#[utoipa::path(get, path = "/api/v1/holds/{run}", tag = "holds", params(("run" = i64, Path, description = "The held run")),
    responses((status = 200, body = Hold, description = "What it would change, and what became of it")))]
pub(super) async fn one(State(api): State<Api>, Path(run): Path<i64>) -> Result<Json<Hold>, Problem> {
    let read = api.read(move |ledger, _| {
        let unknown = || Problem::not_found("unknown-hold", format!("run {run} isn't held"));
        ledger.hold(RunId(run))?.map(Hold::from).ok_or_else(unknown)
    });
    read.await.map(Json)
}

impl From<tierd_ledger::Hold> for Hold {
    fn from(hold: tierd_ledger::Hold) -> Self {
        Hold {
            state: hold.state.name(),
            at: hold.at.map(|at| at.to_string()),
            by: hold.by,
            why: hold.why,
            followed: hold.followed.map(|run| run.0),
            shown: serde_json::from_str(&hold.shown).unwrap_or_default(),
            run: Run::of_ledger(hold.run, None),
        }
    }
}

/// Who decides, and why
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    /// Who
    by: String,
    /// Why
    why: String,
}

/// Apply a held run, if it would still change what was shown
///
/// It is evaluated once more, for the same time with the same rules. Where the data has moved on, nothing is applied (409 `moved-on`), and the
/// run that was made instead waits in its place.
#[utoipa::path(post, path = "/api/v1/holds/{run}/approve", tag = "holds", request_body = Verdict,
    params(("run" = i64, Path, description = "The held run")),
    responses((status = 200, body = Run, description = "The run that applied it")))]
pub(super) async fn approve(
    State(api): State<Api>,
    Path(run): Path<i64>,
    Body(verdict): Body<Verdict>,
) -> Result<Json<Run>, Problem> {
    let handle = api.handle().clone();
    // On a task of its own: it goes on if whoever asked goes away.
    let approved = tokio::spawn(async move { handle.approve(verdict.on(run)).await }).await;
    let done = approved.map_err(|_| Problem::failed("approving failed inside tierd"))??;
    runs::document(&api, done).await.map(Json)
}

/// What was rejected
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rejected {
    /// The held run, which is never applied
    run: i64,
}

/// Have a held run never applied
#[utoipa::path(post, path = "/api/v1/holds/{run}/reject", tag = "holds", request_body = Verdict,
    params(("run" = i64, Path, description = "The held run")),
    responses((status = 200, body = Rejected, description = "It is rejected")))]
pub(super) async fn reject(
    State(api): State<Api>,
    Path(run): Path<i64>,
    Body(verdict): Body<Verdict>,
) -> Result<Json<Rejected>, Problem> {
    api.handle().reject(verdict.on(run)).await?;
    Ok(Json(Rejected { run }))
}

impl Verdict {
    fn on(self, run: i64) -> Decision {
        Decision { hold: RunId(run), by: self.by, why: self.why }
    }
}

impl From<VerdictRefused> for Problem {
    fn from(refused: VerdictRefused) -> Self {
        match &refused {
            VerdictRefused::NoHold(why) => Problem::not_found("unknown-hold", why),
            VerdictRefused::Over(why) => Problem::conflict("hold-is-over", why),
            VerdictRefused::Incomplete(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "incomplete", why),
            VerdictRefused::MovedOn { message, .. } => Problem::conflict("moved-on", message),
            VerdictRefused::Run(refused) => runs::refusal(refused),
        }
    }
}
