//! `propose` over databases as they are found: each `init/NAME.sql` makes one, `init/NAME.expected` is what is proposed for it.
//!
//! After a change, `UPDATE_EXPECT=1 cargo test -p tierd-sources --test init` rewrites the expectations; read them before
//! they are committed.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]
#![expect(clippy::disallowed_methods, reason = "the expectations are files of text, no databases")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use rusqlite::Connection;
use tierd_model::{Clock, Timestamp, Zone};
use tierd_rules::{File, FileSet, RuleSet, SubjectId, load};
use tierd_sources::{
    Database, Progress, ReadOptions,
    init::{InitError, InitOptions, Proposal, propose},
    read,
};

const OPTIONS: InitOptions<'_> = InitOptions { database: "data.db", time_zone: "Asia/Shanghai" };

fn database(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

fn shown(proposal: &Proposal) -> String {
    let Proposal { config, rules_file, rules, notes } = proposal;
    let notes: String = notes.iter().map(|note| format!("- {note}\n")).collect();
    format!("{notes}\n──── tierd.toml\n{config}\n──── {rules_file}\n{rules}")
}

/// Proposes for the database of this name, and compares with what is expected.
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init").join(name);
    let sql = fs::read_to_string(path.with_extension("sql")).unwrap();
    let proposal = propose(&database(&sql), &OPTIONS).unwrap();
    let (shown, expected) = (shown(&proposal), path.with_extension("expected"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &shown).unwrap();
    }
    assert_runs(&loaded(&proposal), &sql);
    assert_eq!(shown, fs::read_to_string(&expected).unwrap(), "{name}");
}

/// The rules of the proposal, which is good as it stands: no error and no warning.
fn loaded(proposal: &Proposal) -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded =
        load(FileSet::new(vec![file("tierd.toml", &proposal.config), file(&proposal.rules_file, &proposal.rules)]));
    assert_eq!(loaded.diagnostics, [], "{}", shown(proposal));
    loaded.rules.unwrap()
}

/// The data can be read as proposed, within the limits proposed: the encodings are right.
fn assert_runs(rules: &RuleSet, sql: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let source = Database::open(path, Duration::from_secs(1)).unwrap();
    let clock = Clock::new(Timestamp(1_780_000_000_000_000), Arc::new(Zone::utc()));
    let data = read(&source, rules, SubjectId(0), &clock, ReadOptions::default(), &Progress::default()).unwrap();
    let (bad, rows) = data.bad_rows();
    assert!(!rules.config.bad_values.exceeded(bad, rows), "{:?}", data.bad_values);
    for table in data.tables.iter().filter(|table| table.facts.is_some() && table.rows > 0) {
        assert!(table.newest.is_some() && table.unknown_subjects * 2 < table.rows, "{table:?}");
    }
}

#[test]
fn foreign_keys_and_cents() {
    check("foreign_keys");
}

#[test]
fn chinese_names_without_foreign_keys() {
    check("chinese");
}

#[test]
fn camel_case_price_times_quantity_and_unix_milliseconds() {
    check("camel_case");
}

#[test]
fn unix_seconds_and_staff_beside_users() {
    check("unix_times");
}

#[test]
fn text_keys_yyyymmdd_and_text_amounts() {
    check("text_keys");
}

#[test]
fn views_over_cryptic_tables() {
    check("views");
}

#[test]
fn tables_without_rowid_and_julian_days() {
    check("without_rowid");
}

#[test]
fn several_tables_of_facts() {
    check("several_facts");
}

#[test]
fn empty_tables() {
    check("empty");
}

#[test]
fn subjects_without_facts_are_graded_by_an_attribute() {
    check("no_facts");
}

#[test]
fn subjects_of_whom_only_a_date_is_known() {
    check("only_dates");
}

#[test]
fn dirty_values_and_awkward_names() {
    check("dirty");
}

#[test]
fn music_store() {
    check("music_store");
}

#[test]
fn trading_company() {
    check("trading_company");
}

#[test]
fn nothing_like_customers_gives_a_file_to_fill_in() {
    let connection =
        database("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE log (line TEXT)");
    let error = propose(&connection, &OPTIONS).unwrap_err();
    assert!(error.to_string().contains("none of `log`, `products`"), "{error}");
    let template = error.template(&OPTIONS).unwrap();
    assert!(template.contains("[subject.customer]") && template.contains("log, products"), "{template}");
    // It is TOML, and only the gaps are left to fill in.
    let config = File { path: "tierd.toml".into(), text: template.into() };
    let codes: Vec<_> = load(FileSet::new(vec![config])).diagnostics.iter().map(|d| d.code).collect();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == "empty-value"), "{codes:?}");
}

#[test]
fn a_database_without_tables_is_an_error() {
    assert!(matches!(propose(&database(""), &OPTIONS), Err(InitError::NoTables)));
}

#[test]
fn proposing_writes_nothing_and_leaves_no_transaction() {
    let connection = database("CREATE TABLE customers (id INTEGER PRIMARY KEY); PRAGMA query_only = ON");
    propose(&connection, &OPTIONS).unwrap();
    assert!(connection.is_autocommit());
}

#[test]
fn no_personal_value_is_shown() {
    let connection = database(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, contact_type TEXT);
         INSERT INTO customers VALUES (1, 'Canary Name', 'canary@example.com', 'letter')",
    );
    let shown = shown(&propose(&connection, &OPTIONS).unwrap());
    assert!(!shown.to_lowercase().contains("canary"), "{shown}");
    assert!(shown.contains("seen: letter"), "{shown}");
}
