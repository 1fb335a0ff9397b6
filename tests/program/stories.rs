//! What `tierd explain` tells of points, dates and rules that wait, on one shop from files to words.

use crate::support::Project;

const CONFIG: &str = r#"
time_zone = "UTC"
[database]
sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
[subject.customer.attributes]
birthday = { type = "date", encoding = "iso8601", personal = true }
contract_end = { type = "date", encoding = "iso8601" }
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
status = "text"
"#;

const RULES: &str = r#"
[points.club]
expire = { after = "1 year", at = "year end" }
[[points.club.earn]]
from = "orders"
points = "amount"

[metric.last_year]
points = "club.earned"
window = { previous = "year" }

[metric.ever]
points = "club.earned"

[metric.soon]
points = "club.expiring"
within = "30 days"

[metric.late]
from = "orders"
aggregate = "count_where(status = 'late')"
window = "lifetime"
empty = 0

[metric.late_part]
from = "orders"
aggregate = "SHARE (status = 'late')"
window = "lifetime"
empty = 0

[tiers.club]
[[tiers.club.level]]
name = "base"
[[tiers.club.level]]
name = "gold"
when = "last_year >= 100 or ever >= 1000 or soon > 0 or late > 5 or late_part > 0.9"

[retention.renew]
on = "contract_end"
before = "30 days"
action = { task = "renew" }

[retention.greet]
on = "anniversary of birthday"
before = "2 days"
action = { event = "card" }

[retention.new_year]
on = "01-01"
action = { event = "card" }

[retention.first]
when = "ever > 0"
group = "contact"
priority = 2
limit = { per_run = 1 }
reentry = { every = "30 days" }
action = { event = "first" }

[retention.second]
when = "ever > 0"
group = "contact"
action = { event = "second" }

[retention.risen]
moved = "up"
when = "late = 0"
for = "2 days"
action = { event = "risen" }
"#;

const TABLES: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, birthday TEXT, contract_end TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, amount INTEGER, status TEXT, ordered_at TEXT);
INSERT INTO customers VALUES (1, '1980-04-02', '2026-04-20'), (2, NULL, NULL), (3, '1990-01-01', '2026-01-01');
INSERT INTO orders VALUES
  (1, 1, 5000, 'paid', '2025-06-01'), (2, 2, 2000, 'late', '2025-07-01'), (3, 3, 2000, 'paid', '2026-02-01');
";

fn shop() -> Project {
    let project = Project::empty();
    project.write("tierd.toml", CONFIG);
    project.write("rules/all.toml", RULES);
    project.sql(TABLES);
    project
}

fn run(project: &Project, as_of: &str) -> crate::support::Ran {
    project.tierd(&["run", "--as-of", as_of]).ok()
}

#[test]
fn metrics_name_the_time_that_counts_and_aggregates_stand_as_written() {
    let project = shop();
    run(&project, "2026-04-01");
    project.tierd(&["explain", "1"]).ok().prints(&[
        "last_year = 50  club.earned from 2025-01-01 00:00 to 2026-01-01 00:00; balance 50 in 1 lot, \
         of which 50 are lost at 2027-01-01 00:00",
        "ever = 50  club.earned before 2026-04-01 00:00; balance",
        "soon = 0  club.expiring up to the midnight that begins 2026-05-01; balance",
        "late = 0  count_where(status = 'late') of orders, before 2026-04-01 00:00",
        "late_part = 0  SHARE (status = 'late') of orders, before",
        "base since 2026-04-01 00:00 UTC: first level",
    ]);
}

#[test]
fn date_rules_show_their_date_and_no_birthdays() {
    let project = shop();
    run(&project, "2026-04-01");
    project.tierd(&["explain", "1"]).ok().prints(&[
        "renew     date 2026-04-20 (entry 2026-03-21 to 2026-04-20); in entry since 2026-04-01 00:00",
        "greet     date *; in entry since 2026-04-01 00:00",
        "new_year  date 2027-01-01; not in an entry",
    ]);
    project.tierd(&["explain", "2"]).ok().prints(&["renew     not in an entry", "greet     not in an entry"]);
    project
        .tierd(&["explain", "3"])
        .ok()
        .prints(&["renew     date 2026-01-01 (entry 2025-12-02 to 2026-01-01); not in"]);
    let json = project.tierd(&["explain", "1", "-o", "json"]).ok().json();
    let rule = |name: &str| {
        let rules = json["retention"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == name).unwrap().clone()
    };
    let date = |day: &str, first: &str| serde_json::json!({ "day": day, "first": first, "last": day });
    assert_eq!(rule("renew")["date"], date("2026-04-20", "2026-03-21"));
    assert_eq!(rule("greet")["date"], serde_json::json!({ "day": "*", "first": null, "last": null }));
    assert_eq!(rule("first")["date"], serde_json::Value::Null);
}

