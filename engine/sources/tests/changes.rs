//! A monitor tells of every commit, and is in nobody's way.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{path::Path, time::Duration};

use rusqlite::Connection;
use tierd_sources::{ChangeMonitor, Database};

fn application(path: &Path, journal: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", journal).unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS orders (amount INTEGER)").unwrap();
    connection
}

fn monitor(path: &Path) -> ChangeMonitor {
    ChangeMonitor::open(&Database::open(path, Duration::from_millis(100)).unwrap()).unwrap()
}

#[test]
fn each_commit_is_told_once() {
    for journal in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let shop = application(&path, journal);
        let mut monitor = monitor(&path);
        assert!(!monitor.has_changed().unwrap(), "{journal}");
        shop.execute_batch("INSERT INTO orders VALUES (1)").unwrap();
        assert!(monitor.has_changed().unwrap(), "{journal}");
        assert!(!monitor.has_changed().unwrap(), "{journal}");
        shop.execute_batch("BEGIN; INSERT INTO orders VALUES (2)").unwrap();
        assert!(!monitor.has_changed().unwrap(), "{journal}: not committed yet");
        shop.execute_batch("ROLLBACK; INSERT INTO orders VALUES (3)").unwrap();
        drop(shop);
        assert!(monitor.has_changed().unwrap(), "{journal}");
    }
}

/// Without a busy timeout, the application would fail at once if the monitor held any lock that matters.
#[test]
fn monitor_holds_up_neither_commit_nor_checkpoint() {
    for journal in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let shop = application(&path, journal);
        let mut monitor = monitor(&path);
        for amount in 0..50 {
            shop.execute("INSERT INTO orders VALUES (?1)", [amount]).unwrap();
            monitor.has_changed().unwrap();
            let busy: i64 = shop.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
            assert_eq!(busy, 0, "{journal}");
        }
        shop.execute_batch("VACUUM").unwrap();
        assert!(monitor.has_changed().unwrap(), "{journal}");
    }
}

#[test]
fn replaced_file_is_a_change_and_is_watched_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, new) = (folder.path().join("shop.db"), folder.path().join("restored.db"));
    drop(application(&path, "DELETE"));
    drop(application(&new, "DELETE"));
    let mut monitor = monitor(&path);
    std::fs::rename(&new, &path).unwrap();
    assert!(monitor.has_changed().unwrap());
    assert!(!monitor.has_changed().unwrap());
    application(&path, "DELETE").execute_batch("INSERT INTO orders VALUES (1)").unwrap();
    assert!(monitor.has_changed().unwrap());
    std::fs::remove_file(&path).unwrap();
    assert!(monitor.has_changed().is_err());
}
