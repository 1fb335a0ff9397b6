//! How far the data reach, going by sampled rows.

use tierd_model::Date;
use tierd_rules::{Encoding, TimeEncoding};

use super::{relate::Facts, tables::Cell};

/// The day of the newest sampled row.
pub(super) fn newest(facts: &Facts<'_>) -> Option<Date> {
    let time = facts.columns.iter().find(|d| d.column == facts.time)?;
    let Encoding::Time(encoding) = time.kind.as_ref().ok()?.encoding else { return None };
    facts.table.values(facts.time).into_iter().filter_map(|cell| day(cell, encoding)).max()
}

/// The day of a stored time, in UTC: near enough for a note.
fn day(cell: &Cell, encoding: TimeEncoding) -> Option<Date> {
    let days = |days: i64| i32::try_from(days).ok().map(Date);
    match (encoding, cell) {
        (TimeEncoding::Iso8601, Cell::Text(text)) => tierd_model::parse_date(text.get(..10)?.as_bytes()),
        (TimeEncoding::UnixSeconds, Cell::Integer(at)) => days(at.div_euclid(86_400)),
        (TimeEncoding::UnixMilliseconds, Cell::Integer(at)) => days(at.div_euclid(86_400_000)),
        (TimeEncoding::Yyyymmdd, Cell::Integer(n)) => yyyymmdd(*n),
        (TimeEncoding::Yyyymmdd, Cell::Text(text)) => yyyymmdd(text.parse().ok()?),
        (TimeEncoding::JulianDay, Cell::Integer(at)) => days(at - 2_440_588),
        // Julian days begin at noon.
        (TimeEncoding::JulianDay, Cell::Real(at)) => days((at - 2_440_587.5).floor() as i64),
        _ => None,
    }
}

fn yyyymmdd(n: i64) -> Option<Date> {
    let part = |n: i64| u32::try_from(n).ok();
    Date::from_ymd(n / 10_000, part(n / 100 % 100)?, part(n % 100)?)
}
