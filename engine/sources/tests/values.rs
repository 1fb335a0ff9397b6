//! What stands in real database files, and what tierd reads: every encoding, every kind of table, every kind of key.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use support::{Shop, clock, config, last_of, rules, values};
use tierd_model::{Key, Timestamp};
use tierd_rules::SubjectId;
use tierd_sources::{Keys, Progress, ReadError, ReadOptions, ReaderKind, SubjectError, read};

/// One order per customer; the customer's key says which row of the test this is.
fn shop_with(rows: &[&str]) -> Shop {
    let mut sql = String::from(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); CREATE TABLE orders (customer_id, at, v);",
    );
    for (i, value) in rows.iter().enumerate() {
        sql += &format!(
            "INSERT INTO customers VALUES ({i}, NULL); INSERT INTO orders VALUES ({i}, '2026-01-01', {value});"
        );
    }
    Shop::new(&sql)
}

fn check(column: &str, rows: &[(&str, &str)]) {
    let rules =
        rules(&config(&format!("at = {{ type = 'date', encoding = 'iso8601' }}\nv = {column}")), &last_of(&["v"]));
    let stored: Vec<&str> = rows.iter().map(|(stored, _)| *stored).collect();
    // What is bad is marked so: it is read as NULL, and counted.
    let expected: Vec<&str> = rows.iter().map(|(_, read)| if *read == "bad" { "NULL" } else { *read }).collect();
    let bad = rows.iter().filter(|(_, read)| *read == "bad").count() as u64;
    let shop = shop_with(&stored);
    for reader in [ReaderKind::Auto, ReaderKind::Step] {
        let data = shop.read_by(&rules, reader).unwrap();
        assert_eq!(values(&data, &rules, "last_v"), expected, "{column}");
        assert_eq!(data.bad_rows(), (bad, 2 * rows.len() as u64), "{column}");
        assert_eq!(data.bad_values.iter().map(|bad| bad.count).sum::<u64>(), bad, "{column}");
    }
}

#[test]
fn plain_types_are_read_as_they_are_stored() {
    check(
        "'text'",
        &[("'paid'", "paid"), ("''", ""), ("'王先生'", "王先生"), ("1", "bad"), ("x'70'", "bad"), ("NULL", "NULL")],
    );
    check(
        "'text'",
        &[
            ("CAST(x'ff' AS TEXT)", "bad"),
            ("'a remark of more than sixteen bytes'", "a remark of more than sixteen bytes"),
        ],
    );
    check(
        "'integer'",
        &[
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.0", "bad"),
            ("'1'", "bad"),
            ("NULL", "NULL"),
        ],
    );
    check("'real'", &[("1.5", "1.5"), ("2", "2"), ("-0.0", "0"), ("9e999", "bad"), ("1e25", "bad"), ("'1.5'", "bad")]);
    check("'bool'", &[("1", "true"), ("0", "false"), ("2", "bad"), ("'true'", "bad")]);
}

#[test]
fn amounts_are_exact_in_every_encoding() {
    check("{ type = 'decimal(2)', encoding = 'minor_units' }", &[("1999", "19.99"), ("-5", "-0.05"), ("19.99", "bad")]);
    check(
        "{ type = 'decimal(2)', encoding = 'real' }",
        &[
            ("19.99", "19.99"),
            ("0.1 + 0.2", "0.30"),
            ("7", "7.00"),
            ("19.995", "bad"),
            ("'19.99'", "bad"),
            ("1e300", "bad"),
        ],
    );
    check(
        "{ type = 'decimal(2)', encoding = 'text' }",
        &[
            ("'19.9'", "19.90"),
            ("'-19.9900'", "-19.99"),
            ("'+3'", "3.00"),
            ("3", "3.00"),
            ("'19.999'", "bad"),
            ("'1,000.00'", "bad"),
            ("'n/a'", "bad"),
            ("'99999999999999999999.00'", "bad"),
        ],
    );
}