#[test]
fn rules_say_what_they_wait_for() {
    let project = shop();
    let dry = project.tierd(&["run", "--as-of", "2026-04-01", "--dry-run"]).ok();
    dry.says(&["first: would act on 1; 2 wait for the limit", "second: 3 wait for another rule of the group"]);
    run(&project, "2026-04-01").says(&["first: acted on 1; 2 wait for the limit", "renew: acted on 1\n"]);
    // The one that acted is done; the limit left the others over.
    project.tierd(&["explain", "1"]).ok().prints(&["first     in entry since 2026-04-01 00:00; last action"]);
    for left_over in ["2", "3"] {
        project.tierd(&["explain", left_over]).ok().prints(&[
            "first     in entry since 2026-04-01 00:00; waits: the limit of the run is used up",
            "second    in entry since 2026-04-01 00:00; waits: `first` goes first",
        ]);
    }
    let json = project.tierd(&["explain", "3", "-o", "json"]).ok().json();
    let waits: Vec<_> = json["retention"].as_array().unwrap().iter().map(|rule| rule["waits"].clone()).collect();
    assert!(waits.contains(&serde_json::json!({ "for": "group", "rule": "first" })), "{waits:?}");
    assert!(waits.contains(&serde_json::json!({ "for": "limit" })), "{waits:?}");
}

#[test]
fn a_rule_in_an_entry_may_wait_for_its_condition() {
    let project = shop();
    run(&project, "2026-04-01");
    project.sql("INSERT INTO orders VALUES (4, 1, 200000, 'paid', '2026-04-01')");
    run(&project, "2026-04-02");
    project.sql("INSERT INTO orders VALUES (5, 1, 100, 'late', '2026-04-02')");
    run(&project, "2026-04-03");
    project
        .tierd(&["explain", "1"])
        .ok()
        .prints(&["risen     in entry since 2026-04-02 00:00; waits: its condition isn't true now"]);
    let earlier = run(&project, "2026-03-31");
    earlier.says(&["note: the last run was for a later time, 2026-04-03 00:00 UTC"]);
}

/// Every key of these documents is named in docs/json.md. Keys below `rows` and `cut_points` are names of rules.
#[test]
fn json_documents_have_the_keys_that_the_page_names() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
    let project = shop();
    let mut documents = vec![project.tierd(&["run", "--as-of", "2026-04-01", "-o", "json"]).ok().json()];
    let by = ["--reason", "a promise", "--approver", "wang", "--from", "2026-03-01", "--until", "2099-05-31"];
    project.tierd(&[&["override", "add", "club", "1", "--floor", "gold"][..], &by].concat()).ok();
    for args in [&["explain", "1"][..], &["levels"], &["override", "list"], &["tasks", "list"], &["check"]] {
        documents.push(project.tierd(&[args, &["-o", "json"]].concat()).ok().json());
    }
    let events = project.tierd(&["events", "-o", "json", "--limit", "1"]).ok().out;
    let mut event: serde_json::Value = serde_json::from_str(events.trim()).unwrap();
    event["data"].take();
    documents.push(event);
    let mut keys = std::collections::BTreeSet::new();
    documents.iter().for_each(|document| collect_keys(document, &mut keys));
    let missing: Vec<_> = keys.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(keys.len() > 60 && missing.is_empty(), "{} keys, not named: {missing:?}", keys.len());
}

fn collect_keys(document: &serde_json::Value, keys: &mut std::collections::BTreeSet<String>) {
    match document {
        serde_json::Value::Array(all) => all.iter().for_each(|one| collect_keys(one, keys)),
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                if !["rows", "cut_points"].contains(&key.as_str()) {
                    collect_keys(value, keys);
                }
            }
        }
        _ => {}
    }
}
