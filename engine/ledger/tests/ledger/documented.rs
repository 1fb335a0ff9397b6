//! What docs/ledger.md says is so: its queries run, and it names everything that is there.

use rusqlite::Connection;
use tierd_ledger::NewOverride;
use tierd_model::Timestamp;

use crate::common::*;

const PAGE: &str = include_str!("../../../../docs/ledger.md");

/// Blocks of the page that are marked as SQL.
fn queries() -> impl Iterator<Item = &'static str> {
    PAGE.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next())
}

fn sample() -> Place {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[7, 42], &[0, 1]);
    run(&mut ledger, 1, &[7, 42], &[2, 2]);
    fail(&mut ledger, 2, "12 bad values in `orders.amount`");
    let acts = [act(0, task("call", 5)), act(1, event("coupon"))];
    apply_with_rules(&mut ledger, 3, &[], &[win_back(&[7, 42], &[], &acts)]).unwrap();
    let new = NewOverride { expires: Timestamp(4_070_908_800_000_000), ..override_of(42) };
    ledger.add_override(&new).unwrap();
    place
}

#[test]
fn documented_queries_find_something() {
    let place = sample();
    let conn = Connection::open(&place.path).unwrap();
    for sql in queries() {
        let mut query = conn.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        assert!(query.query([]).unwrap().next().unwrap().is_some(), "no rows\n{sql}");
    }
    assert!(queries().count() >= 12);
}

#[test]
fn documented_history_follows_the_chain() {
    let place = sample();
    let sql = queries().find(|sql| sql.contains("RECURSIVE")).unwrap();
    let conn = Connection::open(&place.path).unwrap();
    let mut query = conn.prepare(sql).unwrap();
    let steps: Vec<(String, Option<String>, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect();
    let step = |day: &str, from: Option<&str>, to: &str| (day.to_owned(), from.map(str::to_owned), to.to_owned());
    assert_eq!(steps, [step("2026-03-02T00:00:00Z", Some("B"), "A"), step("2026-03-01T00:00:00Z", None, "B")]);
}

/// Whole tables of which a query reads every row.
fn scanned(conn: &Connection, sql: &str) -> Vec<String> {
    let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = plan.query_map([], |row| row.get::<_, String>(3)).unwrap().map(Result::unwrap);
    steps.filter_map(|step| step.strip_prefix("SCAN ").map(str::to_owned)).collect()
}

#[test]
fn history_and_the_changes_of_a_run_are_found_without_reading_the_others() {
    let place = sample();
    let conn = Connection::open(&place.path).unwrap();
    let history = queries().find(|sql| sql.contains("RECURSIVE")).unwrap();
    assert_eq!(scanned(&conn, history), ["chain", "chain"]);
    assert_eq!(scanned(&conn, "SELECT * FROM level_changes WHERE run = 2"), [""; 0]);
    let news = queries().find(|sql| sql.contains("transition > 2")).unwrap();
    assert_eq!(scanned(&conn, news), [""; 0]);
    let events = queries().find(|sql| sql.contains("cursor > 2")).unwrap();
    assert_eq!(scanned(&conn, events), [""; 0]);
    assert_eq!(scanned(&conn, "SELECT * FROM current_levels WHERE tier_set = 'value' AND subject = 42"), [""; 0]);
}

#[test]
fn every_table_view_and_column_is_documented() {
    let place = sample();
    let conn = Connection::open(&place.path).unwrap();
    let mut select = conn.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view')").unwrap();
    let objects = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (kind, name) in objects.map(Result::unwrap) {
        let start = format!("| `{name}` |");
        let line = PAGE.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{kind} `{name}` isn't in docs/ledger.md"));
        if kind == "view" {
            let columns = conn.prepare(&format!("SELECT * FROM {name}")).unwrap();
            for column in columns.column_names() {
                assert!(line.contains(&format!("`{column}`")), "column `{column}` of `{name}` isn't in docs/ledger.md");
            }
        }
    }
}

#[test]
fn documented_numbers_are_those_of_the_file() {
    let place = sample();
    let id: i64 = query(&place.path, "PRAGMA application_id");
    let version: i64 = query(&place.path, "PRAGMA user_version");
    assert!(PAGE.contains(&format!("0x{id:x}, `tier`")) && PAGE.contains(&format!("now {version})")));
}
