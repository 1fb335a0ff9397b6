//! What only several steps show: policies, retention rules, tasks, points, groups.

use crate::support::{CONFIG, failures, pass, results, rules};

const GROUPS: &str = r#"
[subject.account]
table = "accounts"
key = { column = "code", type = "text" }
attributes = { size = "text" }
"#;

const RULES: &str = r#"
[metric.annual_spend]
from = "orders"
aggregate = "sum(amount)"
window = { last = "12 months" }
empty = 0

[metric.balance]
points = "club.balance"

[points.club]
[[points.club.earn]]
from = "orders"
points = "amount"

[tiers.value]
downgrade = { after = "30 days", steps = 1 }
[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "B"
when = "annual_spend >= 5000"
strategy = { owner = "inside-sales" }
[[tiers.value.level]]
name = "A"
when = "annual_spend >= 10000"
keep = "annual_spend >= 9000"
strategy = { owner = "key-accounts" }

[retention.fallen]
moved = "down"
action = { task = "call {key}", owner = "{owner}", due = "3 days", escalate = { after = "3 days", to = "sales-manager" } }

[retention.rich]
when = "balance >= 10000"
strategy = "value"
action = { event = "gift", data = { worth = 50, level = "{tier.value}", points = "{balance}" } }
"#;

fn shop() -> tierd_rules::RuleSet {
    rules(&[("tierd.toml", CONFIG), ("rules/value.toml", RULES)])
}

const CASES: &str = r#"
[[case]]
name = "grace, one step, a call, and the manager's turn"
as_of = "2026-01-01T09:00:00"
metrics = { annual_spend = 12000 }
expect = { value = "A" }
expect_tasks = []

[[case.step]]
as_of = "2026-02-01T09:00:00"
metrics = { annual_spend = 9000 }
expect_moves = { value = "stays" }

[[case.step]]
as_of = "2026-03-01T09:00:00"
metrics = { annual_spend = 100 }
expect_moves = { value = "stays" }

[[case.step]]
as_of = "2026-03-31T09:00:00"
expect_moves = { value = "A -> B" }
expect_reason = { value = "downgraded after grace" }
expect_tasks = [{ rule = "fallen", title = "call 1", owner = "inside-sales", due = 2026-04-03, escalated = false }]

[[case.step]]
as_of = "2026-04-05T09:00:00"
expect_tasks = []

[[case.step]]
as_of = "2026-04-06T09:00:00"
expect_tasks = [{ rule = "fallen", owner = "sales-manager", escalated = true }]

[[case.step]]
as_of = "2026-04-07T09:00:00"
expect_tasks = []

[[case]]
name = "what is done isn't handed on"
as_of = "2026-01-01"
metrics = { annual_spend = 12000 }
[[case.step]]
as_of = "2026-02-01"
metrics = { annual_spend = 0 }
[[case.step]]
as_of = "2026-03-03"
expect_tasks = [{ rule = "fallen" }]
[[case.step]]
as_of = "2026-03-15"
done = ["fallen"]
expect = { value = "B" }
expect_tasks = []

[[case]]
name = "points and an event"
as_of = "2026-06-30"
facts.orders = [{ ordered_at = "2026-05-01", amount = "10000.75" }]
expect_metrics = { balance = 10000 }
expect_events = [{ rule = "rich", event = "gift", data = { level = "A", worth = 50 } }]
"#;

#[test]
fn state_is_carried_from_step_to_step() {
    pass(&shop(), CASES);
}

#[test]
fn tasks_and_events_are_compared_one_by_one() {
    let wrong = CASES
        .replace("owner = \"sales-manager\"", "owner = \"boss\"")
        .replace("level = \"A\"", "level = \"B\"")
        .replace("done = [\"fallen\"]", "");
    let told = failures(&shop(), &wrong);
    let ends: Vec<&str> = told.iter().filter_map(|line| line.split_once(' ')).map(|(_, rest)| rest).collect();
    assert_eq!(
        ends,
        [
            "2026-04-06 09:00 tasks: 1 (-), found 1 (+)",
            "2026-03-15 00:00 tasks: 0 (-), found 1 (+)",
            "2026-06-30 00:00 events: 1 (-), found 1 (+)",
        ]
    );
}

#[test]
fn groups_see_their_members() {
    let config = CONFIG.replace("joined_on =", "account_code = \"text\"\njoined_on =").replace(
        "[subject.customer.attributes]",
        "parent = { subject = \"account\", column = \"account_code\" }\n[subject.customer.attributes]",
    );
    let rules_text = r#"
[metric.spend]
from = "orders"
aggregate = "sum(amount)"
window = "lifetime"
empty = 0
[metric.group_spend]
subject = "account"
from = "customer"
aggregate = "sum(spend)"
empty = 0
[metric.group_size]
lookup = "account.size"
[tiers.group]
subject = "account"
level = [{ name = "small" }, { name = "big", when = "group_spend >= 100" }]
"#;
    let config = format!("{config}{GROUPS}");
    pass(
        &rules(&[("tierd.toml", &config), ("rules/value.toml", rules_text)]),
        r#"
as_of = 2026-06-30
[[case]]
name = "two members make a big group"
[[case.subjects.account]]
key = "ACME"
size = "L"
expect = { group = "big" }
expect_metrics = { group_spend = 100 }
[[case.subjects.account]]
key = "Other"
expect = { group = "small" }
[[case.subjects.customer]]
key = 1
account_code = "ACME"
facts.orders = [{ ordered_at = 2026-05-01, amount = 60 }]
expect_metrics = { group_size = "L" }
[[case.subjects.customer]]
key = 2
account_code = "ACME"
facts.orders = [{ ordered_at = 2026-05-01, amount = 40 }]
"#,
    );
}

const HELD: &str = r#"
as_of = "2026-01-01"
[[case]]
name = "more than the limit allows"
[[case.subjects.customer]]
key = 1
metrics = { annual_spend = 12000 }
expect = { value = "A" }
[[case.subjects.customer]]
key = 2
metrics = { annual_spend = 12000 }
[[case.step]]
as_of = "2026-02-01"
expect_tasks = []
[[case.step.subjects.customer]]
key = 1
metrics = { annual_spend = 0 }
expect_moves = { value = "stays" }
[[case.step.subjects.customer]]
key = 2
metrics = { annual_spend = 0 }
[[case.step]]
as_of = "2026-02-02"
expect_tasks = [{ rule = "fallen", key = 1 }]
[[case.step.subjects.customer]]
key = 1
expect_moves = { value = "A -> C" }
[[case.step.subjects.customer]]
key = 2
metrics = { annual_spend = 12000 }
"#;

#[test]
fn a_limit_that_holds_leaves_everything_as_it_was() {
    let text = RULES
        .replace("downgrade = { after = \"30 days\", steps = 1 }", "")
        .replace("moved = \"down\"", "moved = \"down\"\nlimit = { per_run = 1, exceed = \"hold\" }");
    let rules = rules(&[("tierd.toml", CONFIG), ("rules/value.toml", &text)]);
    pass(&rules, HELD);
    let wrong = HELD.replace("expect_tasks = []", "expect_tasks = [{ rule = \"fallen\" }]");
    let (results, _) = results(&rules, &wrong, None);
    let failure = &results[0].cases[0].failures[0];
    let expected =
        "the run waits for a person: retention.fallen: it would act on 2 subjects, and `limit` allows 1 per run";
    assert_eq!((failure.what.as_str(), failure.detail[0].as_str()), ("tasks", expected));
}
