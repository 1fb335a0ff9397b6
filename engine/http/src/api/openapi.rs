//! The description of all of it (OpenAPI 3.1), made from the handlers.

use axum::{
    http::{HeaderValue, header},
    routing::{MethodRouter, get},
};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
    path::Operation,
    security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

use super::Api;
use crate::problem::MEDIA_TYPE;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/openapi.json";

/// The name of the token among security schemes.
const TOKEN: &str = "token";

/// What every request may be answered with.
const ALWAYS: &[(u16, &str)] = &[
    (400, "The request can't be understood"),
    (403, "A page that may not ask, or there is no token"),
    (404, "There is no such thing"),
    (421, "This service doesn't go by the name in `Host`"),
    (500, "tierd or its machine failed"),
    (503, "Not now; `Retry-After` says when to try again"),
];

/// What a request that may change something can be answered with as well.
const CHANGES: &[(u16, &str)] = &[
    (401, "The token is missing or wrong"),
    (408, "The body took too long to arrive"),
    (409, "It contradicts how things are"),
    (413, "The body is too large"),
    (415, "The body isn't JSON"),
    (422, "The body says what can't be"),
];

/// What stands before the endpoints.
pub(super) fn head() -> OpenApi {
    let description = "Grades customers by rules. Reading needs no token; what may change something needs one over TCP \
                       (`Authorization: Bearer TOKEN`), and none over the Unix socket.";
    let info =
        InfoBuilder::new().title("tierd").version(env!("CARGO_PKG_VERSION")).description(Some(description)).build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds what every endpoint has in common: the problems it may answer with, and the token.
pub(super) fn complete(document: &mut OpenApi) {
    // The router's way to write a parameter of several segments isn't that of OpenAPI.
    let catching: Vec<String> = document.paths.paths.keys().filter(|path| path.contains("{*")).cloned().collect();
    for path in catching {
        if let Some(item) = document.paths.paths.remove(&path) {
            document.paths.paths.insert(path.replace("{*", "{"), item);
        }
    }
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = &mut item.get {
            add(operation, ALWAYS);
            operation.operation_id = Some(name("get", path));
        }
        if let Some(operation) = &mut item.post {
            add(operation, ALWAYS);
            add(operation, CHANGES);
            operation.security = Some(vec![SecurityRequirement::new(TOKEN, [""; 0])]);
            operation.operation_id = Some(name("post", path));
        }
    }
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
}

/// `get_api_v1_runs_run` for `GET /api/v1/runs/{run}`.
fn name(method: &str, path: &str) -> String {
    let words = path.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn add(operation: &mut Operation, problems: &[(u16, &str)]) {
    for (status, description) in problems {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(*description).content(MEDIA_TYPE, content).build();
        operation.responses.responses.entry(status.to_string()).or_insert(RefOr::T(response));
    }
}

/// Answers with the document, which never changes.
pub(super) fn handler(document: &OpenApi) -> MethodRouter<Api> {
    let text = serde_json::to_string(document).unwrap_or_default();
    let answer = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text);
    get(async move || answer.clone())
}
