//! Random stored values: ordinary ones, ones on an edge, NULL, and what doesn't fit the column's type.

use rusqlite::types::Value as Stored;
use tierd_model::{Date, MICROS, Timestamp, Type, days_from_civil};

use crate::{
    choices::Choices,
    schema::{Column, Schema, local_text},
};

/// Texts that differ in case, length, script and quotes.
pub(crate) const TEXTS: [&str; 9] = ["paid", "Paid", "pa", "", "open", "客户", "it's", "p%", "paid "];

/// Text that is neither a number nor a time.
const JUNK: [&str; 12] = [
    "n/a",
    "",
    "12",
    "1e3",
    "2024-02-30",
    "2023-02-29",
    "2024-13-01",
    "2024-1-1",
    "20240230",
    "2024-01-01 24:00",
    "2024-01-01T10:00:00 UTC",
    " 12.5",
];

/// Days on which months and years end, and one long ago and one far ahead.
const DAYS: [(i64, u32, u32); 8] = [
    (2024, 2, 29),
    (2023, 2, 28),
    (2024, 1, 31),
    (2023, 12, 31),
    (2024, 3, 31),
    (1899, 12, 31),
    (100, 3, 1),
    (9900, 12, 31),
];

/// Whole numbers in the smallest unit.
const UNITS: [i64; 10] = [0, 1, -1, 50, 100, -100, 12_345, 250, 999_999, -999_999];
/// No number that stands in a column for ordinary ones is larger in size.
pub(crate) const MOST_WHOLES: u128 = 21_000_000;

/// A value for a key column: a subject's key, or something else in `strangers` of a hundred cases.
pub(crate) fn key(choices: &mut Choices<'_>, text: bool, keys: &[Stored], strangers: u32) -> Stored {
    if choices.chance(strangers) {
        return match (choices.below(4), text) {
            (0, _) => Stored::Null,
            (1, true) => Stored::Text("nobody".to_owned()),
            (1, false) => Stored::Integer(-77),
            (2, true) => Stored::Integer(1),
            (2, false) => Stored::Text("one".to_owned()),
            _ => Stored::Blob(vec![1]),
        };
    }
    match keys.len() {
        0 => Stored::Null,
        n => keys[choices.below(n)].clone(),
    }
}

/// A value for this column.
pub(crate) fn cell(choices: &mut Choices<'_>, schema: &Schema, column: &Column) -> Stored {
    match choices.below(20) {
        18 | 19 => Stored::Null,
        17 => misfit(choices),
        1..10 if column.huge && column.ty == Type::Integer => {
            Stored::Integer(choices.pick(&[i64::MAX, i64::MIN, 1 << 53]))
        }
        _ => fitting(choices, schema, column),
    }
}

fn misfit(choices: &mut Choices<'_>) -> Stored {
    match choices.below(4) {
        0 => Stored::Text(choices.pick(&JUNK).to_owned()),
        1 => Stored::Blob(vec![0x31]),
        2 => Stored::Real(choices.pick(&[0.5, 19.995, 1e30, f64::INFINITY, -1e25])),
        _ => Stored::Integer(choices.pick(&[2, -3, 20_230_229])),
    }
}

fn fitting(choices: &mut Choices<'_>, schema: &Schema, column: &Column) -> Stored {
    match column.ty {
        Type::Text => Stored::Text(choices.pick(&TEXTS).to_owned()),
        Type::Integer => Stored::Integer(units(choices)),
        Type::Bool => Stored::Integer(choices.between(0, 1)),
        // Eighths: sums of them are exact in floating point and in fixed point alike.
        Type::Real if choices.chance(20) => Stored::Integer(units(choices)),
        Type::Real => Stored::Real(units(choices) as f64 / 8.0),
        Type::Decimal(scale) => amount(choices, column.encoding, scale),
        Type::Date => date(choices, schema, column.encoding),
        Type::Timestamp => timestamp(choices, schema, column.encoding),
    }
}

fn units(choices: &mut Choices<'_>) -> i64 {
    if choices.chance(50) { choices.between(-2000, 9000) } else { choices.pick(&UNITS) }
}

