//! An application that writes all the time: its commits and checkpoints don't suffer from a daemon that runs and watches.

use std::time::{Duration, Instant};

use super::{
    application::{Application, ENOUGH, Report},
    world::{FOLLOWS_CHANGES, HELD, assert_sound, run_succeeds, shop, until},
};
use crate::living::process::Daemon;

/// Runs by hand and on changes, while an application writes; what that saw.
fn written_beside(journal: &str, patience: Duration) -> Report {
    let project = shop(FOLLOWS_CHANGES);
    // So many that reading them takes a while.
    let orders = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                  INSERT INTO orders SELECT i + 100, i % 3 + 1, 1, 'paid', '2020-01-01' FROM n;";
    project.sql(&format!("PRAGMA journal_mode = {journal}; {orders}"));
    let daemon = Daemon::start(project.folder(), &[]);
    let application = Application::start(&project.path("shop.db"), patience);
    let (began, mut runs) = (Instant::now(), 0);
    while runs < 6 || !application.has_written_enough() {
        // A slow disk lets it commit some five times a second.
        assert!(began.elapsed() < Duration::from_secs(120), "the application writes too slowly, or has ended");
        run_succeeds(&daemon);
        runs += 1;
    }
    let after_changes = || project.count("SELECT count(*) FROM run WHERE cause = 'change' AND outcome <> 'failed'");
    until("a run under constant writing", &daemon, || after_changes() > 0);
    let report = application.end();
    assert_eq!(project.held("value"), HELD);
    assert_eq!(project.count("SELECT count(*) FROM run WHERE outcome = 'failed'"), 0);
    assert_sound(&project.path("tierd.ledger"));
    report
}

#[test]
fn application_that_never_waits_for_locks_loses_no_commit_and_no_checkpoint() {
    let report = written_beside("WAL", Duration::ZERO);
    assert_eq!(report.failure, None, "{report:?}");
    assert!(report.commits >= ENOUGH && report.checkpoints > 3, "{report:?}");
    // A second or less of this is the reading itself.
    assert!(report.longest_refused < Duration::from_secs(3), "{report:?}");
}

#[test]
fn application_with_a_rollback_journal_loses_no_commit() {
    let report = written_beside("DELETE", Duration::from_secs(5));
    assert_eq!(report.failure, None, "{report:?}");
    assert!(report.commits >= ENOUGH, "{report:?}");
}
