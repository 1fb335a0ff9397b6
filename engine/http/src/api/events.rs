use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, extract::Query, runs};
use crate::{documents::Event, problem::Problem};

/// Events in a page, at most.
const PAGE: u32 = 1000;

/// Which events
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only events after this cursor: `next` of the page before, or of the last event that was dealt with
    #[serde(default)]
    after: i64,
    /// How many, at most
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default = "hundred")]
    limit: u32,
    /// Only events of these kinds, with commas between them: `level.changed,task.created`
    kinds: Option<String>,
}

fn hundred() -> u32 {
    100
}

/// Events in the order in which they were committed
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    events: Vec<Event>,
    /// The cursor to go on from, now or later: no event appears before it any more
    next: i64,
}

/// Everything that other systems may want to be told, after a cursor
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = Events, description = "A page of events; an empty one means that there is nothing new")))]
pub(super) async fn events(State(api): State<Api>, Query(query): Query<EventsQuery>) -> Result<Json<Events>, Problem> {
    let limit = runs::limit(query.limit, PAGE)?;
    let read = api.read(move |ledger, _| {
        let kinds: Vec<&str> = query.kinds.iter().flat_map(|kinds| kinds.split(',')).map(str::trim).collect();
        let found = ledger.events(query.after, limit, &kinds)?;
        let next = found.last().map_or(query.after, |event| event.cursor);
        Ok(Events { events: found.into_iter().map(Event::from).collect(), next })
    });
    read.await.map(Json)
}
