//! The endpoints. Each answers from what the daemon publishes, from the ledger, or by asking the daemon to do something.
//!
//! Files and databases are read on threads for blocking work, a few at a time; more requests wait. Nothing is cached here: readers of the
//! ledger are cheap to open, and see the state after some whole run.

mod check;
mod customers;
mod decisions;
mod events;
mod extract;
mod gaps;
mod health;
mod holds;
mod levels;
mod metrics;
mod openapi;
mod overrides;
mod plan;
mod rollback;
mod rules;
mod runs;
mod status;
mod tasks;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tierd_daemon::serve::Handle;
use tierd_ledger::{Ledger, Reader};
use tokio::sync::Semaphore;
use tower_http::compression::{CompressionLayer, predicate::SizeAbove};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{self, Access},
    metrics::Requests,
    problem::Problem,
};

/// Bodies of most requests.
const BODY_BYTES: usize = 64 * 1024;

/// Bodies that carry rule files.
const FILES_BYTES: usize = 8 * 1024 * 1024;

/// Most answers come at once; one that doesn't is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads at a time: more would only take turns on the processors.
const READS: usize = 8;

/// Smaller answers aren't worth compressing.
const COMPRESSED_FROM: u64 = 1024;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

struct Shared {
    handle: Handle,
    reads: Arc<Semaphore>,
    // One at a time: they would wait for each other anyway.
    writes: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    plans: Arc<Semaphore>,
    asked: runs::Asked,
    requests: Arc<Requests>,
}

impl Api {
    fn new(handle: Handle) -> Self {
        let one = || Arc::new(Semaphore::new(1));
        let reads = Arc::new(Semaphore::new(READS));
        Api(Arc::new(Shared {
            handle,
            reads,
            writes: one(),
            checks: one(),
            plans: one(),
            asked: runs::Asked::default(),
            requests: Arc::default(),
        }))
    }

    fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// Reads the ledger.
    async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader, &Handle) -> Result<T, Problem> + Send + 'static,
    {
        self.blocking(&self.0.reads, move |handle| work(&handle.reader()?, handle)).await
    }

    /// Writes the ledger; `program` is what another writer is told of this one.
    async fn write<T, F>(&self, program: &'static str, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Ledger, &Handle) -> Result<T, Problem> + Send + 'static,
    {
        let open = move |handle: &Handle| {
            let path = handle.project().ledger(&handle.active().rules.config);
            work(&mut Ledger::open_waiting(&path, program, Ledger::PATIENCE)?, handle)
        };
        self.blocking(&self.0.writes, open).await
    }

    /// Does blocking work when it is its turn. The turn lasts as long as the work, also where nobody waits for it any more.
    async fn blocking<T, F>(&self, turns: &Arc<Semaphore>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Handle) -> Result<T, Problem> + Send + 'static,
    {
        let turn = Arc::clone(turns).acquire_owned().await.map_err(|_| Problem::stopping())?;
        let handle = self.0.handle.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&handle)
        });
        done.await.unwrap_or_else(|error| {
            // What a panic says may quote a value of the database.
            tracing::error!(panicked = error.is_panic(), "answering a request failed");
            Err(Problem::failed("this request failed inside tierd; its log says more"))
        })
    }
}

/// Everything that is answered.
pub(crate) fn router(handle: Handle, access: Arc<Access>) -> Router {
    let (router, mut document) = routes_of_all().split_for_parts();
    openapi::complete(&mut document);
    let api = Api::new(handle);
    let compression = CompressionLayer::new().gzip(true).compress_when(SizeAbove::new(COMPRESSED_FROM));
    router
        .route(openapi::PATH, openapi::handler(&document))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(compression)
        .layer(middleware::from_fn_with_state(access, access::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&api.0.requests), metrics::count))
        .with_state(api)
}

/// The endpoints with their documentation.
fn routes_of_all() -> OpenApiRouter<Api> {
    let quick = OpenApiRouter::new()
        .routes(routes!(health::healthy))
        .routes(routes!(health::ready))
        .routes(routes!(health::reload))
        .routes(routes!(rollback::rollback))
        .routes(routes!(status::status))
        .routes(routes!(metrics::metrics))
        .routes(routes!(rules::rules))
        .routes(routes!(rules::file))
        .routes(routes!(rules::revisions))
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::one))
        .routes(routes!(runs::request))
        .routes(routes!(levels::levels))
        .routes(routes!(decisions::decisions))
        .routes(routes!(customers::customer))
        .routes(routes!(events::events))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::done))
        .routes(routes!(tasks::snooze))
        .routes(routes!(overrides::list, overrides::add))
        .routes(routes!(overrides::end))
        .routes(routes!(gaps::list))
        .routes(routes!(holds::list))
        .routes(routes!(holds::one))
        .routes(routes!(holds::reject))
        .layer(middleware::from_fn(in_time));
    let with_files = OpenApiRouter::new()
        .routes(routes!(check::check))
        .routes(routes!(plan::plan))
        .layer(DefaultBodyLimit::max(FILES_BYTES));
    // These evaluate everybody, or may have to.
    let slow = OpenApiRouter::new()
        .routes(routes!(holds::approve))
        .routes(routes!(gaps::fill))
        .routes(routes!(customers::explain));
    OpenApiRouter::with_openapi(openapi::head()).merge(quick).merge(slow).merge(with_files)
}

async fn in_time(request: Request, next: Next) -> Response {
    let late = || Problem::busy("timeout", "this took too long; it may still come about", 30).into_response();
    tokio::time::timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| late())
}

async fn unknown_path() -> Problem {
    Problem::not_found("unknown-path", "there is nothing at this path; /api/v1/openapi.json lists what there is")
}

async fn unknown_method() -> Problem {
    let detail = "this path doesn't take this method; /api/v1/openapi.json lists what it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "unknown-method", detail)
}
