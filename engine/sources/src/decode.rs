//! Stored values as typed ones, strictly: what doesn't fit its declared type is bad, never guessed at.
//!
//! Nothing is allocated for a row. The same rules in SQL are in [`crate::sql`].

use rusqlite::types::ValueRef;
use tierd_eval::scan::{Cell, real_bits};
use tierd_model::{DAY_MICROS, Date, Decimal, Timestamp, Type, Zone, parse_date, parse_timestamp, pow10};
use tierd_rules::{AmountEncoding, Column, Encoding, TimeEncoding};

/// Counted instants from 0000-01-02 to 9999-12-30: their local days have years of four digits in every zone.
const FIRST_MICROS: i64 = -62_167_132_800_000_000;
const LAST_MICROS: i64 = 253_402_214_399_999_999;
/// 1970-01-01T00:00Z as a Julian day, and the days of the same calendar.
const EPOCH_JULIAN: f64 = 2_440_587.5;
const FIRST_JULIAN: f64 = 1_721_059.5;
const END_JULIAN: f64 = 5_373_484.5;
const DAY_MILLIS: f64 = 86_400_000.0;
/// How far from a whole unit a REAL amount may lie.
const REAL_TOLERANCE: f64 = 1e-4;

/// How one column is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder<'a> {
    shape: Shape,
    zone: &'a Zone,
}

/// What is stored, and what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Integer,
    Bool,
    Real,
    /// REAL or INTEGER in whole units, to units of this many digits.
    RealAmount(u8),
    TextAmount(u8),
    IsoTimestamp,
    IsoDate,
    /// INTEGER; microseconds in one. To an instant or its local day.
    Count {
        micros: i64,
        date: bool,
    },
    Yyyymmdd {
        date: bool,
    },
    Julian {
        date: bool,
    },
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(column: &Column, zone: &'a Zone) -> Self {
        let date = column.ty == Type::Date;
        let scale = column.ty.scale().unwrap_or(0);
        let shape = match column.encoding {
            Encoding::Plain => match column.ty {
                Type::Text => Shape::Text,
                Type::Bool => Shape::Bool,
                Type::Real => Shape::Real,
                _ => Shape::Integer,
            },
            Encoding::Amount(AmountEncoding::MinorUnits) => Shape::Integer,
            Encoding::Amount(AmountEncoding::Real) => Shape::RealAmount(scale),
            Encoding::Amount(AmountEncoding::Text) => Shape::TextAmount(scale),
            Encoding::Time(TimeEncoding::Iso8601) if date => Shape::IsoDate,
            Encoding::Time(TimeEncoding::Iso8601) => Shape::IsoTimestamp,
            Encoding::Time(TimeEncoding::UnixSeconds) => Shape::Count { micros: 1_000_000, date },
            Encoding::Time(TimeEncoding::UnixMilliseconds) => Shape::Count { micros: 1000, date },
            Encoding::Time(TimeEncoding::Yyyymmdd) => Shape::Yyyymmdd { date },
            Encoding::Time(TimeEncoding::JulianDay) => Shape::Julian { date },
        };
        Decoder { shape, zone }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.shape == Shape::Text
    }

    /// A value of any type but text.
    #[inline]
    pub(crate) fn cell(&self, value: ValueRef) -> Cell {
        let decoded = match (self.shape, value) {
            (_, ValueRef::Null) => return Cell::Null,
            (Shape::Integer, ValueRef::Integer(v)) => Some(v),
            (Shape::IsoTimestamp, ValueRef::Text(text)) => {
                parse_timestamp(text).map(|civil| civil.instant(self.zone).0)
            }
            (Shape::IsoDate, ValueRef::Text(text)) => parse_date(text).map(|day| i64::from(day.0)),
            (shape, value) => self.other(shape, value),
        };
        decoded.map_or(Cell::Bad, Cell::Value)
    }

    fn other(&self, shape: Shape, value: ValueRef) -> Option<i64> {
        match (shape, value) {
            (Shape::Bool, ValueRef::Integer(v @ 0..=1)) => Some(v),
            (Shape::Real, ValueRef::Integer(v)) => real_bits(v as f64),
            (Shape::Real, ValueRef::Real(v)) => real_bits(v),
            (Shape::RealAmount(scale), ValueRef::Real(v)) => real_amount(v, scale),
            (Shape::RealAmount(scale) | Shape::TextAmount(scale), ValueRef::Integer(v)) => {
                i64::try_from(i128::from(v) * pow10(scale)).ok()
            }
            (Shape::TextAmount(scale), ValueRef::Text(text)) => text_amount(text, scale),
            (Shape::Count { micros, date }, ValueRef::Integer(v)) => self.instant(v.checked_mul(micros)?, date),
            (Shape::Yyyymmdd { date }, ValueRef::Integer(v)) => self.day(v, date),
            (Shape::Yyyymmdd { date }, ValueRef::Text(text)) => self.day(eight_digits(text)?, date),
            (Shape::Julian { date }, ValueRef::Integer(v)) => self.julian(v as f64, date),
            (Shape::Julian { date }, ValueRef::Real(v)) => self.julian(v, date),
            _ => None,
        }
    }

    fn instant(&self, micros: i64, date: bool) -> Option<i64> {
        let known = (FIRST_MICROS..=LAST_MICROS).contains(&micros).then_some(Timestamp(micros))?;
        Some(if date { self.zone.date_of(known).0.into() } else { known.0 })
    }

    fn julian(&self, day: f64, date: bool) -> Option<i64> {
        let known = (FIRST_JULIAN..END_JULIAN).contains(&day);
        let millis = ((day - EPOCH_JULIAN) * DAY_MILLIS).round() as i64;
        if known { self.instant(millis * 1000, date) } else { None }
    }

    /// A day written as 20260331.
    fn day(&self, digits: i64, date: bool) -> Option<i64> {
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
        // Years before 1000 would have fewer than eight digits.
        let day = (1000..=9999).contains(&year).then(|| Date::from_ymd(year, month as u32, day as u32))??;
        Some(if date { day.0.into() } else { self.zone.to_instant(i64::from(day.0) * DAY_MICROS) })
    }
}

