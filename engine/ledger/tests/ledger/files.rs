//! Which files are opened, by whom, and which are left alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tierd_ledger::{ErrorKind, KeyRef, Ledger, Reader};

use crate::{child::Part, common::*};

fn refused(path: &Path) -> ErrorKind {
    let failure = Ledger::open(path, "a test").unwrap_err();
    assert!(failure.to_string().contains(&*path.file_name().unwrap().to_string_lossy()), "{failure}");
    failure.kind
}

/// Makes something that is no ledger.
type Make = fn(&Path);

/// Names and contents of all files of a folder; a folder in it counts as empty.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap_or_default())).collect()
}

#[test]
fn second_writer_is_told_who_holds_the_ledger() {
    let place = place();
    drop(open(&place.path));
    let child = Part::start("hold_the_lock", &place.path);
    match refused(&place.path) {
        ErrorKind::Locked { holder } => {
            assert!(holder.starts_with(&format!("tierd serve (process {} on ", child.id())), "{holder}");
            assert!(holder.contains(", since 20") && holder.ends_with("Z)"), "{holder}");
        }
        kind => panic!("{kind:?}"),
    }
    Reader::open(&place.path).unwrap().runs(1).unwrap();
    child.end();
    drop(Ledger::open(&place.path, "a test").unwrap());
}

#[test]
fn lock_ends_with_its_process_however_that_ends() {
    let place = place();
    let child = Part::start("hold_the_lock", &place.path);
    child.kill();
    let ledger = Ledger::open(&place.path, "a test").unwrap();
    assert!(matches!(refused(&place.path), ErrorKind::Locked { .. }), "also within one process");
    drop(ledger);
    drop(Ledger::open(&place.path, "a test").unwrap());
}

#[cfg(unix)]
#[test]
fn link_to_a_ledger_has_the_same_lock() {
    let place = place();
    let _ledger = open(&place.path);
    let link = place.folder.path().join("link.ledger");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let failure = Ledger::open(&link, "a test").unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Locked { .. }), "{failure}");
}

#[test]
fn files_that_are_no_ledger_are_left_alone() {
    let others: [(&str, Make); 5] = [
        ("a database", |path| {
            Connection::open(path).unwrap().execute_batch("CREATE TABLE customers (id INTEGER)").unwrap();
        }),
        ("a database in WAL mode", |path| {
            let sql = "PRAGMA journal_mode = WAL; CREATE TABLE customers (id INTEGER)";
            Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }),
        ("a database of another application", |path| {
            let sql = "PRAGMA application_id = 7; PRAGMA user_version = 1";
            Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }),
        ("text", |path| fs::write(path, "time_zone = \"UTC\"\n".repeat(100)).unwrap()),
        ("a folder", |path| fs::create_dir(path).unwrap()),
    ];
    for (what, make) in others {
        let place = place();
        make(&place.path);
        let before = contents(place.folder.path());
        assert!(matches!(refused(&place.path), ErrorKind::NotALedger), "{what}");
        let failure = Reader::open(&place.path).unwrap_err();
        assert!(matches!(failure.kind, ErrorKind::NotALedger), "{what}: {failure}");
        assert!(contents(place.folder.path()) == before, "{what}: no file is changed, made or removed");
    }
}

#[test]
fn newer_ledger_is_left_alone() {
    let place = place();
    drop(open(&place.path));
    Connection::open(&place.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&place.path).unwrap();
    assert!(matches!(refused(&place.path), ErrorKind::Newer { found: 99, known: 3 }));
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Newer { found: 99, known: 3 }), "{failure}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn older_ledger_waits_for_a_writer() {
    let place = place();
    drop(open(&place.path));
    Connection::open(&place.path).unwrap().pragma_update(None, "user_version", 0).unwrap();
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Older { found: 0, known: 3 }), "{failure}");
}

#[test]
fn reader_of_nothing_makes_nothing() {
    let place = place();
    let failure = Reader::open(&place.path).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Missing), "{failure}");
    assert_eq!(contents(place.folder.path()), []);
}

#[test]
fn empty_file_and_leftovers_become_a_ledger() {
    let place = place();
    fs::write(&place.path, "").unwrap();
    // What a process leaves that was killed while it made the file.
    fs::write(place.folder.path().join("tierd.ledger.new"), "half a ledger").unwrap();
    fs::write(place.folder.path().join("tierd.ledger.new-journal"), "half a journal").unwrap();
    let mut ledger = open(&place.path);
    assert_eq!(run(&mut ledger, 0, &[1], &[0]).transitions, 1);
    drop(ledger);
    let left: Vec<_> = contents(place.folder.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [place.path.clone(), place.folder.path().join("tierd.ledger.lock")]);
    assert_eq!(query::<i64>(&place.path, "PRAGMA application_id"), 0x7469_6572);
}

#[test]
fn folder_that_is_missing_is_named() {
    let place = place();
    let failure = Ledger::open(&place.folder.path().join("none/tierd.ledger"), "a test").unwrap_err();
    let expected = format!("can't find the folder {}/none", place.folder.path().display());
    assert!(failure.to_string().ends_with(&expected), "{failure}");
}

#[cfg(target_os = "linux")]
#[test]
fn folder_that_cannot_be_written_is_named() {
    // Even root can't make files there.
    let path = Path::new("/sys/kernel/tierd.ledger");
    match refused(path) {
        ErrorKind::File { action: "open the lock file", file, .. } => {
            assert_eq!(file, Path::new("/sys/kernel/tierd.ledger.lock"));
        }
        kind => panic!("{kind:?}"),
    }
}

#[test]
fn damaged_ledger_is_reported_as_damaged() {
    let place = place();
    let mut ledger = open(&place.path);
    let keys: Vec<i64> = (0..2000).collect();
    run(&mut ledger, 0, &keys, &vec![1; 2000]);
    drop(ledger);
    let mut bytes = fs::read(&place.path).unwrap();
    // All but the first page, which says that it is a ledger and how large it is.
    bytes[4096..].fill(0xee);
    fs::write(&place.path, bytes).unwrap();
    let failure = Reader::open(&place.path).and_then(|reader| reader.runs(1)).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Corrupt(_)), "{failure:?}");
    assert!(matches!(refused(&place.path), ErrorKind::Corrupt(_)));
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1, 2, 3], &[0, 0, 0]);
    let reader = Reader::open(&place.path).unwrap();
    let mut seen = Vec::new();
    let each = |row: tierd_ledger::HeldLevel<'_>| {
        if seen.is_empty() {
            assert_eq!(run(&mut ledger, 1, &[1, 2, 3], &[2, 2, 2]).transitions, 3);
        }
        seen.push((row.key, row.level.map(str::to_owned)).1);
    };
    reader.held_all("value", each).unwrap();
    assert_eq!(seen, vec![Some("C".to_owned()); 3], "the state when it began");
    assert_eq!(reader.held("value", KeyRef::Integer(3)).unwrap().unwrap().level.as_deref(), Some("A"));
}
