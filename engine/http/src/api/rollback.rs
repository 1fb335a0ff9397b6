use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_daemon::serve::RollbackRefused;
use utoipa::ToSchema;

use super::{Api, extract::Body};
use crate::problem::Problem;

/// An earlier revision that is wanted back
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    /// What its hash begins with, at least 4 characters
    revision: String,
    /// Who answers for it
    by: Option<String>,
    /// Why
    why: Option<String>,
}

/// The rules in force after a rollback
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RolledBack {
    /// Their revision
    revision: String,
    /// `rolled_back`, or `files` where that revision is the one of the files on disk
    origin: &'static str,
}

/// Go back to an earlier revision of the rules, until the files change
#[utoipa::path(post, path = "/api/v1/rollback", tag = "rules", request_body = Rollback, responses(
    (status = 200, body = RolledBack, description = "It is in force"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such revision"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "It can't come into force")))]
pub(super) async fn rollback(State(api): State<Api>, Body(asked): Body<Rollback>) -> Result<Json<RolledBack>, Problem> {
    let Rollback { revision, by, why } = asked;
    let active = api.handle().rollback(&revision, by.as_deref(), why.as_deref()).await.map_err(refused)?;
    Ok(Json(RolledBack { revision: active.rules.revision.to_string(), origin: active.origin.name() }))
}

fn refused(error: RollbackRefused) -> Problem {
    match error {
        RollbackRefused::Stopping => Problem::stopping(),
        RollbackRefused::Unknown(_) => Problem::not_found("unknown-revision", error),
        RollbackRefused::TooShort(_) | RollbackRefused::Ambiguous { .. } => {
            Problem::unprocessable("ambiguous-revision", error)
        }
        RollbackRefused::Unusable(_) => Problem::conflict("unusable-revision", error),
        RollbackRefused::Served { .. } => Problem::conflict("served", error),
        RollbackRefused::Ledger(error) => error.into(),
    }
}