#[test]
fn dates_and_times_are_read_in_every_encoding() {
    check(
        "{ type = 'timestamp', encoding = 'iso8601' }",
        &[
            ("'2026-03-31 20:00:00'", "2026-03-31T12:00:00Z"),
            ("'2026-03-31T20:00:00'", "2026-03-31T12:00:00Z"),
            ("'2026-03-31T20:00:00.25+02:00'", "2026-03-31T18:00:00.250000Z"),
            ("'2026-03-31'", "2026-03-30T16:00:00Z"),
            ("'2026-02-29'", "bad"),
            ("'31.03.2026'", "bad"),
            ("1774958400", "bad"),
        ],
    );
    check(
        "{ type = 'date', encoding = 'iso8601' }",
        &[("'2024-02-29'", "2024-02-29"), ("'2026-03-31 20:00:00'", "bad")],
    );
    check(
        "{ type = 'timestamp', encoding = 'unix_seconds' }",
        &[
            ("1774958400", "2026-03-31T12:00:00Z"),
            ("-1", "1969-12-31T23:59:59Z"),
            ("1774958400000", "bad"),
            ("'1774958400'", "bad"),
        ],
    );
    check(
        "{ type = 'date', encoding = 'unix_seconds' }",
        &[("1774958400", "2026-03-31"), ("1774972800", "2026-04-01")],
    );
    check(
        "{ type = 'timestamp', encoding = 'unix_milliseconds' }",
        &[("1774958400125", "2026-03-31T12:00:00.125000Z")],
    );
    check(
        "{ type = 'date', encoding = 'yyyymmdd' }",
        &[("20240229", "2024-02-29"), ("'20240229'", "2024-02-29"), ("20230229", "bad"), ("0", "bad")],
    );
    check("{ type = 'timestamp', encoding = 'yyyymmdd' }", &[("20240229", "2024-02-28T16:00:00Z")]);
    check(
        "{ type = 'timestamp', encoding = 'julian_day' }",
        &[
            ("2461131.0", "2026-03-31T12:00:00Z"),
            ("julianday('2026-03-31 12:34:56')", "2026-03-31T12:34:56Z"),
            ("2461131", "2026-03-31T12:00:00Z"),
            ("1e9", "bad"),
        ],
    );
}

