use std::sync::Arc;

use crate::{CalendarSpan, Date, Timestamp, Zone};

/// The time of one run: its `as_of`, and the calendar day that this is in the scheme's zone.
///
/// The core never asks the machine what time it is; this argument is all it knows.
#[derive(Debug, Clone)]
pub struct Clock {
    as_of: Timestamp,
    today: Date,
    zone: Arc<Zone>,
}

impl Clock {
    /// A clock that stands at `as_of` in `zone`.
    pub fn new(as_of: Timestamp, zone: Arc<Zone>) -> Self {
        let today = zone.date_of(as_of);
        Clock { as_of, today, zone }
    }

    /// The instant that windows end at (exclusive).
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The calendar day of [`Clock::as_of`] in the scheme's zone.
    pub fn today(&self) -> Date {
        self.today
    }

    /// The scheme's zone.
    pub fn zone(&self) -> &Arc<Zone> {
        &self.zone
    }

    /// `as_of + span`: the same local time of day, `span` away in the local calendar.
    pub fn as_of_plus(&self, span: CalendarSpan) -> Timestamp {
        let civil = self.zone.to_civil(self.as_of.0);
        let day = civil.div_euclid(crate::DAY_MICROS);
        let time_of_day = civil.rem_euclid(crate::DAY_MICROS);
        let moved = span.add_to(Date(day as i32));
        Timestamp(self.zone.to_instant(i64::from(moved.0) * crate::DAY_MICROS + time_of_day))
    }
}
