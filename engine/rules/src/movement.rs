//! Movement policy: how the level that is earned becomes the one that is held.
//!
//! The default (at once, up and down, without locks) holds whatever is earned. What each option means is in `docs/rules.md`.

use tierd_model::{CalendarSpan, CalendarUnit, Clock, Date, MonthDay};

/// When and how far levels move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// When a subject rises to a higher level that it has earned.
    pub upgrade: Timing,
    /// When it falls to a lower one.
    pub downgrade: Timing,
    /// It falls only after having been below its level this long without a break: `downgrade = { after = "30 days" }`. The first
    /// day is that of the run that found it below; it falls in the first run this long after it, or at the first period end by
    /// which the time is over. A lock doesn't stop the time.
    pub grace: Option<CalendarSpan>,
    /// It falls at most this many levels at once; the grace time then begins anew: `downgrade = { steps = 1 }`.
    pub steps: Option<u16>,
    /// The periods whose ends [`Timing::AtPeriodEnd`] and locks are about.
    pub period: Period,
    /// How long a level, once taken, can't be lost.
    pub lock: Option<Lock>,
}

impl Movement {
    /// Whatever is earned is held.
    pub const AT_ONCE: Movement = Movement {
        upgrade: Timing::AtOnce,
        downgrade: Timing::AtOnce,
        grace: None,
        steps: None,
        period: Period::Calendar(CalendarUnit::Year),
        lock: None,
    };
}

/// When a level moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timing {
    /// In the run that finds it.
    AtOnce,
    /// In the first run of a new period: what is earned or lost in between doesn't count. A subject without level takes one at
    /// once all the same.
    AtPeriodEnd,
    /// Never.
    Never,
}

/// Periods that follow each other without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Calendar years, quarters or months.
    Calendar(CalendarUnit),
    /// Years from this day on.
    ProgramYear(MonthDay),
}

impl Period {
    /// The first day of the period that holds the run's day.
    pub fn first_day(self, clock: &Clock) -> Date {
        match self {
            Period::Calendar(unit) => unit.first_day(clock.today()),
            Period::ProgramYear(day) => day.on_or_before(clock.today()),
        }
    }

    /// The first day of the period after the one that begins on `first`.
    pub fn next(self, first: Date) -> Date {
        match self {
            Period::Calendar(unit) => CalendarSpan::months(unit.months()).add_to(first),
            Period::ProgramYear(day) => day.in_year(first.ymd().0 + 1),
        }
    }
}

/// How long a level, once taken, can't be lost. It may still rise; a rise begins a new lock, a fall begins none. Without lock in
/// the rules, locks of earlier runs are void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// Until when, from the day on which it is taken.
    pub until: LockUntil,
    /// A subject that still qualifies on the first run after the lock's end is locked anew; else the lock ends for good and the
    /// level may be lost at any time.
    pub renew: bool,
}

/// The end of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockUntil {
    /// This long after it was taken.
    Span(CalendarSpan),
    /// The end of the period in which it was taken.
    PeriodEnd,
    /// The end of the period after the one in which it was taken.
    NextPeriodEnd,
    /// This day, for all levels whenever they were taken. There is nothing to renew.
    Day(Date),
}

/// A tier set that is kept for one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The set's name as it is written: `price`.
    pub set: String,
    /// The column of facts that holds the category.
    pub column: String,
    /// The category.
    pub value: String,
}
