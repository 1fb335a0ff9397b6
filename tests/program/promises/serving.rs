//! The promises that a daemon keeps, each by a test of its name.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    living::process::{Daemon, project},
    support::{AS_OF, Project},
};

fn status(daemon: &Daemon) -> Value {
    daemon.client().get("/api/v1/status").unwrap()
}

fn level(project: &Project) -> String {
    project.held("value")
}

/// The daemon dies of it all, and comes back to files that nobody has mended.
#[test]
fn invalid_rules_never_replace_valid_ones_across_a_restart() {
    let project = project();
    let mut daemon = Daemon::start(project.folder(), &[]);
    daemon.run(30);
    let (good, before) = (status(&daemon)["revision"].clone(), level(&project));
    for broken in ["annual_spend >= ", "anual_spend >= 5", "annual_spend >= '5'"] {
        project.edit("rules/value.toml", "annual_spend >= 5000", broken);
        daemon.signal("KILL");
        daemon.end();
        daemon = Daemon::start(project.folder(), &[]);
        let now = status(&daemon);
        assert_eq!((&now["revision"], &now["origin"]), (&good, &json!("last_good")), "{broken}: {now}");
        assert_eq!(now["refused"]["problems"][0]["file"], "rules/value.toml", "{broken}");
        assert!(daemon.log().contains("files refused"), "{broken}: {}", daemon.log());
        assert_eq!(daemon.run(30)["outcome"], "unchanged", "{broken}");
        assert_eq!(level(&project), before, "{broken}");
        project.edit("rules/value.toml", broken, "annual_spend >= 5000");
    }
}

#[test]
fn changes_above_a_guard_wait_for_a_person() {
    let project = project();
    project.edit("rules/value.toml", "[tiers.value]\n", "[tiers.value]\nguard = { moved = \"50%\" }\n");
    let daemon = Daemon::start(project.folder(), &[]);
    daemon.run(30);
    let before = level(&project);
    project.sql("UPDATE orders SET amount = amount * 100");
    assert_eq!(daemon.run(30)["outcome"], "held");
    assert_eq!((level(&project), &status(&daemon)["holds"]), (before, &json!(1)));
    project.tierd(&["approve", "2", "--by", "王芳", "--why", "as planned"]).ok();
    assert_eq!((level(&project).as_str(), &status(&daemon)["holds"]), ("1=A 2=A 3=A", &json!(0)));
}

#[test]
fn schema_drift_or_an_emptied_table_demotes_no_one() {
    let project = project();
    let daemon = Daemon::start(project.folder(), &[]);
    daemon.run(30);
    let before = level(&project);
    for (drift, back) in [
        ("ALTER TABLE orders RENAME COLUMN amount TO total", "ALTER TABLE orders RENAME COLUMN total TO amount"),
        ("ALTER TABLE orders RENAME TO gone", "ALTER TABLE gone RENAME TO orders"),
        ("CREATE TABLE kept AS SELECT * FROM orders; DELETE FROM orders", "INSERT INTO orders SELECT * FROM kept"),
        ("UPDATE orders SET ordered_at = 'soon'", "DELETE FROM orders; INSERT INTO orders SELECT * FROM kept"),
    ] {
        project.sql(drift);
        let ran = daemon.client().post("/api/v1/runs", &json!({ "as_of": AS_OF, "wait": 30 }));
        let outcome = ran.map(|answer| answer.body["outcome"].clone()).unwrap_or(json!("refused"));
        assert!(outcome == "failed" || outcome == "refused", "{drift}: {outcome}");
        assert_eq!(level(&project), before, "{drift}");
        project.sql(back);
        assert_eq!(daemon.run(30)["outcome"], "unchanged", "{back}");
    }
}

/// Three slots have passed while nobody was there; which of them are run is what `missed` says.
#[test]
fn missed_schedules_follow_a_stated_rule() {
    for (missed, runs, gaps) in [("latest", 1, 2), ("all", 3, 0), ("skip", 0, 3)] {
        let project = project();
        let schedule = format!("[schedule.default]\nevery = \"yearly\"\nmissed = \"{missed}\"\n[database]");
        project.edit("tierd.toml", "[database]", &schedule);
        let mut daemon = Daemon::start(project.folder(), &[]);
        daemon
            .wait_for(|_| project.path("tierd.ledger").exists() && project.count("SELECT count(*) FROM schedule") == 1);
        daemon.signal("TERM");
        daemon.end();
        let ledger = Connection::open(project.path("tierd.ledger")).unwrap();
        let year = 365.25 * 86_400.0 * 1e6;
        let set = "UPDATE schedule SET handled = handled - ?1";
        assert_eq!(ledger.execute(set, [(year * 3.0) as i64]).unwrap(), 1);
        let mut daemon = Daemon::start(project.folder(), &[]);
        let counts = || {
            let runs = project.count("SELECT count(*) FROM run WHERE cause = 'schedule' AND outcome <> 'failed'");
            (runs, project.count("SELECT coalesce(sum(slots), 0) FROM gap WHERE reason = 'missed'"))
        };
        daemon.wait_for(|_| counts().0 + counts().1 == 3);
        assert_eq!(counts(), (runs, gaps), "{missed}");
    }
}

