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
use tierd_model::{Clock, Decimal, Key, Timestamp, Type, Value, Window, WindowKind, parse_date, parse_timestamp};
use tierd_rules::{
    Booking, BookingKind, Expiry, Expr, ExprKind, FactsId, File, FileSet, Metric, MetricKind, Parent, PointsId,
    PointsMeasure, PointsProgram, RuleSet, SubjectId, load,
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
    [subject.account]
    table = 'accounts'
    key = { column = 'code', type = 'text' }
    [subject.account.attributes]
    size = 'integer'
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
    [metric.size]
    attribute = 'size'
    [tiers.value]
    subject = 'customer'
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

/// Customers belong to accounts, and one metric looks up the account's.
fn grouped() -> RuleSet {
    let mut rules = rules();
    rules.config.subjects[0].parent = Some(Parent { subject: SubjectId(1), attribute: 1 });
    let size = rules.metric("size").unwrap().0;
    add_metric(&mut rules, Type::Integer, MetricKind::Lookup(size));
    rules
}

fn add_metric(rules: &mut RuleSet, ty: Type, kind: MetricKind) {
    let first = rules.metric("joined_on").unwrap().1.clone();
    rules.metrics.push(Metric { name: format!("m{}", rules.metrics.len()), ty, kind, ..first });
}

#[test]
fn members_know_the_place_of_their_group() {
    let rules = grouped();
    assert_eq!(needed_subjects(&rules), [SubjectId(0), SubjectId(1)]);
    let account = |key: &str| MemoryRow { key: Key::Text(key.into()), values: vec![] };
    let accounts =
        MemorySubjects { subject: SubjectId(1), rows: ["y", "z", "x"].map(account).into(), facts: Vec::new() };
    let found = given(&rules, &[accounts, customers(&rules)], &clock(&rules));
    assert_eq!((found[0].subject, found[0].subjects, &found[0].parents[..]), (SubjectId(1), 3, &[][..]));
    // Customers 1, 2, 3 and 5, with accounts y, nobody, y, x.
    assert_eq!(found[1].parents, [1, NO_PARENT, 1, 0]);
}

#[test]
fn only_what_rules_ask_about_is_needed() {
    let mut rules = rules();
    assert_eq!(needed_subjects(&rules), [SubjectId(0)]);
    rules.tier_sets.clear();
    assert_eq!(needed_subjects(&rules), []);
}

#[test]
fn facts_book_points_in_the_first_reading_of_their_table() {
    let mut rules = own_windows();
    let at = rules.tier_sets[0].at.clone();
    let amount = Expr { kind: ExprKind::Column(1), ty: Type::Decimal(2), at: at.clone() };
    let earn = Booking {
        kind: BookingKind::Earn,
        title: None,
        facts: FactsId(0),
        filter: None,
        points: amount,
        at: at.clone(),
    };
    rules.points.push(PointsProgram {
        name: "club".into(),
        title: None,
        subject: SubjectId(0),
        digits: 0,
        bookings: vec![earn],
        expiry: Expiry::Never,
        at,
    });
    let of_points = MetricKind::Points { program: PointsId(0), measure: PointsMeasure::Balance };
    add_metric(&mut rules, Type::Integer, of_points);
    let mut found = given(&rules, &[customers(&rules)], &clock(&rules)).remove(0);
    let (program, bookings) = found.bookings.remove(0);
    let amounts: Vec<(u32, i64)> = bookings.iter().map(|Booked { subject, amount, .. }| (*subject, *amount)).collect();
    // Cents are rounded down; 0 books nothing.
    assert_eq!((program, amounts), (PointsId(0), vec![(0, 1), (0, 10), (0, 50)]));
    // The second reading gives metrics only.
    assert_eq!(values(&rules, &found, "later"), ["2", "2", "1", "1"]);
}

#[test]
fn a_table_that_only_books_points_is_read_once() {
    let mut rules = rules();
    rules.metrics.retain(|metric| matches!(metric.kind, MetricKind::Attribute(_)));
    assert_eq!(readings(&rules, SubjectId(0)), []);
    let at = rules.tier_sets[0].at.clone();
    let points = Expr { kind: ExprKind::Literal(Value::Integer(5)), ty: Type::Integer, at: at.clone() };
    let spend =
        Booking { kind: BookingKind::Spend, title: None, facts: FactsId(0), filter: None, points, at: at.clone() };
    let program = |digits, asked: usize| PointsProgram {
        name: format!("club{asked}"),
        title: None,
        subject: SubjectId(0),
        digits,
        bookings: vec![spend.clone()],
        expiry: Expiry::Never,
        at: at.clone(),
    };
    // Nobody asks about the first.
    rules.points = vec![program(0, 0), program(2, 1)];
    add_metric(
        &mut rules,
        Type::Decimal(2),
        MetricKind::Points { program: PointsId(1), measure: PointsMeasure::Balance },
    );
    assert_eq!(readings(&rules, SubjectId(0)), [Reading { facts: FactsId(0), pass: 0 }]);
    let found = given(&rules, &[customers(&rules)], &clock(&rules)).remove(0);
    let [(PointsId(1), bookings)] = &found.bookings[..] else { panic!("{:?}", found.bookings) };
    assert_eq!(bookings.len(), 7);
    assert!(bookings.iter().all(|booked| booked.amount == 500 && booked.booking == 0));
}
