use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tierd_daemon::overrides::{self, AskedOverride, OverrideError};
use tierd_ledger::{End, Ledger, OverrideFilter, OverrideId, OverrideKind};
use tierd_model::{Date, parse_date};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{Body, Path, Query},
};
use crate::{
    documents::{CustomerKey, Override},
    problem::Problem,
};

/// Which overrides
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OverridesQuery {
    /// Only of this tier set
    set: Option<String>,
    /// Also those that have expired or were ended
    #[serde(default)]
    all: bool,
}

/// Overrides by tier set and customer
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overrides {
    overrides: Vec<Override>,
}

/// Levels that people set, within stated times
#[utoipa::path(get, path = "/api/v1/overrides", tag = "overrides", params(OverridesQuery),
    responses((status = 200, body = Overrides, description = "By tier set and customer")))]
pub(super) async fn list(
    State(api): State<Api>,
    Query(query): Query<OverridesQuery>,
) -> Result<Json<Overrides>, Problem> {
    let read = api.read(move |ledger, handle| {
        let (now, rules) = (handle.now(), &handle.active().rules);
        let all = ledger.overrides(OverrideFilter { set: query.set.as_deref(), ..OverrideFilter::default() })?;
        let wanted = all.into_iter().filter(|one| query.all || matches!(one.state(now), "in force" | "to come"));
        Ok(Overrides { overrides: wanted.map(|one| Override::new(one, now, &rules.config.zone)).collect() })
    });
    read.await.map(Json)
}

/// What an override does
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Pin,
    Floor,
    Ceiling,
}

/// An override to be recorded
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOverride {
    /// The tier set
    set: String,
    /// Whose level
    key: CustomerKey,
    /// `pin`: exactly this level; `floor`: at least; `ceiling`: at most
    kind: Kind,
    /// The level
    level: String,
    /// The first day; default: at once
    #[schema(format = Date)]
    from: Option<String>,
    /// The last day
    #[schema(format = Date)]
    until: String,
    /// Why
    reason: String,
    /// Who answers for it
    approver: String,
}

/// An override that was recorded
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recorded {
    /// Its number
    id: i64,
}

/// Set or limit a customer's level for a while; the next run applies it
#[utoipa::path(post, path = "/api/v1/overrides", tag = "overrides", request_body = NewOverride,
    responses((status = 201, body = Recorded, description = "It is recorded", headers(("Location" = String, description = "The overrides")))))]
pub(super) async fn add(State(api): State<Api>, Body(new): Body<NewOverride>) -> Result<Response, Problem> {
    let (from, until) = (new.from.as_deref().map(|text| day(text, "from")).transpose()?, day(&new.until, "until")?);
    let added = api.blocking(&api.0.writes, move |handle| {
        let key = match &new.key {
            CustomerKey::Integer(key) => key.to_string(),
            CustomerKey::Text(key) => key.clone(),
        };
        let asked = AskedOverride {
            set: &new.set,
            key: &key,
            kind: OverrideKind::from(new.kind),
            level: &new.level,
            from,
            until,
            reason: &new.reason,
            approver: &new.approver,
        };
        let rules = &handle.active().rules;
        let path = handle.project().ledger(&rules.config);
        let open = || Ledger::open_waiting(&path, "tierd serve (override)", Ledger::PATIENCE);
        overrides::add(open, rules, &asked, handle.now()).map_err(Problem::from)
    });
    let OverrideId(id) = added.await?;
    let place = [(header::LOCATION, "/api/v1/overrides")];
    Ok((StatusCode::CREATED, place, Json(Recorded { id })).into_response())
}

fn day(text: &str, name: &str) -> Result<Date, Problem> {
    let no_day = || Problem::unprocessable("bad-day", format!("`{name}` is no day; write it as 2026-03-31"));
    parse_date(text.as_bytes()).ok_or_else(no_day)
}

impl From<Kind> for OverrideKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Pin => OverrideKind::Pin,
            Kind::Floor => OverrideKind::Floor,
            Kind::Ceiling => OverrideKind::Ceiling,
        }
    }
}

impl From<OverrideError> for Problem {
    fn from(error: OverrideError) -> Self {
        match error {
            OverrideError::Refused(why) => Problem::unprocessable("override-refused", why),
            OverrideError::Ledger(error) => error.into(),
        }
    }
}

/// The end of an override before its time
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    /// Who ends it
    by: String,
    /// Why
    why: String,
}

/// End an override before its time; the next run grades by the rules again
#[utoipa::path(post, path = "/api/v1/overrides/{id}/end", tag = "overrides", request_body = Ended,
    params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Recorded, description = "It has ended"), (status = 409, body = Problem, content_type = "application/problem+json", description = "It was ended already")))]
pub(super) async fn end(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Body(ended): Body<Ended>,
) -> Result<Json<Recorded>, Problem> {
    let write = api.write("tierd serve (override ended)", move |ledger, handle| {
        Ok(ledger.end_override(OverrideId(id), &End { at: handle.now(), by: &ended.by, why: &ended.why })?)
    });
    write.await.map(|()| Json(Recorded { id }))
}
