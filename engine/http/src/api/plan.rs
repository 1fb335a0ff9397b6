use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Deserialize;
use tierd_daemon::{evaluate::Evaluator, run};
use tierd_eval::{due::Due, plugin::NoPlugins};
use tierd_model::Clock;
use tierd_rules::{RuleSet, Severity};
use tierd_sources::{Progress, ReadOptions};
use utoipa::ToSchema;

use super::{Api, check::Files, extract::OptionalBody, runs};
use crate::{documents::Run, problem::Problem};

/// What to try out
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    /// The text of each file by its path, as for /api/v1/check. Default: the rules in force
    files: Option<BTreeMap<String, String>>,
    /// The time to evaluate: `2026-03-31`, `2026-03-31T08:00` or with an offset. Default: now
    as_of: Option<String>,
}

/// Ends a read whose result nobody waits for any more.
struct CancelOnDrop(Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What a run of everything would change, with the rules in force or with other files; nothing is stored
///
/// It reads the whole database, so that there is one at a time: a second one is asked to come again later (503, `Retry-After`). It ends when the
/// connection does.
#[utoipa::path(post, path = "/api/v1/plan", tag = "runs", request_body = Option<Plan>,
    responses((status = 200, body = Run, description = "What it would do")))]
pub(super) async fn plan(State(api): State<Api>, OptionalBody(plan): OptionalBody<Plan>) -> Result<Json<Run>, Problem> {
    let as_of = plan.as_of.as_deref().map(|text| runs::time(text, api.handle())).transpose()?;
    if api.0.plans.available_permits() == 0 {
        return Err(Problem::busy("plan-running", "another plan is being worked out", 10));
    }
    let progress = Arc::new(Progress::default());
    let _cancel = CancelOnDrop(Arc::clone(&progress));
    let files = plan.files.map(Files::new);
    let planned = api.blocking(&api.0.plans, move |handle| {
        let rules = match files {
            None => Arc::clone(&handle.active().rules),
            Some(files) => Arc::new(rules_of(files, &handle.active().rules)?),
        };
        let clock = Clock::new(as_of.unwrap_or_else(|| handle.now()), Arc::clone(&rules.config.zone));
        let options = ReadOptions::default();
        let evaluator = Evaluator { clock: &clock, due: &Due::ALL, plugins: &NoPlugins, options, progress: &progress };
        let report = run::dry_run(handle.project(), &rules, &evaluator);
        let report = report.map_err(|error| Problem::conflict("plan-failed", error))?;
        Ok(Run::of_report(&report, &rules, &clock))
    });
    planned.await.map(Json)
}

/// Rules from files, about the same database: a request must not have others opened.
fn rules_of(files: Files, in_force: &RuleSet) -> Result<RuleSet, Problem> {
    let loaded = tierd_rules::load(files.beside(in_force)?);
    let Some(rules) = loaded.rules else {
        let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let headlines: Vec<&str> = errors.map(|diagnostic| diagnostic.headline.as_str()).take(5).collect();
        let detail = format!("the files have errors; /api/v1/check shows all of them: {}", headlines.join("; "));
        return Err(Problem::unprocessable("bad-rules", detail));
    };
    let same = rules.config.database == in_force.config.database && rules.config.ledger == in_force.config.ledger;
    let detail = "a plan is about the database and the ledger of the rules in force; these files name others";
    if same { Ok(rules) } else { Err(Problem::unprocessable("other-database", detail)) }
}
