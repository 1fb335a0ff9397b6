//! A disk that reports an error for what it may have kept: nobody knows then whether a commit is there. Whoever makes the run again
//! loses and doubles nothing.
//!
//! Each call that brings a file to the disk (fsync, fdatasync) fails once, the first one, the second one and so on, until a pass
//! has no call left to fail.

use std::{path::PathBuf, process::Command};

use rusqlite::Connection;

use super::world::{HELD, assert_sound, preloaded, run, shop};
use crate::{
    living::process::Daemon,
    support::{AS_OF, Project},
};

const RULE: &str = "[retention.call]\nsubject = \"customer\"\nwhen = \"annual_spend >= 20000\"\n\
                    action = { task = \"call\", owner = \"sales\", due = \"3 days\" }\n";

/// What everybody holds after the run in question.
const AFTER: &str = "1=A 2=A 3=A";

/// All that a ledger says of levels, tasks and events.
const SAID: &str = "SELECT group_concat(line, ', ') FROM (
    SELECT 'level ' || subject || ' ' || coalesce(from_level, '-') || ' ' || to_level AS line FROM level_changes
    UNION ALL SELECT 'task ' || a.code || ' ' || t.title FROM task AS t JOIN action AS a ON a.id = t.action
    UNION ALL SELECT 'event ' || code || ' ' || kind FROM outbox ORDER BY line)";

/// A program whose sync calls can fail.
struct Failing {
    _folder: tempfile::TempDir,
    library: PathBuf,
}

impl Failing {
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = preloaded(folder.path(), "failing_sync");
        Failing { _folder: folder, library }
    }

    /// `tierd` in this project, whose `nth` call fails; `late`: after it was done.
    fn tierd(&self, project: &Project, nth: u32, late: bool) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
        command.current_dir(project.folder());
        command.env("LD_PRELOAD", &self.library).env("FAIL_AT", nth.to_string());
        command.env("FAIL_TOLD", project.path("failed"));
        if late {
            command.env("FAIL_LATE", "1");
        }
        command
    }
}

/// The shop after a first run, with other orders since.
fn graded() -> Project {
    let project = shop("");
    project.write("rules/call.toml", RULE);
    project.run();
    assert_eq!(project.held("value"), HELD);
    project.sql("UPDATE orders SET amount = amount * 10");
    project
}

fn said(project: &Project) -> String {
    assert_sound(&project.path("tierd.ledger"));
    Connection::open(project.path("tierd.ledger")).unwrap().query_row(SAID, [], |row| row.get(0)).unwrap()
}

/// Makes the run with a call that fails, the first one, the second one, …; `fails` makes it, and again until it succeeds. Returns how
/// many calls there were.
fn each_call(fails: impl Fn(&Project, Command)) -> u32 {
    let failing = Failing::build();
    let reference = graded();
    reference.run();
    let mut calls = 0;
    for late in [false, true] {
        for nth in 1.. {
            let project = graded();
            fails(&project, failing.tierd(&project, nth, late));
            let what = format!("call {nth}, {}", if late { "done and reported as failed" } else { "failed" });
            assert_eq!(project.held("value"), AFTER, "{what}");
            assert_eq!(said(&project), said(&reference), "{what}");
            if !project.path("failed").exists() {
                break;
            }
            calls += 1;
        }
    }
    calls
}

#[test]
fn run_made_again_after_a_commit_of_unknown_outcome_changes_nothing_twice() {
    let calls = each_call(|project, mut tierd| {
        let ran = tierd.args(["run", "--quiet", "--as-of", AS_OF]).output().unwrap();
        let (failed, held) = (project.path("failed").exists(), project.held("value"));
        // Not each call is a commit: a checkpoint may fail and be made later.
        assert!(ran.status.success() || failed, "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(held == AFTER || held == HELD && failed, "{held}");
        project.run();
    });
    assert!(calls >= 4, "only {calls} calls failed");
}

#[test]
fn daemon_goes_on_after_a_commit_of_unknown_outcome() {
    let calls = each_call(|project, mut tierd| {
        tierd.arg("serve");
        let mut daemon = Daemon::begin(project.folder(), tierd);
        daemon.hear("READY=1");
        let failures = (0..3).filter(|_| run(&daemon).is_err()).count();
        assert!(failures <= usize::from(project.path("failed").exists()), "{}", daemon.log());
        daemon.signal("KILL");
        daemon.end();
    });
    assert!(calls >= 4, "only {calls} calls failed");
}
