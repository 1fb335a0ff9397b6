//! Decoding in SQL against the reader's own decoder, value by value.

use std::cell::RefCell;

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use rusqlite::{Connection, Statement, types::Value as Stored};
use tierd_eval::scan::Cell;
use tierd_model::Date;
use tierd_rules::{FileId, Location};

use super::*;
use crate::decode::Decoder;

const ZONES: [&str; 5] = ["UTC", "Asia/Shanghai", "Europe/Paris", "Australia/Lord_Howe", "Africa/Casablanca"];

/// Every type in every encoding but text, which has no decoder.
fn columns() -> Vec<Column> {
    let amounts = [AmountEncoding::MinorUnits, AmountEncoding::Real, AmountEncoding::Text];
    let times = [
        TimeEncoding::Iso8601,
        TimeEncoding::UnixSeconds,
        TimeEncoding::UnixMilliseconds,
        TimeEncoding::Yyyymmdd,
        TimeEncoding::JulianDay,
    ];
    let mut all = vec![(Type::Integer, Encoding::Plain), (Type::Real, Encoding::Plain), (Type::Bool, Encoding::Plain)];
    for scale in [0, 2, 5, 18] {
        all.extend(amounts.map(|amount| (Type::Decimal(scale), Encoding::Amount(amount))));
    }
    for ty in [Type::Date, Type::Timestamp] {
        all.extend(times.map(|time| (ty, Encoding::Time(time))));
    }
    let column = |(ty, encoding)| {
        let at = Location { file: FileId(0), range: 0..0 };
        Column { name: "c".into(), column: "c\"".into(), ty, encoding, personal: false, at }
    };
    all.into_iter().map(column).collect()
}

/// A query for what the SQL of these columns makes of one stored value.
fn query(columns: &[Column], zone: &Zone) -> String {
    let decoded: Vec<String> = columns.iter().map(|c| decode(c, zone, Reach::ALL).bare().to_owned()).collect();
    format!("SELECT {} FROM (SELECT ?1 AS \"c\"\"\")", decoded.join(", "))
}

fn row(statement: &mut Statement<'_>, stored: &Stored) -> Vec<Stored> {
    let columns = statement.column_count();
    statement.query_row([stored], |row| (0..columns).map(|i| row.get(i)).collect()).unwrap()
}

/// What the reader makes of it, as SQL shows it.
fn by_reader(column: &Column, zone: &Zone, stored: &Stored) -> Stored {
    match (Decoder::new(column, zone).cell(stored.into()), column.ty) {
        (Cell::Null | Cell::Bad, _) => Stored::Null,
        (Cell::Value(bits), Type::Real) => Stored::Real(f64::from_bits(bits as u64)),
        (Cell::Value(day), Type::Date) => Stored::Text(Date(day as i32).to_string()),
        (Cell::Value(number), _) => Stored::Integer(number),
    }
}

