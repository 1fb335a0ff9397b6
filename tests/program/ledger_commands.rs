//! Commands that look at the ledger alone, and those by which people write to it.

use rusqlite::Connection;

use crate::support::Project;

/// What a run leaves of a retention rule: two tasks, one of them late, and an event.
const ACTIONS: &str = "
INSERT INTO rule VALUES (1, 'win_back', 'customer', 'integer', NULL);
INSERT INTO action (id, code, rule, kind, subject, run, entered) VALUES
  (1, 'aaaa0000000000000000000000000001', 1, 'acted', 1, 1, 0), (2, 'bbbb0000000000000000000000000002', 1, 'acted', 2, 1, 0),
  (3, 'aaaa0000000000000000000000000003', 1, 'acted', 3, 1, 0);
INSERT INTO task (action, title, owner, due) VALUES (1, 'call', 'sales', 20000), (2, 'write', 'service', 40000);
INSERT INTO outbox (id, code, kind, at, run, action, data) VALUES
  (101, 'aaaa0000000000000000000000000003', 'event.coupon', 0, 1, 3, '{\"value\": 50}');
";

fn shop_with_tasks() -> Project {
    let project = Project::shop();
    project.run();
    Connection::open(project.path("tierd.ledger")).unwrap().execute_batch(ACTIONS).unwrap();
    project
}

const ADD: [&str; 9] = ["override", "add", "value", "3", "--reason", "合作多年", "--approver", "李经理", "--until"];

fn add<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    ADD.iter().chain(rest).copied().collect()
}

#[test]
fn override_is_added_listed_and_ended() {
    let project = Project::shop();
    let added = project.tierd(&add(&["2099-12-31", "--floor", "B"])).ok().says(&["override 1", "customer 3"]);
    assert_eq!(added.out, "1\n", "before the first run, too");
    project.tierd(&add(&["2099-12-31", "--from", "2099-12-01", "--pin", "A"])).ok();
    let csv = project.tierd(&["override", "list", "-o", "csv"]).ok().out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "id,set,key,kind,level,from,until,state,reason,approver,ended_by,why");
    assert!(
        lines[1].starts_with("1,value,3,floor,B,") && lines[1].ends_with(",2099-12-31,in force,合作多年,李经理,,"),
        "{csv}"
    );
    assert_eq!(lines[2], "2,value,3,pin,A,2099-12-01,2099-12-31,to come,合作多年,李经理,,");

    project.tierd(&["override", "end", "1", "--by", "王", "--why", "left"]).ok().says(&["override 1 has ended"]);
    let json = project.tierd(&["override", "list", "-o", "json"]).ok().json();
    assert_eq!((json.as_array().unwrap().len(), json[0]["id"].as_i64()), (1, Some(2)));
    let all = project.tierd(&["override", "list", "--all", "-o", "json"]).ok().json();
    assert_eq!((all[0]["state"].as_str(), all[0]["why"].as_str()), (Some("ended"), Some("left")));
    project.tierd(&["override", "end", "1", "--by", "王", "--why", "x"]).exits(1).says(&["ended already, by 王"]);
    project.tierd(&["override", "end", "9", "--by", "王", "--why", "x"]).exits(1).says(&["there is no override 9"]);
}

#[test]
fn override_that_makes_no_sense_is_refused_with_advice() {
    let project = Project::shop();
    let set = |set: &'static str| {
        let mut args = add(&["2099-12-31", "--pin", "A"]);
        args[2] = set;
        args
    };
    project.tierd(&set("valu")).exits(1).says(&["no tier set `valu`", "did you mean `value`?"]);
    project.tierd(&add(&["2099-12-31", "--pin", "D"])).exits(1).says(&["tier set `value` has no level `D`", "C, B, A"]);
    project
        .tierd(&add(&["2020-12-31", "--pin", "A"]))
        .exits(1)
        .says(&["its last day, 2020-12-31, is over before it begins"]);
    project.tierd(&add(&["soon", "--pin", "A"])).exits(1).says(&["`soon` is no day"]);
    project.tierd(&add(&["2099-12-31"])).exits(64).says(&["--pin"]);
    project.tierd(&add(&["2099-12-31", "--pin", "A", "--floor", "B"])).exits(64);
    let mut args = add(&["2099-12-31", "--pin", "A"]);
    args[3] = "x3";
    project.tierd(&args).exits(1).says(&["`x3` is no key of a customer"]);
    let mut args = add(&["2099-12-31", "--pin", "A"]);
    args[5] = " ";
    project.tierd(&args).exits(1).says(&["the override is refused: it needs a reason"]);
    assert!(!project.tierd(&["override", "list", "-o", "csv"]).out.contains(",pin,"));
}

