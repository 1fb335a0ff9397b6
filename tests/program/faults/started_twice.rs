//! One daemon for a ledger.

use std::{fs, path::Path, process::Command};

use super::world::{run_succeeds, shop};
use crate::living::process::Daemon;

/// What a second daemon says that is started here, and its exit code.
fn second(folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tierd")).current_dir(folder).arg("serve").output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn second_daemon_is_told_who_serves_and_leaves_the_first_alone() {
    let project = shop("");
    let daemon = Daemon::start(project.folder(), &[]);
    let (code, said) = second(project.folder());
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains(&format!("served by tierd serve (process {})", daemon.id())), "{said}");
    // By another way to the same ledger, too.
    let link = project.path("elsewhere");
    fs::create_dir(&link).unwrap();
    for name in ["tierd.toml", "rules", "shop.db"] {
        std::os::unix::fs::symlink(project.path(name), link.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(project.path("tierd.ledger"), link.join("tierd.ledger")).unwrap();
    run_succeeds(&daemon);
    let (code, said) = second(&link);
    assert_eq!(code, Some(69), "{said}");
    assert_eq!(run_succeeds(&daemon), "unchanged", "its socket is still its own");
}

#[test]
fn killed_daemon_leaves_its_place_free() {
    let project = shop("");
    for outcome in ["applied", "unchanged"] {
        let daemon = Daemon::start(project.folder(), &[]);
        assert_eq!(run_succeeds(&daemon), outcome);
        daemon.signal("KILL");
        daemon.end();
    }
}
