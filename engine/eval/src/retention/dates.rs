//! The dates of date triggers: which one a subject's entry is about.
//!
//! The entry of a date is the days from `day + from` to `day + until`. Of a date that comes every year, it is the entry that has
//! begun last which counts, so that later ones win where entries overlap. Which days those are is the same for all subjects, and
//! is found once per rule.

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
    let on = DaysOn::new(from, until, clock.today());
    let day = Day::new(metrics, of, on).occurrence(subject, on, clock);
    let day = day.or_else(|| next(of, metrics, subject, on, clock))?;
    Some(DateEntry { day, first: from.add_to(day), last: until.add_to(day) })
}

/// The first date of a subject whose entry hasn't begun; the only one there is, if it doesn't come every year.
fn next(day: DateTrigger, metrics: &Metrics, subject: usize, on: DaysOn, clock: &Clock) -> Option<Date> {
    let date = |MetricId(metric): MetricId| date_at(metrics.columns[metric].as_ref()?, subject, clock);
    match day {
        DateTrigger::On(metric) => date(metric),
        DateTrigger::Yearly(day) => Some(day.on_or_after(Date(on.last.0 + 1))),
        DateTrigger::Anniversary(metric) => {
            let date = date(metric)?;
            let years = ((on.last.ymd().0 - date.ymd().0) as i32).max(1);
            [years, years + 1]
                .map(|years| CalendarSpan::months(12 * years).add_to(date))
                .into_iter()
                .find(|day| *day > on.last)
        }
    }
}

/// Where the date of a subject comes from.
pub(super) enum Day {
    Column { column: ArrayRef, yearly: bool },
    Same(Date),
}

/// The days whose entry the run is in: from the first to the last, both inside. None if the last comes before the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct DaysOn {
    first: Date,
    last: Date,
}

impl Day {
    pub(super) fn new(metrics: &Metrics, day: DateTrigger, on: DaysOn) -> Self {
        #[expect(clippy::expect_used, reason = "a rule's metrics are among those of its subjects")]
        let column =
            |MetricId(metric): MetricId| metrics.columns[metric].clone().expect("a metric that the trigger names");
        match day {
            DateTrigger::On(metric) => Day::Column { column: column(metric), yearly: false },
            DateTrigger::Anniversary(metric) => Day::Column { column: column(metric), yearly: true },
            DateTrigger::Yearly(day) => Day::Same(day.on_or_before(on.last)),
        }
    }

    /// The day of a subject whose entry has begun last, if it hasn't ended yet.
    pub(super) fn occurrence(&self, subject: usize, on: DaysOn, clock: &Clock) -> Option<Date> {
        let day = match self {
            Day::Same(day) => *day,
            Day::Column { column, yearly } => {
                let date = date_at(column, subject, clock)?;
                if *yearly { anniversary(date, on)? } else { date }
            }
        };
        on.holds(day).then_some(day)
    }
}

/// The anniversary of a date whose entry has begun last. The date itself is none.
fn anniversary(date: Date, on: DaysOn) -> Option<Date> {
    let years = (on.last.ymd().0 - date.ymd().0) as i32;
    let after = |years: i32| CalendarSpan::months(12 * years).add_to(date);
    let day = Some(after(years)).filter(|day| *day <= on.last).unwrap_or_else(|| after(years - 1));
    (day > date).then_some(day)
}

impl DaysOn {
    /// Those of an entry that lasts from `from` after a day until `until` after it.
    pub(super) fn new(from: CalendarSpan, until: CalendarSpan, today: Date) -> Self {
        let first = first_day(|day| until.add_to(day) >= today, until, today);
        let after = first_day(|day| from.add_to(day) > today, from, today);
        DaysOn { first, last: Date(after.0 - 1) }
    }

    fn holds(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

/// The first day of which something is so that is so of all days after it, too, and that begins about the span before today.
fn first_day(is_so: impl Fn(Date) -> bool, span: CalendarSpan, today: Date) -> Date {
    // Further away than any calendar makes the span.
    let reach = 2 + 31 * span.months.abs() + span.days.abs();
    let (mut before, mut so) = (today.0 - reach, today.0 + reach);
    while so - before > 1 {
        let middle = before + (so - before) / 2;
        if is_so(Date(middle)) { so = middle } else { before = middle }
    }
    Date(so)
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
