//! Decoding in SQL against the parsers of the model, value by value.

use proptest::{prelude::*, sample::select};
use rusqlite::{Connection, types::Value as Stored};
use tierd_model::{Date, Decimal, Timestamp, parse_date, parse_timestamp};
use tierd_rules::{FileId, Location};

use super::*;

const ZONES: [&str; 5] = ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"];

/// What the SQL for a column of this type makes of a stored value.
fn decoded(ty: Type, encoding: Encoding, zone: &Zone, stored: &Stored) -> Stored {
    let at = Location { file: FileId(0), range: 0..0 };
    let column = Column { name: "c".into(), column: "c\"".into(), ty, encoding, personal: false, at };
    let connection = Connection::open_in_memory().unwrap();
    let query = format!("SELECT {} FROM (SELECT ?1 AS \"c\"\"\")", decode(&column, zone, Reach::ALL).bare());
    connection.query_row(&query, [stored], |row| row.get(0)).unwrap()
}

fn text(text: &str) -> Stored {
    Stored::Text(text.to_owned())
}

fn integer(value: Option<i64>) -> Stored {
    value.map_or(Stored::Null, Stored::Integer)
}

/// Texts that look like times: valid ones with one mistake at most.
fn timestamp_text() -> impl Strategy<Value = String> {
    let date = prop_oneof![
        8 => (1890..2110i64, 1..=12u32, 1..=31u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        1 => select(vec!["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "9999-12-31", "2024-00-10", "2024-13-01"])
            .prop_map(str::to_owned),
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
    let offset = select(vec![
        "", "", "", "Z", "z", "+08:00", "-0530", "+14", "-00:30", "+24:00", "+08:60", " UTC", "+8", "+08:",
    ]);
    let noise = prop_oneof![12 => Just(None), 1 => (0..40usize, select(vec!['x', '-', ':', ' ', '9', '.', '٣'])).prop_map(Some)];
    (date, clock, seconds, offset, noise).prop_map(|(date, clock, seconds, offset, noise)| {
        let mut text: Vec<char> = format!("{date}{clock}{seconds}{offset}").chars().collect();
        if let Some((at, c)) = noise {
            text.insert(at.min(text.len()), c);
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn iso_text_is_read_as_strictly_as_in_rust(written in timestamp_text(), zone in select(&ZONES[..])) {
        let zone = Zone::new(zone).unwrap();
        let encoding = Encoding::Time(TimeEncoding::Iso8601);
        let at = parse_timestamp(written.as_bytes()).map(|t| t.instant(&zone).0);
        prop_assert_eq!(decoded(Type::Timestamp, encoding, &zone, &text(&written)), integer(at));
        let day = parse_date(written.as_bytes()).map_or(Stored::Null, |_| text(&written));
        prop_assert_eq!(decoded(Type::Date, encoding, &zone, &text(&written)), day);
    }

    #[test]
    fn decimals_in_text_keep_their_digits(written in "[-+]?[0-9]{0,9}(\\.[0-9]{0,3}0{0,3})?[ xe]?", scale in 0u8..4) {
        let units = Decimal::parse(&written).and_then(|d| d.rescale_exact(scale)).map(|d| d.units as i64);
        let sql = decoded(Type::Decimal(scale), Encoding::Amount(AmountEncoding::Text), &Zone::utc(), &text(&written));
        prop_assert_eq!(sql, integer(units));
    }

    #[test]
    fn the_local_day_of_an_instant(seconds in -3_000_000_000i64..5_000_000_000, zone in select(&ZONES[..])) {
        let zone = Zone::new(zone).unwrap();
        let day = zone.date_of(Timestamp(seconds * 1_000_000));
        let sql = decoded(Type::Date, Encoding::Time(TimeEncoding::UnixSeconds), &zone, &Stored::Integer(seconds));
        prop_assert_eq!(sql, text(&day.to_string()));
        let julian = Stored::Real(2_440_587.5 + seconds as f64 / 86_400.0);
        let sql = decoded(Type::Timestamp, Encoding::Time(TimeEncoding::JulianDay), &zone, &julian);
        prop_assert_eq!(sql, Stored::Integer(seconds * 1_000_000));
    }

    #[test]
    fn a_day_in_digits_begins_at_local_midnight(days in -20_000i32..40_000, zone in select(&ZONES[..])) {
        let zone = Zone::new(zone).unwrap();
        let day = Date(days);
        let digits = day.to_string().replace('-', "");
        let encoding = Encoding::Time(TimeEncoding::Yyyymmdd);
        for stored in [Stored::Integer(digits.parse().unwrap()), text(&digits)] {
            prop_assert_eq!(decoded(Type::Date, encoding, &zone, &stored), text(&day.to_string()));
            prop_assert_eq!(decoded(Type::Timestamp, encoding, &zone, &stored), Stored::Integer(zone.midnight(day).0));
        }
    }
}

#[test]
fn another_storage_class_is_bad() {
    let (zone, amount) = (Zone::utc(), Encoding::Amount);
    for (ty, encoding, stored, expected) in [
        (Type::Integer, Encoding::Plain, text("12"), Stored::Null),
        (Type::Integer, Encoding::Plain, Stored::Real(12.0), Stored::Null),
        (Type::Integer, Encoding::Plain, Stored::Blob(vec![49]), Stored::Null),
        (Type::Integer, Encoding::Plain, Stored::Integer(i64::MIN), Stored::Integer(i64::MIN)),
        (Type::Text, Encoding::Plain, Stored::Integer(12), Stored::Null),
        (Type::Text, Encoding::Plain, text(""), text("")),
        (Type::Real, Encoding::Plain, Stored::Integer(12), Stored::Real(12.0)),
        (Type::Real, Encoding::Plain, Stored::Real(1e25), Stored::Null),
        (Type::Real, Encoding::Plain, Stored::Real(f64::NEG_INFINITY), Stored::Null),
        (Type::Real, Encoding::Plain, text("1.5"), Stored::Null),
        (Type::Bool, Encoding::Plain, Stored::Integer(1), Stored::Integer(1)),
        (Type::Bool, Encoding::Plain, Stored::Integer(2), Stored::Null),
        (Type::Decimal(2), amount(AmountEncoding::MinorUnits), Stored::Integer(1999), Stored::Integer(1999)),
        (Type::Decimal(2), amount(AmountEncoding::MinorUnits), Stored::Real(19.99), Stored::Null),
        (Type::Decimal(2), amount(AmountEncoding::Real), Stored::Real(19.99), Stored::Integer(1999)),
        (Type::Decimal(2), amount(AmountEncoding::Real), Stored::Real(-0.1 - 0.2), Stored::Integer(-30)),
        (Type::Decimal(2), amount(AmountEncoding::Real), Stored::Real(19.995), Stored::Null),
        (Type::Decimal(2), amount(AmountEncoding::Real), Stored::Integer(19), Stored::Integer(1900)),
        (Type::Decimal(2), amount(AmountEncoding::Real), text("19.99"), Stored::Null),
        (Type::Decimal(2), amount(AmountEncoding::Text), text("-19.9"), Stored::Integer(-1990)),
        (Type::Decimal(2), amount(AmountEncoding::Text), text("19.900"), Stored::Integer(1990)),
        (Type::Decimal(2), amount(AmountEncoding::Text), text("19.905"), Stored::Null),
        (Type::Decimal(2), amount(AmountEncoding::Text), Stored::Integer(19), Stored::Integer(1900)),
        (Type::Date, Encoding::Time(TimeEncoding::Iso8601), text("now"), Stored::Null),
        (Type::Date, Encoding::Time(TimeEncoding::Iso8601), text("2024-02-30"), Stored::Null),
        (Type::Date, Encoding::Time(TimeEncoding::Iso8601), text("2024-02-29 10:00"), Stored::Null),
        (Type::Date, Encoding::Time(TimeEncoding::Yyyymmdd), Stored::Integer(20240230), Stored::Null),
        (
            Type::Timestamp,
            Encoding::Time(TimeEncoding::UnixMilliseconds),
            Stored::Integer(1_500),
            Stored::Integer(1_500_000),
        ),
        (Type::Timestamp, Encoding::Time(TimeEncoding::UnixSeconds), text("1500"), Stored::Null),
    ] {
        assert_eq!(decoded(ty, encoding, &zone, &stored), expected, "{ty} {encoding:?} {stored:?}");
    }
}
