use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_ledger::TaskFilter;
use tierd_model::parse_date;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{Body, Path, Query},
    runs,
};
use crate::{documents::Task, problem::Problem};

/// Tasks in a page, at most.
const PAGE: u32 = 1000;

/// Which tasks
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TasksQuery {
    /// Also those that are done or put off
    #[serde(default)]
    all: bool,
    /// Only open ones that were due before today
    #[serde(default)]
    overdue: bool,
    /// Only this owner's
    owner: Option<String>,
    /// Only of this rule
    rule: Option<String>,
    /// Only those after this one: `next` of the page before
    after: Option<String>,
    /// How many, at most
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default = "hundred")]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// Tasks, those first that are due first
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tasks {
    tasks: Vec<Task>,
    /// `after` of the next page; null at the end
    next: Option<String>,
}

/// What retention rules ask people to do
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(TasksQuery),
    responses((status = 200, body = Tasks, description = "A page of tasks, those first that are due first")))]
pub(super) async fn list(State(api): State<Api>, Query(query): Query<TasksQuery>) -> Result<Json<Tasks>, Problem> {
    let limit = runs::limit(query.limit, PAGE)?;
    let read = api.read(move |ledger, handle| {
        let today = handle.active().rules.config.zone.date_of(handle.now());
        let found = ledger.tasks(TaskFilter {
            open: (!query.all).then_some(today),
            overdue: query.overdue.then_some(today),
            owner: query.owner.as_deref(),
            rule: query.rule.as_deref(),
            key: None,
            after: query.after.as_deref(),
            limit: Some(limit),
        })?;
        let next = if found.len() == limit as usize { found.last().map(|task| task.id.clone()) } else { None };
        Ok(Tasks { tasks: found.into_iter().map(|task| Task::new(task, today)).collect(), next })
    });
    read.await.map(Json)
}

/// The end of a task
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    /// Who did it
    by: String,
    /// What came of it
    note: Option<String>,
}

/// A task to be put off
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Snooze {
    /// The day on which it is open again
    #[schema(format = Date)]
    until: String,
    /// Who puts it off
    by: String,
}

/// A task that was dealt with
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    /// Its whole id
    task: String,
}

/// Mark a task as done
#[utoipa::path(post, path = "/api/v1/tasks/{task}/done", tag = "tasks", request_body = Done,
    params(("task" = String, Path, description = "Its id, or what it begins with, at least 4 characters")),
    responses((status = 200, body = Changed, description = "It is done"), (status = 409, body = Problem, content_type = "application/problem+json", description = "It was done already")))]
pub(super) async fn done(
    State(api): State<Api>,
    Path(task): Path<String>,
    Body(done): Body<Done>,
) -> Result<Json<Changed>, Problem> {
    let write = api.write("tierd serve (task done)", move |ledger, handle| {
        Ok(ledger.finish_task(&task, handle.now(), &done.by, done.note.as_deref())?)
    });
    write.await.map(|task| Json(Changed { task }))
}

/// Put a task off until a day
#[utoipa::path(post, path = "/api/v1/tasks/{task}/snooze", tag = "tasks", request_body = Snooze,
    params(("task" = String, Path, description = "Its id, or what it begins with, at least 4 characters")),
    responses((status = 200, body = Changed, description = "It is put off"), (status = 409, body = Problem, content_type = "application/problem+json", description = "It was done already")))]
pub(super) async fn snooze(
    State(api): State<Api>,
    Path(task): Path<String>,
    Body(snooze): Body<Snooze>,
) -> Result<Json<Changed>, Problem> {
    let no_day = || Problem::unprocessable("bad-day", "`until` is no day; write it as 2026-03-31");
    let until = parse_date(snooze.until.as_bytes()).ok_or_else(no_day)?;
    let write = api.write("tierd serve (task snoozed)", move |ledger, handle| {
        if until <= handle.active().rules.config.zone.date_of(handle.now()) {
            return Err(Problem::unprocessable("past-day", "`until` has come already; name a later day"));
        }
        Ok(ledger.snooze_task(&task, until, &snooze.by)?)
    });
    write.await.map(|task| Json(Changed { task }))
}
