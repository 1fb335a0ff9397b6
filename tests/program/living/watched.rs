//! What Prometheus is told, what the shipped alerts and dashboard make of it; the doctor; backups.

use std::{
    fs,
    io::Write,
    path::Path,
    pin::Pin,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tierd_daemon::serve::{self, Handle, Liveness, Patience, RunRequest, SystemWall, Wall};
use tierd_http::metrics;
use tierd_ledger::Cause;

use super::process::{Daemon, project};

/// What a daemon tells Prometheus after this many runs.
fn metrics_after(folder: &Path, runs: usize) -> String {
    let project = tierd_daemon::Project::open(folder).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let serving = serve::start(project, Arc::new(SystemWall)).await.unwrap();
        let handle: Handle = serving.handle().clone();
        for _ in 0..runs {
            let _ = handle.run(RunRequest { cause: Cause::Hand, schedules: None, as_of: None }).await;
        }
        // Planned soon after the start.
        while handle.schedules().schedules.len() < handle.active().rules.schedules.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let text = tokio::task::spawn_blocking(move || {
            let requests = metrics::Requests::default();
            requests.answered("GET", "/api/v1/customers/{key}", 200);
            metrics::render(&handle) + &requests.render()
        });
        let text = text.await.unwrap();
        serving.stop(Duration::from_secs(20)).await;
        text
    })
}

#[test]
fn metrics_say_what_happened() {
    let project = project();
    project.edit("tierd.toml", "[database]", "[schedule.default]\nevery = \"daily at 02:15\"\n[database]");
    let text = metrics_after(project.folder(), 2);
    for line in [
        "tierd_config_last_reload_successful 1",
        "tierd_runs_total{outcome=\"applied\",cause=\"hand\"} 1",
        "tierd_runs_total{outcome=\"unchanged\",cause=\"hand\"} 1",
        "tierd_run_duration_seconds_count 2",
        "tierd_tier_subjects{set=\"value\",level=\"C\"} ",
        "tierd_transitions_total{set=\"value\",from=\"\",to=\"C\"} ",
        "tierd_unknown_subjects{set=\"value\"} 0",
        "tierd_holds_waiting 0",
        "tierd_tasks_open 0",
        "tierd_schedule_next_timestamp_seconds{schedule=\"default\"} ",
        "tierd_series_left_out 0",
        "tierd_http_requests_total{method=\"GET\",route=\"/api/v1/customers/{key}\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|l| l.starts_with(line)), "no {line} in\n{text}");
    }
    assert!(
        text.contains("tierd_rules_file_info{file=\"rules/value.toml\",sha256=\"") && text.contains("state=\"active\"")
    );
    project.sql("DELETE FROM orders");
    let failed = metrics_after(project.folder(), 1);
    assert!(failed.contains("tierd_runs_total{outcome=\"failed\",cause=\"hand\"} 1"), "{failed}");
    assert!(failed.contains("tierd_tier_subjects{set=\"value\",level="), "levels are as they were:\n{failed}");
}

#[test]
fn prometheus_reads_the_metrics() {
    let text = metrics_after(project().folder(), 1);
    let child =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("promtool is needed: apt-get install prometheus");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn alerts_fire_when_they_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring");
    for args in [&["check", "rules", "alerts.yml"][..], &["test", "rules", "alerts.test.yml"]] {
        let output = Command::new("promtool").args(args).current_dir(&folder).output();
        let output = output.expect("promtool is needed: apt-get install prometheus");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Names of metrics in an expression or file.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("tierd_") || word.starts_with("process_"))
}

