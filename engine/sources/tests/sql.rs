//! The lowered SQL as people read it, against files. `UPDATE_EXPECT=1` rewrites them: read the difference before committing it.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]
#![expect(clippy::disallowed_methods, reason = "the expectations are files of text, no databases")]

use std::{fs, path::Path};

use tierd_model::{Clock, Type, parse_timestamp};
use tierd_rules::{
    Expr, ExprKind, File, FileSet, Metric, MetricId, MetricKind, PluginId, RuleSet, load,
    plugin::{OnPluginError, PluginCall, PluginKind, PluginMetric},
};
use tierd_sources::sql::{self, NotSql};

fn loaded(config: &str, rules: &str) -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", config), file("rules/value.toml", rules)]));
    loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

fn rules() -> RuleSet {
    loaded(include_str!("sql/tierd.toml"), include_str!("sql/value.toml"))
}

/// Customers in accounts, with points.
fn groups() -> RuleSet {
    loaded(include_str!("sql/groups/tierd.toml"), include_str!("sql/groups/rules.toml"))
}

fn clock(rules: &RuleSet) -> Clock {
    let zone = rules.config.zone.clone();
    Clock::new(parse_timestamp(b"2026-03-31 08:00").unwrap().instant(&zone), zone)
}

/// Compares with a file beside `sql/tierd.toml`. The revision changes with every change of the rules, and says nothing here.
fn check(name: &str, rules: &RuleSet, query: &str) {
    let query = query.replace(&rules.revision.short(), "REVISION");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(&path, query).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(query, expected, "{name} is another; UPDATE_EXPECT=1 writes it anew");
}

#[test]
fn a_tier_set_is_one_query() {
    let rules = rules();
    let set = rules.tier_set("value").unwrap();
    check("tier_set.sql", &rules, &sql::tier_set_query(&rules, set, &clock(&rules)).unwrap());
}

#[test]
fn a_metric_brings_only_what_it_needs() {
    let rules = rules();
    for name in ["annual_spend", "spend_score", "first_channel", "days_idle", "local_visits"] {
        let (id, _) = rules.metric(name).unwrap();
        check(&format!("{name}.sql"), &rules, &sql::metric_query(&rules, id, &clock(&rules)).unwrap());
    }
}

#[test]
fn groups_and_windows_of_their_own_are_joined() {
    let rules = groups();
    for name in ["spend", "usual_gap", "account_region", "earned"] {
        let (id, _) = rules.metric(name).unwrap();
        check(&format!("groups/{name}.sql"), &rules, &sql::metric_query(&rules, id, &clock(&rules)).unwrap());
    }
}

/// The levels of members have a movement policy, which the query says isn't in it.
#[test]
fn levels_in_conditions_are_those_earned() {
    let rules = groups();
    let query = |set| sql::tier_set_query(&rules, rules.tier_set(set).unwrap(), &clock(&rules)).unwrap();
    check("groups/accounts.sql", &rules, &query("accounts"));
    let says = |set, line: &str| query(set).lines().any(|said| said == line);
    assert!(says("value", "-- level: earned level; the movement policy of the set is not in it."));
    assert!(!query("accounts").contains("-- level:"));
}

#[test]
fn what_sql_cannot_say_is_an_error_with_its_reason() {
    let rules = groups();
    let of_metric = |name| sql::metric_query(&rules, rules.metric(name).unwrap().0, &clock(&rules)).unwrap_err();
    assert_eq!(of_metric("balance"), NotSql::Account("balance".to_owned()));
    assert_eq!(of_metric("days_held"), NotSql::Held("since.value".to_owned()));
    let of_set = sql::tier_set_query(&rules, rules.tier_set("held").unwrap(), &clock(&rules)).unwrap_err();
    assert_eq!(of_set.to_string(), "`since.value` depends on what was held before, which only the ledger knows");
}

#[test]
fn what_a_plugin_finds_is_no_sql() {
    let mut rules = rules();
    let spend = rules.metric("annual_spend").unwrap().0;
    let found = rules.metrics[spend.0].clone();
    let call = PluginCall {
        plugin: PluginId(0),
        function: "score".to_owned(),
        kind: PluginKind::Scorer,
        inputs: vec![Expr { kind: ExprKind::Column(spend.0), ty: found.ty, at: found.at.clone() }],
        required: vec![0],
        config: Default::default(),
        on_error: OnPluginError::Fail,
        at: found.at.clone(),
    };
    let kind = MetricKind::Plugin(Box::new(PluginMetric { call, facts: None }));
    let id = MetricId(rules.metrics.len());
    rules.metrics.push(Metric { name: "credit_score".to_owned(), ty: Type::Real, kind, ..found });
    let refused = sql::metric_query(&rules, id, &clock(&rules)).unwrap_err();
    assert_eq!(refused, NotSql::Plugin("credit_score".to_owned()));
}

/// Each look-up of a roll-up of look-ups doubles what SQLite writes out.
#[test]
fn metrics_that_go_back_and_forth_are_bounded() {
    let mut text = include_str!("sql/groups/rules.toml").to_owned();
    for i in 1..=9 {
        let before = if i == 1 { "spend".to_owned() } else { format!("looked{}", i - 1) };
        text += &format!("[metric.rolled{i}]\nfrom = \"customer\"\naggregate = \"max({before})\"\nempty = 0\n");
        text += &format!("[metric.looked{i}]\nlookup = \"account.rolled{i}\"\n");
    }
    let rules = loaded(include_str!("sql/groups/tierd.toml"), &text);
    let lowered = |name| sql::metric_query(&rules, rules.metric(name).unwrap().0, &clock(&rules));
    assert!(lowered("looked4").is_ok());
    assert!(matches!(lowered("looked9"), Err(NotSql::TooDeep(1001..))));
}
