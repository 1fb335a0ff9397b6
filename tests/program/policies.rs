//! Groups and members, points, movement policies, overrides and retention rules, from files to what is explained and exported.

use crate::support::Project;

const CONFIG: &str = r#"
time_zone = "UTC"
[database]
sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
parent = { subject = "account", column = "account_id" }
[subject.customer.attributes]
name = { type = "text", personal = true }
account_id = "text"
[subject.account]
table = "accounts"
key = { column = "code", type = "text" }
[subject.account.attributes]
size = "text"
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
category = "text"
"#;

const RULES: &str = r#"
[metric.spend]
from = "orders"
aggregate = "sum(amount)"
window = { last = "12 months" }
empty = 0

[metric.account_size]
lookup = "account.size"

[metric.balance]
points = "club.balance"

[metric.score]
scorecard = [
  { when = "spend >= 5000", points = 40, title = "big spender" },
  { points = "least(floor(balance / 1000), 10)", title = "points" },
]

[metric.group_spend]
subject = "account"
from = "customer"
aggregate = "sum(spend)"
where = "tier.value <> 'C'"
empty = 0

[metric.category_spend]
from = "orders"
aggregate = "sum(amount)"
window = "lifetime"
by = "category"
empty = 0

[points.club]
expire = { after = "12 months" }
[[points.club.earn]]
from = "orders"
points = "amount"

[tiers.value]
subject = "customer"
downgrade = { after = "30 days" }
[[tiers.value.level]]
name = "C"
strategy = { touch = "mail" }
[[tiers.value.level]]
name = "B"
when = "score >= 5"
keep = "spend >= 1000"
strategy = { touch = "offer", owner = "inside-sales", every = "1 month" }
[[tiers.value.level]]
name = "A"
when = "score >= 45 and account_size = 'large'"
strategy = { touch = "visit", owner = "key-accounts" }

[tiers.company]
subject = "account"
[[tiers.company.level]]
name = "small"
[[tiers.company.level]]
name = "key"
when = "group_spend >= 10000"

[tiers.price]
subject = "customer"
per = "category"
categories = ["food", "clothes"]
of = "category_spend"
[[tiers.price.level]]
name = "list"
[[tiers.price.level]]
name = "discount"
from = 3000

[retention.thank]
title = "say thanks"
subject = "customer"
when = "tier.value in ('A', 'B')"
strategy = "value"
action = { task = "call {name}", owner = "{owner}", due = "3 days", text = "{spend} in 12 months, level {tier.value}" }
"#;

const TABLES: &str = "
CREATE TABLE accounts (code TEXT PRIMARY KEY, size TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, account_id TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, amount INTEGER, category TEXT, ordered_at TEXT);
INSERT INTO accounts VALUES ('acme', 'large'), ('solo', 'small');
INSERT INTO customers VALUES (1, '王小明', 'acme'), (2, '李雷', 'acme'), (3, '韩梅梅', NULL);
INSERT INTO orders VALUES
  (1, 1, 700000, 'food', '2026-01-05 10:00:00'), (2, 1, 100000, 'clothes', '2026-03-01 09:30:00'),
  (3, 2, 350000, 'clothes', '2025-05-01'), (4, 2, 250000, 'food', '2025-12-24'),
  (5, 3, 90000, 'food', '2026-02-02 00:00:00');
";