#[test]
fn alerts_and_dashboard_name_metrics_that_there_are() {
    let project = project();
    project.edit("tierd.toml", "[database]", "[schedule.default]\nevery = \"daily at 02:15\"\n[database]");
    let text = metrics_after(project.folder(), 1);
    let told: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring");
    let dashboard = fs::read_to_string(folder.join("grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut expressions: Vec<String> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert!(expressions.len() >= 12);
    let alerts = fs::read_to_string(folder.join("alerts.yml")).unwrap();
    expressions.extend(alerts.lines().filter_map(|line| line.trim().strip_prefix("expr:")).map(str::to_owned));
    for expression in expressions {
        for name in names(&expression) {
            let base = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(told.contains(&base), "{name} of `{expression}` isn't told");
        }
    }
}

#[test]
fn doctor_finds_what_is_wrong_and_says_what_to_do() {
    let project = project();
    let all = project.tierd(&["doctor"]).ok();
    for part in [
        "rules: revision",
        "database: ",
        "SQLite: 3.",
        "ledger: ",
        "disk: ",
        "clock: ",
        "time zone: ",
        "daemon: none runs",
    ] {
        assert!(all.out.contains(part), "no {part} in\n{}", all.out);
    }
    assert!(!all.out.contains("BAD"));
    project.run();
    let json = project.tierd(&["doctor", "-o", "json"]).ok().json();
    assert!(json.as_array().unwrap().iter().any(|row| row["check"] == "ledger" && row["state"] == "ok"));

    let wrong = |needle: &str, fix: &str| {
        let ran = project.tierd(&["doctor"]).exits(1);
        let line = ran.out.lines().position(|line| line.starts_with("BAD") && line.contains(needle));
        let line = line.unwrap_or_else(|| panic!("nothing bad about {needle} in\n{}", ran.out));
        assert!(ran.out.lines().nth(line + 1).unwrap().contains(fix), "{}", ran.out);
    };
    project.write("token", "0123456789abcdef0123456789abcdef\n");
    project.edit("tierd.toml", "[http]", "[http]\ntoken_file = \"token\"");
    let mode = |mode: u32| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(project.path("token"), permissions).unwrap();
    };
    mode(0o644);
    wrong("token", "chmod o=");
    mode(0o600);
    project.tierd(&["doctor"]).ok();

    let future = std::time::SystemTime::now() + Duration::from_secs(86_400);
    let touched = fs::File::options().append(true).open(project.path("rules/value.toml")).unwrap();
    touched.set_modified(future).unwrap();
    wrong("clock", "set the clock");
    touched.set_modified(std::time::SystemTime::now()).unwrap();

    fs::rename(project.path("shop.db"), project.path("gone.db")).unwrap();
    wrong("database", "mend `sqlite`");
    fs::rename(project.path("gone.db"), project.path("shop.db")).unwrap();

    // One of an older version stays as it is, also where the last good rules would be looked for in it.
    let ledger = || Connection::open(project.path("tierd.ledger")).unwrap();
    let version = || ledger().pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
    let known = version();
    ledger().pragma_update(None, "user_version", known - 1).unwrap();
    project.edit("rules/value.toml", "annual_spend >= 5000", "anual_spend >= 5000");
    project.tierd(&["doctor"]).exits(1).prints(&["BAD   rules", "note  ledger", "make a backup before"]);
    project.edit("rules/value.toml", "anual_spend >= 5000", "annual_spend >= 5000");
    assert_eq!(version(), known - 1);
    ledger().pragma_update(None, "user_version", known).unwrap();

    let mut bytes = fs::read(project.path("tierd.ledger")).unwrap();
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0xff);
    fs::write(project.path("tierd.ledger"), bytes).unwrap();
    wrong("ledger", "restore it from a backup");

    project.edit("rules/value.toml", "annual_spend >= 5000", "anual_spend >= 5000");
    wrong("rules", "tierd check");
    // Both broken: what is wrong with the ledger isn't hidden by the rules.
    wrong("ledger", "restore it from a backup");
}

