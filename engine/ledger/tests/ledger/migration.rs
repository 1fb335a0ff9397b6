//! Ledgers of earlier versions, as the tierd of that time left them.

use std::fs;

use rusqlite::Connection;
use tierd_ledger::{ErrorKind, KeyRef, Keys, Outcome, Reader, SetDecisions, Standing};

use crate::common::*;

/// Two tier sets, three runs that decided them and one that failed.
const VERSION_1: &[u8] = include_bytes!("../data/version-1.ledger");

fn version_1() -> Place {
    let place = place();
    fs::write(&place.path, VERSION_1).unwrap();
    assert_eq!(query::<i64>(&place.path, "PRAGMA user_version"), 1);
    place
}

#[test]
fn version_1_goes_on_where_it_stood() {
    let place = version_1();
    let before: String = query(&place.path, "SELECT group_concat(transition || to_level) FROM level_changes");
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Older { found: 1, known: 2 }), "{failure}");

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
    let place = version_1();
    // Something in the way of the last part of the step.
    Connection::open(&place.path).unwrap().execute_batch("CREATE TABLE events (x INTEGER)").unwrap();
    tierd_ledger::Ledger::open(&place.path, "a test").unwrap_err();
    assert_eq!(query::<i64>(&place.path, "PRAGMA user_version"), 1);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM sqlite_schema WHERE name = 'movement'"), 0);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM current_levels"), 5);
}