#[test]
fn the_first_bad_rows_are_named_but_personal_values_are_not() {
    let config = config(
        "at = { type = 'date', encoding = 'iso8601' }\nv = 'integer'\nphone = { type = 'integer', personal = true }",
    );
    let rules = rules(&config, &last_of(&["v", "phone"]));
    let mut sql = String::from(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); INSERT INTO customers VALUES (7, NULL);
         CREATE TABLE orders (customer_id, at, v, phone);",
    );
    for i in 0..2000 {
        let (v, phone) = (if i % 100 == 50 { "'n/a'" } else { "1" }, if i == 1500 { "'13800000000'" } else { "2" });
        sql += &format!("INSERT INTO orders VALUES (7, '2026-01-01', {v}, {phone});");
    }
    let data = Shop::new(&sql).read(&rules).unwrap();
    let named = |column: &str| {
        let bad = data.bad_values.iter().find(|bad| bad.column == column).unwrap();
        (bad.count, bad.examples.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let row = |row: u32| format!("row {row} of subject 7: TEXT \"n/a\"");
    assert_eq!(named("v"), (20, vec![row(51), row(151), row(251)]));
    assert_eq!(named("phone"), (1, vec!["row 1501 of subject 7: TEXT".to_owned()]));
    assert!(!format!("{data:?}").contains("138000"));
}

#[test]
fn keys_of_any_shape_find_their_customers() {
    let count = "[metric.orders]\nfrom = 'orders'\naggregate = 'count(*)'\nwindow = 'lifetime'\nempty = 0\n";
    let config = config("at = { type = 'date', encoding = 'iso8601' }");
    for keys in [
        vec!["1", "2", "3"],
        vec!["-9223372036854775808", "-1", "0", "9223372036854775807"],
        vec!["-5", "3", "1000000", "5000000000"],
        vec!["10", "12", "15"],
        vec!["'C-1'", "'C-10'", "'C-2'", "'c-1'", "'客户'", "'a key of more than sixteen bytes'"],
    ] {
        let text = keys[0].starts_with('\'');
        let config = if text {
            config.replace("key = \"id\"", "key = { column = 'id', type = 'text' }")
        } else {
            config.clone()
        };
        let rules = rules(&config, count);
        let mut sql = String::from("CREATE TABLE customers (id UNIQUE, city); CREATE TABLE orders (customer_id, at);");
        for (i, key) in keys.iter().enumerate().rev() {
            sql += &format!("INSERT INTO customers VALUES ({key}, NULL);");
            sql += &format!("INSERT INTO orders VALUES ({key}, '2026-01-01');").repeat(i + 1);
        }
        sql += "INSERT INTO orders VALUES (77, '2026-01-01'), ('nobody', '2026-01-01'), (NULL, '2026-01-01');";
        let data = Shop::new(&sql).read(&rules).unwrap();
        let mut expected: Vec<(Key, String)> = keys
            .iter()
            .enumerate()
            .map(|(i, key)| {
                let key = key.trim_matches('\'');
                (if text { Key::Text(key.into()) } else { Key::Integer(key.parse().unwrap()) }, (i + 1).to_string())
            })
            .collect();
        expected.sort();
        let orders = values(&data, &rules, "orders");
        let found: Vec<_> = (0..data.keys.len()).map(|i| (data.keys.key(i), orders[i].clone())).collect();
        assert_eq!(found, expected);
        expected.iter().enumerate().for_each(|(i, (key, _))| assert_eq!(data.keys.find(key), Some(i)));
        // A key of another type belongs to nobody and is bad besides; NULL is only unknown.
        assert_eq!(data.unknown_subjects().0, 3);
        assert_eq!(data.bad_rows().0, 1);
    }
}

#[test]
fn views_tables_without_row_ids_and_odd_names_are_read() {
    let count = "[metric.orders]\nfrom = 'orders'\naggregate = 'count(*)'\nwindow = 'lifetime'\nempty = 0\n";
    for orders in [
        "CREATE TABLE orders (n PRIMARY KEY, customer_id, at) WITHOUT ROWID",
        "CREATE TABLE all_orders (n, customer_id, at); CREATE VIEW orders AS SELECT * FROM all_orders;
         CREATE TRIGGER t INSTEAD OF INSERT ON orders BEGIN INSERT INTO all_orders VALUES (new.n, new.customer_id, new.at); END",
        "CREATE TABLE orders (n INTEGER PRIMARY KEY, customer_id, at)",
        "CREATE TABLE orders (rowid, oid, customer_id, at); CREATE VIEW n AS SELECT 1",
        "CREATE TABLE orders (n, _rowid_, rowid, oid, customer_id, at)",
        "CREATE TABLE orders (customer_id AS (n % 2), at AS ('2026-01-0' || n), n)",
    ] {
        let generated = orders.contains("AS (n");
        let odd = if generated { "(n)" } else if orders.contains("rowid, oid, c") && !orders.contains("_rowid_") { "(rowid, customer_id, at)" } else { "(n, customer_id, at)" };
        let row = |n: i64| if generated { format!("({n})") } else { format!("({n}, {}, '2026-01-01')", n % 2) };
        let rows: Vec<String> = (1..=5).map(row).collect();
        let shop = Shop::new(&format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); INSERT INTO customers VALUES (0, NULL), (1, NULL);
             {orders}; INSERT INTO orders {odd} VALUES {}",
            rows.join(", ")
        ));
        let rules = rules(&config("at = { type = 'date', encoding = 'iso8601' }"), count);
        let data = shop.read(&rules).unwrap();
        assert_eq!(values(&data, &rules, "orders"), ["2", "3"], "{orders}");
    }
}