#[test]
fn logs_and_metrics_hold_no_customer_data() {
    let project = project();
    project.sql("UPDATE customers SET id = 987654321 WHERE id = 1; UPDATE orders SET customer_id = 987654321 WHERE customer_id = 1");
    let daemon = Daemon::start(project.folder(), &[]);
    daemon.run(30);
    let client = daemon.client();
    client.get("/api/v1/customers/987654321").unwrap();
    client.get("/api/v1/customers/987654321/explain").unwrap();
    assert!(client.get("/api/v1/customers/987654322/explain").is_err());
    project.sql("UPDATE orders SET amount = 'Wuhan'");
    let _ = daemon.client().post("/api/v1/runs", &json!({ "wait": 30 }));
    let metrics = http(&project, &daemon, "GET /metrics", "Host: localhost");
    assert!(metrics.contains("tierd_tier_subjects"), "{metrics}");
    for written in [daemon.log(), metrics] {
        for canary in ["98765432", "王小明", "武汉", "Wuhan", "HYPERLINK"] {
            assert!(!written.contains(canary), "{canary} in {written}");
        }
    }
}

/// One request over the socket, or over TCP where the log names an address.
fn http(project: &Project, daemon: &Daemon, request: &str, headers: &str) -> String {
    let text = format!("{request} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    match address(daemon) {
        Some(address) => {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
        None => {
            let mut stream = std::os::unix::net::UnixStream::connect(project.path("tierd.sock")).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
    }
    answer
}

fn address(daemon: &Daemon) -> Option<String> {
    let log = daemon.log();
    let (_, rest) = log.split_once("http=")?;
    rest.split_whitespace().next().map(str::to_owned)
}

#[test]
fn http_is_on_loopback_checked_for_host_and_origin_and_changes_need_a_token() {
    let project = Project::shop();
    project.edit("tierd.toml", "[database]", "[http]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n[database]");
    let token = "0123456789abcdef0123456789abcdef";
    project.write("token", token);
    let chmod = std::process::Command::new("chmod").args(["600", "token"]).current_dir(project.folder()).status();
    assert!(chmod.unwrap().success());
    let daemon = Daemon::start(project.folder(), &[]);
    assert!(address(&daemon).unwrap().starts_with("127.0.0.1:"));
    let good = format!("Host: localhost\r\nContent-Length: 0\r\nAuthorization: Bearer {token}");
    for (request, headers, expected) in [
        ("GET /api/v1/status", "Host: localhost", 200),
        ("GET /api/v1/status", "Host: evil.example", 421),
        ("GET /api/v1/status", "Host: localhost\r\nOrigin: https://evil.example", 403),
        ("POST /-/reload", "Host: localhost\r\nContent-Length: 0", 401),
        ("POST /-/reload", "Host: localhost\r\nContent-Length: 0\r\nAuthorization: Bearer 0123456789abcdef", 401),
        ("POST /-/reload", &good, 200),
    ] {
        let answer = http(&project, &daemon, request, headers);
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{request} {headers}: {answer}");
    }
    // Other machines are let in by nobody's mistake.
    project.edit("tierd.toml", "127.0.0.1:0\"\ntoken_file = \"token\"", "0.0.0.0:7411\"");
    project.tierd(&["check"]).exits(1).says(&["missing-token", "0.0.0.0:7411"]);
}

/// What a run decided is explained by that run's rules and time, whatever came after.
#[test]
fn every_level_can_be_explained_now_and_as_of_any_past_run() {
    let project = project();
    let daemon = Daemon::start(project.folder(), &[]);
    daemon.run(30);
    project.sql("INSERT INTO orders VALUES (7, 3, 900000, 'paid', '2026-04-02')");
    daemon.client().post("/api/v1/runs", &json!({ "as_of": "2026-04-03", "wait": 30 })).unwrap();
    let now = daemon.client().get("/api/v1/customers/3/explain").unwrap();
    assert_eq!((&now["sets"][0]["level"], &now["sets"][0]["held"]["level"]), (&json!("A"), &json!("A")), "{now}");
    let then = project.tierd(&["explain", "3", "--as-of", AS_OF, "-o", "json"]).ok().json();
    assert_eq!(then["sets"][0]["level"], "C", "{then}");
    let history = daemon.client().get("/api/v1/customers/3").unwrap()["sets"][0]["history"].clone();
    let moves: Vec<_> = history.as_array().unwrap().iter().map(|one| (&one["to"], &one["metrics"])).collect();
    let spent = |amount: &str| json!({ "annual_spend": amount });
    assert_eq!(moves, [(&json!("A"), &spent("12200.00")), (&json!("C"), &spent("3200.00"))]);
    assert!(fs::metadata(project.path("tierd.ledger.decisions")).is_ok());
}
