//! What a daemon tells the service manager, and how it ends, in every phase of its life.

use std::{thread, time::Duration};

use rusqlite::Connection;

use super::process::{Daemon, project};
use crate::support::Project;

/// Somebody who keeps a database to himself.
struct Locked(Connection);

impl Locked {
    fn database(project: &Project) -> Self {
        let other = Connection::open(project.path("shop.db")).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        Locked(other)
    }

    fn ledger(project: &Project) -> Self {
        let other = Connection::open(project.path("tierd.ledger")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Locked(other)
    }

    fn release(self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

fn decided(project: &Project) -> i64 {
    assert_eq!(text(project, "PRAGMA integrity_check"), "ok");
    project.count("SELECT count(*) FROM run WHERE outcome IN ('applied', 'unchanged')")
}

fn text(project: &Project, sql: &str) -> String {
    Connection::open(project.path("tierd.ledger")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn service_manager_is_told_what_happens() {
    let project = project();
    let mut daemon = Daemon::start(project.folder(), &[]);
    daemon.hear("WATCHDOG=1");
    daemon.signal("HUP");
    assert!(daemon.hear("RELOADING=1").contains("MONOTONIC_USEC="));
    let ready = daemon.hear("READY=1");
    assert!(ready.contains("STATUS=revision "), "{ready}");
    assert_eq!(daemon.run(20)["outcome"], "applied");
    daemon.hear("last run 1 applied");
    daemon.signal("TERM");
    daemon.hear("STOPPING=1");
    let (status, _) = daemon.end();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn watchdog_is_fed_while_there_is_progress_and_not_otherwise() {
    let project = project();
    let mut daemon = Daemon::start(project.folder(), &["--stuck-after", "1"]);
    assert!(!daemon.is_silent(Duration::from_secs(2)), "an idle daemon lives");
    let locked = Locked::database(&project);
    daemon.begin_run();
    daemon.wait_for(|daemon| daemon.log().contains("a part of tierd stands still"));
    assert!(daemon.is_silent(Duration::from_secs(2)), "a run that stands still is no sign of life");
    locked.release();
    daemon.hear("WATCHDOG=1");
    daemon.wait_for(|daemon| daemon.log().contains("every part of tierd moves again"));
}

#[test]
fn run_is_finished_before_the_end() {
    let project = project();
    project.run();
    project.sql("INSERT INTO orders VALUES (7, 3, 900000, 'paid', '2026-03-03 00:00:00')");
    for what in ["reading", "writing"] {
        let before = decided(&project);
        let locked = if what == "reading" { Locked::database(&project) } else { Locked::ledger(&project) };
        let mut daemon = Daemon::start(project.folder(), &[]);
        daemon.begin_run();
        daemon.signal("TERM");
        daemon.hear("STOPPING=1");
        thread::sleep(Duration::from_millis(300));
        locked.release();
        let (status, _) = daemon.end();
        assert_eq!(status.code(), Some(0), "{what}");
        assert_eq!(decided(&project), before + 1, "{what}");
    }
}

#[test]
fn run_is_abandoned_at_the_deadline_and_at_a_second_signal() {
    let project = project();
    project.run();
    let before = project.held("value");
    project.sql("UPDATE orders SET status = 'refunded'");
    for (signals, patience) in [(1, "1"), (2, "60")] {
        let locked = Locked::database(&project);
        let mut daemon = Daemon::start(project.folder(), &["--stop-after", patience]);
        daemon.begin_run();
        for _ in 0..signals {
            // Two at once would count as one.
            daemon.signal("TERM");
            daemon.wait_for(|daemon| daemon.log().contains("stopping"));
        }
        let (status, took) = daemon.end();
        assert_eq!(status.code(), Some(1), "somebody should know that a run was given up");
        assert!(took < Duration::from_secs(20), "{took:?}");
        locked.release();
        assert_eq!((decided(&project), project.held("value")), (1, before.clone()), "as if there had been no run");
    }
    project.run();
    assert_ne!(project.held("value"), before, "the next run is as any other");
}

#[test]
fn end_at_any_moment_leaves_whole_runs() {
    let project = Project::empty();
    project.tierd(&["demo", "--customers", "20000", "--dir", "d", "--as-of", "2026-03-31"]).ok();
    let folder = project.path("d");
    let config = std::fs::read_to_string(folder.join("tierd.toml")).unwrap();
    std::fs::write(folder.join("tierd.toml"), format!("{config}\n[http]\nlisten = \"off\"\n")).unwrap();
    let ledger = || Connection::open(folder.join("tierd.ledger")).unwrap();
    for millis in (0..1200).step_by(150) {
        let shop = Connection::open(folder.join("shop.db")).unwrap();
        // Other people are worth something each time.
        shop.execute(
            "UPDATE orders SET amount_cents = amount_cents * 3 WHERE customer_id % 7 = ?1",
            [(millis / 150 % 7) as i64],
        )
        .unwrap();
        drop(shop);
        let mut daemon = Daemon::start(&folder, &["--stop-after", "0"]);
        daemon.begin_run();
        thread::sleep(Duration::from_millis(millis));
        daemon.signal("TERM");
        let (status, _) = daemon.end();
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        let count = |sql: &str| -> i64 { ledger().query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
        assert_eq!(count("SELECT coalesce(sum(transitions), 0) FROM run"), count("SELECT count(*) FROM transition"));
        let lost =
            "SELECT count(*) FROM held h JOIN transition t ON t.id = h.transition WHERE h.level IS NOT t.to_level";
        assert_eq!(count(lost), 0, "what is held is what the last change says");
    }
}

#[test]
fn end_isnt_kept_waiting_by_files_that_cant_be_read() {
    let project = project();
    let daemon = Daemon::start(project.folder(), &["--stop-after", "1"]);
    let made = std::process::Command::new("mkfifo").arg(project.path("rules/endless.toml")).status();
    assert!(made.unwrap().success());
    daemon.signal("HUP");
    thread::sleep(Duration::from_millis(300));
    daemon.signal("TERM");
    let (status, took) = daemon.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
