//! The dates of date triggers: which one a subject's entry is about.
//!
//! The entry of a date is the days from `day + from` to `day + until`. Of a date that comes every year, it is the entry that has
//! begun last which counts, so that later ones win where entries overlap.

use std::ops::RangeInclusive;

use arrow_array::{Array, ArrayRef, cast::AsArray, types};
use arrow_schema::DataType;
use tierd_model::{CalendarSpan, Clock, Date, Timestamp};
use tierd_rules::{
    MetricId,
    retention::{DateTrigger, Trigger},
};

use crate::derive::Metrics;

/// A date with the days of its entry, all inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateEntry {
    /// The date.
    pub day: Date,
    /// The first day on which the rule may act.
    pub first: Date,
    /// The last one.
    pub last: Date,
}

/// The date that a rule looks at for a subject: the one whose entry the run is in, else the next one, else the one that is over.
/// `None` without date, and for rules with other triggers.
pub(crate) fn date_entry(trigger: &Trigger, metrics: &Metrics, subject: usize, clock: &Clock) -> Option<DateEntry> {
    let &Trigger::Date { day: of, from, until } = trigger else { return None };
    let day = Day::new(metrics, clock, of, from);
    let day = day.occurrence(subject, from, until, clock).or_else(|| next(of, metrics, subject, from, clock))?;
    Some(DateEntry { day, first: from.add_to(day), last: until.add_to(day) })
}

/// The first date of a subject whose entry hasn't begun; the only one there is, if it doesn't come every year.
fn next(day: DateTrigger, metrics: &Metrics, subject: usize, from: CalendarSpan, clock: &Clock) -> Option<Date> {
    let today = clock.today();
    let after = |first: i32, last: i32, day: &dyn Fn(i32) -> Date| {
        // Not more than a few years lie between the entry that has begun last and the end of the search for it.
        (first.max(last - 6)..=last + 1).map(day).find(|day| from.add_to(*day) > today)
    };
    match day {
        DateTrigger::On(metric) => date_at(metrics.columns[metric.0].as_ref()?, subject, clock),
        DateTrigger::Anniversary(metric) => {
            let date = date_at(metrics.columns[metric.0].as_ref()?, subject, clock)?;
            let years = years_after(today, date.ymd().0 as i32, from);
            after(1, years, &|n| CalendarSpan::months(12 * n).add_to(date))
        }
        DateTrigger::Yearly(day) => after(i32::MIN, years_after(today, 0, from), &|year| day.in_year(i64::from(year))),
    }
}

/// Where the date of a subject comes from.
pub(super) enum Day {
    Column { column: ArrayRef, yearly: bool },
    Same(Option<Date>),
}

impl Day {
    pub(super) fn new(metrics: &Metrics, clock: &Clock, day: DateTrigger, from: CalendarSpan) -> Self {
        #[expect(clippy::expect_used, reason = "a rule's metrics are among those of its subjects")]
        let column =
            |MetricId(metric): MetricId| metrics.columns[metric].clone().expect("a metric that the trigger names");
        match day {
            DateTrigger::On(metric) => Day::Column { column: column(metric), yearly: false },
            DateTrigger::Anniversary(metric) => Day::Column { column: column(metric), yearly: true },
            DateTrigger::Yearly(day) => {
                let today = clock.today();
                let in_year = |year: i32| day.in_year(i64::from(year));
                Day::Same(last_begun(i32::MIN..=years_after(today, 0, from), in_year, from, today))
            }
        }
    }

    /// The day of a subject whose entry has begun last, if it hasn't ended yet.
    pub(super) fn occurrence(
        &self,
        subject: usize,
        from: CalendarSpan,
        until: CalendarSpan,
        clock: &Clock,
    ) -> Option<Date> {
        let today = clock.today();
        let day = match self {
            Day::Same(day) => *day,
            Day::Column { column, yearly } => {
                let date = date_at(column, subject, clock)?;
                if *yearly {
                    let years = 1..=years_after(today, date.ymd().0 as i32, from);
                    last_begun(years, |n| CalendarSpan::months(12 * n).add_to(date), from, today)
                } else {
                    Some(date).filter(|date| from.add_to(*date) <= today)
                }
            }
        };
        day.filter(|day| today <= until.add_to(*day))
    }
}

/// At least as many years as can lie between `year` and a day whose entry has begun.
fn years_after(today: Date, year: i32, from: CalendarSpan) -> i32 {
    today.ymd().0 as i32 - year - from.months.div_euclid(12) - from.days.div_euclid(365) + 2
}

/// The last of these days, one for each year, whose entry has begun.
fn last_begun(years: RangeInclusive<i32>, day: impl Fn(i32) -> Date, from: CalendarSpan, today: Date) -> Option<Date> {
    years.rev().map(day).find(|day| from.add_to(*day) <= today)
}

/// A date, or the local day of a time.
fn date_at(column: &ArrayRef, row: usize, clock: &Clock) -> Option<Date> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Date32 => Date(column.as_primitive::<types::Date32Type>().value(row)),
        _ => {
            let time = column.as_primitive::<types::TimestampMicrosecondType>().value(row);
            clock.zone().date_of(Timestamp(time))
        }
    })
}
