//! Plugins as an operator meets them: a file beside the rules is taken up, explained, exchanged, refused, and kept with the revision.

use std::{fs, process::Command};

use crate::{
    living::process::{self, Daemon},
    support::Project,
};

/// One that is kept in the repository: scorers of telecom customers, written in C.
const CREDIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/credit/credit.wasm");
/// A planner, written in Rust.
const OFFERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/offers/offers.wasm");
/// Models of lifetime value, written in Rust.
const CLV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/clv/clv.wasm");

/// Who pays everything is good; customer 3 owes as much as a bill for each refund.
const RULES: &str = r#"
[metric.bills]
from = "orders"
aggregate = "count(*)"
window = "lifetime"
empty = 0
[metric.refunds]
from = "orders"
aggregate = "count(*)"
where = "status = 'refunded'"
window = "lifetime"
empty = 0
[metric.grade]
title = "信用等级"
plugin = "credit"
function = "grade"
inputs = { bills = "12 * bills", late = "12 * refunds", mean_bill = "100", unpaid = "300 * refunds", tenure_months = "120", contract_until = "today" }
[tiers.credit]
[[tiers.credit.level]]
name = "poor"
[[tiers.credit.level]]
name = "fair"
when = "grade = 'fair'"
[[tiers.credit.level]]
name = "good"
when = "grade = 'good'"
"#;

fn with_credit(project: Project) -> Project {
    fs::write(project.path("rules/credit.wasm"), fs::read(CREDIT).unwrap()).unwrap();
    project.write("rules/credit.toml", RULES);
    project
}

#[test]
fn a_plugin_beside_the_rules_grades_and_is_explained() {
    let project = with_credit(Project::shop());
    project.tierd(&["check"]).ok();
    project.run();
    assert_eq!(project.held("credit"), "1=good 2=good 3=poor");
    project.tierd(&["explain", "3", "--set", "credit"]).ok().prints(&["grade of plugin credit", "poor", "late"]);
    // The record says which bytes it was.
    let same = "SELECT count(*) FROM run_plugins JOIN plugin USING (sha256) WHERE path = 'rules/credit.wasm' AND length(bytes) > 1000";
    assert_eq!(project.count(same), 1);
    // The same run again changes nothing.
    project.run().says(&["nothing changed"]);
}

#[test]
fn a_broken_plugin_is_refused_at_its_file() {
    let project = with_credit(Project::shop());
    project.run();
    project.write("rules/credit.wasm", "\0asm no more");
    project.tierd(&["check"]).exits(1).says(&["rules/credit.wasm", "error[bad-plugin]"]);
    // Commands that look at decisions go by the last good rules, with the plugin that they had.
    project.tierd(&["explain", "1", "--set", "credit"]).ok().prints(&["good"]);
}

#[test]
fn a_plugin_that_a_rule_calls_wrongly_is_shown_at_the_rule() {
    let project = with_credit(Project::shop());
    project.edit("rules/credit.toml", "tenure_months = \"120\"", "tenure_month = \"120\"");
    project.tierd(&["check"]).exits(1).says(&["rules/credit.toml", "tenure_months"]);
}

#[test]
fn a_daemon_exchanges_a_plugin_and_goes_back_to_it() {
    let project = with_credit(process::project());
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(daemon.run(30)["outcome"], "applied");
    project.tierd(&["status"]).ok().prints(&["plugin credit 1.0.0", "ready, 1 call"]);
    let before = project.tierd(&["status", "--output", "json"]).ok().json()["revision"].as_str().unwrap().to_owned();
    // Something else under the same name: the rules that call it don't fit it, and stay as they were.
    put(&project, &fs::read(CLV).unwrap());
    project.tierd(&["reload"]).exits(1);
    let status = project.tierd(&["status", "--output", "json"]).ok().json();
    assert_eq!(status["revision"], before.as_str());
    assert!(status["refused"].is_object(), "{status}");
    assert_eq!(daemon.run(30)["outcome"], "unchanged");
    daemon.signal("TERM");
    daemon.end();
    // A start with broken files goes on with the last good ones: the ledger has the plugin.
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(daemon.run(30)["outcome"], "unchanged");
    assert_eq!(project.tierd(&["status", "--output", "json"]).ok().json()["revision"], before.as_str());
}

