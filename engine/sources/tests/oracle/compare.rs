//! Both ways to the same answer, and where they part.

use rusqlite::{Connection, config::DbConfig, types::Value as Stored};
use tierd_rules::{File, FileSet, MetricId, RuleSet, SubjectId, load};
use tierd_sources::sql;

use crate::case::Case;

/// Loads, evaluates both ways and compares.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let rules = loaded(case)?;
    let database = Connection::open_in_memory().map_err(|e| e.to_string())?;
    case.fill(&database).map_err(|e| format!("{e}"))?;
    // A name that names nothing is an error then, in double quotes too.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(|e| e.to_string())?;
    let metrics: Vec<MetricId> = (0..rules.metrics.len()).map(MetricId).collect();
    let query = sql::metrics_query(&rules, SubjectId(0), &metrics, &case.schema.clock);
    run(&database, &query).map_err(|e| report(case, &format!("{e}\n{query}")))?;
    for set in &rules.tier_sets {
        let query = sql::tier_set_query(&rules, set, &case.schema.clock);
        run(&database, &query).map_err(|e| report(case, &format!("{e}\n{query}")))?;
    }
    Ok(())
}

fn loaded(case: &Case) -> Result<RuleSet, String> {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = FileSet::new(vec![file("tierd.toml", &case.config), file("rules/random.toml", &case.rules)]);
    let loaded = load(files);
    loaded.rules.ok_or_else(|| report(case, &format!("the rules don't load: {:#?}", loaded.diagnostics)))
}

/// All rows of a query.
fn run(database: &Connection, query: &str) -> rusqlite::Result<Vec<Vec<Stored>>> {
    let mut statement = database.prepare(query)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|i| row.get(i)).collect())?;
    rows.collect()
}

fn report(case: &Case, difference: &str) -> String {
    format!(
        "as of {} ({})\n--- tierd.toml\n{}\n--- rules\n{}\n--- {difference}",
        case.schema.clock.as_of(),
        case.schema.zone().name(),
        case.config,
        case.rules
    )
}