/// Texts that look like times: valid ones with one mistake at most.
fn times() -> impl Strategy<Value = String> {
    let edges = [
        "2024-02-29",
        "2023-02-29",
        "1900-02-29",
        "2000-02-29",
        "0000-01-01",
        "-1890-01-01",
        "9999-12-31",
        "2024-00-10",
        "2024-13-01",
    ];
    let date = prop_oneof![
        8 => (1890..2110i64, 1..=12u32, 1..=31u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        1 => select(edges.to_vec()).prop_map(str::to_owned),
    ];
    let clock = prop_oneof![
        1 => Just(String::new()),
        6 => (select(vec![' ', 'T']), 0..25u32, 0..61u32).prop_map(|(t, h, m)| format!("{t}{h:02}:{m:02}")),
    ];
    let seconds = prop_oneof![
        2 => Just(String::new()),
        4 => (0..61u32).prop_map(|s| format!(":{s:02}")),
        4 => (0..60u32, "[0-9]{0,9}").prop_map(|(s, f)| format!(":{s:02}.{f}")),
    ];
    let offsets =
        ["", "", "", "Z", "z", "+08:00", "-0530", "+14", "-00:30", "+24:00", "+08:60", " UTC", "+8", "+08:", "+1:000"];
    let noise = select(vec!['x', '-', ':', ' ', '9', '.', '٣', '\0']);
    let noise = prop_oneof![12 => Just(None), 1 => (0..40usize, noise).prop_map(Some)];
    (date, clock, seconds, select(offsets.to_vec()), noise).prop_map(|(date, clock, seconds, offset, noise)| {
        let mut text: Vec<char> = format!("{date}{clock}{seconds}{offset}").chars().collect();
        if let Some((at, c)) = noise {
            text.insert(at.min(text.len()), c);
        }
        text.into_iter().collect()
    })
}

fn stored() -> impl Strategy<Value = Stored> {
    let numbers = select(vec![
        0,
        1,
        2,
        -1,
        i64::MAX,
        i64::MIN,
        92_233_720_368_547_758,
        -92_233_720_368_547_759,
        253_402_214_399,
        253_402_214_400,
        -62_167_132_800,
        -62_167_132_801,
        20_240_229,
        20_230_229,
        -20_240_229,
        9_991_231,
        99_991_231,
        100_000_101,
    ]);
    let reals = select(vec![0.1 + 0.2, 19.995, 1e30, f64::INFINITY, -0.0, 1_208_925_819_614_629_174_706_176.0, 9.3e16]);
    let digits = "[-+]?0{0,3}[0-9]{0,20}(\\.[0-9]{0,3}0{0,40})?[ xe\\x00]?";
    prop_oneof![
        6 => times().prop_map(Stored::Text),
        1 => (1..100_000_000i64).prop_map(|n| Stored::Text(format!("{n:08}"))),
        4 => digits.prop_map(Stored::Text),
        2 => "[-+]?[0-9]{1,4}(\\.[0-9]{1,3}0{0,2})?".prop_map(Stored::Text),
        1 => numbers.prop_map(Stored::Integer),
        1 => any::<i64>().prop_map(Stored::Integer),
        2 => (-3_000_000_000..5_000_000_000i64).prop_map(Stored::Integer),
        1 => (1_000_000..9_999_999i64, 1..13i64, 1..32i64).prop_map(|(y, m, d)| Stored::Integer(y % 9000 * 10_000 + m * 100 + d)),
        1 => reals.prop_map(Stored::Real),
        1 => any::<f64>().prop_filter("SQLite stores NULL for it", |r| !r.is_nan()).prop_map(Stored::Real),
        2 => (-9_999_999..9_999_999i64).prop_map(|units| Stored::Real(units as f64 / 100.0)),
        2 => (-3_000_000_000..5_000_000_000i64).prop_map(|s| Stored::Real(2_440_587.5 + s as f64 / 86_400.0)),
        1 => Just(Stored::Blob(b"1".to_vec())),
        1 => Just(Stored::Null),
    ]
}

#[test]
fn sql_is_as_strict_as_the_reader() {
    let (columns, database) = (columns(), Connection::open_in_memory().unwrap());
    for zone in ZONES.map(|zone| Zone::new(zone).unwrap()) {
        let statement = RefCell::new(database.prepare(&query(&columns, &zone)).unwrap());
        let config = Config { failure_persistence: None, cases: 1_000, ..Config::default() };
        let outcome = TestRunner::new(config).run(&stored(), |stored| {
            let found = row(&mut statement.borrow_mut(), &stored);
            for (column, found) in columns.iter().zip(found) {
                let expected = by_reader(column, &zone, &stored);
                prop_assert_eq!(found, expected, "{} {:?} of {:?}", column.ty, column.encoding, stored);
            }
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", zone.name()));
    }
}

#[test]
fn text_is_text_alone() {
    let at = Location { file: FileId(0), range: 0..0 };
    let (name, encoding) = ("c".to_owned(), Encoding::Plain);
    let database = Connection::open_in_memory().unwrap();
    let column = Column { column: "c\"".into(), name, ty: Type::Text, encoding, personal: false, at };
    for (stored, expected) in [
        (Stored::Text(String::new()), Stored::Text(String::new())),
        (Stored::Integer(12), Stored::Null),
        (Stored::Blob(b"a".to_vec()), Stored::Null),
    ] {
        let query = query(std::slice::from_ref(&column), &Zone::utc());
        assert_eq!(row(&mut database.prepare(&query).unwrap(), &stored), [expected]);
    }
}
