use axum::{Json, extract::State};
use tierd_ledger::ErrorKind;

use super::Api;
use crate::{documents::Status, problem::Problem};

/// How the daemon stands: rules in force, refused files, schedules, the run that is being made
#[utoipa::path(get, path = "/api/v1/status", tag = "daemon", responses((status = 200, body = Status, description = "How it stands")))]
pub(super) async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    let status = api.blocking(&api.0.reads, |handle| {
        let ledger = match handle.reader() {
            Ok(ledger) => Some(ledger),
            Err(error) if matches!(error.kind, ErrorKind::Missing) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Status::of(handle, ledger.as_ref())?)
    });
    status.await.map(Json)
}
