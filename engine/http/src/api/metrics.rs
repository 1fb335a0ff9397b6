use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Api;
use crate::{metrics, problem::Problem};

/// How the daemon is, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "daemon",
    responses((status = 200, body = String, content_type = "text/plain", description = "Metrics in Prometheus' text format")))]
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let text = api.blocking(&api.0.reads, |handle| Ok(metrics::render(handle))).await?;
    let text = text + &api.0.requests.render();
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// Counts a request once it is answered, refused ones among them.
pub(super) async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    api.0.requests.answered(method.as_str(), route.as_deref().unwrap_or(""), response.status().as_u16());
    response
}
