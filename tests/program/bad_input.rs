//! Mistakes in files and databases: a message that says what, where and how to mend it, an exit code, and nobody's level changed.

use std::{fs, os::unix::fs::PermissionsExt};

use rusqlite::Connection;

use crate::support::{AS_OF, CONFIG, Project, Ran};

/// Runs over a shop that is graded already; whatever is wrong, the levels must be as they were.
fn run_after(spoil: impl FnOnce(&Project)) -> Ran {
    let project = Project::shop();
    project.run();
    let before = project.held("value");
    spoil(&project);
    let ran = project.tierd(&["run", "--as-of", AS_OF]);
    assert_ne!(ran.code, 0, "{}", ran.err);
    assert_eq!(project.held("value"), before);
    assert_eq!(before, "1=A 2=B 3=C");
    ran
}

#[test]
fn missing_table() {
    run_after(|p| p.sql("ALTER TABLE orders RENAME TO orderz")).exits(1).says(&["orders", "orderz", "tierd.toml:"]);
}

#[test]
fn missing_column() {
    run_after(|p| p.sql("ALTER TABLE orders RENAME COLUMN amount TO amounts")).exits(1).says(&[
        "amount",
        "amounts",
        "tierd.toml:",
    ]);
}

#[test]
fn check_names_missing_tables_and_columns_at_their_place() {
    let project = Project::shop();
    project.sql("ALTER TABLE orders RENAME COLUMN amount TO amounts");
    project.sql("ALTER TABLE customers RENAME TO clients");
    project.tierd(&["check"]).exits(1).says(&["--> tierd.toml:", "customers", "amount"]);
    project.tierd(&["check", "--offline"]).ok();
}

#[test]
fn missing_database() {
    run_after(|p| fs::remove_file(p.path("shop.db")).unwrap()).exits(69).says(&["shop.db"]);
}

#[test]
fn no_database() {
    run_after(|p| p.write("shop.db", &"this is no database\n".repeat(100))).exits(69).says(&["shop.db", "not a"]);
}

