//! The promises about plugins, each by a test of its name.

use std::{fs, process::Command};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    guests,
    living::process::{Daemon, project},
    support::{AS_OF, Project},
};

/// Gives its first input back. If that is above 5000 in the first row, it first does what stands in place of `{{does}}`; the rows on which
/// plugins are tried out are below that.
const MOODY: &str = "(module
  {{prelude}}
  (func $deeper (param i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  ({{score}}
    (local $out i32)
    (local.set $out (call $values (local.get $inputs) (i32.const 0)))
    (if (i32.ne (local.get $rows) (i32.const 0)) (then
      (if (f64.gt (f64.load (local.get $out)) (f64.const 5000)) (then {{does}}))))
    (call $ok (i32.const 2) (local.get $out) (local.get $rows))))";

/// What it may do, and the reason for which that fails.
const MOODS: [(&str, &str); 5] = [
    ("(loop $again (br $again))", "timeout"),
    (
        "(loop $again
           (if (i32.eq (memory.grow (i32.const 4)) (i32.const -1)) (then unreachable))
           (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1))
           (br $again))",
        "memory",
    ),
    ("unreachable", "trap"),
    ("(drop (call $deeper (i32.const 0)))", "stack"),
    ("(f64.store (local.get $out) (f64.const nan))", "output"),
];

const RULES: &str = r#"
[metric.mood]
plugin = "moody"
function = "f"
inputs = { a = "annual_spend", b = "0", c = "0" }
on_plugin_error = "fail"
[tiers.mood]
[[tiers.mood.level]]
name = "low"
[[tiers.mood.level]]
name = "high"
when = "mood >= 5000"
"#;

/// The levels that the shop's plugin gives while it is good.
const GOOD: &str = "1=high 2=high 3=low";

/// Puts a plugin beside the rules, whole at once.
fn put(project: &Project, name: &str, bytes: &[u8]) {
    fs::write(project.path("rules/.new"), bytes).unwrap();
    fs::rename(project.path("rules/.new"), project.path(&format!("rules/{name}.wasm"))).unwrap();
}

fn moody(does: &str) -> Vec<u8> {
    guests::from_text("moody", &MOODY.replace("{{does}}", does)).bytes
}

/// A shop that is served, with a plugin that is good so far.
fn served() -> (Project, Daemon) {
    let project = project();
    put(&project, "moody", &moody(""));
    project.write("rules/mood.toml", RULES);
    let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
    project.write("tierd.toml", &format!("{config}\n[plugin.moody]\ntime = \"200 ms\"\nmemory = \"1 MiB\"\n"));
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(daemon.run(30)["outcome"], "applied");
    assert_eq!(project.held("mood"), GOOD);
    (project, daemon)
}

fn run(daemon: &Daemon) -> Result<Value, String> {
    let ran = daemon.client().post("/api/v1/runs", &json!({ "as_of": AS_OF, "wait": 50 }));
    ran.map(|answer| answer.body).map_err(|error| error.to_string())
}

/// Bytes that a process had at most.
fn peak_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn plugins_get_no_files_network_clock_or_environment() {
    let (project, daemon) = served();
    let before = daemon.client().get("/api/v1/status").unwrap()["revision"].clone();
    for name in ["imports_wasi", "imports_wasi_preview1", "imports_env", "imports_other_interface"] {
        put(&project, "moody", &guests::hostile(name).bytes);
        project.tierd(&["reload"]).exits(1).says(&["rules/moody.wasm", "import"]);
        assert_eq!(daemon.client().get("/api/v1/status").unwrap()["revision"], before, "{name}");
        assert_eq!(run(&daemon).unwrap()["outcome"], "unchanged", "{name}");
    }
}

