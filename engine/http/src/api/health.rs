use axum::{Json, extract::State};
use serde::Serialize;
use tierd_daemon::serve::{ReloadCause, Reloaded};
use utoipa::ToSchema;

use super::Api;
use crate::{documents::Refused, problem::Problem};

/// That the daemon answers
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`
    status: &'static str,
}

/// Whether the process lives
#[utoipa::path(get, path = "/-/healthy", tag = "daemon", responses((status = 200, body = Health, description = "It answers")))]
pub(super) async fn healthy() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether it takes work: it has rules, and isn't stopping
#[utoipa::path(get, path = "/-/ready", tag = "daemon", responses((status = 200, body = Health, description = "It takes work")))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    // Without rules there is no daemon.
    if api.handle().is_stopping() { Err(Problem::stopping()) } else { Ok(Json(Health { status: "ok" })) }
}

/// What came of looking at the files
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reload {
    /// `unchanged`, `activated` or `refused`
    outcome: &'static str,
    /// The revision in force from now on
    revision: String,
    /// Why the files aren't in force
    refused: Option<Refused>,
}

/// Look at the files now, and bring them into force if they are good
///
/// Files with errors change nothing: the rules before stay in force, and the answer says why.
#[utoipa::path(post, path = "/-/reload", tag = "daemon", responses((status = 200, body = Reload, description = "What came of it")))]
pub(super) async fn reload(State(api): State<Api>) -> Result<Json<Reload>, Problem> {
    let reloaded = api.handle().reload(ReloadCause::Request).await.ok_or_else(Problem::stopping)?;
    let (outcome, active) = match &reloaded {
        Reloaded::Unchanged(active) => ("unchanged", active),
        Reloaded::Activated(active) => ("activated", active),
        Reloaded::Refused(active) => ("refused", active),
    };
    let refused = active.refused.as_ref();
    let revision = active.rules.revision.to_string();
    Ok(Json(Reload { outcome, revision, refused: refused.map(Refused::from) }))
}
