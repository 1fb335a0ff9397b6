//! Copies of a ledger in use are whole, and replace nothing by accident.

use std::fs;

use tierd_ledger::{ErrorKind, Reader, backup};

use crate::{
    child::{Part, SUBJECTS},
    common::*,
};

#[test]
fn copies_of_a_ledger_that_another_process_writes_are_whole() {
    let place = place();
    let mut child = Part::start("write_until_killed", &place.path);
    child.await_ready();
    let copy = place.folder.path().join("copy.ledger");
    let mut most = 0;
    for _ in 0..3 {
        let done = backup(&place.path, &copy, true).unwrap();
        let subjects = SUBJECTS as u64;
        let changes: i64 = query(&copy, "SELECT count(*) FROM transition");
        assert_eq!(u64::try_from(changes).unwrap(), done.runs * subjects, "whole runs, and as many as it says");
        assert!(done.runs >= most, "a later copy has no fewer runs");
        most = done.runs;
    }
    child.kill();
    assert!(most > 0);
}

#[test]
fn copy_has_what_is_only_in_the_wal() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1, 2], &[0, 2]);
    let copy = place.folder.path().join("copy.ledger");
    assert_eq!(backup(&place.path, &copy, false).unwrap().runs, 1);
    assert_eq!(Reader::open(&copy).unwrap().runs(9).unwrap().len(), 1);
    assert!(!place.folder.path().join("copy.ledger.partial").exists());
    // It goes on as the ledger did.
    drop(ledger);
    let mut restored = open(&copy);
    run(&mut restored, 1, &[1, 2], &[2, 2]);
    assert_sound(&copy);
}

#[test]
fn nothing_is_replaced_by_accident() {
    let place = place();
    drop(open(&place.path));
    let beside = |name: &str| place.folder.path().join(name);
    let refused = |to: &str, force| backup(&place.path, &beside(to), force).unwrap_err().kind;
    fs::write(beside("shop.db"), "SQLite format 3\0, or something else of value").unwrap();
    fs::write(beside("empty"), "").unwrap();
    backup(&place.path, &beside("copy"), false).unwrap();
    assert!(matches!(refused("copy", false), ErrorKind::BackupExists));
    assert!(matches!(refused("empty", false), ErrorKind::BackupExists));
    for force in [false, true] {
        assert!(matches!(refused("tierd.ledger", force), ErrorKind::BackupOfItself));
        assert!(matches!(refused("shop.db", force), ErrorKind::NotALedger));
        assert!(matches!(refused("no/such/folder", force), ErrorKind::File { .. }));
    }
    assert!(fs::read_to_string(beside("shop.db")).unwrap().ends_with("of value"));
    backup(&place.path, &beside("copy"), true).unwrap();
}

#[test]
fn a_damaged_ledger_gives_no_copy() {
    let place = place();
    let mut ledger = open(&place.path);
    let keys: Vec<i64> = (0..20_000).collect();
    run(&mut ledger, 0, &keys, &vec![1; keys.len()]);
    drop(ledger);
    let mut bytes = fs::read(&place.path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&place.path, bytes).unwrap();
    let copy = place.folder.path().join("copy.ledger");
    assert!(matches!(backup(&place.path, &copy, false).unwrap_err().kind, ErrorKind::Corrupt(_)));
    assert!(!copy.exists() && !place.folder.path().join("copy.ledger.partial").exists());
    assert!(!Reader::open(&place.path).unwrap().damage().unwrap().is_empty());
}

#[test]
fn numbers_count_what_waits() {
    let place = place();
    let mut ledger = open(&place.path);
    let empty = Reader::open(&place.path).unwrap().numbers().unwrap();
    assert_eq!((empty.tasks_open, empty.holds_waiting, empty.last_event, empty.missed.len()), (0, 0, 0, 0));
    let acts = [act(0, task("call", 3)), act(1, task("call", 3))];
    let keys = [1, 2];
    apply_with_rules(&mut ledger, 0, &[], &[win_back(&keys, &[], &acts)]).unwrap();
    let numbers = Reader::open(&place.path).unwrap().numbers().unwrap();
    assert_eq!(numbers.tasks_open, 2);
    assert!(numbers.last_event > 0);
}