#[test]
fn plugins_have_bounded_memory_and_time_and_a_bad_one_fails_its_rules_never_the_daemon() {
    let (project, daemon) = served();
    for (does, reason) in MOODS {
        put(&project, "moody", &moody(does));
        project.tierd(&["reload"]).ok();
        // The run fails, and nobody moves.
        let failed = run(&daemon).map(|run| run.to_string()).unwrap_or_else(|why| why);
        assert!(failed.contains("plugin moody, function f"), "{reason}: {failed}");
        assert_eq!(
            (project.held("mood"), project.held("value").as_str()),
            (GOOD.to_owned(), "1=A 2=B 3=C"),
            "{reason}"
        );
        // Or what the plugin was to find is unknown: nobody moves by it, and the rest goes on. The run says so afterwards.
        project.edit("rules/mood.toml", "\"fail\"", "\"unknown\"");
        project.tierd(&["reload"]).ok();
        project.sql("UPDATE orders SET amount = 320000 WHERE id = 3");
        let done = run(&daemon).unwrap();
        let told = daemon.client().get(&format!("/api/v1/runs/{}", done["run"])).unwrap();
        let failure = &told["plugin_failures"][0];
        assert_eq!(
            json!([failure["metric"], failure["plugin"], failure["function"], failure["reason"], failure["subjects"]]),
            json!(["mood", "moody", "f", reason, 3]),
            "{told}"
        );
        assert_eq!((project.held("mood").as_str(), project.held("value").as_str()), (GOOD, "1=A 2=C 3=C"), "{reason}");
        // A good one takes its place.
        put(&project, "moody", &moody(""));
        project.edit("rules/mood.toml", "\"unknown\"", "\"fail\"");
        project.tierd(&["reload"]).ok();
        let done = run(&daemon).unwrap();
        assert_eq!((&done["outcome"], &done["plugin_failures"]), (&json!("applied"), &json!([])), "{reason}");
        assert_eq!(project.held("mood"), "1=high 2=low 3=low", "{reason}");
        project.sql("UPDATE orders SET amount = 750000 WHERE id = 3");
        run(&daemon).unwrap();
        assert_eq!((project.held("mood").as_str(), project.held("value").as_str()), (GOOD, "1=A 2=B 3=C"), "{reason}");
    }
    let peak = peak_bytes(daemon.id());
    assert!(peak < 1 << 30, "{peak} bytes");
    daemon.client().get("/-/healthy").unwrap();
}

#[test]
fn a_run_in_which_a_plugin_gave_nothing_says_so_afterwards() {
    let (project, daemon) = served();
    put(&project, "moody", &moody("unreachable"));
    project.edit("rules/mood.toml", "\"fail\"", "\"unknown\"");
    let said = ["mood is NULL for 3 customers: plugin moody, function f: "];
    project.tierd(&["run", "--as-of", AS_OF]).ok().says(&said);
    let log = daemon.log();
    let finished = log.lines().rfind(|line| line.contains("run finished")).unwrap();
    let revision = daemon.client().get("/api/v1/status").unwrap()["revision"].as_str().unwrap()[..12].to_owned();
    assert!(finished.contains("plugin_failures=1") && finished.contains(&revision), "{finished}");
    let failed = log.lines().find(|line| line.contains("plugin failed")).unwrap();
    assert!(failed.contains("metric=\"mood\"") && failed.contains("reason=\"trap\""), "{failed}");
    // By what the run kept.
    let why = daemon.client().get("/api/v1/customers/1/explain").unwrap().to_string();
    assert!(why.contains("it gave nothing to anybody: ") && why.contains("(trap)"), "{why}");
    daemon.signal("TERM");
    daemon.end();
    // Without a daemon, too, and from the ledger.
    project.tierd(&["run", "--as-of", AS_OF]).ok().says(&said);
    project.tierd(&["explain", "1"]).ok().prints(&["f of plugin moody: ", "; it gave nothing to anybody: ", "(trap)"]);
    let run = project.tierd(&["run", "--as-of", AS_OF, "--dry-run", "--output", "json"]).ok().json();
    assert_eq!(run["plugin_failures"][0]["reason"], "trap", "{run}");
    project.tierd(&["runs", "list", "--output", "csv"]).ok().prints(&["plugin moody gave nothing for mood (trap)"]);
    let kept = "SELECT count(*) FROM run_log WHERE plugin_failures ->> '$[0].metric' = 'mood'";
    assert_eq!(project.count(kept), 2);
}

/// Everything that a run leaves, but for times of the clock.
fn left_behind(project: &Project) -> (String, Vec<u8>) {
    let ledger = Connection::open(project.path("tierd.ledger")).unwrap();
    let all = |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let levels = all(
        "SELECT group_concat(tier_set || subject || coalesce(to_level, '-') || metrics, x'0a' ORDER BY transition) FROM level_changes",
    );
    let run = all("SELECT revision || cut_points || coalesce(plugin_failures, '-') FROM run_log");
    (levels + &run, fs::read(project.path("tierd.ledger.decisions")).unwrap())
}

