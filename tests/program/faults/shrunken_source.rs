//! Rows that vanish from the application's tables: an import that broke off, a restored backup, a mistake.

use super::world::{HELD, run, run_fails, run_succeeds, shop};
use crate::living::process::Daemon;

#[test]
fn emptied_tables_demote_nobody() {
    let project = shop("");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    for (table, why) in [
        ("orders", "has no rows, so that everybody would seem idle"),
        ("customers", "has no rows that could be graded"),
    ] {
        project.sql(&format!("CREATE TABLE kept AS SELECT * FROM {table}; DELETE FROM {table}"));
        run_fails(&daemon, &["run-failed", table, why]);
        assert_eq!(project.held("value"), HELD, "{table}");
        project.sql(&format!("INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"));
        assert_eq!(run_succeeds(&daemon), "unchanged", "{table}");
    }
}

#[test]
fn shrunken_table_is_held_and_demotes_nobody() {
    let project = shop("");
    project.edit("rules/value.toml", "[tiers.value]", "[tiers.value]\nguard = { shrunk = \"20%\" }");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    project.sql("CREATE TABLE kept AS SELECT * FROM orders; DELETE FROM orders WHERE customer_id = 1");
    for _ in 0..2 {
        assert_eq!(run(&daemon).unwrap()["outcome"], "held", "also when the last run was held");
        assert_eq!(project.held("value"), HELD);
    }
    project.tierd(&["status"]).ok().prints(&["1 run waits for a person"]);
    project.sql("DELETE FROM orders; INSERT INTO orders SELECT * FROM kept");
    assert_eq!(run_succeeds(&daemon), "unchanged");
    project.tierd(&["holds"]).ok();
    assert_eq!(project.count("SELECT count(*) FROM hold WHERE state = 'waiting'"), 0, "the good run took its place");
}
