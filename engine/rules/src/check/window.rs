//! Windows: which time an aggregate looks at.

use tierd_model::{CalendarUnit, MonthDay, Window, WindowKind};

use super::Checking;
use crate::{
    code,
    fileset::Location,
    raw::{
        At, Name,
        forms::{DayText, Parsed},
        rules::{MetricTable, UnitName, WindowTable},
        values::WindowEntry,
    },
};

/// A window, and the date from which it is found where that is the subject's own: its metric is filled in later.
pub(super) struct Found<'a> {
    pub(super) window: Window,
    pub(super) anchor: Option<&'a At<String>>,
}

/// Stands for the metric of an anchor until that is looked up.
const LATER: usize = usize::MAX;

impl Checking<'_> {
    pub(super) fn window_of<'a>(&mut self, name: &Name, table: &'a MetricTable) -> Option<Found<'a>> {
        let Some(window) = &table.window else {
            let help = "say which time counts: window = { last = \"12 months\" } or window = \"lifetime\"";
            self.error(code::MISSING_KEY, &name.at, "an aggregate has no `window`", help);
            return None;
        };
        match window.value.as_ref()? {
            WindowEntry::Lifetime(_) => {
                Some(Found { window: Window { kind: WindowKind::Lifetime, offset: 0 }, anchor: None })
            }
            WindowEntry::Table(table) => self.window(table, &window.at),
        }
    }

    pub(super) fn window<'a>(&mut self, table: &'a WindowTable, at: &Location) -> Option<Found<'a>> {
        let unit = |unit: &At<UnitName>| unit.value.map(calendar_unit);
        let day = |day: &At<Parsed<DayText>>| -> Option<MonthDay> { day.value.as_ref().map(|day| day.0) };
        let anchored = |anchor: &At<String>, kind: fn(usize) -> WindowKind| anchor.value.is_some().then(|| kind(LATER));
        let kinds = [
            table.last.as_ref().map(|last| last.value.as_ref().map(|last| WindowKind::Last(last.0))),
            table.calendar.as_ref().map(|calendar| unit(calendar).map(WindowKind::Calendar)),
            table.previous.as_ref().map(|previous| unit(previous).map(WindowKind::Previous)),
            table.program_year.as_ref().map(|first| day(first).map(WindowKind::ProgramYear)),
            table.anniversary_of.as_ref().map(|of| anchored(of, WindowKind::AnniversaryOf)),
            table.since.as_ref().map(|since| anchored(since, WindowKind::Since)),
            table.lifetime.as_ref().map(|lifetime| lifetime.value.map(|_| WindowKind::Lifetime)),
        ];
        let given: Vec<_> = kinds.into_iter().flatten().collect();
        let [kind] = given.as_slice() else {
            let headline = if given.is_empty() { "this window has no kind" } else { "this window has several kinds" };
            let help = "write exactly one of `last`, `calendar`, `previous`, `program_year`, `anniversary_of`, `since` \
                        and `lifetime`";
            self.error(code::BAD_WINDOW, at, headline, help);
            return None;
        };
        let kind = (*kind)?;
        if table.lifetime.as_ref().is_some_and(|lifetime| lifetime.value == Some(false)) {
            self.error(code::BAD_WINDOW, at, "`lifetime` is true or left out", "write { last = \"12 months\" }");
            return None;
        }
        let offset = At::value_or(table.offset.as_ref(), 0, |offset| *offset)?;
        let window = self.bounded(Window { kind, offset }, at)?;
        Some(Found { window, anchor: table.anniversary_of.as_ref().or(table.since.as_ref()) })
    }

    /// Windows reach back 1,000 years at most, so that no date leaves the calendar.
    pub(super) fn bounded(&mut self, window: Window, at: &Location) -> Option<Window> {
        let back = i64::from(window.offset) + 2;
        let (months, days) = match window.kind {
            WindowKind::Lifetime | WindowKind::Since(_) if window.offset > 0 => {
                let headline = match window.kind {
                    WindowKind::Lifetime => "nothing lies before the whole lifetime",
                    _ => "a window from one date to the run has none before it",
                };
                self.error(code::BAD_WINDOW, at, headline, "leave `offset` out");
                return None;
            }
            WindowKind::Lifetime | WindowKind::Since(_) => (0, 0),
            WindowKind::ProgramYear(_) | WindowKind::AnniversaryOf(_) => (12, 0),
            WindowKind::Last(span) => (span.months, span.days),
            WindowKind::Calendar(unit) | WindowKind::Previous(unit) => (unit.months(), 0),
        };
        if i64::from(months) * (back - 1) > 12_000 || i64::from(days) * (back - 1) > 365_000 {
            let headline = "this window lies more than 1,000 years back";
            self.error(code::OUT_OF_RANGE, at, headline, "write a smaller `offset`");
            return None;
        }
        Some(window)
    }
}

pub(super) fn calendar_unit(unit: UnitName) -> CalendarUnit {
    match unit {
        UnitName::Year => CalendarUnit::Year,
        UnitName::Quarter => CalendarUnit::Quarter,
        UnitName::Month => CalendarUnit::Month,
    }
}