#[test]
fn names_are_quoted_and_never_taken_for_texts() {
    let config = config("at = { type = 'date', encoding = 'iso8601', column = 'select \"it\"' }")
        .replace("\"orders\"\n", "'the \"orders\"'\n");
    let rules = rules(&config, &last_of(&["at"]));
    let shop = Shop::new(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); INSERT INTO customers VALUES (1, NULL);
         CREATE TABLE \"the \"\"orders\"\"\" (customer_id, \"select \"\"it\"\"\");
         INSERT INTO \"the \"\"orders\"\"\" VALUES (1, '2026-01-02')",
    );
    assert_eq!(values(&shop.read(&rules).unwrap(), &rules, "last_at"), ["2026-01-02"]);
}

#[test]
fn a_database_in_utf_16_reads_the_same() {
    let sql = "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); INSERT INTO customers VALUES (1, '武汉'), (2, 'Zürich');
               CREATE TABLE orders (customer_id, at, v);
               INSERT INTO orders VALUES (1, '2026-01-02', '王先生'), (2, '2026-01-03', 'née'), (2, '2026-01-03', 'nee')";
    let config = config("at = { type = 'date', encoding = 'iso8601' }\nv = 'text'");
    let rules = rules(&config, &(last_of(&["v"]) + "[metric.town]\nattribute = 'city'\n"));
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let shop = Shop::new(&format!("PRAGMA encoding = '{encoding}'; {sql}"));
        for reader in [ReaderKind::Auto, ReaderKind::Step] {
            let data = shop.read_by(&rules, reader).unwrap();
            assert_eq!(values(&data, &rules, "last_v"), ["王先生", "née"], "{encoding}");
            assert_eq!(values(&data, &rules, "town"), ["武汉", "Zürich"], "{encoding}");
        }
    }
}

#[test]
fn the_subject_filter_removes_customers_and_their_bad_values() {
    let config = config("at = { type = 'date', encoding = 'iso8601' }")
        .replace("key = \"id\"", "key = \"id\"\nfilter = \"active\"")
        .replace("city = \"text\"", "city = 'text'\nactive = 'bool'\njoined = { type = 'date', encoding = 'iso8601' }");
    let rules = rules(&config, &(last_of(&[]) + "[metric.since_day]\nattribute = 'joined'\n"));
    let customers = "CREATE TABLE orders (customer_id, at); CREATE TABLE customers (id, city, active, joined);
         INSERT INTO customers VALUES (3, 'a', 1, '2020-01-03'), (NULL, 'b', 0, '2020-01-01'), (1, 'c', 1, 'soon'),
             (2, 'd', 0, 'never'), (2, 'd', NULL, 'never'), (5, 'd', 'yes', '2020-01-05');
         INSERT INTO orders VALUES (1, '2026-01-01'), (2, '2026-01-01')";
    let data = Shop::new(customers).read(&rules).unwrap();
    assert_eq!(*data.keys, Keys::Integer(vec![1, 3]));
    assert_eq!(values(&data, &rules, "since_day"), ["NULL", "2020-01-03"]);
    assert_eq!(values(&data, &rules, "orders"), ["1", "0"]);
    let bad: Vec<_> =
        data.bad_values.iter().map(|bad| (bad.column.as_str(), bad.count, bad.examples[0].to_string())).collect();
    assert_eq!(
        bad,
        [("active", 1, "subject 5: TEXT \"yes\"".to_owned()), ("joined", 1, "subject 1: TEXT \"soon\"".to_owned()),]
    );
    assert_eq!((data.tables[0].rows, data.bad_rows().0, data.unknown_subjects().0), (6, 2, 1));
}

