//! What these tests share: a shop that is served, what its daemon says, and what only root may do.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::{Value, json};
use tierd_http::client::ClientError;

use crate::{
    living::process::{Daemon, project},
    support::{AS_OF, Project},
};

/// What everybody holds after the first run of the shop.
pub(super) const HELD: &str = "1=A 2=B 3=C";

/// The shop, with this in its configuration. Levels don't depend on when one looks: runs after changes are as of now.
pub(super) fn shop(more: &str) -> Project {
    let project = project();
    project.edit("rules/value.toml", "12 months", "1200 months");
    project.sql("DELETE FROM orders WHERE id = 6; UPDATE orders SET ordered_at = '2020-01-01'");
    project.edit("tierd.toml", "[database]", &format!("{more}\n[database]"));
    project
}

/// Decided whenever the data has changed.
pub(super) const FOLLOWS_CHANGES: &str = "[schedule.default]\non_change = \"1 second\"";

/// Asks for a run as of [`AS_OF`] and waits for it. `Err` is why it failed or was put off.
pub(super) fn run(daemon: &Daemon) -> Result<Value, String> {
    match daemon.client().post("/api/v1/runs", &json!({ "as_of": AS_OF, "wait": 50 })) {
        Ok(answer) => Ok(answer.body),
        Err(ClientError::Refused { code, detail, .. }) => Err(format!("{code}: {detail}")),
        Err(error) => panic!("{error}\n{}", daemon.log()),
    }
}

/// Asks for a run, which has to fail or be put off with this in its message.
pub(super) fn run_fails(daemon: &Daemon, all: &[&str]) {
    let why = run(daemon).map(|run| run.to_string()).unwrap_or_else(|why| why);
    for part in all {
        assert!(why.contains(part), "no {part:?} in {why}");
    }
}

/// Asks for a run, which has to succeed, and returns its outcome.
pub(super) fn run_succeeds(daemon: &Daemon) -> String {
    let run = run(daemon).unwrap_or_else(|why| panic!("{why}\n{}", daemon.log()));
    let outcome = run["outcome"].as_str().unwrap().to_owned();
    assert!(matches!(&*outcome, "applied" | "unchanged"), "{run}");
    outcome
}

/// A library to be loaded before libc, from the source of this name beside these tests, by the compiler that SQLite was built with.
pub(super) fn preloaded(folder: &Path, name: &str) -> PathBuf {
    let library = folder.join(format!("{name}.so"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/program/faults/{name}.c"));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.unwrap().success());
    library
}

/// What `/metrics` says.
pub(super) fn metrics(folder: &Path) -> String {
    let mut stream = UnixStream::connect(folder.join("tierd.sock")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    text
}

/// Waits until this is so.
pub(super) fn until(what: &str, daemon: &Daemon, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}\n{}", daemon.log());
        sleep(Duration::from_millis(20));
    }
}

/// Asserts of a ledger, wherever it is, that nothing is lost, doubled or broken in it.
pub(super) fn assert_sound(ledger: &Path) {
    let ledger = Connection::open(ledger).unwrap();
    let count = |sql: &str| -> i64 { ledger.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(count("SELECT coalesce(sum(transitions), 0) FROM run"), count("SELECT count(*) FROM transition"));
    let other = "SELECT count(*) FROM held h JOIN transition t ON t.id = h.transition WHERE h.level IS NOT t.to_level";
    assert_eq!(count(other), 0, "what is held is what the last change says");
}

/// Whether this test may do what only root may. Where tests are to be complete, it has to.
pub(super) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    let root = uids.split_whitespace().nth(1) == Some("0");
    assert!(root || std::env::var_os("CI").is_none(), "in CI, this test needs root: sudo -E env PATH=$PATH cargo test");
    root
}
