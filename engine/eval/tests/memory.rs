//! Subjects and facts by hand through the scan: passes, windows of the subjects' own, groups, points.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::sync::Arc;

use tierd_eval::{
    columns::value_at,
    given::{Booked, Given, NO_PARENT, needed_subjects},
    scan::{
        Reading,
        memory::{MemoryRow, MemorySubjects, given},
        readings,
    },
};
use tierd_model::{
    Clock, Date, Decimal, Key, KeyType, Timestamp, Type, Value, Window, WindowKind, parse_date, parse_timestamp,
};
use tierd_rules::{
    Booking, BookingKind, Expiry, Expr, ExprKind, FactsId, File, FileId, FileSet, Location, Metric, MetricId,
    MetricKind, Parent, PointsId, PointsMeasure, PointsProgram, RuleSet, Subject, SubjectId, load,
};

const CONFIG: &str = "
    time_zone = 'Asia/Shanghai'
    [database]
    sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    filter = 'active'
    [subject.customer.attributes]
    joined_on = { type = 'date', encoding = 'iso8601' }
    account_id = 'text'
    active = 'bool'
    [facts.orders]
    table = 'orders'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'at'
    [facts.orders.columns]
    at = { type = 'timestamp', encoding = 'iso8601' }
    amount = { type = 'decimal(2)', encoding = 'minor_units' }
    status = 'text'";

const RULES: &str = "
    [metric.first_order]
    from = 'orders'
    aggregate = 'min(at)'
    window = 'lifetime'
    empty = 'null'
    [metric.first_day]
    derived = 'date(first_order)'
    [metric.this_year]
    from = 'orders'
    aggregate = 'sum(amount)'
    window = 'lifetime'
    empty = 0
    [metric.later]
    from = 'orders'
    aggregate = 'count(*)'
    where = \"status = 'paid'\"
    window = 'lifetime'
    empty = 0
    [metric.joined_on]
    attribute = 'joined_on'
    [tiers.value]
    [[tiers.value.level]]
    name = 'C'";

fn rules() -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/value.toml", RULES)]));
    assert!(loaded.rules.is_some(), "{:#?}", loaded.diagnostics);
    loaded.rules.unwrap()
}

/// `this_year` counts from the anniversary of `joined_on`, `later` from the day of the first order, in a second pass.
fn own_windows() -> RuleSet {
    let mut rules = rules();
    let id = |name| rules.metric(name).unwrap().0.0;
    let (this_year, joined_on) = (id("this_year"), id("joined_on"));
    let (later, first_day) = (id("later"), id("first_day"));
    set_window(&mut rules, this_year, WindowKind::AnniversaryOf(joined_on));
    set_window(&mut rules, later, WindowKind::Since(first_day));
    rules.metrics[later].pass = 1;
    rules
}

fn set_window(rules: &mut RuleSet, metric: usize, kind: WindowKind) {
    let MetricKind::Aggregate(aggregate) = &mut rules.metrics[metric].kind else { unreachable!() };
    aggregate.window = Window { kind, offset: 0 };
}

fn clock(rules: &RuleSet) -> Clock {
    let zone = Arc::clone(&rules.config.zone);
    Clock::new(parse_timestamp(b"2026-03-31 12:00").unwrap().instant(&zone), zone)
}

fn at(rules: &RuleSet, text: &str) -> Timestamp {
    parse_timestamp(text.as_bytes()).unwrap().instant(&rules.config.zone)
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.into()))
}

fn customer(key: i64, joined: Option<&str>, account: &str) -> MemoryRow {
    let joined = joined.map(|day| Value::Date(parse_date(day.as_bytes()).unwrap()));
    MemoryRow { key: Key::Integer(key), values: vec![joined, text(account), Some(Value::Bool(true))] }
}

fn order(rules: &RuleSet, key: i64, time: &str, amount: i128, status: &str) -> MemoryRow {
    let amount = Value::Decimal(Decimal::new(amount, 2));
    MemoryRow {
        key: Key::Integer(key),
        values: vec![Some(Value::Timestamp(at(rules, time))), Some(amount), text(status)],
    }
}

/// Keys 1, 2, 3 and 5; key 4 is inactive.
fn customers(rules: &RuleSet) -> MemorySubjects {
    let mut inactive = customer(4, None, "x");
    inactive.values.pop();
    MemorySubjects {
        subject: SubjectId(0),
        rows: vec![
            customer(3, None, "y"),
            customer(1, Some("2020-04-10"), "y"),
            inactive,
            customer(2, Some("2024-02-29"), "nobody"),
            customer(5, Some("2026-12-24"), "x"),
        ],
        facts: vec![(
            FactsId(0),
            vec![
                order(rules, 1, "2025-04-09T23:59:59", 100, "paid"),
                order(rules, 1, "2025-04-10", 1000, "open"),
                order(rules, 1, "2026-01-01", 5000, "paid"),
                order(rules, 2, "2026-02-28 00:00", 7, "paid"),
                order(rules, 2, "2026-02-27T23:59", 70, "paid"),
                order(rules, 3, "2026-03-31", 9, "paid"),
                order(rules, 4, "2026-03-31", 9, "paid"),
                order(rules, 5, "2026-03-31", 9, "paid"),
                order(rules, 9, "2026-03-31", 9, "paid"),
            ],
        )],
    }
}

/// By subject, as it is written.
fn values(rules: &RuleSet, given: &Given, metric: &str) -> Vec<String> {
    let (id, metric) = rules.metric(metric).unwrap();
    let column = given.columns[id.0].as_ref().unwrap();
    let text = |value: Option<Value>| value.map_or("NULL".to_owned(), |value| value.to_string());
    (0..given.subjects).map(|subject| text(value_at(column, metric.ty, subject))).collect()
}

#[test]
fn windows_begin_at_each_subjects_own_date() {
    let rules = own_windows();
    let reading = |pass| Reading { facts: FactsId(0), pass };
    assert_eq!(readings(&rules, SubjectId(0)), [reading(0), reading(1)]);
    let found = given(&rules, &[customers(&rules)], &clock(&rules)).remove(0);
    assert_eq!((0..found.subjects).map(|i| (found.key)(i).to_string()).collect::<Vec<_>>(), ["1", "2", "3", "5"]);
    // Since 10 April 2025; since 28 February 2026; no date; a date to come.
    assert_eq!(values(&rules, &found, "this_year"), ["60.00", "0.07", "NULL", "0.00"]);
    assert_eq!(values(&rules, &found, "later"), ["2", "2", "1", "1"]);
    // Derived metrics aren't what was read.
    assert!(found.columns[rules.metric("first_day").unwrap().0.0].is_none());
}
