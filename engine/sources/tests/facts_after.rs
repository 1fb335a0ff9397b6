//! The times of facts that a question asks for, from real files: every reader must give the same as a look at the rows.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use support::{Shop, clock, config, rules};
use tierd_eval::scan::FactTime;
use tierd_model::{Key, KeyType, Timestamp, parse_timestamp};
use tierd_rules::{FactsId, RuleSet};
use tierd_sources::{FactsAfter, Keys, Progress, ReadError, ReadOptions, ReaderKind, facts_after};

const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT);
    CREATE TABLE orders (customer_id, at, status);
    INSERT INTO orders VALUES
      (1, '2026-01-10 00:00:00', 'paid'), (1, '2026-01-10 00:00:01', 'paid'), (1, '2026-02-01 08:00:00', 'open'),
      (2, '2026-02-01 08:00:00', 'paid'), (3, '2026-02-02 08:00:00', 'paid'), (5, '2026-03-01 08:00:00', NULL),
      (5, '2026-03-31 12:00:00', 'paid'), (5, '2026-03-31 12:00:01', 'paid'), (NULL, '2026-02-01', 'paid'),
      (5, 'soon', 'paid'), (5, NULL, 'paid'), (5, '2026-03-02 08:00:00', 'test')";

/// A rule whose goal is the question's filter.
fn shop_rules(filter: &str) -> RuleSet {
    let columns = "at = { type = 'timestamp', encoding = 'iso8601' }\nstatus = 'text'";
    let config =
        config(columns).replace("[facts.orders.columns]", "filter = \"status <> 'test'\"\n[facts.orders.columns]");
    let goal = format!("goal = {{ from = 'orders', {filter} within = '9 days' }}");
    rules(&config, &format!("[retention.r]\nwhen = \"city = 'x'\"\n{goal}\naction = {{ task = 'call' }}"))
}

fn at(text: &str, rules: &RuleSet) -> Timestamp {
    parse_timestamp(text.as_bytes()).unwrap().instant(&rules.config.zone)
}

fn asked(keys: &Keys, filter: &str, reader: ReaderKind, threads: usize) -> Vec<FactTime> {
    let (shop, rules) = (Shop::new(SQL), shop_rules(filter));
    let goal = rules.retention[0].goal.as_ref().unwrap();
    let after = at("2026-01-10 00:00:00", &rules);
    let question = FactsAfter { facts: goal.facts, keys, filter: goal.filter.as_ref(), after };
    let options = ReadOptions { threads, reader };
    let mut answers =
        facts_after(&shop.database(), &rules, &[question], &clock(&rules), options, &Progress::default()).unwrap();
    let mut found = answers.pop().unwrap();
    assert!(answers.is_empty());
    found.sort_unstable();
    found
}

#[test]
fn times_are_of_the_subjects_asked_about_after_the_instant_and_until_as_of() {
    let rules = shop_rules("");
    let time = |subject, text: &str| FactTime { subject, at: at(text, &rules) };
    let keys = Keys::sorted([5, 1, 4, 5].map(Key::Integer), KeyType::Integer);
    assert_eq!(keys.len(), 3, "each once");
    for (reader, threads) in [(ReaderKind::Auto, 1), (ReaderKind::Auto, 3), (ReaderKind::Step, 1)] {
        let paid = [time(0, "2026-01-10 00:00:01"), time(2, "2026-03-31 12:00:00")];
        assert_eq!(asked(&keys, "where = \"status = 'paid'\",", reader, threads), paid);
        let all = [paid[0], time(0, "2026-02-01 08:00:00"), paid[1]];
        assert_eq!(asked(&keys, "", reader, threads), all, "the table's own filter is UNKNOWN for NULL");
    }
    assert_eq!(asked(&Keys::sorted([], KeyType::Integer), "", ReaderKind::Auto, 2), []);
}

/// Dates count as their midnight, so that the day of the instant is over unless it is midnight itself.
#[test]
fn facts_with_days_and_text_keys_are_found_as_well() {
    let shop = Shop::new(
        "CREATE TABLE customers (id TEXT PRIMARY KEY, city TEXT);
         CREATE TABLE orders (customer_id, at);
         INSERT INTO orders VALUES ('C-2', '2026-01-10'), ('C-2', '2026-01-11'), ('C-1', '2026-03-31'),
           ('C-1', '2026-04-01'), ('C-9', '2026-02-01')",
    );
    let config = config("at = { type = 'date', encoding = 'iso8601' }");
    let config = config.replace("key = \"id\"", "key = { column = 'id', type = 'text' }");
    let rules = rules(&config, "[retention.r]\nwhen = \"city = 'x'\"\naction = { task = 'call' }");
    let keys = Keys::sorted(["C-2", "C-1"].map(|key| Key::Text(key.into())), KeyType::Text);
    for (after, first) in [("2026-01-10 08:00", "2026-01-11"), ("2026-01-09 23:59:59", "2026-01-10")] {
        let question = FactsAfter { facts: FactsId(0), keys: &keys, filter: None, after: at(after, &rules) };
        let (options, progress) = (ReadOptions::default(), Progress::default());
        let found = facts_after(&shop.database(), &rules, &[question], &clock(&rules), options, &progress).unwrap();
        let of = |subject| found[0].iter().filter(move |fact| fact.subject == subject).map(|fact| fact.at);
        assert_eq!(of(0).collect::<Vec<_>>(), [at("2026-03-31", &rules)], "the clock stands at noon of that day");
        assert_eq!(of(1).min(), Some(at(first, &rules)), "after {after}");
    }
}

#[test]
fn keys_are_sorted_by_bytes_and_of_one_type() {
    let keys = ["b", "Ä", "a", "b"].map(|key| Key::Text(key.into())).into_iter().chain([Key::Integer(1)]);
    let keys = Keys::sorted(keys, KeyType::Text);
    let all: Vec<String> = (0..keys.len()).map(|place| keys.key(place).to_string()).collect();
    assert_eq!(all, ["a", "b", "Ä"]);
}

#[test]
fn a_table_that_is_gone_is_named() {
    let (shop, rules) = (Shop::new("CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT)"), shop_rules(""));
    let keys = Keys::sorted([Key::Integer(1)], KeyType::Integer);
    let question = FactsAfter { facts: FactsId(0), keys: &keys, filter: None, after: Timestamp(0) };
    let failed = facts_after(
        &shop.database(),
        &rules,
        &[question],
        &clock(&rules),
        ReadOptions::default(),
        &Progress::default(),
    );
    assert!(matches!(failed, Err(ReadError::Schema(problems)) if problems.len() == 1));
}