#[test]
fn doctor_knows_whether_a_daemon_answers() {
    let project = project();
    project.tierd(&["doctor", "--serving"]).exits(1);
    let daemon = Daemon::start(project.folder(), &[]);
    project.tierd(&["doctor", "--serving"]).ok().prints(&["answers on its socket"]);
    // Broken files, and settings that need a restart, make nobody restart a daemon that serves.
    for (file, from, to) in [
        ("rules/value.toml", "annual_spend >= 5000", "anual_spend >= 5000"),
        ("tierd.toml", "[http]\n", "[http]\nsocket = \"other.sock\"\n"),
    ] {
        project.edit(file, from, to);
        project.tierd(&["doctor", "--serving"]).ok().prints(&["answers on its socket"]);
        project.edit(file, to, from);
    }
    project.edit("rules/value.toml", "annual_spend >= 5000", "anual_spend >= 5000");
    project.tierd(&["doctor"]).exits(1).prints(&["BAD   rules", "ok    database", "ok    daemon"]);
    // Nor does a ledger that doesn't say yet what the daemon goes on with.
    fs::rename(project.path("tierd.ledger"), project.path("gone.ledger")).unwrap();
    project.tierd(&["doctor", "--serving"]).ok().prints(&["answers on its socket"]);
    fs::rename(project.path("gone.ledger"), project.path("tierd.ledger")).unwrap();
    // A copy of the project isn't served by the original's daemon.
    let copy = ["-r", "tierd.toml", "rules", "shop.db", "tierd.ledger", "tierd.ledger.serve", "copy"];
    fs::create_dir(project.path("copy")).unwrap();
    assert!(Command::new("cp").args(copy).current_dir(project.folder()).status().unwrap().success());
    project.tierd(&["doctor", "--serving", "-C", "copy"]).exits(1);
    // It has ended, and this process hasn't asked yet how.
    daemon.signal("TERM");
    let began = Instant::now();
    while !project.tierd(&["doctor", "--serving"]).exits(1).out.contains("none runs") {
        assert!(began.elapsed() < Duration::from_secs(60), "a process that has ended counts as a daemon");
    }
    daemon.end();
    project.tierd(&["doctor", "--serving"]).exits(1).prints(&["none runs"]);
}

#[test]
fn backup_of_a_served_ledger_can_be_restored() {
    let project = project();
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(daemon.run(20)["outcome"], "applied");
    project.tierd(&["backup", "copy.ledger"]).ok().says(&["1 run", "checked"]);
    project.tierd(&["backup", "copy.ledger"]).exits(1).says(&["--force replaces an earlier backup"]);
    let held = project.held("value");
    project.sql("UPDATE orders SET status = 'refunded'");
    assert_eq!(daemon.run(20)["outcome"], "applied");
    assert_ne!(project.held("value"), held);
    daemon.signal("TERM");
    daemon.end();
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(project.path(&format!("tierd.ledger{end}")));
    }
    fs::rename(project.path("copy.ledger"), project.path("tierd.ledger")).unwrap();
    assert_eq!(project.held("value"), held);
    project.run();
    let runs: i64 = Connection::open(project.path("tierd.ledger"))
        .unwrap()
        .query_row("SELECT count(*) FROM run", [], |row| row.get(0))
        .unwrap();
    assert_eq!(runs, 2);
}

/// A clock by which a minute is over in a moment, or never.
#[derive(Debug)]
struct Hasty {
    part: u32,
}

impl Wall for Hasty {
    fn now(&self) -> tierd_model::Timestamp {
        SystemWall.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        match duration.checked_div(self.part) {
            Some(duration) => Box::pin(tokio::time::sleep(duration)),
            None => Box::pin(std::future::pending()),
        }
    }
}

#[test]
fn idle_parts_look_around_and_those_that_dont_are_noticed() {
    let project = project();
    project.edit("tierd.toml", "[database]", "[schedule.default]\nevery = \"daily at 02:15\"\n[database]");
    let patience = Patience { part: Duration::from_secs(2), run: Duration::from_secs(60) };
    // The 30 seconds of a part are 100 milliseconds, or never over.
    for (part, stuck) in [(300, false), (0, true)] {
        let served = tierd_daemon::Project::open(project.folder()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let serving = serve::start(served, Arc::new(Hasty { part })).await.unwrap();
            let mut liveness = Liveness::new(serving.handle().clone(), patience);
            // By then, none that hasn't looked around since the start has patience left.
            tokio::time::sleep(patience.part * 2).await;
            let since = Instant::now();
            // On a busy machine one that moves may be late, but it comes.
            while !stuck && liveness.stuck(Instant::now()).is_some() {
                assert!(since.elapsed() < Duration::from_secs(60), "no part may stand still for good");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(liveness.stuck(Instant::now()).is_some(), stuck, "a part of {part}");
            serving.stop(Duration::from_secs(5)).await;
        });
        runtime.shutdown_background();
    }
}
