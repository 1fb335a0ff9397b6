//! Ends that nobody planned: kill -9 while rules are reloaded, and SIGTERM before the daemon is ready. Kills during runs are the soak's
//! (`soak kill`) and the ledger's own; SIGTERM in later phases is in `living::signals`.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::Connection;

use super::world::{assert_sound, run_succeeds, shop};
use crate::{living::process::Daemon, support::Project};

/// The threshold of level A in the rules that were in force last, by the ledger.
fn in_force(project: &Project) -> String {
    let ledger = Connection::open(project.path("tierd.ledger")).unwrap();
    let sql = "SELECT c.text FROM revision_file AS f JOIN content AS c ON c.sha256 = f.sha256
               WHERE f.path = 'rules/value.toml' AND f.revision = (SELECT revision FROM reload ORDER BY id DESC LIMIT 1)";
    let text: String = ledger.query_row(sql, [], |row| row.get(0)).unwrap();
    text.lines().rev().find_map(|line| line.strip_prefix("when = \"annual_spend >= ")).unwrap().replace('"', "")
}

#[test]
fn kill_while_rules_are_reloaded_leaves_the_old_ones_or_the_new_ones() {
    let project = shop("");
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let (mut threshold, mut random) = (10_000, u64::from(seed) | 1);
    for round in 0..12 {
        let daemon = Daemon::start(project.folder(), &[]);
        run_succeeds(&daemon);
        assert_eq!(in_force(&project), threshold.to_string(), "round {round}: a start finds the files as they are");
        project.edit("rules/value.toml", &format!(">= {threshold}\""), &format!(">= {}\"", threshold + 1));
        threshold += 1;
        daemon.signal("HUP");
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        sleep(Duration::from_micros(random % 60_000));
        daemon.signal("KILL");
        daemon.end();
        let left = in_force(&project);
        assert!(
            left == threshold.to_string() || left == (threshold - 1).to_string(),
            "round {round} of seed {seed}: {left}"
        );
        assert_sound(&project.path("tierd.ledger"));
    }
}

#[test]
fn end_before_it_is_ready() {
    let project = shop("");
    // Opening this waits for a writer that never comes.
    let made = Command::new("mkfifo").arg(project.path("rules/endless.toml")).status();
    assert!(made.unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
    command.arg("serve");
    let mut daemon = Daemon::begin(project.folder(), command);
    daemon.until_it_minds_signals();
    daemon.signal("TERM");
    daemon.hear("STOPPING=1");
    let (status, took) = daemon.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
