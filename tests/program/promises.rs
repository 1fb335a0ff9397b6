//! The promises of the design that this version keeps, each by a test of its name.

mod plugins;
mod serving;

use std::{fs, path::Path};

use rusqlite::Connection;

use crate::support::{AS_OF, Project};

fn bytes(project: &Project, name: &str) -> Option<Vec<u8>> {
    fs::read(project.path(name)).ok()
}

#[test]
fn your_tables_are_never_written() {
    for mode in ["DELETE", "WAL"] {
        let project = Project::shop();
        // An application holds the database open, as in life: with WAL the log and its index exist.
        let application = Connection::open(project.path("shop.db")).unwrap();
        application.pragma_update(None, "journal_mode", mode).unwrap();
        application.execute_batch("INSERT INTO customers VALUES (4, '赵', NULL)").unwrap();
        let before = (bytes(&project, "shop.db"), bytes(&project, "shop.db-wal"));
        project.run();
        project.tierd(&["explain", "1"]).ok();
        project.tierd(&["export"]).ok();
        project.tierd(&["check"]).ok();
        assert_eq!((bytes(&project, "shop.db"), bytes(&project, "shop.db-wal")), before, "{mode}");
        application
            .execute_batch("INSERT INTO customers VALUES (5, '钱', NULL); PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
        project.run();
        assert!(project.held("value").ends_with("5=C"), "{mode}: a row that is only in the log is seen");
    }
}

#[test]
fn invalid_rules_never_replace_valid_ones() {
    let project = Project::shop();
    project.run();
    let good = fs::read_to_string(project.path("rules/value.toml")).unwrap();
    // Every way in which a save can be cut short: the old levels stand, or the new rules are whole.
    for end in (0..good.len()).filter(|&end| good.is_char_boundary(end)).step_by(23) {
        project.write("rules/value.toml", &good[..end]);
        let ran = project.tierd(&["run", "--as-of", AS_OF]);
        assert!(matches!(ran.code, 0 | 78), "cut at {end}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "cut at {end}: {}", ran.err);
    }
}

#[test]
fn one_run_uses_one_revision() {
    let project = Project::shop();
    project.run();
    project.edit("rules/value.toml", "5000", "6000");
    project.run();
    assert_eq!(project.count("SELECT count(DISTINCT revision) FROM run"), 2);
    // The files of each revision are kept whole: the ledger can say what a run went by.
    let kept = "SELECT count(*) FROM revision_file f JOIN content c USING (sha256) WHERE f.path = 'rules/value.toml'
                AND c.text LIKE '%annual_spend >= 5000%' AND f.revision = 1";
    assert_eq!(project.count(kept), 1);
}

#[test]
fn same_data_rules_and_time_give_the_same_result() {
    let demo = |reader: &str, threads: &str| {
        let project = Project::empty();
        project.tierd(&["demo", "--customers", "3000", "--dir", "d", "--as-of", "2026-03-31"]).ok();
        // The rows in another order, which no result may depend on.
        let shop = Connection::open(project.path("d/shop.db")).unwrap();
        shop.execute_batch("CREATE TABLE o AS SELECT * FROM orders ORDER BY (id * 7919) % 10007, id;
             DELETE FROM orders; INSERT INTO orders SELECT rowid, customer_id, amount_cents, status, ordered_at FROM o; DROP TABLE o")
            .unwrap();
        drop(shop);
        let run = ["-C", "d", "run", "--as-of", "2026-03-31", "--reader", reader, "--threads", threads];
        project.tierd(&run).ok().says(&["nothing changed"]);
        project
            .tierd(&["-C", "d", "export", "--set", "rfm", "--reader", reader, "--threads", threads, "-o", "csv"])
            .ok()
            .out
    };
    let first = demo("auto", "2");
    assert_eq!(first.lines().count(), 3001);
    assert_eq!(first, demo("step", "1"));
    assert_eq!(first, demo("auto", "3"));
}

#[test]
fn a_level_its_history_and_its_run_are_committed_together() {
    let project = Project::shop();
    project.run();
    assert_eq!(project.count("SELECT count(*) FROM held"), 3);
    assert_eq!(project.count("SELECT count(*) FROM transition WHERE run = 1"), 3);
    assert_eq!(project.count("SELECT transitions FROM run WHERE id = 1"), 3);
}

#[test]
fn every_level_can_be_explained() {
    let project = Project::empty();
    project.tierd(&["demo", "--customers", "300", "--dir", "d", "--as-of", "2026-03-31"]).ok();
    let json = project.tierd(&["-C", "d", "export", "--set", "rfm", "-o", "json"]).ok().json();
    for row in json.as_array().unwrap().iter().step_by(37) {
        let key = row["key"].to_string();
        let why = project.tierd(&["-C", "d", "explain", &key, "--set", "rfm", "-o", "json"]).ok().json();
        assert_eq!(why["sets"][0]["level"], row["level"], "customer {key}");
    }
}

#[test]
fn a_second_process_says_who_holds_the_ledger() {
    let project = Project::shop();
    project.run();
    let holder = tierd_ledger::Ledger::open(&project.path("tierd.ledger"), "another tierd").unwrap();
    project.tierd(&["run", "--as-of", AS_OF]).exits(69).says(&["in use by", "another tierd"]);
    project.tierd(&["levels"]).ok();
    drop(holder);
    project.run();
}

#[test]
fn nothing_written_holds_personal_data() {
    let project = Project::shop();
    project.edit(
        "tierd.toml",
        "city = ",
        "born = { type = \"date\", encoding = \"iso8601\", personal = true }\ncity = ",
    );
    project.sql(
        "ALTER TABLE customers ADD COLUMN born; UPDATE customers SET name = 'canary-' || name, born = '1990-01-01'",
    );
    // Conditions may read personal columns, also by way of other metrics; their values go nowhere.
    project.write(
        "rules/age.toml",
        "[metric.age]\nderived = \"days_between(born, today)\"\n[tiers.age]\n[[tiers.age.level]]\nname = \"young\"\n\
         [[tiers.age.level]]\nname = \"old\"\nwhen = \"age >= 10000 and name <> 'x'\"\n",
    );
    project.run();
    assert_eq!(project.held("age"), "1=old 2=old 3=old");
    assert_eq!(project.count("SELECT count(*) FROM level_changes WHERE tier_set = 'age' AND metrics = '{}'"), 3);
    let mut shown = String::new();
    for args in [
        &["explain", "1"][..],
        &["explain", "1", "-o", "json"],
        &["export", "--set", "age", "--metric", "age", "-o", "csv"],
        &["export", "--set", "value", "--attribute", "name"],
        &["export", "--set", "value", "--attribute", "name", "-o", "json"],
        &["check"],
    ] {
        let ran = project.tierd(args).ok();
        shown.push_str(&ran.out);
        shown.push_str(&ran.err);
    }
    assert!(!shown.contains("canary-") && !shown.contains("13239"), "{shown}");
    for file in fs::read_dir(project.folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let holds = |path: &Path| path.is_file() && fs::read(path).unwrap().windows(7).any(|w| w == b"canary-");
        assert!(file.ends_with("shop.db") || !holds(&file), "{}", file.display());
    }
}