#[test]
fn corrupt_database() {
    run_after(|p| {
        let path = p.path("shop.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[4096..].fill(0xa5);
        fs::write(&path, bytes).unwrap();
    })
    .exits(69)
    .says(&["shop.db"]);
}

#[test]
fn unreadable_database() {
    // Root may read everything, so that a mode means nothing; a folder in the file's place can't be read by anyone.
    let ran = run_after(|p| {
        fs::remove_file(p.path("shop.db")).unwrap();
        fs::create_dir(p.path("shop.db")).unwrap();
        fs::set_permissions(p.path("shop.db"), fs::Permissions::from_mode(0o000)).unwrap();
    });
    ran.exits(69).says(&["shop.db"]);
}

#[test]
fn locked_database() {
    let mut holder = None;
    run_after(|p| {
        let conn = Connection::open(p.path("shop.db")).unwrap();
        conn.execute_batch("BEGIN EXCLUSIVE").unwrap();
        holder = Some(conn);
    })
    .exits(69)
    .says(&["shop.db", "lock"]);
}

#[test]
fn text_in_a_number_column_is_named_by_row_and_limited_by_config() {
    let spoil = "UPDATE orders SET amount = 'a lot' WHERE id IN (1, 4)";
    run_after(|p| p.sql(spoil)).exits(1).says(&["orders", "amount", "2 ", "row", "1", "4", "bad_values"]);

    let project = Project::shop();
    project.sql(spoil);
    project.edit("tierd.toml", "sqlite = ", "bad_values = 2\nsqlite = ");
    project.run().says(&["2 ", "amount"]);
    assert_eq!(project.held("value"), "1=B 2=B 3=C");
    project.edit("tierd.toml", "bad_values = 2", "bad_values = \"10%\"");
    project.tierd(&["run", "--as-of", AS_OF]).exits(1);
}

#[test]
fn a_personal_value_is_not_quoted_when_it_is_bad() {
    let project = Project::shop();
    project.edit("tierd.toml", "city = ", "phone = { type = \"integer\", personal = true }\ncity = ");
    project.write(
        "rules/phone.toml",
        "[metric.p]\nattribute = \"phone\"\n[tiers.t]\n[[tiers.t.level]]\nname=\"x\"\nwhen=\"p > 0\"\n",
    );
    project.sql("ALTER TABLE customers ADD COLUMN phone; UPDATE customers SET phone = 'secret-4711'");
    let ran = project.tierd(&["run", "--as-of", AS_OF]).exits(1).says(&["phone"]);
    assert!(!ran.err.contains("secret"), "{}", ran.err);
}

#[test]
fn duplicate_keys() {
    run_after(|p| {
        p.sql(
            "ALTER TABLE customers RENAME TO c; CREATE VIEW customers AS SELECT * FROM c UNION ALL SELECT 2, 'x', 'y'",
        );
    })
    .exits(1)
    .says(&["customers", "id", "2"]);
}

#[test]
fn unknown_subjects_are_counted_and_limited_by_config() {
    let project = Project::shop();
    project
        .sql("INSERT INTO orders VALUES (90, 4711, 100, 'paid', '2026-03-01'), (91, NULL, 100, 'paid', '2026-03-01')");
    project.run().says(&["2 ", "orders"]);
    project.edit("tierd.toml", "sqlite = ", "unknown_subjects = 1\nsqlite = ");
    project.tierd(&["run", "--as-of", AS_OF]).exits(1).says(&["unknown_subjects", "orders"]);
}

#[test]
fn emptied_tables_demote_no_one() {
    run_after(|p| p.sql("DELETE FROM customers")).exits(1).says(&["customers", "no rows"]);
    run_after(|p| p.sql("DELETE FROM orders")).exits(1).says(&["orders", "no rows", "may_be_empty"]);

    let project = Project::shop();
    project.sql("DELETE FROM orders");
    project.edit("tierd.toml", "time = \"ordered_at\"", "time = \"ordered_at\"\nmay_be_empty = true");
    project.run();
    assert_eq!(project.held("value"), "1=C 2=C 3=C");
}

#[test]
fn stale_facts() {
    run_after(|p| p.edit("tierd.toml", "time = \"ordered_at\"", "time = \"ordered_at\"\nfresh = \"3 days\""))
        .exits(1)
        .says(&["orders", "3 days", "2026-03-01"]);
}

#[test]
fn broken_rules_are_all_shown_and_nothing_runs() {
    let ran = run_after(|p| {
        p.edit("rules/value.toml", "annual_spend >= 5000", "annual_spend >= '5000'");
        p.write("rules/other.toml", "[metric.x]\nfrom = \"order\"\n");
    });
    ran.exits(78).says(&["rules/value.toml:", "rules/other.toml:", "error["]);
}

#[test]
fn a_rule_file_of_ten_megabytes() {
    let big = format!("# {}\n", "x".repeat(10 * 1024 * 1024));
    let ran = run_after(|p| p.write("rules/big.toml", &big));
    let ran = ran.exits(78).says(&["rules/big.toml", "file-too-large"]);
    assert!(ran.err.len() < 10_000, "the message quotes the file");
}

#[test]
fn deep_nesting() {
    let parens = format!("{}1 = 1{}", "(".repeat(5000), ")".repeat(5000));
    run_after(|p| p.edit("rules/value.toml", "annual_spend >= 5000", &parens)).exits(78).says(&["too-deep"]);
    let arrays = format!("x = {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    run_after(|p| p.write("rules/deep.toml", &arrays)).exits(78).says(&["rules/deep.toml"]);
}

#[test]
fn not_utf8() {
    run_after(|p| fs::write(p.path("rules/gbk.toml"), b"# \xc4\xe3\xba\xc3\n").unwrap())
        .exits(78)
        .says(&["gbk.toml", "UTF-8"]);
}

#[test]
fn no_configuration() {
    Project::empty().tierd(&["run"]).exits(78).says(&["tierd.toml", "tierd init"]);
}

#[test]
fn the_ledger_is_never_the_database() {
    let project = Project::shop();
    project.write("tierd.toml", &format!("{CONFIG}\n[ledger]\npath = \"shop.db\"\n"));
    let before = fs::read(project.path("shop.db")).unwrap();
    project.tierd(&["run", "--as-of", AS_OF]).exits(78).says(&["ledger"]);
    project.write("tierd.toml", &format!("{CONFIG}\n[ledger]\npath = \"other.db\"\n"));
    fs::copy(project.path("shop.db"), project.path("other.db")).unwrap();
    project.tierd(&["run", "--as-of", AS_OF]).exits(69).says(&["other.db", "not a ledger"]);
    assert_eq!(fs::read(project.path("shop.db")).unwrap(), before);
    assert_eq!(fs::read(project.path("other.db")).unwrap(), before);
}

#[test]
fn bad_arguments() {
    let project = Project::shop();
    project.tierd(&["run", "--as-of", "yesterday"]).exits(1).says(&["yesterday", "2026-03-31"]);
    project.tierd(&["frobnicate"]).exits(64);
    project.run();
    project.tierd(&["explain", "99"]).exits(1).says(&["99"]);
    project.tierd(&["explain", "Bob"]).exits(1).says(&["Bob", "integer"]);
    project.tierd(&["levels", "--set", "valu"]).exits(1).says(&["valu", "value"]);
    project.tierd(&["export", "--metric", "nope"]).exits(1).says(&["nope", "annual_spend"]);
    project.tierd(&["sql", "nope"]).exits(1).says(&["nope", "annual_spend"]);
}
