use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tierd_daemon::serve::{Handle, RunDone, RunRefused, RunRequest};
use tierd_ledger::{Cause, ErrorKind, Outcome, RunId};
use tierd_model::parse_timestamp;
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{OptionalBody, Path, Query},
};
use crate::{documents::Run, problem::Problem};

/// Runs in a page, at most.
const PAGE: u32 = 500;

/// Requests that are remembered after they are done.
const REMEMBERED: usize = 100;

/// How long an answer may wait for its run.
const LONGEST_WAIT: u64 = 50;

/// Which runs
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// Only runs before this one: `next` of the page before
    before: Option<i64>,
    /// How many, at most
    #[param(minimum = 1, maximum = 500)]
    #[serde(default = "fifty")]
    limit: u32,
}

fn fifty() -> u32 {
    50
}

/// Runs, the latest first
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Runs {
    runs: Vec<Run>,
    /// `before` of the next page; null at the end
    next: Option<i64>,
}

/// Runs, the latest first, held and failed ones among them; without their tier sets
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunsQuery),
    responses((status = 200, body = Runs, description = "A page of runs")))]
pub(super) async fn list(State(api): State<Api>, Query(query): Query<RunsQuery>) -> Result<Json<Runs>, Problem> {
    let limit = limit(query.limit, PAGE)?;
    let read = api.read(move |ledger, _| {
        let runs = match query.before {
            Some(before) => ledger.runs_before(RunId(before), limit)?,
            None => ledger.runs(limit)?,
        };
        let next = if runs.len() == limit as usize { runs.last().map(|run| run.id.0) } else { None };
        Ok(Runs { runs: runs.into_iter().map(|run| Run::of_ledger(run, None)).collect(), next })
    });
    read.await.map(Json)
}

/// A limit within what one answer may hold.
pub(super) fn limit(asked: u32, most: u32) -> Result<u32, Problem> {
    if (1..=most).contains(&asked) {
        Ok(asked)
    } else {
        Err(Problem::bad_request(format!("`limit` is from 1 to {most}")))
    }
}

/// One run
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = i64, Path, description = "Its number")),
    responses((status = 200, body = Run, description = "What it did")))]
pub(super) async fn one(State(api): State<Api>, Path(run): Path<i64>) -> Result<Json<Run>, Problem> {
    let read = api.read(move |ledger, handle| {
        let found = ledger.run(RunId(run))?;
        let found = found.ok_or_else(|| Problem::not_found("unknown-run", format!("there is no run {run}")))?;
        let document = Run::of_ledger(found, Some(ledger.run_sets(RunId(run))?));
        // The daemon still knows more of the last one.
        let last = handle.last_run().filter(|last| last.run == Some(RunId(run)));
        Ok(match last {
            Some(last) => document.with_details(&last),
            None => document,
        })
    });
    read.await.map(Json)
}

/// Which run to make
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NewRun {
    /// The time to evaluate: `2026-03-31`, `2026-03-31T08:00` or with an offset; without one in the rules' time zone. Default: now
    as_of: Option<String>,
    /// Only what these schedules decide. Default: everything
    schedules: Option<Vec<String>>,
    /// Seconds to wait for the run before the answer says where to ask for it
    #[schema(minimum = 0, maximum = 50, default = 20)]
    wait: Option<u64>,
}

/// A run that was asked for
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requested {
    /// Its number, among requests since the daemon started
    request: u64,
    /// `pending`, `done` or `refused`
    state: &'static str,
    /// The run, once it is done
    run: Option<Run>,
    /// Why there is none
    message: Option<String>,
}

/// Make a run now
///
/// Runs are made one at a time: this one comes after those that wait already. A failed run is an answer too (`outcome`).
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = Option<NewRun>,
    responses(
        (status = 200, body = Run, description = "The run is done"),
        (status = 202, body = Requested, description = "It goes on", headers(("Location" = String, description = "Where to ask for it"))),
    ))]
pub(super) async fn start(
    State(api): State<Api>,
    OptionalBody(new): OptionalBody<NewRun>,
) -> Result<Response, Problem> {
    let request = request_of(&new, api.handle())?;
    let wait = new.wait.unwrap_or(20);
    if wait > LONGEST_WAIT {
        return Err(Problem::unprocessable("bad-wait", format!("`wait` is from 0 to {LONGEST_WAIT} seconds")));
    }
    let (id, mut done) = api.0.asked.ask(api.handle(), request)?;
    let finished = tokio::time::timeout(Duration::from_secs(wait), done.wait_for(Option::is_some));
    let finished = finished.await.ok().and_then(|seen| seen.ok().and_then(|seen| seen.clone()));
    match finished {
        Some(Ok(done)) => Ok(Json(document(&api, done).await?).into_response()),
        Some(Err(refused)) => Err(refusal(&refused)),
        None => {
            let body = Requested { request: id, state: "pending", run: None, message: None };
            let place = [(header::LOCATION, format!("/api/v1/runs/requests/{id}"))];
            Ok((StatusCode::ACCEPTED, place, Json(body)).into_response())
        }
    }
}

