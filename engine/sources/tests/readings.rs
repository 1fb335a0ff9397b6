//! What a database gives beyond metrics of one pass: windows of the subjects' own, groups, bookings. The same rows by hand, and
//! every reader with any number of threads, must give the same.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use arrow_array::Array;
use support::{Shop, clock, rules};
use tierd_eval::{
    given::{Booked, Given},
    plugin::SubjectFacts,
    scan::memory::{MemoryRow, MemorySubjects, given},
};
use tierd_model::{Decimal, Key, Type, Value, Window, WindowKind, parse_date, parse_timestamp};
use tierd_rules::{
    Booking, BookingKind, Expiry, Expr, ExprKind, FactsId, Metric, MetricId, MetricKind, Parent, PluginId, PointsId,
    PointsMeasure, PointsProgram, RuleSet, SubjectId,
    plugin::{OnPluginError, PluginCall, PluginFacts, PluginKind, PluginMetric},
};
use tierd_sources::{Progress, ReadOptions, ReaderKind, SourceData, needed_subjects, read_all};

const CONFIG: &str = "
    time_zone = 'Asia/Shanghai'
    [database]
    sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    [subject.customer.attributes]
    joined_on = { type = 'date', encoding = 'iso8601' }
    account = 'text'
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
    lines = 'integer'
    [facts.gifts]
    table = 'gifts'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'on_day'
    [facts.gifts.columns]
    on_day = { type = 'date', encoding = 'iso8601' }
    points = 'integer'";

const RULES: &str = "
    [metric.first_order]
    from = 'orders'
    aggregate = 'min(at)'
    window = 'lifetime'
    empty = 'null'
    [metric.this_year]
    from = 'orders'
    aggregate = 'sum(amount)'
    window = 'lifetime'
    empty = 0
    [metric.lines_since]
    from = 'orders'
    aggregate = 'sum(lines)'
    where = 'amount > 1'
    window = 'lifetime'
    empty = 0
    [metric.gifts]
    from = 'gifts'
    aggregate = 'count(*)'
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

/// `this_year` begins at the anniversary of `joined_on`; `lines_since` and `gifts` at the first order, in a second pass. Orders
/// earn points, gifts spend some; a metric looks up the account's size.
fn scheme() -> RuleSet {
    let mut rules = rules(CONFIG, RULES);
    let id = |name| rules.metric(name).unwrap().0;
    let (joined_on, first_order, size) = (id("joined_on"), id("first_order"), id("size"));
    for (name, kind, pass) in [
        ("this_year", WindowKind::AnniversaryOf(joined_on.0), 0),
        ("lines_since", WindowKind::Since(first_order.0), 1),
        ("gifts", WindowKind::Since(first_order.0), 1),
    ] {
        let (id, _) = rules.metric(name).unwrap();
        let metric = &mut rules.metrics[id.0];
        metric.pass = pass;
        let MetricKind::Aggregate(aggregate) = &mut metric.kind else { unreachable!() };
        aggregate.window = Window { kind, offset: 0 };
    }
    rules.config.subjects[0].parent = Some(Parent { subject: SubjectId(1), attribute: 1 });
    let joined_on = rules.metrics[joined_on.0].clone();
    let gathered = gathered(&rules, first_order);
    let balance = MetricKind::Points { program: PointsId(0), measure: PointsMeasure::Balance };
    rules.points = vec![club(&joined_on)];
    rules.metrics.push(Metric { ty: Type::Integer, kind: MetricKind::Lookup(size), ..joined_on.clone() });
    rules.metrics.push(Metric { ty: Type::Integer, kind: balance, ..joined_on.clone() });
    rules.metrics.push(Metric { ty: Type::Real, kind: gathered, pass: 1, ..joined_on });
    rules
}

/// A plugin is given orders since the first one.
fn gathered(rules: &RuleSet, since: MetricId) -> MetricKind {
    let orders = &rules.config.facts[0].columns;
    let at = rules.metrics[since.0].at.clone();
    let input = |column: usize| Expr { kind: ExprKind::Column(column), ty: orders[column].ty, at: at.clone() };
    let call = PluginCall {
        plugin: PluginId(0),
        function: "decay".to_owned(),
        kind: PluginKind::Aggregator,
        inputs: vec![input(1), input(2)],
        required: vec![0],
        config: Default::default(),
        on_error: OnPluginError::Fail,
        at: at.clone(),
    };
    let window = Window { kind: WindowKind::Since(since.0), offset: 0 };
    let facts = Some(PluginFacts { facts: FactsId(0), filter: None, window, empty: None });
    MetricKind::Plugin(Box::new(PluginMetric { call, facts }))
}