fn amount(choices: &mut Choices<'_>, encoding: Option<&str>, scale: u8) -> Stored {
    let units = units(choices);
    let whole = 10i64.pow(u32::from(scale));
    let number = tierd_model::Decimal::new(i128::from(units), scale);
    match encoding {
        Some("minor_units") => Stored::Integer(units),
        Some("real") if choices.chance(15) => Stored::Integer(units / whole),
        Some("real") => Stored::Real(units as f64 / whole as f64 + choices.pick(&[0.0, 1e-12, -1e-12])),
        _ if choices.chance(15) => Stored::Integer(units / whole),
        _ => {
            let mut text = number.to_string();
            match choices.below(6) {
                1 if scale > 0 => text += "00",
                2 if units >= 0 => text = format!("+{text}"),
                3 if scale > 0 => text = text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                4 => text += choices.pick(&["1", ".", " ", "x"]),
                5 => text = format!("00{text}"),
                _ => {}
            }
            Stored::Text(text)
        }
    }
}

/// An instant within some two years of the run, often right at an edge.
fn instant(choices: &mut Choices<'_>, schema: &Schema) -> i64 {
    let day = 86_400 * MICROS;
    if choices.chance(50) {
        let edge = schema.edges[choices.below(schema.edges.len())];
        return edge + choices.pick(&[0, -1, 1, -MICROS, MICROS, 3_600 * MICROS, -1_800 * MICROS, day]);
    }
    let seconds = choices.between(-500 * 86_400, 40 * 86_400);
    schema.clock.as_of().0 + seconds * MICROS + choices.pick(&[0, 0, 1, 500_000, 999_999])
}

fn day(choices: &mut Choices<'_>, schema: &Schema) -> Date {
    if choices.chance(20) {
        let (year, month, day) = choices.pick(&DAYS);
        return Date(days_from_civil(year, month, day) as i32);
    }
    schema.zone().date_of(Timestamp(instant(choices, schema)))
}

fn date(choices: &mut Choices<'_>, schema: &Schema, encoding: Option<&str>) -> Stored {
    match encoding {
        Some("iso8601") => Stored::Text(day(choices, schema).to_string()),
        Some("yyyymmdd") => yyyymmdd(choices, schema),
        _ => counted(encoding, instant(choices, schema)),
    }
}

fn timestamp(choices: &mut Choices<'_>, schema: &Schema, encoding: Option<&str>) -> Stored {
    match encoding {
        Some("iso8601") => Stored::Text(iso(choices, schema)),
        Some("yyyymmdd") => yyyymmdd(choices, schema),
        _ => counted(encoding, instant(choices, schema)),
    }
}

fn yyyymmdd(choices: &mut Choices<'_>, schema: &Schema) -> Stored {
    let day = day(choices, schema);
    let digits = day.to_string().replace('-', "");
    match digits.parse() {
        Ok(number) if choices.chance(50) => Stored::Integer(number),
        _ => Stored::Text(digits),
    }
}

fn counted(encoding: Option<&str>, at: i64) -> Stored {
    match encoding {
        Some("unix_seconds") => Stored::Integer(at.div_euclid(MICROS)),
        Some("unix_milliseconds") => Stored::Integer(at.div_euclid(1000)),
        _ => Stored::Real(2_440_587.5 + at as f64 / 86_400e6),
    }
}

/// The shapes that ISO times have in databases.
fn iso(choices: &mut Choices<'_>, schema: &Schema) -> String {
    let at = instant(choices, schema);
    let local = local_text(schema.zone(), at);
    let utc = Timestamp(at).to_string();
    match choices.below(9) {
        0 | 1 => local,
        2 => local[..10].to_owned(),
        3 => local[..16].to_owned(),
        4 => local.replace(' ', "T"),
        5 => utc,
        6 => format!("{}+00:00", utc.trim_end_matches('Z')),
        7 => {
            let moved = Timestamp(at + 5_400 * MICROS).to_string();
            format!("{}{}", moved.trim_end_matches('Z'), choices.pick(&["+0130", "+01:30"]))
        }
        _ => format!("{}.1234567", &local[..19.min(local.len())]),
    }
}