fn real_amount(value: f64, scale: u8) -> Option<i64> {
    let units = value * pow10(scale) as f64;
    let whole = units.round();
    let fits = (units - whole).abs() <= REAL_TOLERANCE && whole.abs() < i64::MAX as f64;
    fits.then_some(whole as i64)
}

fn text_amount(text: &[u8], scale: u8) -> Option<i64> {
    let decimal = Decimal::parse(str::from_utf8(text).ok()?)?;
    i64::try_from(decimal.rescale_exact(scale)?.units).ok()
}

fn eight_digits(text: &[u8]) -> Option<i64> {
    let digits: &[u8; 8] = text.try_into().ok()?;
    let number = |number: i64, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'));
    digits.iter().try_fold(0, number)
}

/// What stands in a column instead of its type, for people: the storage class, and the value where it isn't personal.
pub(crate) fn describe(value: ValueRef, personal: bool) -> String {
    const MOST_CHARS: usize = 40;
    let class = match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "INTEGER",
        ValueRef::Real(_) => "REAL",
        ValueRef::Text(_) => "TEXT",
        ValueRef::Blob(_) => "BLOB",
    };
    let shown = match value {
        _ if personal => String::new(),
        ValueRef::Null | ValueRef::Blob(_) => String::new(),
        ValueRef::Integer(v) => format!(" {v}"),
        ValueRef::Real(v) => format!(" {v:?}"),
        ValueRef::Text(text) => match str::from_utf8(text) {
            Ok(text) if text.chars().nth(MOST_CHARS).is_some() => {
                format!(" {:?} and more", text.chars().take(MOST_CHARS).collect::<String>())
            }
            Ok(text) => format!(" {text:?}"),
            Err(_) => " that isn't UTF-8".to_owned(),
        },
    };
    format!("{class}{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tierd_model::parse_timestamp;
    use tierd_rules::{FileId, Location};

    fn cell(ty: Type, encoding: Encoding, value: ValueRef) -> Cell {
        let at = Location { file: FileId(0), range: 0..0 };
        let column = Column { name: "c".into(), column: "c".into(), ty, encoding, personal: false, at };
        Decoder::new(&column, &Zone::new("Asia/Shanghai").unwrap()).cell(value)
    }

    fn at(text: &str) -> i64 {
        parse_timestamp(text.as_bytes()).unwrap().instant(&Zone::new("Asia/Shanghai").unwrap()).0
    }

    fn day(text: &str) -> i64 {
        parse_date(text.as_bytes()).unwrap().0.into()
    }

    #[test]
    fn every_encoding_reads_what_it_says_and_nothing_else() {
        use ValueRef::{Blob, Integer, Real, Text};
        let (amount, time) = (Encoding::Amount, Encoding::Time);
        let [cents, real, text] = [AmountEncoding::MinorUnits, AmountEncoding::Real, AmountEncoding::Text].map(amount);
        let [iso, seconds, millis, digits, julian] = [
            TimeEncoding::Iso8601,
            TimeEncoding::UnixSeconds,
            TimeEncoding::UnixMilliseconds,
            TimeEncoding::Yyyymmdd,
            TimeEncoding::JulianDay,
        ]
        .map(time);
        let (plain, money) = (Encoding::Plain, Type::Decimal(2));
        let ok = |value: i64| Cell::Value(value);
        let noon = at("2026-03-31T12:00:00Z");
        for (ty, encoding, value, expected) in [
            (Type::Integer, plain, Integer(i64::MIN), ok(i64::MIN)),
            (Type::Integer, plain, Text(b"1"), Cell::Bad),
            (Type::Integer, plain, Real(1.0), Cell::Bad),
            (Type::Integer, plain, ValueRef::Null, Cell::Null),
            (Type::Bool, plain, Integer(1), ok(1)),
            (Type::Bool, plain, Integer(2), Cell::Bad),
            (Type::Real, plain, Real(-0.0), ok(0)),
            (Type::Real, plain, Integer(2), ok(2f64.to_bits() as i64)),
            (Type::Real, plain, Real(f64::INFINITY), Cell::Bad),
            (Type::Real, plain, Real(2f64.powi(80)), Cell::Bad),
            (money, cents, Integer(1999), ok(1999)),
            (money, cents, Real(19.99), Cell::Bad),
            (money, real, Real(19.99), ok(1999)),
            (money, real, Real(-0.1 - 0.2), ok(-30)),
            (money, real, Real(19.995), Cell::Bad),
            (money, real, Integer(19), ok(1900)),
            (money, real, Integer(i64::MAX), Cell::Bad),
            (money, real, Real(f64::NAN), Cell::Bad),
            (money, text, Text(b"-19.9"), ok(-1990)),
            (money, text, Text(b"19.900"), ok(1990)),
            (money, text, Text(b"19.905"), Cell::Bad),
            (money, text, Text(b"92233720368547758.07"), ok(i64::MAX)),
            (money, text, Text(b"92233720368547758.08"), Cell::Bad),
            (money, text, Text(b"19,90"), Cell::Bad),
            (money, text, Integer(19), ok(1900)),
            (Type::Timestamp, iso, Text(b"2026-03-31 20:00:00"), ok(noon)),
            (Type::Timestamp, iso, Text(b"2026-03-31T12:00Z"), ok(noon)),
            (Type::Timestamp, iso, Text(b"2026-03-31"), ok(at("2026-03-31 00:00"))),
            (Type::Timestamp, iso, Text(b"2026-02-30"), Cell::Bad),
            (Type::Timestamp, iso, Integer(2026), Cell::Bad),
            (Type::Timestamp, iso, Text(b"\xff"), Cell::Bad),
            (Type::Date, iso, Text(b"2024-02-29"), ok(day("2024-02-29"))),
            (Type::Date, iso, Text(b"2024-02-29 10:00"), Cell::Bad),
            (Type::Timestamp, seconds, Integer(noon / 1_000_000), ok(noon)),
            (Type::Timestamp, seconds, Integer(i64::MAX), Cell::Bad),
            (Type::Timestamp, seconds, Integer(253_402_214_399), ok(253_402_214_399_000_000)),
            (Type::Timestamp, seconds, Integer(253_402_214_400), Cell::Bad),
            (Type::Date, seconds, Integer(noon / 1_000_000), ok(day("2026-03-31"))),
            (Type::Date, seconds, Integer(noon / 1_000_000 + 4 * 3600), ok(day("2026-04-01"))),
            (Type::Timestamp, millis, Integer(noon / 1000), ok(noon)),
            (Type::Timestamp, millis, Text(b"1"), Cell::Bad),
            (Type::Date, digits, Integer(20_240_229), ok(day("2024-02-29"))),
            (Type::Date, digits, Text(b"20240229"), ok(day("2024-02-29"))),
            (Type::Date, digits, Text(b"2024-02-29"), Cell::Bad),
            (Type::Date, digits, Integer(20_230_229), Cell::Bad),
            (Type::Date, digits, Integer(-20_240_229), Cell::Bad),
            (Type::Timestamp, digits, Integer(20_240_229), ok(at("2024-02-29"))),
            (Type::Timestamp, julian, Real(2_461_131.0), ok(noon)),
            (Type::Timestamp, julian, Integer(2_461_131), ok(noon)),
            (Type::Timestamp, julian, Real(f64::NAN), Cell::Bad),
            (Type::Timestamp, julian, Real(6_000_000.0), Cell::Bad),
            (Type::Date, julian, Real(2_461_131.2), ok(day("2026-04-01"))),
            (Type::Date, julian, Blob(b"x"), Cell::Bad),
        ] {
            assert_eq!(cell(ty, encoding, value), expected, "{ty} {encoding:?} {value:?}");
        }
    }

    #[test]
    fn personal_values_are_not_described() {
        let phone = ValueRef::Text(b"13800000000");
        assert_eq!(describe(phone, false), "TEXT \"13800000000\"");
        assert_eq!(describe(phone, true), "TEXT");
    }
}
