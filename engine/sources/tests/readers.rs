//! The fast reader and the plain one give the same, on random tables.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use proptest::prelude::*;
use support::{Shop, config, rules, values};
use tierd_sources::ReaderKind;

const COLUMNS: &str = "
    at = { type = 'timestamp', encoding = 'iso8601' }
    whole = 'integer'
    money = { type = 'decimal(2)', encoding = 'real' }
    word = 'text'
    ratio = 'real'
    flag = 'bool'";

const RULES: &str = "
    [metric.orders]
    from = 'orders'
    aggregate = 'count(*)'
    window = { last = '12 months' }
    empty = 0
    [metric.paid]
    from = 'orders'
    aggregate = 'sum(money)'
    where = \"word = 'paid' or flag\"
    window = 'lifetime'
    empty = 0
    [metric.least]
    from = 'orders'
    aggregate = 'min(whole)'
    window = 'lifetime'
    empty = 'null'
    [metric.ratio]
    from = 'orders'
    aggregate = 'sum(ratio)'
    window = 'lifetime'
    empty = 'null'
    [metric.words]
    from = 'orders'
    aggregate = 'count_distinct(word)'
    window = 'lifetime'
    empty = 0
    [metric.word]
    from = 'orders'
    aggregate = 'last(word)'
    window = 'lifetime'
    empty = 'null'
    [metric.town]
    attribute = 'city'";

const METRICS: [&str; 7] = ["orders", "paid", "least", "ratio", "words", "word", "town"];

/// A stored value of any storage class, as an SQL literal: mostly of the kind that the column is declared to have.
fn literal(usual: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(usual).prop_map(str::to_owned),
        1 => Just("NULL".to_owned()),
        1 => proptest::sample::select(vec!["'n/a'", "x'00ff'", "1.5", "-7", "''", "9223372036854775807", "CAST(x'ff' AS TEXT)"])
            .prop_map(str::to_owned),
    ]
}

fn order() -> impl Strategy<Value = String> {
    let columns = (
        prop_oneof![(-2i64..40).prop_map(|key| key.to_string()), literal(&["3"])],
        literal(&[
            "'2026-01-01 10:00:00'",
            "'2026-03-31 23:59:59'",
            "'2025-03-31'",
            "'2026-02-03T04:05:06Z'",
            "'2030-01-01'",
        ]),
        literal(&["1", "2", "-3", "1000000"]),
        literal(&["19.99", "5", "-0.01", "0.005"]),
        literal(&["'paid'", "'refunded'", "'open'", "'a longer word than sixteen bytes'"]),
        literal(&["0.1", "2.5", "-1e20", "7"]),
        literal(&["0", "1"]),
    );
    columns.prop_map(|(key, at, whole, money, word, ratio, flag)| {
        format!("({key}, {at}, {whole}, {money}, {word}, {ratio}, {flag})")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_reader_agrees_with_the_plain_one(
        orders in proptest::collection::vec(order(), 0..200),
        repeated in 1usize..80,
        gap in prop_oneof![Just(1i64), Just(1000), Just(1 << 40)],
        first in prop_oneof![Just(1i64), Just(-5000), Just(i64::MIN), Just(i64::MAX - (1 << 55))],
    ) {
        let mut sql = String::from(
            "BEGIN; CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id, at, whole, money, word, ratio, flag);",
        );
        for key in 0..30 {
            sql += &format!("INSERT INTO customers VALUES ({}, 'town {key}');", key * key);
        }
        if !orders.is_empty() {
            sql += &format!("INSERT INTO orders (customer_id, at, whole, money, word, ratio, flag) VALUES {};", orders.join(", "));
            // Row ids far apart or near, from either end of the integers.
            sql += &format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {repeated})
                 INSERT INTO orders SELECT {first} + (row_number() OVER ()) * {gap} + 1000000, customer_id, at, whole, money, word,
                     ratio, flag FROM orders, n WHERE id <= 200;"
            );
        }
        let shop = Shop::new(&(sql + "COMMIT"));
        let rules = rules(&config(COLUMNS), RULES);
        let fast = shop.read_by(&rules, ReaderKind::Auto).unwrap();
        let plain = shop.read_by(&rules, ReaderKind::Step).unwrap();
        prop_assert_eq!(&fast.keys, &plain.keys);
        prop_assert_eq!(&fast.bad_values, &plain.bad_values);
        for metric in METRICS {
            prop_assert_eq!(values(&fast, &rules, metric), values(&plain, &rules, metric), "{}", metric);
        }
        for (fast, plain) in fast.tables.iter().zip(&plain.tables) {
            prop_assert_eq!((fast.rows, fast.bad_rows, fast.unknown_subjects), (plain.rows, plain.bad_rows, plain.unknown_subjects));
            prop_assert_eq!((fast.newest, fast.last_row_id), (plain.newest, plain.last_row_id));
        }
    }
}
