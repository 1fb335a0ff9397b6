//! Runs that exceed a guard: held, shown, and decided by a person, once.

use crate::support::{AS_OF, Project, Ran};

const GUARD: &str = "title = \"客户价值等级\"\n";

/// The shop of which a run has graded everybody, under a guard.
fn guarded(guard: &str) -> Project {
    let project = Project::shop();
    project.edit("rules/value.toml", GUARD, &format!("{GUARD}guard = {guard}\n"));
    project.run();
    project
}

/// Customers 2 and 3 go up to A.
const RICH: &str =
    "INSERT INTO orders VALUES (7, 2, 500000, 'paid', '2026-03-02'), (8, 3, 1000000, 'paid', '2026-03-02')";

fn run(project: &Project) -> Ran {
    project.tierd(&["run", "--as-of", AS_OF])
}

fn approve(project: &Project, run: &str) -> Ran {
    project.tierd(&["approve", run, "--by", "王芳", "--why", "spring campaign"])
}

fn levels(project: &Project) -> String {
    let csv = project.tierd(&["levels", "-o", "csv", "-q"]).ok().out;
    csv.lines().skip(1).map(|line| line.split(',').nth(3).unwrap()).collect::<Vec<_>>().join(" ")
}

fn one(project: &Project, sql: &str) -> String {
    let conn = rusqlite::Connection::open(project.path("tierd.ledger")).unwrap();
    conn.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).map(|value| format!("{value:?}")).unwrap()
}

#[test]
fn promise_8_changes_above_a_guard_wait() {
    let project = guarded("{ moved = \"50%\" }");
    let before = levels(&project);
    project.sql(RICH);
    project.tierd(&["run", "--as-of", AS_OF, "--dry-run"]).ok().says(&["guard: tiers.value", "would move"]);
    run(&project).exits(4).says(&["run 2 exceeds a guard", "tierd approve 2", "guard: tiers.value", "would move"]);
    assert_eq!(levels(&project), before);
    assert_eq!(one(&project, "SELECT count(*) FROM transition WHERE run = 2"), "Integer(0)");

    let list = project.tierd(&["holds", "-o", "json"]).ok().json();
    assert_eq!((list[0]["run"].as_i64(), list[0]["state"].as_str()), (Some(2), Some("waiting")));
    let shown = project.tierd(&["holds", "2", "-o", "json"]).ok().json();
    let set = &shown["shown"]["sets"][0];
    assert_eq!(set["movers"][0]["key"], 3, "who moves furthest comes first");
    assert_eq!(set["movers"][0]["metrics"]["annual_spend"], "13200.00");
    assert_eq!(set["levels"][2], serde_json::json!({ "level": "A", "before": 1, "after": 3 }));
    assert_eq!(shown["shown"]["violations"][0]["guard"], "moved");
    let text = project.tierd(&["holds", "2"]).ok();
    for part in ["run 2 as of", "held: tiers.value", "from (rows) to (columns)", "those who move furthest", "13200.00"]
    {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }

    approve(&project, "2").ok().says(&["run 3 has applied what run 2 showed", "value: 2 changes"]);
    assert_eq!(levels(&project), "3 0 0");
    let followed = one(&project, "SELECT state || followed || by || why FROM hold WHERE run = 2");
    assert_eq!(followed, "Text(\"approved3王芳spring campaign\")");
    assert_eq!(one(&project, "SELECT cause FROM run WHERE id = 3"), "Text(\"approval\")");
    approve(&project, "2").exits(1).says(&["no longer waits", "approved by 王芳, applied by run 3"]);
}

#[test]
fn data_that_moved_on_is_shown_again_and_not_applied() {
    let project = guarded("{ moved = \"50%\" }");
    let before = levels(&project);
    project.sql(RICH);
    run(&project).exits(4);
    project.sql("UPDATE orders SET amount = 300000 WHERE id = 8");
    approve(&project, "2").exits(4).says(&[
        "moved on since run 2",
        "run 3 shows",
        "value: C → A: 1 then, 0 now",
        "value: C → B: 0 then, 1 now",
    ]);
    assert_eq!(levels(&project), before);
    approve(&project, "2").exits(1).says(&["superseded by run 3"]);
    approve(&project, "3").ok();
    assert_eq!(levels(&project), "2 1 0");
}

