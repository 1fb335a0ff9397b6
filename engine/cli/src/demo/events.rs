//! When dated rows happen: at a rate that differs by customer, season and year, from the day of joining to the day of falling silent.

use std::fmt::Write as _;

use tierd_model::{CalendarUnit, Date};

use super::{
    profile::{Events, Table},
    random::Random,
    subjects::{Subject, Subjects},
};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// Seconds since 1970-01-01T00:00 on the company's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LocalSecond(pub(super) i64);

/// A dated row: when, and about which subject it is the how manieth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) at: LocalSecond,
    pub(super) subject: u32,
    pub(super) nth: u32,
}

/// All events about these subjects before `today`, in the order of time: a company's tables grow by the day, not by the customer.
pub(super) fn draw(events: &Events, subjects: &Subjects<'_>, seed: u64, today: Date) -> Vec<Event> {
    let mut all = Vec::new();
    for (id, subject) in (1..).zip(&subjects.all) {
        let timeline = Timeline::new(events, subjects.table, subject, today);
        let mut random = Random::new(seed, u64::from(id));
        let times = match events.monthly {
            Some(day) => timeline.monthly(day, &mut random),
            None => timeline.spread(&mut random),
        };
        all.extend((0..).zip(times).map(|(nth, at)| Event { at, subject: id, nth }));
    }
    all.sort_unstable();
    all
}

/// What decides when things happen to one subject. Times are seconds before `today` begins.
struct Timeline<'a> {
    events: &'a Events,
    per_year: i64,
    trend: i64,
    first: i64,
    silent: i64,
    today: Date,
}

impl<'a> Timeline<'a> {
    fn new(events: &'a Events, table: &Table, subject: &Subject, today: Date) -> Self {
        let figure = |name: &Option<String>| name.as_deref().map_or(0, |name| subject.figures[table.figure(name)]);
        let tenure = subject.figures[table.figure(&events.tenure)];
        Timeline {
            events,
            per_year: figure(&events.per_year),
            trend: figure(&events.trend),
            first: tenure.clamp(0, i64::from(events.most)) * DAY,
            silent: figure(&events.silent).max(0) * DAY,
            today,
        }
    }

    fn spread(&self, random: &mut Random) -> Vec<LocalSecond> {
        let mut times = Vec::new();
        if self.per_year <= 0 {
            return times;
        }
        let gap = self.gap(self.silent);
        let mut ago = self.silent + random.within(0, gap);
        while ago < self.first {
            times.push(self.opening_time(random, ago));
            let gap = self.gap(ago);
            ago += random.within(gap / 4, gap + gap / 4 * 3).max(1);
        }
        times
    }

    /// Seconds between two events, `ago` seconds before today.
    fn gap(&self, ago: i64) -> i64 {
        let trend = (100 - self.trend * ago / YEAR).clamp(10, 1000);
        let month = Date(self.today.0 - 1 - (ago / DAY) as i32).ymd().1;
        let season = self.events.season.map_or(100, |season| i64::from(season[month as usize - 1].max(1)));
        // At least a second, so that time passes however high the rate.
        (YEAR * 10_000 / (self.per_year * trend * season)).max(1)
    }

    /// A time between 8 and 23 o'clock on a day before today, `ago` seconds back, and after the day of joining began.
    fn opening_time(&self, random: &mut Random, ago: i64) -> LocalSecond {
        let day = i64::from(self.today.0) - 1 - ago / DAY;
        LocalSecond(day * DAY + random.within(8 * 3600, 23 * 3600 - 1))
    }

    fn monthly(&self, day: u32, random: &mut Random) -> Vec<LocalSecond> {
        let mut times = Vec::new();
        let mut month = CalendarUnit::Month.first_day(self.today);
        loop {
            let date = Date(month.0 + day as i32 - 1);
            let ago = i64::from(self.today.0 - 1 - date.0) * DAY;
            if ago >= self.first {
                return times;
            }
            if ago >= self.silent {
                times.push(LocalSecond(i64::from(date.0) * DAY + random.within(3600, 5 * 3600)));
            }
            month = CalendarUnit::Month.first_day(Date(month.0 - 1));
        }
    }
}

impl LocalSecond {
    pub(super) fn date(self) -> Date {
        Date(self.0.div_euclid(DAY) as i32)
    }

    /// `2026-03-31 18:05:00`.
    pub(super) fn text(self) -> String {
        let second = self.0.rem_euclid(DAY);
        let mut text = self.date().to_string();
        // Writing to a String doesn't fail.
        let _ = write!(text, " {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        text
    }
}
