use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use tierd_ledger::LevelCount;
use tierd_rules::{RuleSet, TierSet};
use utoipa::{IntoParams, ToSchema};

use super::{Api, extract::Query};
use crate::problem::Problem;

/// Which tier set
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LevelsQuery {
    /// Only this tier set: its name, or for one that is kept per category the name of all of them
    set: Option<String>,
}

/// How many customers have each level, as the last run left it
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Levels {
    /// The last run that decided levels
    run: i64,
    /// The time that it evaluated
    as_of: String,
    /// By tier set, the highest level first, customers without a level last
    levels: Vec<Level>,
}

/// How many customers have a level
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Level {
    /// The tier set
    set: String,
    /// The level; null for none
    level: Option<String>,
    /// Its title
    title: Option<String>,
    /// How many have it
    customers: u64,
    /// For people, such as `10.6 %`
    share: String,
}

/// How many customers have each level, as the last run left it
#[utoipa::path(get, path = "/api/v1/levels", tag = "customers", params(LevelsQuery),
    responses((status = 200, body = Levels, description = "The distribution")))]
pub(super) async fn levels(State(api): State<Api>, Query(query): Query<LevelsQuery>) -> Result<Json<Levels>, Problem> {
    let read = api.read(move |ledger, handle| {
        let rules = &handle.active().rules;
        let run = ledger.last_applied_run()?;
        let run = run.ok_or_else(|| Problem::not_found("no-run-yet", "nothing has been graded yet"))?;
        let mut levels = Vec::new();
        for set in sets(rules, query.set.as_deref())? {
            levels.extend(of_set(set, ledger.distribution(&set.name)?));
        }
        Ok(Levels { run: run.id.0, as_of: run.as_of.to_string(), levels })
    });
    read.await.map(Json)
}

/// The tier sets of this name: all its categories for one that is kept per category. Without a name, all.
pub(super) fn sets<'a>(rules: &'a RuleSet, name: Option<&str>) -> Result<Vec<&'a TierSet>, Problem> {
    let Some(name) = name else { return Ok(rules.tier_sets.iter().collect()) };
    let named = |set: &&TierSet| set.name == name || set.category.as_ref().is_some_and(|category| category.set == name);
    let found: Vec<_> = rules.tier_sets.iter().filter(named).collect();
    if found.is_empty() { Err(unknown_set(rules)) } else { Ok(found) }
}

/// The tier set of this name, or the only one there is.
pub(super) fn set<'a>(rules: &'a RuleSet, name: Option<&str>) -> Result<&'a TierSet, Problem> {
    match (name, rules.tier_sets.as_slice()) {
        (Some(name), _) => rules.tier_set(name).ok_or_else(|| unknown_set(rules)),
        (None, [only]) => Ok(only),
        (None, _) => Err(Problem::bad_request(format!("say which tier set with `set`: {}", names(rules)))),
    }
}

fn unknown_set(rules: &RuleSet) -> Problem {
    Problem::not_found("unknown-set", format!("the rules have no such tier set; there is: {}", names(rules)))
}

fn names(rules: &RuleSet) -> String {
    rules.tier_sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn of_set(set: &TierSet, counts: Vec<LevelCount>) -> Vec<Level> {
    let total: u64 = counts.iter().map(|count| count.subjects).sum();
    let title =
        |name: &String| set.levels.iter().find(|level| level.name == *name).and_then(|level| level.title.clone());
    let (with, without): (Vec<_>, Vec<_>) = counts.into_iter().partition(|count| count.level.is_some());
    let shown = with.into_iter().rev().chain(without.into_iter().filter(|count| count.subjects > 0));
    let level = |count: LevelCount| Level {
        set: set.name.clone(),
        title: count.level.as_ref().and_then(title),
        level: count.level,
        customers: count.subjects,
        share: share(count.subjects, total),
    };
    shown.map(level).collect()
}

fn share(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!("{share:.1} %")
}