/// What else happens in the database meanwhile doesn't matter.
#[test]
fn new_customers_do_not_keep_a_hold_from_being_approved() {
    let project = guarded("{ moved = \"50%\" }");
    project.sql(RICH);
    run(&project).exits(4);
    project.sql("INSERT INTO customers VALUES (4, '韩梅梅', '北京'); INSERT INTO orders VALUES (9, 1, 100, 'paid', '2026-04-02')");
    approve(&project, "2").ok();
    assert_eq!(levels(&project), "3 0 1");
}

/// The rules of the hold count, not those of today.
#[test]
fn approving_follows_the_rules_that_the_run_had() {
    let project = guarded("{ moved = \"50%\" }");
    project.sql(RICH);
    run(&project).exits(4);
    project.edit("rules/value.toml", "annual_spend >= 10000", "annual_spend >= 20000");
    approve(&project, "2").ok();
    assert_eq!(levels(&project), "3 0 0");
}

#[test]
fn rejected_run_is_never_applied_and_a_later_one_takes_the_place_of_a_waiting_one() {
    let project = guarded("{ moved = \"50%\" }");
    project.sql(RICH);
    run(&project).exits(4);
    project.tierd(&["reject", "2", "--by", "王芳", "--why", " "]).exits(1).says(&["say why"]);
    project.tierd(&["reject", "2", "--by", "", "--why", "test orders"]).exits(1).says(&["say who"]);
    project.tierd(&["reject", "9", "--by", "王芳", "--why", "test orders"]).exits(1).says(&["run 9 isn't held"]);
    project.tierd(&["reject", "2", "--by", "王芳", "--why", "test orders"]).ok().says(&["run 2 is rejected"]);
    approve(&project, "2").exits(1).says(&["rejected by 王芳"]);
    run(&project).exits(4);
    run(&project).exits(4);
    let all = project.tierd(&["holds", "--all", "-o", "csv"]).ok().out;
    let states: Vec<&str> = all.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(states, ["waiting", "superseded", "rejected"]);
}

#[test]
fn guard_that_warns_lets_the_run_pass_and_says_so() {
    let project = guarded("{ moved = \"50%\", exceed = \"warn\" }");
    project.sql(RICH);
    run(&project).ok().says(&["warning: tiers.value"]);
    assert_eq!(levels(&project), "3 0 0");
}

/// First levels are no moves; what a level may hold and how the data must be are asked from the beginning.
#[test]
fn guards_of_shares_hold_the_first_run_too() {
    let project = Project::shop();
    project.edit(
        "rules/value.toml",
        GUARD,
        &format!("{GUARD}guard = {{ moved = \"1%\", share = {{ A = \"20%\" }} }}\n"),
    );
    run(&project).exits(4).says(&["run 1 exceeds", "level A"]);
    project.tierd(&["holds", "1"]).ok();
    approve(&project, "1").ok();
    assert_eq!(levels(&project), "1 1 1");
}

#[test]
fn shrunken_table_is_seen_against_the_last_run_that_was_applied() {
    let project = guarded("{ shrunk = \"20%\" }");
    project.sql("DELETE FROM orders WHERE id IN (5, 6)");
    run(&project).exits(4).says(&["tiers.value", "shrunk"]);
    // A held run is no measure.
    run(&project).exits(4);
    approve(&project, "3").ok();
    run(&project).ok();
}

#[test]
fn limit_that_holds_lets_all_pass_or_none() {
    let project = Project::shop();
    project.write(
        "rules/call.toml",
        "[retention.call]\nsubject = \"customer\"\nwhen = \"annual_spend > 0\"\nlimit = { per_run = 2, exceed = \"hold\" }\n\
         action = { task = \"call\", owner = \"sales\", due = \"3 days\" }\n",
    );
    run(&project).exits(4).says(&["retention.call", "3 subjects", "`limit` allows 2"]);
    assert_eq!(one(&project, "SELECT count(*) FROM task"), "Integer(0)");
    approve(&project, "1").ok().says(&["call: acted on 3"]);
    assert_eq!(one(&project, "SELECT count(*) FROM task"), "Integer(3)");
    run(&project).ok();
}

#[test]
fn personal_values_are_masked_in_what_is_shown() {
    let project = Project::shop();
    project.edit(
        "rules/value.toml",
        "[tiers.value]\n",
        "[metric.called]\nattribute = \"name\"\n[tiers.value]\nguard = { moved = \"0%\" }\n",
    );
    project.edit("rules/value.toml", "annual_spend >= 10000", "annual_spend >= 10000 and called <> 'x'");
    project.run();
    project.sql(RICH);
    run(&project).exits(4);
    let shown = one(&project, "SELECT shown FROM hold");
    assert!(shown.contains("李*") && !shown.contains("李雷"), "{shown}");
}
