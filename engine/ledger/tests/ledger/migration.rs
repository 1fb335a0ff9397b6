//! Ledgers of earlier versions, as the tierd of that time left them.

use std::fs;

use rusqlite::Connection;
use tierd_ledger::{Cause, ErrorKind, KeyRef, Keys, Outcome, Reader, SetDecisions, Standing, StateRow};

use crate::common::*;

/// Two tier sets, three runs that decided them and one that failed.
const VERSION_1: &[u8] = include_bytes!("../data/version-1.ledger");

/// One tier set with a movement policy, two runs that decided it and one that failed; a rule that gave a task and sent an event, and an
/// override.
const VERSION_2: &[u8] = include_bytes!("../data/version-2.ledger");

fn file_of(version: i64, bytes: &[u8]) -> Place {
    let place = place();
    fs::write(&place.path, bytes).unwrap();
    assert_eq!(query::<i64>(&place.path, "PRAGMA user_version"), version);
    place
}

#[test]
fn version_1_goes_on_where_it_stood() {
    let place = file_of(1, VERSION_1);
    let before: String = query(&place.path, "SELECT group_concat(transition || to_level) FROM level_changes");
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Older { found: 1, known: 3 }), "{failure}");

    let mut ledger = open(&place.path);
    assert_sound(&place.path);
    assert_eq!(query::<String>(&place.path, "SELECT group_concat(transition || to_level) FROM level_changes"), before);
    assert_eq!(query::<String>(&place.path, "SELECT group_concat(family) FROM tier_set"), "value,rfm");

    // The digest of the last run still counts: nothing has to be compared.
    let unchanged = run(&mut ledger, 4, &[7, 42, 99], &[2, 1, 0]);
    assert_eq!((unchanged.outcome, unchanged.run.0), (Outcome::Unchanged, 5));
    let reader = Reader::open(&place.path).unwrap();
    let keys = Keys::Integer(&[7, 42, 99]);
    let standings = reader.standings("value", keys, LEVELS).unwrap();
    let standing = |level: u16, day| Standing { level, policy: level, since: start(day).as_of, ..Standing::NOTHING };
    assert_eq!(standings, [standing(2, 1), standing(1, 0), standing(0, 1)]);
    assert_eq!(reader.history("value", KeyRef::Integer(7)).unwrap()[0].reason, None);

    let set = SetDecisions { reason: &|_| "downgraded", ..decisions(keys, &[0, 1, 0]) };
    apply(&mut ledger, 5, &[set]).unwrap();
    let history = reader.history("value", KeyRef::Integer(7)).unwrap();
    assert_eq!((history.len(), history[0].reason.as_deref()), (3, Some("downgraded")));
    let cursors: Vec<i64> = reader.events(0, 100, &[]).unwrap().iter().map(|event| event.cursor).collect();
    assert_eq!(cursors, (1..=9).collect::<Vec<_>>(), "old changes are events too");
    assert_sound(&place.path);
}

#[test]
fn step_that_fails_leaves_version_1() {
    let place = file_of(1, VERSION_1);
    // Something in the way of the last part of the step.
    Connection::open(&place.path).unwrap().execute_batch("CREATE TABLE events (x INTEGER)").unwrap();
    tierd_ledger::Ledger::open(&place.path, "a test").unwrap_err();
    assert_eq!(query::<i64>(&place.path, "PRAGMA user_version"), 1);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM sqlite_schema WHERE name = 'movement'"), 0);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM current_levels"), 5);
}

/// Every row of a view that both versions have, by the columns of the older one.
fn rows(place: &Place, view: &str, columns: &str) -> String {
    query(&place.path, &format!("SELECT json_group_array(json_array({columns})) FROM {view}"))
}

/// Views of version 2 with their columns.
const VIEWS_2: [(&str, &str); 6] = [
    (
        "current_levels",
        "tier_set, subject, level, position, since, run, revision, transition, family, category, reason",
    ),
    ("level_changes", "transition, run, as_of, tier_set, subject, from_level, to_level, previous, metrics, reason"),
    ("level_counts", "run, as_of, tier_set, level, position, subjects"),
    (
        "run_log",
        "run, outcome, message, as_of, started, finished, revision, data_version, subjects, transitions, actions",
    ),
    ("tasks", "task, rule, subject, title, owner, created, due, escalate_on, escalate_to"),
    ("events", "cursor, event, kind, as_of, run, subject, tier_set, rule, data"),
];

#[test]
fn version_2_goes_on_where_it_stood() {
    let place = file_of(2, VERSION_2);
    let before = VIEWS_2.map(|(view, columns)| rows(&place, view, columns));
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Older { found: 2, known: 3 }), "{failure}");

    let mut ledger = open(&place.path);
    assert_sound(&place.path);
    assert_eq!(VIEWS_2.map(|(view, columns)| rows(&place, view, columns)), before);
    let reader = Reader::open(&place.path).unwrap();
    let below_since = || reader.standings("value", Keys::Integer(&[42]), LEVELS).unwrap()[0].below_since;
    assert_eq!(below_since(), Some(start(0).today));
    let runs = reader.runs(10).unwrap();
    assert_eq!(runs.iter().map(|run| run.id.0).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(runs.iter().all(|run| (run.cause, &run.schedules, &run.table_rows) == (Cause::Hand, &None, &None)));

    let keys = Keys::Integer(&[7, 42, 99]);
    let state = StateRow { subject: 1, policy: 2, below_since: None, locked_until: None, decided: None };
    let set = SetDecisions { states: Some(&[state]), ..decisions(keys, &[1, 2, 2]) };
    let summary = apply(&mut ledger, 9, &[set]).unwrap();
    assert_eq!((summary.run.0, summary.transitions, summary.escalated), (4, 1, 1));
    assert_eq!(below_since(), None, "what the policy remembered goes on from the version before");
    assert_sound(&place.path);
}

#[test]
fn step_that_fails_leaves_version_2() {
    let place = file_of(2, VERSION_2);
    // In the way of the last part of the step.
    Connection::open(&place.path).unwrap().execute_batch("CREATE TABLE reloads (x INTEGER)").unwrap();
    tierd_ledger::Ledger::open(&place.path, "a test").unwrap_err();
    assert_eq!(query::<i64>(&place.path, "PRAGMA user_version"), 2);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM sqlite_schema WHERE name IN ('hold', 'run_3')"), 0);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM run_log"), 3);
    assert_eq!(query::<String>(&place.path, "PRAGMA integrity_check"), "ok");
}
