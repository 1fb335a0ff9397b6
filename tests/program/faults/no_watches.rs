//! A system that gives no watches of files: other programs of this user have taken them all.

use std::process::Command;

use serde_json::json;

use super::world::{metrics, preloaded, shop};
use crate::living::process::Daemon;

#[test]
fn daemon_without_watches_says_so() {
    let project = shop("");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
    command.arg("serve").env("LD_PRELOAD", preloaded(project.folder(), "no_watches"));
    let mut daemon = Daemon::begin(project.folder(), command);
    daemon.hear("READY=1");
    daemon.wait_for(|daemon| daemon.log().contains("changes of files aren't seen at once, only every 30 seconds"));
    let status = daemon.client().get("/api/v1/status").unwrap();
    assert_eq!(status["watching"]["at_once"], json!(false), "{status}");
    let reason = status["watching"]["reason"].as_str().unwrap();
    project.tierd(&["status"]).ok().prints(&["changes of files are seen only every 30 seconds", reason]);
    let doctor = project.tierd(&["doctor"]).exits(1);
    let line = doctor.out.lines().find(|line| line.contains("watching files")).unwrap();
    assert!(line.starts_with("BAD") && line.contains(reason), "{}", doctor.out);
    assert!(metrics(project.folder()).contains("tierd_files_watched 0"));
}

#[test]
fn daemon_with_watches_says_nothing_of_them() {
    let project = shop("");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(daemon.client().get("/api/v1/status").unwrap()["watching"], json!({ "at_once": true, "reason": null }));
    let status = project.tierd(&["status"]).ok();
    assert!(!status.out.contains("30 seconds"), "{}", status.out);
    assert!(metrics(project.folder()).contains("tierd_files_watched 1"));
}
