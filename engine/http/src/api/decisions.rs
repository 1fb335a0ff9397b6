use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_ledger::{HeldPage, HeldRow, KeyRef};
use tierd_model::Key;
use utoipa::{IntoParams, ToSchema};

use super::{Api, extract::Query, levels, runs};
use crate::{documents::CustomerKey, problem::Problem};

/// Customers in a page, at most.
const PAGE: u32 = 1000;

/// Which decisions
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DecisionsQuery {
    /// The tier set; may be left out where there is only one
    set: Option<String>,
    /// Only customers with this level
    level: Option<String>,
    /// Only customers whose keys come after this one: `next` of the page before
    after: Option<String>,
    /// How many, at most
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default = "hundred")]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// Who holds which level
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Decisions {
    /// The tier set
    set: String,
    /// By key, ascending; customers who have left the data are among them
    decisions: Vec<Decision>,
    /// `after` of the next page; null at the end
    next: Option<String>,
}

/// What one customer holds
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Decision {
    /// The customer
    key: CustomerKey,
    /// The level; null after the last one was lost
    level: Option<String>,
    /// The time for which it was given
    since: String,
    /// The run that gave it
    run: i64,
    /// Why
    reason: Option<String>,
}

/// Who holds which level, by key
#[utoipa::path(get, path = "/api/v1/decisions", tag = "customers", params(DecisionsQuery),
    responses((status = 200, body = Decisions, description = "A page of customers")))]
pub(super) async fn decisions(
    State(api): State<Api>,
    Query(query): Query<DecisionsQuery>,
) -> Result<Json<Decisions>, Problem> {
    let limit = runs::limit(query.limit, PAGE)?;
    let read = api.read(move |ledger, handle| {
        let rules = &handle.active().rules;
        let set = levels::set(rules, query.set.as_deref())?;
        if let Some(level) = query.level.as_ref().filter(|name| !set.levels.iter().any(|level| level.name == **name)) {
            let detail = format!("tier set `{}` has no level `{level}`", set.name);
            return Err(Problem::not_found("unknown-level", detail));
        }
        let subject = &rules.config.subjects[set.subject.0];
        let no_key = || Problem::bad_request(format!("`after` is no key of a {}", subject.name));
        let after =
            query.after.as_deref().map(|text| Key::parse(text, subject.key_type).ok_or_else(no_key)).transpose()?;
        let (level, after) = (query.level.as_deref(), after.as_ref().map(KeyRef::from));
        let held = ledger.held_page(&HeldPage { set: &set.name, level, after, limit })?;
        let next = if held.len() == limit as usize { held.last().map(|row| row.key.to_string()) } else { None };
        Ok(Decisions { set: set.name.clone(), decisions: held.into_iter().map(Decision::from).collect(), next })
    });
    read.await.map(Json)
}

impl From<HeldRow> for Decision {
    fn from(row: HeldRow) -> Self {
        Decision {
            key: CustomerKey::from(&row.key),
            level: row.level,
            since: row.since.to_string(),
            run: row.run.0,
            reason: row.reason,
        }
    }
}
