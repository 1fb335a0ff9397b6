//! Refusals and failures as the problem documents of RFC 9457.

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tierd_ledger::ErrorKind as LedgerErrorKind;
use utoipa::ToSchema;

/// `type` begins with this; the rest is a stable word.
pub(crate) const TYPE_PREFIX: &str = "urn:tierd:problem:";

/// The media type of problem documents.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request wasn't answered as asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Problem", description = "Why a request was not answered as asked (RFC 9457)")]
pub(crate) struct Problem {
    /// What kind of problem it is: `urn:tierd:problem:` and a stable word
    #[serde(rename = "type", serialize_with = "as_urn")]
    #[schema(value_type = String, example = "urn:tierd:problem:unknown-run")]
    kind: &'static str,
    /// The name of the status
    title: &'static str,
    /// The HTTP status
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: StatusCode,
    /// Why, for people
    detail: String,
    #[serde(skip)]
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

fn as_urn<S: serde::Serializer>(kind: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{TYPE_PREFIX}{kind}"))
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of this kind, in stable words, and why for people.
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: impl ToString) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        Problem { kind, title, status, detail: detail.to_string(), header: None }
    }

    /// The request can't be understood.
    pub(crate) fn bad_request(detail: impl ToString) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// What was asked for isn't there.
    pub(crate) fn not_found(kind: &'static str, detail: impl ToString) -> Self {
        Problem::new(StatusCode::NOT_FOUND, kind, detail)
    }

    /// The request is understood, and says what can't be.
    pub(crate) fn unprocessable(kind: &'static str, detail: impl ToString) -> Self {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// It contradicts how things are.
    pub(crate) fn conflict(kind: &'static str, detail: impl ToString) -> Self {
        Problem::new(StatusCode::CONFLICT, kind, detail)
    }

    /// It may work a few seconds later.
    pub(crate) fn busy(kind: &'static str, detail: impl ToString, retry_after_seconds: u16) -> Self {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail);
        problem.with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// The daemon ends, and takes nothing new.
    pub(crate) fn stopping() -> Self {
        Problem::busy("stopping", "tierd is stopping", 5)
    }

    /// The machine failed.
    pub(crate) fn failed(detail: impl ToString) -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    }

    /// With a header on the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let header = self.header.take().map(|header| *header);
        let mut response = (self.status, Json(self)).into_response();
        response.headers_mut().extend(header);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

impl From<tierd_ledger::Error> for Problem {
    fn from(error: tierd_ledger::Error) -> Self {
        use LedgerErrorKind as Kind;
        // The file has nothing to do with what a person got wrong.
        let detail = &error.kind;
        match &error.kind {
            Kind::NoOverride(_) => Problem::not_found("unknown-override", detail),
            Kind::NoTask(_) => Problem::not_found("unknown-task", detail),
            Kind::OverrideEnded { .. } => Problem::conflict("override-ended", detail),
            Kind::TaskDone { .. } => Problem::conflict("task-done", detail),
            Kind::AmbiguousTask { .. } => Problem::unprocessable("ambiguous-task", detail),
            Kind::Override(_) => Problem::unprocessable("override-refused", detail),
            Kind::Nobody => Problem::unprocessable("nobody", detail),
            Kind::Missing => Problem::not_found("no-run-yet", "nothing has been graded yet"),
            Kind::Locked { .. } | Kind::Busy(_) => Problem::busy("ledger-busy", error, 5),
            Kind::DiskFull(_) => Problem::busy("disk-full", error, 60),
            _ => {
                tracing::error!(error = %error, "the ledger failed");
                Problem::failed(error)
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match &rejection {
            _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            JsonRejection::JsonDataError(_) => "bad-document",
            JsonRejection::JsonSyntaxError(_) => "bad-json",
            JsonRejection::MissingJsonContentType(_) => "not-json",
            _ => "bad-request",
        };
        Problem::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Problem::new(rejection.status(), "bad-query", rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Problem::new(rejection.status(), "bad-path", rejection.body_text())
    }
}
