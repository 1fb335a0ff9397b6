use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tierd_daemon::explain::ExplainError;
use tierd_ledger::{KeyRef, OverrideFilter, Reader, TaskFilter, Transition};
use tierd_model::{Key, KeyType, Timestamp};
use tierd_rules::RuleSet;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    extract::{Path, Query},
};
use crate::{
    documents::{CustomerKey, Override, Task},
    problem::Problem,
};

/// What is known of a customer
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Customer {
    /// The customer
    key: CustomerKey,
    /// Each tier set in which the customer has, or had, a level
    sets: Vec<Standing>,
    /// Overrides of the customer's levels, also past ones
    overrides: Vec<Override>,
    /// Open tasks about the customer
    tasks: Vec<Task>,
}

/// How a customer stands in a tier set
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    /// The tier set
    set: String,
    /// Whom it grades
    subject: String,
    /// The level; null after the last one was lost
    level: Option<String>,
    /// The time for which it was given
    since: String,
    /// Every change of level, the latest first
    history: Vec<Move>,
}

/// A change of level
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Move {
    /// The run that changed it
    run: i64,
    /// The time that it evaluated
    as_of: String,
    /// Its rules
    revision: String,
    /// The level before; null for none
    from: Option<String>,
    /// The level after; null for none
    to: Option<String>,
    /// Why
    reason: Option<String>,
    /// The metrics that decided it, by name
    #[schema(value_type = Object)]
    metrics: Value,
}

/// A customer: levels and how they came about, overrides, open tasks
#[utoipa::path(get, path = "/api/v1/customers/{key}", tag = "customers",
    params(("key" = String, Path, description = "The customer's key")),
    responses((status = 200, body = Customer, description = "What the ledger has of the customer")))]
pub(super) async fn customer(State(api): State<Api>, Path(key): Path<String>) -> Result<Json<Customer>, Problem> {
    let read = api.read(move |ledger, handle| {
        let rules = &handle.active().rules;
        let keys = keys(rules, &key);
        let customer = Customer::read(ledger, rules, &keys, handle.now())?;
        customer.ok_or_else(|| Problem::not_found("unknown-customer", "no run has given this customer a level yet"))
    });
    read.await.map(Json)
}

/// The key in the type of each kind of subject that can have it.
fn keys(rules: &RuleSet, text: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for subject in &rules.config.subjects {
        keys.extend(Key::parse(text, subject.key_type).filter(|key| !keys.contains(key)));
    }
    keys
}

fn is_of(key: &Key, ty: KeyType) -> bool {
    matches!((key, ty), (Key::Integer(_), KeyType::Integer) | (Key::Text(_), KeyType::Text))
}

impl Customer {
    /// `None` if the ledger has nothing of the customer.
    fn read(ledger: &Reader, rules: &RuleSet, keys: &[Key], now: Timestamp) -> Result<Option<Self>, Problem> {
        let zone = &rules.config.zone;
        let today = zone.date_of(now);
        let (mut sets, mut overrides, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
        for key in keys {
            let key = Some(KeyRef::from(key));
            let given = ledger.overrides(OverrideFilter { key, ..OverrideFilter::default() })?;
            overrides.extend(given.into_iter().map(|one| Override::new(one, now, zone)));
            let open = ledger.tasks(TaskFilter { key, open: Some(today), ..TaskFilter::default() })?;
            tasks.extend(open.into_iter().map(|task| Task::new(task, today)));
        }
        for set in &rules.tier_sets {
            let subject = &rules.config.subjects[set.subject.0];
            let Some(key) = keys.iter().find(|key| is_of(key, subject.key_type)) else { continue };
            let history = ledger.history(&set.name, KeyRef::from(key))?;
            sets.extend(Standing::of(&set.name, &subject.name, history));
        }
        let nothing = sets.is_empty() && overrides.is_empty() && tasks.is_empty();
        let key = keys.first().filter(|_| !nothing);
        Ok(key.map(|key| Customer { key: CustomerKey::from(key), sets, overrides, tasks }))
    }
}

impl Standing {
    fn of(set: &str, subject: &str, history: Vec<Transition>) -> Option<Self> {
        let latest = history.first()?;
        Some(Standing {
            set: set.to_owned(),
            subject: subject.to_owned(),
            level: latest.to.clone(),
            since: latest.as_of.to_string(),
            history: history.into_iter().map(Move::from).collect(),
        })
    }
}

impl From<Transition> for Move {
    fn from(transition: Transition) -> Self {
        Move {
            run: transition.run.0,
            as_of: transition.as_of.to_string(),
            revision: transition.revision.to_string(),
            from: transition.from,
            to: transition.to,
            reason: transition.reason,
            metrics: serde_json::from_str(&transition.metrics).unwrap_or_default(),
        }
    }
}

/// What to explain
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainQuery {
    /// Only this tier set, or this set that is kept per category; then without retention rules
    set: Option<String>,
}

/// Why a customer has its levels
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes the document that the daemon makes")]
pub(super) struct Explanation {
    /// The customer
    key: String,
    /// The time of the last run
    as_of: String,
    /// That run
    run: i64,
    /// Whether the data had to be read again, and may be younger than the run
    read_again: bool,
    /// Each tier set that grades the customer, as `tierd explain --output json` has it
    #[schema(value_type = Vec<Object>)]
    sets: Vec<Value>,
    /// Each retention rule, likewise
    #[schema(value_type = Vec<Object>)]
    retention: Vec<Value>,
}

/// Why a customer has its levels as of the last run, and what is missing for the next; personal values are masked
#[utoipa::path(get, path = "/api/v1/customers/{key}/explain", tag = "customers",
    params(("key" = String, Path, description = "The customer's key"), ExplainQuery),
    responses((status = 200, body = Explanation, description = "What stands behind each level")))]
pub(super) async fn explain(
    State(api): State<Api>,
    Path(key): Path<String>,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<Value>, Problem> {
    let explain = move |handle: &tierd_daemon::serve::Handle| Ok(handle.explain(&key, query.set.as_deref())?);
    api.blocking(&api.0.reads, explain).await.map(Json)
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::NoSubject(why) => Problem::not_found("unknown-customer", why),
            ExplainError::NoSet(_) => Problem::not_found("unknown-set", error),
            ExplainError::NoRun => Problem::not_found("no-run-yet", error),
            ExplainError::Ledger(error) => error.into(),
            ExplainError::Evaluate(error) => Problem::conflict("explain-failed", error),
        }
    }
}