fn company() -> Project {
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
fn customers_and_accounts_are_graded_together() {
    let project = company();
    run(&project, "2026-04-01").says(&["thank: acted on 2"]);
    assert_eq!(project.held("value"), "1=A 2=A 3=C");
    assert_eq!(project.held("company"), "acme=key solo=small");
    assert_eq!(
        (&*project.held("price[food]"), &*project.held("price[clothes]")),
        ("1=discount 2=list 3=list", "1=list 2=discount 3=list")
    );
    project
        .tierd(&["explain", "acme"])
        .ok()
        .prints(&["group_spend = 14000  sum(spend) of customers where tier.value <> 'C'; 2 customers in all"]);
    project.tierd(&["explain", "1"]).ok().prints(&[
        "score = 48  sum of 2 rows\n    40  big spender\n    8  points\n",
        "balance = 8000  club.balance; balance 8000 in 2 lots, of which 7000 are lost at 2027-01-05 00:00",
        "account_size = 'large'  size of account acme",
        "category_spend[food] = 7000  sum(amount) of orders where category = 'food', before 2026-04-01 00:00",
        "A since 2026-04-01 00:00 UTC: first level (run 1",
        "thank  in entry since 2026-04-01 00:00; last action 2026-04-01 00:00; done in this entry",
    ]);
    let one_set = project.tierd(&["explain", "1", "--set", "price"]).ok();
    assert!(one_set.out.contains("price[food]") && one_set.out.contains("price[clothes]"), "{}", one_set.out);
    assert!(!one_set.out.contains("thank") && !one_set.out.contains("value"), "{}", one_set.out);
}

#[test]
fn tasks_are_filled_in_and_come_once_per_entry() {
    let project = company();
    let dry = project.tierd(&["run", "--as-of", "2026-04-01", "--dry-run", "-o", "json"]).ok().json();
    assert_eq!(dry["rules"][0]["acted"], 2);
    run(&project, "2026-04-01");
    let tasks = project.tierd(&["tasks", "list", "-o", "json"]).ok().json();
    let task = &tasks[0];
    assert_eq!(
        (&task["title"], &task["owner"], &task["due"]),
        (&"call 王*".into(), &"key-accounts".into(), &"2026-04-04".into())
    );
    assert_eq!(task["text"], "8000.00 in 12 months, level A");
    run(&project, "2026-04-02").says(&["thank: nobody"]);
    assert_eq!(project.count("SELECT count(*) FROM tasks"), 2);
}

#[test]
fn levels_fall_after_their_grace_time_and_say_so() {
    let project = company();
    run(&project, "2026-04-01");
    run(&project, "2027-01-10");
    assert_eq!(project.held("value"), "1=A 2=A 3=C");
    project
        .tierd(&["explain", "1", "--set", "value"])
        .ok()
        .prints(&["customer 1 · value: level A", "earned C: below since 2027-01-10, grace until 2027-02-09"]);
    let json = project.tierd(&["explain", "1", "--set", "value", "-o", "json"]).ok().json();
    let why = serde_json::json!({ "what": "grace", "since": "2027-01-10", "until": "2027-02-09" });
    assert_eq!((&json["sets"][0]["holding"]["why"], &json["sets"][0]["level"]), (&why, &"A".into()));

    run(&project, "2027-02-09");
    // The condition to stay at B holds for customer 1.
    assert_eq!(project.held("value"), "1=B 2=C 3=C");
    project.tierd(&["explain", "1", "--set", "value"]).ok().prints(&[
        "earned C: it stays, because its condition to stay is true",
        "yes   to stay: spend >= 1000",
        "B since 2027-02-09 00:00 UTC: downgraded after grace",
    ]);
}

#[test]
fn overrides_are_held_shown_and_end() {
    let project = company();
    run(&project, "2026-04-01");
    let by = ["--reason", "a promise", "--approver", "wang", "--from", "2026-05-01", "--until", "2026-05-31"];
    project.tierd(&[&["override", "add", "value", "3", "--floor", "B"][..], &by].concat()).ok();
    run(&project, "2026-05-10").says(&["C → B 1"]);
    project.tierd(&["explain", "3", "--set", "value"]).ok().prints(&[
        "earned C: an override says otherwise",
        "B since 2026-05-10 00:00 UTC: override",
        "override: floor B until 2026-06-01 00:00 UTC, approved by wang: a promise",
    ]);
    let rows = project.tierd(&["export", "--set", "value", "-o", "json"]).ok().json();
    assert_eq!((&rows[2]["override"], &rows[0]["override"]), (&"a promise".into(), &serde_json::Value::Null));
    run(&project, "2026-06-01");
    assert_eq!(project.held("value"), "1=A 2=A 3=C");
    project.tierd(&["explain", "3", "--set", "value"]).ok().prints(&["C since 2026-06-01 00:00 UTC: override ended"]);
}

/// A set that moves at once doesn't ask what is held; an override that ended is found all the same.
#[test]
fn overrides_end_in_sets_without_a_policy() {
    let project = company();
    run(&project, "2026-04-01");
    let by = ["--reason", "big deal", "--approver", "wang", "--from", "2026-05-01", "--until", "2026-05-31"];
    project.tierd(&[&["override", "add", "company", "solo", "--pin", "key"][..], &by].concat()).ok();
    run(&project, "2026-05-10");
    assert_eq!(project.held("company"), "acme=key solo=key");
    run(&project, "2026-06-01");
    project.tierd(&["explain", "solo"]).ok().prints(&["small since 2026-06-01 00:00 UTC: override ended"]);
}

#[test]
fn a_run_names_overrides_that_nobody_feels() {
    let project = company();
    let by = ["--reason", "a promise", "--approver", "wang", "--from", "2026-04-01", "--until", "2026-05-31"];
    project.tierd(&[&["override", "add", "value", "33", "--floor", "B"][..], &by].concat()).ok();
    run(&project, "2026-05-10").says(&["override 1 does nothing: no customer has the key 33"]);
    project.write("rules/all.toml", &RULES.replace("\"B\"", "\"BB\"").replace("'B'", "'BB'"));
    project.tierd(&[&["override", "add", "value", "3", "--floor", "BB"][..], &by].concat()).ok();
    project.write("rules/all.toml", RULES);
    run(&project, "2026-05-11").says(&["override 2 does nothing: tier set `value` has no level `BB`"]);
}