/// A run by the program on the first processor that this process may use, or on all of them.
fn run_on(project: &Project, one: bool, threads: &str) -> (String, Vec<u8>) {
    for end in ["", "-wal", "-shm", ".decisions"] {
        let _ = fs::remove_file(project.path(&format!("tierd.ledger{end}")));
    }
    let tierd = env!("CARGO_BIN_EXE_tierd");
    let mut command = match one {
        true => {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
            let first = allowed.split([',', '-']).next().unwrap();
            let mut command = Command::new("taskset");
            command.args(["-c", first, tierd]);
            command
        }
        false => Command::new(tierd),
    };
    let ran =
        command.args(["run", "--as-of", AS_OF, "--threads", threads]).current_dir(project.folder()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    left_behind(project)
}

/// Several batches of each kind of plugin: on one thread, on several, and with the rows in another order.
#[test]
fn same_data_rules_and_time_give_the_same_bits_with_plugins() {
    let project = Project::shop();
    for name in ["weighted", "signs", "mean", "sums"] {
        put(&project, name, &guests::good(name).bytes);
    }
    put(&project, "clv", &fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/clv/clv.wasm")).unwrap());
    project.write("rules/plugins.toml", PLUGIN_RULES);
    project.sql(MANY);
    let first = run_on(&project, true, "1");
    for kind in ["\"weighted\":", "\"sign\":\"low\"", "\"above\":", "\"summed\":", "\"alive\":", "\"fit\":"] {
        assert!(first.0.contains(kind), "{kind} isn't in what a run leaves");
    }
    assert!(first == run_on(&project, false, "3"), "other bits on several threads");
    project.sql(
        "CREATE TABLE o AS SELECT * FROM orders ORDER BY (id * 7919) % 100003, id; DELETE FROM orders;
         INSERT INTO orders SELECT rowid, customer_id, amount, status, ordered_at FROM o; DROP TABLE o;
         CREATE TABLE c AS SELECT * FROM customers ORDER BY (id * 7919) % 20011, id; DELETE FROM customers;
         INSERT INTO customers SELECT * FROM c; DROP TABLE c",
    );
    assert!(first == run_on(&project, false, "2"), "other bits with the rows in another order");
}

/// 20,000 customers with up to seven orders each, some of them at the same time.
const MANY: &str = "
DELETE FROM customers; DELETE FROM orders;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO customers SELECT i, '', NULL FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
INSERT INTO orders SELECT i, 1 + (i * 7907 + i / 3 * 104729) % 20000, 101 + (i * 7919) % 100003,
    'paid', date('2025-06-01', (i * 31 % 300) || ' days') FROM n;
";

const PLUGIN_RULES: &str = r#"
[metric.spend]
from = "orders"
aggregate = "sum(amount)"
window = "lifetime"
empty = 0
[metric.bought]
from = "orders"
aggregate = "count(*)"
window = "lifetime"
empty = 0
[metric.first_on]
from = "orders"
aggregate = "min(ordered_at)"
window = "lifetime"
empty = "null"
[metric.last_on]
from = "orders"
aggregate = "max(ordered_at)"
window = "lifetime"
empty = "null"
[metric.weighted]
plugin = "weighted"
function = "f"
inputs = { a = "spend", b = "bought", c = "cast(spend as real) / cast(7 as real)" }
[metric.sign]
plugin = "signs"
function = "f"
inputs = { a = "weighted - cast(1500 as real)", b = "0", c = "0" }
[metric.above]
plugin = "mean"
function = "f"
inputs = { a = "weighted", b = "0", c = "0" }
[metric.summed]
plugin = "sums"
function = "f"
from = "orders"
window = "lifetime"
inputs = { a = "amount", b = "1", c = "1" }
empty = 0
[metric.alive]
plugin = "clv"
function = "alive"
inputs = { frequency = "greatest(bought - 1, 0)", recency = "days_between(date(first_on), date(last_on))", t = "days_between(date(first_on), today)" }
[tiers.by_plugins]
[[tiers.by_plugins.level]]
name = "rest"
[[tiers.by_plugins.level]]
name = "above"
when = "above > cast(0 as real) and summed > cast(0 as real) and weighted > cast(0 as real)"
[[tiers.by_plugins.level]]
name = "low"
when = "sign = 'low' and alive >= cast(0 as real)"
"#;