#[test]
fn a_daemon_takes_up_a_plugin_after_another_program_has_taken_its_files_place() {
    let project = with_credit(process::project());
    let program = project.path("tierd");
    let tierd = env!("CARGO_BIN_EXE_tierd");
    fs::hard_link(tierd, &program).or_else(|_| fs::copy(tierd, &program).map(drop)).unwrap();
    let mut command = Command::new(&program);
    command.arg("serve");
    let mut daemon = Daemon::begin(project.folder(), command);
    daemon.hear("READY=1");
    // As a package's update does it.
    project.write("rules/.new", "another version");
    fs::rename(project.path("rules/.new"), &program).unwrap();
    put(&project, &with_a_section(&fs::read(CREDIT).unwrap()));
    project.tierd(&["reload"]).ok();
    assert_eq!(daemon.run(30)["outcome"], "applied");
}

/// Puts this in the place of the plugin, as a build does.
fn put(project: &Project, plugin: &[u8]) {
    fs::write(project.path("rules/.new"), plugin).unwrap();
    fs::rename(project.path("rules/.new"), project.path("rules/credit.wasm")).unwrap();
}

/// The same plugin in other bytes: with a custom section that says nothing.
fn with_a_section(plugin: &[u8]) -> Vec<u8> {
    [plugin, &[0, 4, 3], b"new"].concat()
}

#[test]
fn a_model_is_fitted_in_the_run_and_its_parameters_are_recorded() {
    let project = Project::shop();
    fs::copy(CLV, project.path("rules/clv.wasm")).unwrap();
    project.write(
        "rules/clv.toml",
        r#"
[metric.orders_paid]
from = "orders"
aggregate = "count(*)"
window = "lifetime"
empty = 0
[metric.alive]
plugin = "clv"
function = "alive"
inputs = { frequency = "orders_paid", recency = "10 * orders_paid", t = "60" }
config = { r = 0.243, alpha = 4.414, a = 0.793, b = 2.426 }
[tiers.alive]
[[tiers.alive.level]]
name = "gone"
[[tiers.alive.level]]
name = "there"
when = "alive >= 0.5"
"#,
    );
    let run = project.tierd(&["run", "--as-of", "2026-04-01", "--output", "json"]).ok().json();
    assert!(run["cut_points"]["alive"]["fit"].is_object(), "{run}");
    assert_eq!(project.held("alive").split(' ').count(), 3);
}