#[test]
fn tasks_are_listed_put_off_and_done() {
    let project = shop_with_tasks();
    project.tierd(&["tasks", "list"]).ok().prints(&["aaaa00000000", "overdue", "call", "sales", "write"]);
    let titles = |args: &[&str]| {
        let args: Vec<&str> = ["tasks", "list", "-o", "json"].iter().chain(args).copied().collect();
        let json = project.tierd(&args).ok().json();
        json.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&["--overdue"]), ["call"]);
    assert_eq!(titles(&["--owner", "service"]), ["write"]);
    project.tierd(&["tasks", "list", "--rule", "win"]).exits(1).says(&["no retention rule `win`"]);

    project
        .tierd(&["tasks", "snooze", "bbbb", "--until", "2020-01-01", "--by", "王"])
        .exits(1)
        .says(&["--until 2020-01-01 has come already; name a later day"]);
    project
        .tierd(&["tasks", "snooze", "bbbb", "--until", "2099-01-01", "--by", "王"])
        .ok()
        .says(&["put off until 2099-01-01"]);
    let all = project.tierd(&["tasks", "list", "--all", "-o", "json"]).ok().json();
    let row = &all[1];
    assert_eq!((row["state"].as_str(), row["snoozed_until"].as_str()), (Some("snoozed"), Some("2099-01-01")));
    // As in events, to find one by the other.
    assert_eq!(row["task"].as_str().map(str::len), Some(32));
    assert_eq!(
        (titles(&[]), titles(&["--all"])),
        (vec!["call".to_owned()], vec!["call".to_owned(), "write".to_owned()])
    );
    project.tierd(&["tasks", "done", "aaaa", "--by", "王", "--note", "未接"]).ok().says(&["task aaaa0000", "is done"]);
    assert_eq!(titles(&[]), [""; 0]);
    assert_eq!(project.tierd(&["tasks", "list"]).ok().says(&["no such tasks"]).out, "");
    project.tierd(&["tasks", "done", "aaaa", "--by", "王"]).exits(1).says(&["was done already, by 王"]);
    project.tierd(&["tasks", "done", "aaa", "--by", "王"]).exits(1).says(&["more than one task"]);
    project.tierd(&["tasks", "done", "cccc", "--by", "王"]).exits(1).says(&["there is no task `cccc`"]);
}

#[test]
fn tasks_of_no_ledger_make_none() {
    let project = Project::shop();
    project.tierd(&["tasks", "done", "aaaa", "--by", "王"]).exits(69).says(&["tierd run"]);
    assert!(!project.path("tierd.ledger").exists());
}

#[test]
fn events_are_json_lines_from_a_cursor_on() {
    let project = shop_with_tasks();
    let events = |args: &[&str]| {
        let args: Vec<&str> = ["events", "-o", "json"].iter().chain(args).copied().collect();
        let lines = project.tierd(&args).ok().out;
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let all = events(&[]);
    assert_eq!(all.len(), 4);
    assert_eq!((all[0]["kind"].as_str(), all[0]["data"]["to"].as_str()), (Some("level.changed"), Some("A")));
    assert_eq!((all[3]["data"]["value"].as_i64(), all[3]["rule"].as_str()), (Some(50), Some("win_back")));
    assert_eq!(events(&["--after", "2"]), all[2..]);
    assert_eq!(events(&["--kind", "event.coupon"]), all[3..]);
    assert_eq!(events(&["--limit", "1"]), all[..1]);
    project.tierd(&["events"]).ok().prints(&["cursor", "level.changed", "event.coupon"]);
    project.tierd(&["events", "-o", "csv"]).ok().prints(&["cursor,as_of,kind", "101,"]);
}
