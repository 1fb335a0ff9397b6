//! Runs of a project folder, one after the other: what each leaves in the ledger, and what the next makes of it.
#![expect(clippy::unwrap_used, reason = "this program is a test")]

use std::fs;

use rusqlite::Connection;
use tempfile::TempDir;
use tierd_daemon::{
    Project,
    evaluate::Evaluator,
    run::{Asked, RunReport, run},
    shown::Shown,
};
use tierd_eval::due::Due;
use tierd_ledger::{KeyRef, Outcome, Reader};
use tierd_model::{Clock, DAY_MICROS, Timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

const CONFIG: &str = "
    time_zone = 'UTC'
    database.sqlite = 'shop.db'
    [schedule.daily]
    every = 'daily at 02:00'
    [subject.customer]
    table = 'customers'
    key = 'id'
    attributes = { visits = 'integer' }";

/// A shop of four customers with 0, 10, 20 and 30 visits.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        fs::write(folder.path().join("tierd.toml"), CONFIG).unwrap();
        let shop = Shop { folder };
        shop.sql(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, visits INTEGER);
                  INSERT INTO customers VALUES (1, 0), (2, 10), (3, 20), (4, 30)",
        );
        shop
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.folder.path().join("shop.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// A run of these rules, so many days after the first of March.
    fn run(&self, rules: &str, day: i64, due: impl FnOnce(&RuleSet) -> Due) -> RunReport {
        fs::write(self.folder.path().join("rules/all.toml"), rules).unwrap();
        let project = Project::open(self.folder.path()).unwrap();
        let loaded = project.load().unwrap();
        let rules = loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let at = Timestamp(1_772_323_200_000_000 + day * DAY_MICROS);
        let clock = Clock::new(at, rules.config.zone.clone());
        let (due, progress) = (due(&rules), Progress::default());
        let evaluator = Evaluator { clock: &clock, due: &due, options: ReadOptions::default(), progress: &progress };
        run(&project, &rules, &evaluator, Asked::by_hand(at)).unwrap()
    }

    fn all(&self, rules: &str, day: i64) -> RunReport {
        self.run(rules, day, |_| Due::ALL)
    }

    fn ledger(&self) -> Reader {
        Reader::open(&self.folder.path().join("tierd.ledger")).unwrap()
    }

    /// Level and reason of the last change.
    fn last_change(&self, customer: i64) -> (Option<String>, String) {
        let change = self.ledger().history("value", KeyRef::Integer(customer)).unwrap().remove(0);
        (change.to, change.reason.unwrap())
    }
}

fn changed(level: &str, reason: &str) -> (Option<String>, String) {
    (Some(level.to_owned()), reason.to_owned())
}

const VALUE: &str = "[tiers.value]
level = [{ name = 'C' }, { name = 'B', when = 'visits >= 10' }, { name = 'A', when = 'visits >= 20' }]\n";

#[test]
fn a_level_that_the_rules_have_no_longer_is_a_reason() {
    let shop = Shop::new();
    shop.all(VALUE, 0);
    shop.sql("INSERT INTO customers VALUES (5, 15); UPDATE customers SET visits = 9 WHERE id = 4");
    shop.all(&VALUE.replace("'B'", "'silver'"), 1);
    assert_eq!(shop.last_change(2), changed("silver", "level removed from the rules"));
    assert_eq!(shop.last_change(4), changed("C", "downgraded"));
    assert_eq!(shop.last_change(5), changed("silver", "first level"));
}

