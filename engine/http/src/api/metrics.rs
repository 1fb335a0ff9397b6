use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Api;
use crate::{
    metrics::{self, Requests},
    problem::Problem,
};

/// How the daemon is, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "daemon",
    responses((status = 200, body = String, content_type = "text/plain", description = "Metrics in Prometheus' text format")))]
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let mut text = api.blocking(&api.0.reads, |handle| Ok(metrics::render(handle))).await?;
    text.push_str(&api.0.requests.render());
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// Counts what was answered.
pub(super) async fn count(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    // Anybody can make up methods: they share one name.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    requests.answered(method, route.as_ref().map_or("", MatchedPath::as_str), response.status().as_u16());
    response
}
