//! No space for the ledger, or for the log.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::world::{assert_sound, is_root, metrics, run_fails, run_succeeds, shop, until};
use crate::{living::process::Daemon, support::Project};

/// A disk of 2 MB, with the ledger on it, in the folder `disk` of a project; gone when the test ends.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(project: &Project) -> Self {
        let at = project.path("disk");
        fs::create_dir(&at).unwrap();
        project.edit("tierd.toml", "[database]", "[ledger]\npath = \"disk/tierd.ledger\"\n[database]");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&at).status();
        assert!(mount.unwrap().success(), "a tmpfs can't be mounted here");
        SmallDisk(at)
    }

    fn fill(&self) {
        let mut ballast = File::create(self.0.join("ballast")).unwrap();
        while ballast.write_all(&[1; 512]).is_ok() {}
    }

    fn make_space(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Levels in a ledger: `1=A 2=B`.
fn held(ledger: &Path) -> String {
    let sql = "SELECT group_concat(subject || '=' || level, ' ' ORDER BY subject) FROM current_levels";
    rusqlite::Connection::open(ledger).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until the daemon has done what it does at its start: written down the rules, and kept a connection to the ledger open,
/// without which nobody could read it on a full disk.
fn settle(ledger: &Path, daemon: &Daemon) {
    let noted = || -> rusqlite::Result<i64> {
        rusqlite::Connection::open(ledger)?.query_row("SELECT count(*) FROM reload", [], |row| row.get(0))
    };
    until("a note of the start", daemon, || noted().is_ok_and(|count| count == 1));
    let handles = format!("/proc/{}/fd", daemon.id());
    let is_open = || {
        let files = fs::read_dir(&handles).unwrap().filter_map(|handle| fs::read_link(handle.unwrap().path()).ok());
        files.into_iter().any(|file| file.as_path() == ledger)
    };
    // Others come and go.
    let mut in_a_row = 0;
    until("a connection that stays", daemon, || {
        in_a_row = if is_open() { in_a_row + 1 } else { 0 };
        in_a_row == 20
    });
}

fn status_says(project: &Project, part: &str) {
    project.tierd(&["status"]).ok().prints(&[part]);
}

#[test]
fn full_disk_fails_runs_and_nothing_else_until_there_is_space() {
    if !is_root() {
        return;
    }
    let project = shop("");
    let disk = SmallDisk::mount(&project);
    let ledger = disk.0.join("tierd.ledger");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    assert_eq!(held(&ledger), "1=A 2=B 3=C");
    settle(&ledger, &daemon);
    disk.fill();
    project.sql("UPDATE orders SET amount = amount * 10");
    for times in 1..=3 {
        run_fails(&daemon, &["run-failed", "no space left on its disk"]);
        assert_eq!(held(&ledger), "1=A 2=B 3=C");
        let failed = format!("tierd_runs_total{{outcome=\"failed\",cause=\"hand\"}} {times}");
        assert!(metrics(project.folder()).contains(&failed), "{}", metrics(project.folder()));
        status_says(&project, "no space left");
    }
    // Rules are reloaded all the same, and written down later.
    project.edit("rules/value.toml", ">= 10000", ">= 33000");
    let active = |daemon: &Daemon| daemon.client().get("/api/v1/status").unwrap()["revision"].clone();
    let before = active(&daemon);
    daemon.signal("HUP");
    until("other rules", &daemon, || active(&daemon) != before);
    disk.make_space();
    assert_eq!(run_succeeds(&daemon), "applied");
    assert_eq!(held(&ledger), "1=A 2=A 3=B");
    let count = |sql: &str| -> i64 {
        rusqlite::Connection::open(&ledger).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM transition"), 5, "three first levels, and two changes");
    until("a note of the reload", &daemon, || count("SELECT count(*) FROM reload") == 2);
    assert_sound(&ledger);
}

#[test]
fn run_after_a_change_is_made_up_for_when_there_is_space() {
    if !is_root() {
        return;
    }
    let project = shop(super::world::FOLLOWS_CHANGES);
    let disk = SmallDisk::mount(&project);
    let ledger = disk.0.join("tierd.ledger");
    let daemon = Daemon::start(project.folder(), &[]);
    until("the first run", &daemon, || {
        ledger.exists() && !daemon.log().is_empty() && daemon.log().contains("run finished")
    });
    settle(&ledger, &daemon);
    disk.fill();
    project.sql("UPDATE orders SET amount = amount * 10");
    until("a failed run", &daemon, || daemon.log().contains("run failed"));
    disk.make_space();
    // Nothing more changes in the database.
    until("the run", &daemon, || held(&ledger) == "1=A 2=A 3=A");
    assert_sound(&ledger);
}

/// By a limit on the size of files, which needs no root: also the log can't be written.
#[test]
fn files_that_may_not_grow_fail_runs_and_not_the_daemon() {
    let project = shop("");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    settle(&project.path("tierd.ledger"), &daemon);
    let limit = |to: &str| {
        let set = Command::new("prlimit").arg(format!("--pid={}", daemon.id())).arg(format!("--fsize={to}:")).status();
        assert!(set.unwrap().success());
    };
    project.sql("UPDATE orders SET amount = amount * 10");
    for bytes in ["100", "5000"] {
        limit(bytes);
        run_fails(&daemon, &["run-failed"]);
        assert_eq!(project.held("value"), "1=A 2=B 3=C", "{bytes}");
        status_says(&project, "run as of");
    }
    limit("unlimited");
    assert_eq!(run_succeeds(&daemon), "applied");
    assert_eq!(project.held("value"), "1=A 2=A 3=A");
    assert_sound(&project.path("tierd.ledger"));
}

#[test]
fn log_that_cant_be_written_ends_nothing() {
    let project = shop("");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" serve 2>/dev/full", env!("CARGO_BIN_EXE_tierd")]).stdout(Stdio::null());
    let mut daemon = Daemon::begin(project.folder(), command);
    daemon.hear("READY=1");
    assert_eq!(run_succeeds(&daemon), "applied");
    project.edit("rules/value.toml", ">= 10000", ">= 20000");
    daemon.signal("HUP");
    daemon.hear("RELOADING=1");
    daemon.hear("READY=1");
    assert_eq!(run_succeeds(&daemon), "applied");
    assert_eq!(project.held("value"), "1=B 2=B 3=C");
    daemon.signal("TERM");
    let (status, _) = daemon.end();
    assert_eq!(status.code(), Some(0));
}