#[test]
fn only_what_is_due_is_told_and_written() {
    let shop = Shop::new();
    let rules = format!(
        "{VALUE}[tiers.care]\nschedule = 'daily'\nlevel = [{{ name = 'no' }}, {{ name = 'yes', when = \"tier.value = 'A'\" }}]\n
         [retention]\nwelcome = {{ moved = {{ set = 'value', direction = 'any' }}, action = {{ event = 'welcome' }} }}
         visit = {{ schedule = 'daily', when = \"tier.value = 'B'\", action = {{ event = 'visit' }} }}"
    );
    shop.all(&rules, 0);
    let before = shop.ledger().history("value", KeyRef::Integer(1)).unwrap();
    shop.sql("UPDATE customers SET visits = 30");
    let daily = |rules: &RuleSet| {
        let at = rules.schedules.iter().position(|schedule| schedule.name == "daily").unwrap();
        Due::by(vec![tierd_rules::ScheduleId(at)])
    };
    let report = shop.run(&rules, 1, daily);
    assert_eq!(report.sets.iter().map(|set| &set.name).collect::<Vec<_>>(), ["care"]);
    assert_eq!(report.rules.iter().map(|rule| &rule.name).collect::<Vec<_>>(), ["visit"]);
    assert_eq!(report.outcome, Outcome::Unchanged, "value is as it was, so care is");
    assert_eq!(shop.ledger().history("value", KeyRef::Integer(1)).unwrap(), before);
    let report = shop.all(&rules, 2);
    assert_eq!(report.sets.len(), 2);
    assert_eq!((report.rules[1].name.as_str(), report.rules[1].acted), ("welcome", 2));
}

/// Whom the rule acts on, in how many it is in an entry, and how many wait.
fn call(report: &RunReport) -> (u64, u64, u64) {
    let rule = &report.rules[0];
    (rule.acted, rule.entered, rule.waiting.hold_for)
}

#[test]
fn another_for_waits_anew_in_the_ledger_too() {
    let shop = Shop::new();
    let waits = |span| {
        format!("[retention]\ncall = {{ when = 'visits >= 20', for = '{span}', action = {{ event = 'call' }} }}")
    };
    assert_eq!(call(&shop.all(&waits("3 days"), 0)), (0, 2, 2));
    assert_eq!(call(&shop.all(&waits("3 days"), 2)), (0, 2, 2));
    assert_eq!(call(&shop.all(&waits("2 days"), 3)), (0, 2, 2), "by either it would be over");
    assert_eq!(call(&shop.all(&waits("2 days"), 4)), (0, 2, 2));
    assert_eq!(call(&shop.all(&waits("2 days"), 5)), (2, 2, 0));
    assert_eq!(call(&shop.all(&waits("1 day"), 6)), (0, 2, 0), "they have been acted on");
}

#[test]
fn a_cool_down_outlives_edits_removal_and_return() {
    let shop = Shop::new();
    let calls = |bound| {
        format!(
            "[retention]\ncall = {{ when = 'visits >= {bound}', cooldown = '30 days', action = {{ event = 'call' }} }}"
        )
    };
    assert_eq!(shop.all(&calls(30), 0).rules[0].acted, 1);
    // In between the customer visits less, so that another entry opens; the rule is edited, taken away and comes back.
    shop.sql("UPDATE customers SET visits = 0 WHERE id = 4");
    assert_eq!(shop.all(&calls(25), 1).rules[0].entered, 0);
    assert_eq!(shop.all(VALUE, 2).rules, []);
    shop.sql("UPDATE customers SET visits = 40 WHERE id = 4");
    let back = shop.all(&calls(35), 20);
    assert_eq!((back.rules[0].acted, back.rules[0].waiting.cooldown), (0, 1));
    assert_eq!(shop.all(&calls(35), 30).rules[0].acted, 1);
}

#[test]
fn a_hold_proposes_the_threshold_that_keeps_to_the_guard() {
    let shop = Shop::new();
    let guarded = format!("{VALUE}guard = {{ share = {{ A = '25%' }} }}\n");
    let report = shop.all(&guarded, 0);
    assert!(matches!(report.outcome, Outcome::Held(_)), "{:?}", report.outcome);
    let hold = shop.ledger().hold(report.run.unwrap()).unwrap().unwrap();
    let shown = Shown::parse(&hold.shown).unwrap();
    assert_eq!(shown.sets[0].proposals, ["tiers.value.A: visits >= 20 → 21 (share 50 % → 25 %)"]);
}