fn club(Metric { at, .. }: &Metric) -> PointsProgram {
    let booking = |kind, facts, column, ty| Booking {
        kind,
        title: None,
        facts,
        filter: None,
        points: Expr { kind: ExprKind::Column(column), ty, at: at.clone() },
        at: at.clone(),
    };
    PointsProgram {
        name: "club".into(),
        title: None,
        subject: SubjectId(0),
        digits: 1,
        bookings: vec![
            booking(BookingKind::Earn, FactsId(0), 1, Type::Decimal(2)),
            booking(BookingKind::Spend, FactsId(1), 1, Type::Integer),
        ],
        expiry: Expiry::Never,
        at: at.clone(),
    }
}

/// The database, and the same rows by hand.
struct Data {
    sql: String,
    subjects: Vec<MemorySubjects>,
}

const CUSTOMERS: i64 = 60;
const ORDERS: i64 = 3000;

fn data(rules: &RuleSet) -> Data {
    let mut sql = "CREATE TABLE customers (id INTEGER PRIMARY KEY, joined_on, account);
         CREATE TABLE accounts (code TEXT, size INTEGER);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id, at, amount, lines);
         CREATE TABLE gifts (id INTEGER PRIMARY KEY, customer_id, on_day, points); BEGIN;"
        .to_owned();
    let text = |text: &str| Some(Value::Text(text.into()));
    let (mut customers, mut accounts, mut orders, mut gifts) = (vec![], vec![], vec![], vec![]);
    for key in 0..CUSTOMERS {
        let joined = (key % 7 != 0).then(|| format!("20{:02}-{:02}-{:02}", 10 + key % 17, 1 + key % 12, 1 + key % 28));
        let account = format!("acc{}", key * 7 % 11);
        let stored = joined.as_ref().map_or("NULL".to_owned(), |day| format!("'{day}'"));
        sql += &format!("INSERT INTO customers VALUES ({key}, {stored}, '{account}');");
        let joined = joined.map(|day| Value::Date(parse_date(day.as_bytes()).unwrap()));
        customers.push(MemoryRow { key: Key::Integer(key), values: vec![joined, text(&account)] });
    }
    for account in (0..9).rev() {
        sql += &format!("INSERT INTO accounts VALUES ('acc{account}', {account});");
        accounts.push(MemoryRow {
            key: Key::Text(format!("acc{account}").into()),
            values: vec![Some(Value::Integer(account))],
        });
    }
    for i in 0..ORDERS {
        // Some of no known customer; times on both sides of the run's.
        let (key, amount, lines) = (i * 31 % (CUSTOMERS + 3), i * 37 % 1000 - 100, i % 5);
        let at = format!("20{:02}-{:02}-{:02} {:02}:30", 24 + i % 3, 1 + i / 7 % 12, 1 + i % 28, i % 24);
        sql += &format!("INSERT INTO orders VALUES ({}, {key}, '{at}', {amount}, {lines});", i * 1000);
        let at = parse_timestamp(at.as_bytes()).unwrap().instant(&rules.config.zone);
        let amount = Value::Decimal(Decimal::new(amount.into(), 2));
        let values = vec![Some(Value::Timestamp(at)), Some(amount), Some(Value::Integer(lines))];
        orders.push(MemoryRow { key: Key::Integer(key), values });
        if i % 10 == 0 {
            let day = format!("2026-{:02}-{:02}", 1 + i / 10 % 4, 1 + i / 10 % 28);
            sql += &format!("INSERT INTO gifts VALUES ({i}, {key}, '{day}', {});", i % 70);
            let day = parse_date(day.as_bytes()).unwrap();
            let values = vec![Some(Value::Date(day)), Some(Value::Integer(i % 70))];
            gifts.push(MemoryRow { key: Key::Integer(key), values });
        }
    }
    sql += "COMMIT";
    let facts = vec![(FactsId(0), orders), (FactsId(1), gifts)];
    let subjects = vec![
        MemorySubjects { subject: SubjectId(0), rows: customers, facts },
        MemorySubjects { subject: SubjectId(1), rows: accounts, facts: vec![] },
    ];
    Data { sql, subjects }
}

fn read(shop: &Shop, rules: &RuleSet, threads: usize, reader: ReaderKind) -> Vec<SourceData> {
    let options = ReadOptions { threads, reader };
    read_all(&shop.database(), rules, &needed_subjects(rules), &clock(rules), options, &Progress::default()).unwrap()
}

