//! `tierd runs`: what was run and missed by schedule, and making it good.

use rusqlite::Connection;

use crate::support::{AS_OF, Project};

/// A shop whose schedule of ten minutes has missed 12:10 to 12:30 of 1 April.
fn shop_with_gap() -> Project {
    let project = Project::shop();
    project.edit("tierd.toml", "[database]", "[schedule.default]\nevery = \"10 minutes\"\n[database]");
    project.run();
    let minute = |minute: i64| (1_775_044_800 + minute * 60) * 1_000_000;
    let gap = format!(
        "INSERT INTO gap (schedule, first, last, slots, reason, noted) VALUES ('default', {}, {}, 3, 'missed', {})",
        minute(10),
        minute(30),
        minute(31)
    );
    Connection::open(project.path("tierd.ledger")).unwrap().execute_batch(&gap).unwrap();
    project
}

#[test]
fn runs_are_listed_with_why_and_how_they_ended() {
    let project = shop_with_gap();
    project.sql("ALTER TABLE orders RENAME TO gone");
    project.tierd(&["run", "--as-of", AS_OF]).exits(1);
    project.sql("ALTER TABLE gone RENAME TO orders");
    let json = project.tierd(&["runs", "list", "-o", "json"]).ok().json();
    let rows = json.as_array().unwrap();
    let said = |row: &serde_json::Value| {
        [&row["run"], &row["cause"], &row["outcome"], &row["changes"]].map(ToString::to_string).join(" ")
    };
    assert_eq!(rows.iter().map(said).collect::<Vec<_>>(), [r#"2 "hand" "failed" 0"#, r#"1 "hand" "applied" 3"#]);
    assert!(rows[0]["message"].as_str().unwrap().contains("orders"));
    assert_eq!(rows[1]["as_of"].as_str(), Some("2026-04-01T00:00:00Z"));
    let one = project.tierd(&["runs", "list", "--limit", "1", "-o", "csv"]).ok().out;
    assert_eq!(one.lines().count(), 2, "{one}");
    project.tierd(&["runs", "list"]).ok();
}

#[test]
fn gap_is_listed_filled_and_then_closed() {
    let project = shop_with_gap();
    let csv = project.tierd(&["runs", "gaps", "-o", "csv"]).ok().out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines,
        [
            "schedule,first,last,slots,filled,reason,state,noted",
            "default,2026-04-01T12:10:00Z,2026-04-01T12:30:00Z,3,0,missed,open,2026-04-01T12:31:00Z"
        ]
    );
    let dry = project.tierd(&["runs", "fill", "--dry-run", "-o", "json"]).ok().json();
    let slots: Vec<_> = dry.as_array().unwrap().iter().map(|row| row["slot"].as_str().unwrap()).collect();
    assert_eq!(slots, ["2026-04-01T12:10:00Z", "2026-04-01T12:20:00Z", "2026-04-01T12:30:00Z"]);
    assert_eq!(project.tierd(&["runs", "list", "-o", "json"]).json().as_array().unwrap().len(), 1);

    let filled = project.tierd(&["runs", "fill", "-o", "csv"]).ok().out;
    assert_eq!(filled.lines().last(), Some("2026-04-01T12:30:00Z,default,4,unchanged"), "{filled}");
    project.tierd(&["runs", "gaps"]).ok().says(&["no open gaps"]);
    project.tierd(&["runs", "fill"]).ok().says(&["nothing to fill"]);
    let all = project.tierd(&["runs", "gaps", "--all", "-o", "json"]).ok().json();
    assert_eq!((all[0]["state"].as_str(), all[0]["filled"].as_i64()), (Some("filled"), Some(3)));
    let of_schedule = project.tierd(&["runs", "list", "--schedule", "default", "-o", "json"]).ok().json();
    let causes: Vec<_> = of_schedule.as_array().unwrap().iter().map(|row| row["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["fill", "fill", "fill", "hand"]);
}

/// What is held is as of the later run.
#[test]
fn slots_before_the_last_run_are_not_filled() {
    let project = shop_with_gap();
    project.tierd(&["run", "--as-of", "2026-04-01T12:25"]).ok();
    let refused = project.tierd(&["runs", "fill", "-o", "csv"]).ok();
    refused.says(&["default: 2 slots can't be made good", "a run as of 2026-04-01T12:25:00Z has decided the same"]);
    project.tierd(&["run", "--as-of", "2026-04-02"]).ok();
    project.tierd(&["runs", "fill"]).ok().says(&["nothing to fill"]);
    project.tierd(&["runs", "fill", "--schedule", "defalt"]).exits(1).says(&["no schedule `defalt`", "`default`"]);
}
