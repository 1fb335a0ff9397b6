//! Dates and instants on the scheme's calendar.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, types};
use tierd_model::{CalendarSpan, Clock, DAY_MICROS, Date, Type, days_from_civil};

use super::operand::{Operand, map, map2};

type Day = types::Date32Type;
type Instant = types::TimestampMicrosecondType;

/// The calendar that people write: years −9999 to 9999.
const FIRST_DAY: i64 = days_from_civil(-9999, 1, 1);
const LAST_DAY: i64 = days_from_civil(9999, 12, 31);

/// `date + span` (months first, clamped to the month's last day), or the same local time of day on that date for an
/// instant. NULL beyond the calendar.
pub(super) fn add_span(a: &Operand, ty: Type, span: CalendarSpan, clock: &Clock) -> ArrayRef {
    if ty == Type::Date {
        return Arc::new(map::<Day, Day>(a, |day| moved(i64::from(day), span)));
    }
    let zone = clock.zone();
    Arc::new(map::<Instant, Instant>(a, |at| {
        let civil = zone.to_civil(at);
        let day = moved(civil.div_euclid(DAY_MICROS), span)?;
        Some(zone.to_instant(i64::from(day) * DAY_MICROS + civil.rem_euclid(DAY_MICROS)))
    }))
}

fn moved(day: i64, span: CalendarSpan) -> Option<i32> {
    let known = |day: &i64| (FIRST_DAY..=LAST_DAY).contains(day);
    // A step longer than the calendar leaves it, and would leave `Date` as well.
    if span.months.unsigned_abs() > 12 * 20_000 || span.days.unsigned_abs() > 366 * 20_000 {
        return None;
    }
    let from = Some(day).filter(known)?;
    Some(span.add_to(Date(from as i32)).0).filter(|day| known(&i64::from(*day)))
}

pub(super) fn days_between(from: &Operand, to: &Operand, rows: usize) -> ArrayRef {
    let days: Int64Array = map2::<Day, Day, types::Int64Type>(from, to, rows, |a, b| Some(i64::from(b) - i64::from(a)));
    Arc::new(days)
}

/// The local day of an instant.
pub(super) fn date_of(a: &Operand, clock: &Clock) -> ArrayRef {
    let zone = clock.zone();
    Arc::new(map::<Instant, Day>(a, |at| Some(zone.date_of(tierd_model::Timestamp(at)).0)))
}