fn request_of(new: &NewRun, handle: &Handle) -> Result<RunRequest, Problem> {
    let rules = &handle.active().rules;
    let known = |name: &&String| rules.schedules.iter().any(|schedule| schedule.name == **name);
    if let Some(name) = new.schedules.iter().flatten().find(|name| !known(name)) {
        return Err(Problem::unprocessable("unknown-schedule", format!("the rules have no schedule `{name}`")));
    }
    let as_of = new.as_of.as_deref().map(|text| time(text, handle)).transpose()?;
    Ok(RunRequest { cause: Cause::Hand, schedules: new.schedules.clone(), as_of })
}

/// A time as people write it: in the rules' zone, unless it says otherwise.
pub(super) fn time(text: &str, handle: &Handle) -> Result<tierd_model::Timestamp, Problem> {
    let zone = &handle.active().rules.config.zone;
    parse_timestamp(text.as_bytes()).map(|civil| civil.instant(zone)).ok_or_else(|| {
        let detail = "`as_of` is no time; write 2026-03-31, 2026-03-31T08:00 or 2026-03-31T08:00:00+08:00";
        Problem::unprocessable("bad-time", detail)
    })
}

pub(super) fn refusal(refused: &RunRefused) -> Problem {
    match refused {
        RunRefused::Stopping => Problem::stopping(),
        RunRefused::Deferred(message) => Problem::busy("run-deferred", message, 30),
        RunRefused::Failed(message) => Problem::conflict("run-failed", message),
    }
}

/// A run that was made just now, as the ledger has it, with what only the daemon knows.
pub(super) async fn document(api: &Api, done: Arc<RunDone>) -> Result<Run, Problem> {
    let Some(run) = done.run else {
        let message = match &done.outcome {
            Outcome::Failed(message) | Outcome::Held(message) => message.clone(),
            outcome => outcome.name().to_owned(),
        };
        return Err(refusal(&RunRefused::Failed(message)));
    };
    let read = api.read(move |ledger, _| {
        let stored = ledger.run(run)?.ok_or_else(|| Problem::failed(ErrorKind::Unreadable("a run that was lost")))?;
        Ok(Run::of_ledger(stored, None).with_details(&done))
    });
    read.await
}

/// What became of a run that was asked for
#[utoipa::path(get, path = "/api/v1/runs/requests/{request}", tag = "runs",
    params(("request" = u64, Path, description = "Its number, from the answer to POST /api/v1/runs")),
    responses((status = 200, body = Requested, description = "How it stands")))]
pub(super) async fn request(State(api): State<Api>, Path(id): Path<u64>) -> Result<Json<Requested>, Problem> {
    let unknown = || Problem::not_found("unknown-request", "there is no such request, or too many have come after it");
    let done = api.0.asked.find(id).ok_or_else(unknown)?;
    let finished = done.borrow().clone();
    let requested = |state, run, message| Requested { request: id, state, run, message };
    Ok(Json(match finished {
        None => requested("pending", None, None),
        Some(Ok(done)) => requested("done", Some(document(&api, done).await?), None),
        Some(Err(refused)) => requested("refused", None, Some(refused.to_string())),
    }))
}

type Done = watch::Receiver<Option<Result<Arc<RunDone>, RunRefused>>>;

/// Runs that were asked for, the latest of them.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<(u64, VecDeque<(u64, Done)>)>);

impl Asked {
    /// Asks for a run, which is made also if nobody waits for it.
    fn ask(&self, handle: &Handle, request: RunRequest) -> Result<(u64, Done), Problem> {
        if handle.is_stopping() {
            return Err(Problem::stopping());
        }
        let (sender, done) = watch::channel(None);
        let handle = handle.clone();
        tokio::spawn(async move { sender.send_replace(Some(handle.run(request).await)) });
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, requests) = &mut *asked;
        *last += 1;
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back((*last, done.clone()));
        Ok((*last, done))
    }

    fn find(&self, id: u64) -> Option<Done> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.1.iter().find(|(known, _)| *known == id).map(|(_, done)| done.clone())
    }
}