#[test]
fn plugins_are_tried_out_without_rules() {
    let project = Project::empty();
    project.tierd(&["plugin", "check", CREDIT]).ok().prints(&[
        "credit 1.0.0",
        "scorer grade(",
        "works on made-up rows",
    ]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/credit/example.csv");
    let args = [
        "plugin",
        "run",
        CREDIT,
        "--function",
        "score",
        "--input",
        example,
        "--as-of",
        "2026-06-30",
        "--output",
        "csv",
    ];
    let scored = project.tierd(&args).ok();
    assert!(
        scored.out.starts_with("customer,bills,late,mean_bill,unpaid,tenure_months,contract_until,score\n"),
        "{}",
        scored.out
    );
    project.tierd(&["plugin", "check", example]).exits(1).says(&["isn't WebAssembly", "fix:"]);
    project.tierd(&["plugin", "bench", CREDIT, "--function", "score", "--rows", "1000"]).ok().prints(&["ns for each"]);
    let limits = ["plugin", "check", CREDIT, "--memory", "1 MiB", "--time", "500 ms"];
    project.tierd(&limits).ok();
    project.tierd(&["plugin", "check", CREDIT, "--memory", "1"]).exits(64).says(&["write such as 64MiB"]);
    // What a planner proposes is shown, whatever it is.
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/offers/example.csv");
    let proposed = project.tierd(&["plugin", "run", OFFERS, "--input", example]).ok();
    proposed.prints(&["event", "coupon", "task", "call"]);
}

#[test]
fn a_new_plugin_has_everything_but_its_tools() {
    let project = Project::empty();
    for language in ["rust", "js", "python", "c"] {
        project.tierd(&["plugin", "new", "--lang", language, &format!("my_{language}")]).ok();
        let readme = fs::read_to_string(project.path(&format!("my_{language}/README.md"))).unwrap();
        assert!(!readme.contains("{{name}}") && readme.contains(&format!("my_{language}")), "{readme}");
        assert!(project.path(&format!("my_{language}/wit/v1/worlds.wit")).exists());
    }
    project.tierd(&["plugin", "new", "my_rust"]).exits(1).says(&["there already"]);
    project.tierd(&["plugin", "new", "My-Rust"]).exits(64).says(&["lower-case"]);
}

/// Customer 3 is offered something, with 5000 at stake.
const KEEP: &str = r#"
[metric.refunded]
from = "orders"
aggregate = "count(*)"
where = "status = 'refunded'"
window = "lifetime"
empty = 0
[retention.keep]
when = "refunded > 0"
action = { plugin = "offers", function = "keep", inputs = { value = "10000 * refunded", risk = "0.5" }, config = { share = 0.01 } }
"#;
const MAY: &str = "\n[plugin.offers]\nactions = { tasks = [\"call\"], events = [\"coupon\"], per_subject = 2 }\n";

fn with_offers(project: Project, grants: &str) -> Project {
    fs::write(project.path("rules/offers.wasm"), fs::read(OFFERS).unwrap()).unwrap();
    project.write("rules/keep.toml", KEEP);
    let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
    project.write("tierd.toml", &format!("{config}{grants}"));
    project
}

#[test]
fn a_planner_says_what_is_done_and_tierd_does_it() {
    let project = with_offers(Project::shop(), MAY);
    project.tierd(&["check"]).ok();
    project.run().says(&["keep: acted on 1"]);
    let tasks = project.tierd(&["tasks", "list", "--output", "json"]).ok().json();
    let task = &tasks.as_array().or_else(|| tasks["tasks"].as_array()).unwrap()[0];
    assert_eq!(
        (task["title"].as_str(), task["channel"].as_str()),
        (Some("Call: may be leaving"), Some("call")),
        "{tasks}"
    );
    let coupon = "SELECT count(*) FROM outbox WHERE kind = 'event.coupon' AND data LIKE '%\"worth\":50%' AND data LIKE '%\"valid_days\":30%'";
    assert_eq!(project.count(coupon), 1);
    assert_eq!(project.count("SELECT count(*) FROM action"), 2, "each has an id of its own");
    project.run().says(&["nothing changed"]);
    assert_eq!(project.count("SELECT count(*) FROM action"), 2, "once per entry");
}

#[test]
fn a_planner_is_granted_what_it_may_propose() {
    let project = with_offers(Project::shop(), "");
    project.tierd(&["check"]).exits(1).says(&["rules/keep.toml", "missing-grant", "[plugin.offers] actions"]);
    // It may write, and would call as well: nothing of it is carried out, and nobody moves.
    let project =
        with_offers(Project::shop(), "\n[plugin.offers]\nactions = { events = [\"coupon\"], per_subject = 2 }\n");
    project
        .tierd(&["run", "--as-of", "2026-04-01"])
        .exits(1)
        .says(&["plugin offers", "proposed a task, and may propose none"]);
    assert_eq!(project.count("SELECT count(*) FROM outbox"), 0);
    project.edit(
        "rules/keep.toml",
        "config = { share = 0.01 } }",
        "config = { share = 0.01 }, on_plugin_error = \"wait\" }",
    );
    project
        .tierd(&["run", "--as-of", "2026-04-01"])
        .ok()
        .says(&["keep: 1 waits for the plugin to work", "proposed a task"]);
    assert_eq!(project.count("SELECT count(*) FROM action"), 0);
    project.tierd(&["runs", "list"]).ok().prints(&["plugin offers gave nothing for keep (refused)"]);
    // The entry goes on, and the customer is acted on as soon as it works.
    project.edit("tierd.toml", "events = [\"coupon\"]", "tasks = true, events = [\"coupon\"]");
    project.tierd(&["run", "--as-of", "2026-04-02"]).ok().says(&["keep: acted on 1"]);
    assert_eq!(project.count("SELECT count(*) FROM action"), 2);
}