#[test]
fn customers_that_cannot_be_told_apart_are_an_error() {
    let rules = rules(&config("at = { type = 'date', encoding = 'iso8601' }"), &last_of(&[]));
    let error = |keys: &str| {
        let sql = format!(
            "CREATE TABLE orders (customer_id, at); CREATE TABLE customers (id, city); INSERT INTO customers (id) VALUES {keys}"
        );
        match Shop::new(&sql).read(&rules) {
            Err(ReadError::Subjects(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let twice = error("(7), (3), (9), (3), (7), (3)");
    assert_eq!(twice.to_string(), "2 keys of `customers`.`id` stand in more than one row, such as 3, 7");
    assert_eq!(error("(1), (NULL), (NULL)").to_string(), "2 rows of `customers` have NULL for their key `id`");
    let other = error("(1), ('C-7'), (2.5)");
    assert_eq!(other.to_string(), "2 keys of `customers`.`id` are not integers, such as TEXT \"C-7\", REAL 2.5");
    assert!(matches!(other, SubjectError::BadKeys { count: 2, .. }));
}

#[test]
fn empty_tables_give_empty_results() {
    let rules = rules(
        &config("at = { type = 'date', encoding = 'iso8601' }"),
        &(last_of(&["at"]) + "[metric.town]\nattribute = 'city'\n"),
    );
    let tables = "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); CREATE TABLE orders (customer_id, at);";
    let data = Shop::new(tables).read(&rules).unwrap();
    assert!(data.keys.is_empty());
    assert!(values(&data, &rules, "orders").is_empty() && values(&data, &rules, "town").is_empty());
    let data = Shop::new(&format!("{tables} INSERT INTO orders VALUES (1, '2026-01-01')")).read(&rules).unwrap();
    assert_eq!(data.unknown_subjects(), (1, 1));
    let data = Shop::new(&format!("{tables} INSERT INTO customers VALUES (5, NULL)")).read(&rules).unwrap();
    assert_eq!(
        (values(&data, &rules, "orders"), values(&data, &rules, "town")),
        (vec!["0".to_owned()], vec!["NULL".to_owned()])
    );
}

#[test]
fn the_newest_fact_and_the_state_of_the_data_are_told() {
    let rules = rules(&config("at = { type = 'timestamp', encoding = 'iso8601' }"), &last_of(&[]));
    let shop = Shop::new(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); CREATE TABLE orders (customer_id, at);
         INSERT INTO customers VALUES (1, NULL);
         INSERT INTO orders VALUES (1, '2026-03-30 09:00:00'), (9, '2026-03-31 12:00:00'), (1, '2030-01-01'), (1, 'soon')",
    );
    let data = shop.read(&rules).unwrap();
    let orders = &data.tables[1];
    assert_eq!(orders.newest, Some(Timestamp(clock(&rules).as_of().0)));
    assert_eq!((orders.rows, orders.unknown_subjects, orders.bad_rows, orders.last_row_id), (4, 1, 1, Some(4)));
    assert_eq!(data.version.to_string(), "schema 2; customers 1 rows to 1; orders 4 rows to 4");
}

#[test]
fn a_cancelled_read_says_so() {
    let rules = rules(&config("at = { type = 'date', encoding = 'iso8601' }"), &last_of(&[]));
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    let shop = Shop::new(&format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, city); CREATE TABLE orders (customer_id, at);
         INSERT INTO customers {rows} SELECT i, NULL FROM n; INSERT INTO orders {rows} SELECT i, '2026-01-01' FROM n"
    ));
    let progress = Progress::default();
    let run = |progress: &Progress| {
        read(&shop.database(), &rules, SubjectId(0), &clock(&rules), ReadOptions::default(), progress)
    };
    assert!(run(&progress).is_ok());
    assert!(progress.rows() > 30_000 && progress.expected() == 40_000, "{progress:?}");
    progress.cancel();
    assert!(matches!(run(&progress), Err(ReadError::Cancelled)));
}