fn check_same(found: &Given, expected: &Given) {
    assert_eq!((found.subject, found.subjects), (expected.subject, expected.subjects));
    let keys = |given: &Given| (0..given.subjects).map(|i| (given.key)(i)).collect::<Vec<_>>();
    assert_eq!(keys(found), keys(expected));
    assert_eq!(found.parents, expected.parents);
    assert_eq!(found.gathered.len(), expected.gathered.len());
    for ((of, facts), (expected_of, expected)) in found.gathered.iter().zip(&expected.gathered) {
        let inputs = |facts: &SubjectFacts| facts.inputs.iter().map(|input| input.to_data()).collect::<Vec<_>>();
        assert_eq!((of, &facts.rows_of, &facts.times), (expected_of, &expected.rows_of, &expected.times));
        assert_eq!(inputs(facts), inputs(expected));
    }
    for (metric, (found, expected)) in found.columns.iter().zip(&expected.columns).enumerate() {
        let data = |column: &Option<arrow_array::ArrayRef>| column.as_ref().map(|column| column.to_data());
        assert_eq!(data(found), data(expected), "metric {metric}");
    }
    let sorted = |given: &Given| {
        let mut all = given.bookings.clone();
        for (_, bookings) in &mut all {
            bookings.sort_by_key(|Booked { subject, booking, at, amount }| (*subject, *booking, *at, *amount));
        }
        all
    };
    assert_eq!(sorted(found), sorted(expected));
}

#[test]
fn every_reader_gives_what_the_rows_by_hand_give() {
    let rules = scheme();
    let data = data(&rules);
    let expected = given(&rules, &data.subjects, &clock(&rules));
    // The rows do reach every corner.
    assert!(expected[0].bookings[0].1.iter().any(|booked| booked.booking == 0));
    assert!(expected[0].bookings[0].1.iter().any(|booked| booked.booking == 1));
    let nulls = |name| expected[0].columns[rules.metric(name).unwrap().0.0].as_ref().unwrap().null_count();
    assert_eq!((nulls("this_year"), nulls("joined_on")), (9, 9));
    let shop = Shop::new(&data.sql);
    for (threads, reader) in
        [(1, ReaderKind::Step), (1, ReaderKind::Auto), (3, ReaderKind::Auto), (2, ReaderKind::Step)]
    {
        for (mut found, expected) in read(&shop, &rules, threads, reader).into_iter().zip(&expected) {
            check_same(&found.take_given(), expected);
        }
    }
}

/// Orders are read twice, gifts once though they both count and book; all of it counts once.
#[test]
fn a_table_that_is_read_twice_counts_once() {
    let rules = scheme();
    let shop = Shop::new(&data(&rules).sql);
    // The first pass reads amounts, the second lines; two rows have both bad.
    shop.connection()
        .execute_batch(
            "UPDATE orders SET amount = 'much' WHERE id IN (1000, 2000, 3000);
             UPDATE orders SET lines = 'many' WHERE id IN (2000, 3000, 4000, 5000);",
        )
        .unwrap();
    for reader in [ReaderKind::Step, ReaderKind::Auto] {
        let customers = read(&shop, &rules, 2, reader).remove(0);
        let tables: Vec<_> =
            customers.tables.iter().map(|read| (read.table.as_str(), read.rows, read.bad_rows)).collect();
        assert_eq!(tables, [("customers", 60, 0), ("orders", 3000, 5), ("gifts", 300, 0)]);
        let bad: Vec<_> =
            customers.bad_values.iter().map(|bad| (bad.column.as_str(), bad.count, bad.examples.len())).collect();
        assert_eq!(bad, [("amount", 3, 3), ("lines", 4, 3)]);
        assert_eq!(customers.version.tables.len(), 3);
    }
}

#[test]
fn points_that_do_not_fit_are_named_by_their_program() {
    let rules = scheme();
    let shop = Shop::new(&data(&rules).sql);
    shop.connection().execute_batch("UPDATE gifts SET points = 9000000000000000000 WHERE id = 10").unwrap();
    let customers = read(&shop, &rules, 1, ReaderKind::Auto).remove(0);
    let bad: Vec<_> = customers.bad_values.iter().map(|bad| (bad.column.as_str(), bad.count)).collect();
    assert_eq!(bad, [("points.club", 1)]);
}

#[test]
fn without_the_parents_there_are_no_places() {
    let rules = scheme();
    let shop = Shop::new(&data(&rules).sql);
    assert!(shop.read(&rules).unwrap().parents.is_empty());
}
