use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tierd_daemon::serve::Active;
use utoipa::ToSchema;

use super::{Api, extract::Path};
use crate::{documents::Refused, problem::Problem};

/// The rules in force
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rules {
    /// A hash over all files
    revision: String,
    /// Since when they are in force
    since: String,
    /// The files, by path
    files: Vec<RuleFile>,
    /// Files on disk that aren't in force, and why
    refused: Option<Refused>,
}

/// A file of the rules in force
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RuleFile {
    /// From the project's folder
    path: String,
    /// The SHA-256 of its text
    sha256: String,
    /// How long it is
    bytes: u64,
}

/// The rules in force, file by file, and why files on disk aren't
///
/// The ETag changes with the revision, and when files on disk are refused.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules",
    params(("If-None-Match" = Option<String>, Header, description = "An ETag: 304 while it is the same")),
    responses(
        (status = 200, body = Rules, description = "The rules", headers(("ETag" = String, description = "Names this state"))),
        (status = 304, description = "They are as they were"),
    ))]
pub(super) async fn rules(State(api): State<Api>, headers: HeaderMap) -> Response {
    let active = api.handle().active();
    let etag = etag(&active);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|given| matches(given, &etag));
    let answer =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Json(Rules::of(&active)).into_response() };
    match HeaderValue::from_str(&etag) {
        Ok(etag) => ([(header::ETAG, etag)], answer).into_response(),
        Err(_) => answer,
    }
}

/// Weak: the same document may be sent compressed.
fn etag(active: &Active) -> String {
    let refused = active.refused.as_ref().map(|refused| format!("-{}-{}", refused.files, refused.since.0));
    format!("W/\"{}-{}{}\"", active.rules.revision, active.since.0, refused.unwrap_or_default())
}

/// A list of tags, or `*` (RFC 9110, 13.1.2). None of ours has a comma.
fn matches(given: &HeaderValue, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    given.to_str().is_ok_and(|given| given.split(',').any(|tag| tag.trim() == "*" || strong(tag) == strong(etag)))
}

impl Rules {
    fn of(active: &Active) -> Self {
        let files = active.rules.files.iter().map(|(_, file)| RuleFile {
            path: file.path.to_string(),
            sha256: Sha256::digest(file.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: file.text.len() as u64,
        });
        Rules {
            revision: active.rules.revision.to_string(),
            since: active.since.to_string(),
            files: files.collect(),
            refused: active.refused.as_ref().map(Refused::from),
        }
    }
}

/// The text of a file of the rules in force
#[utoipa::path(get, path = "/api/v1/rules/files/{*path}", tag = "rules",
    params(("path" = String, Path, description = "From the project's folder, such as rules/value.toml")),
    responses((status = 200, body = String, content_type = "application/toml", description = "Its text")))]
pub(super) async fn file(State(api): State<Api>, Path(path): Path<String>) -> Result<Response, Problem> {
    let active = api.handle().active();
    let found = active.rules.files.iter().find(|(_, file)| *file.path == *path);
    let (_, file) = found.ok_or_else(|| Problem::not_found("unknown-file", "the rules in force have no such file"))?;
    let kind = [(header::CONTENT_TYPE, "application/toml")];
    Ok((kind, file.text.to_string()).into_response())
}

/// Rules that were in force at some time
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revision {
    /// A hash over all files
    revision: String,
    /// When they were first loaded
    first_seen: String,
    /// How many files they have
    files: u64,
    /// How many runs used them
    runs: u64,
    /// Whether they are in force now
    in_force: bool,
}

/// Every revision that was in force, the latest first seen first
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revisions {
    revisions: Vec<Revision>,
}

/// Every revision that was in force
#[utoipa::path(get, path = "/api/v1/revisions", tag = "rules",
    responses((status = 200, body = Revisions, description = "The latest first seen first")))]
pub(super) async fn revisions(State(api): State<Api>) -> Result<Json<Revisions>, Problem> {
    let read = api.read(|ledger, handle| {
        let in_force = handle.active().rules.revision.0;
        let revision = |revision: tierd_ledger::Revision| Revision {
            in_force: revision.hash.0 == in_force,
            revision: revision.hash.to_string(),
            first_seen: revision.first_seen.to_string(),
            files: revision.files,
            runs: revision.runs,
        };
        Ok(Revisions { revisions: ledger.revisions()?.into_iter().map(revision).collect() })
    });
    read.await.map(Json)
}
