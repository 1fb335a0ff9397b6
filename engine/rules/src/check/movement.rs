//! The movement policy of a tier set: options that go together, as [`Movement`].

use tierd_model::CalendarSpan;

use super::{Checking, window::calendar_unit};
use crate::{
    Lock, LockUntil, Movement, Period, Timing, code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At,
        movement::{DowngradeEntry, LockEntry, PeriodEntry, TimingName},
        rules::TiersTable,
    },
};

/// How a level falls, and where each of it is written.
struct Downgrade<'a> {
    timing: Timing,
    after: Option<(CalendarSpan, &'a Location)>,
    steps: Option<(u16, &'a Location)>,
}

impl Checking<'_> {
    /// The movement policy of a set whose levels are ordered or not.
    pub(super) fn movement(&mut self, table: &TiersTable, ordered: bool) -> Option<Movement> {
        if !ordered {
            return self.no_movement(table).then_some(Movement::AT_ONCE);
        }
        let upgrade = At::value_or(table.upgrade.as_ref(), Timing::AtOnce, |timing| self::timing(*timing));
        let downgrade = self.downgrade(table);
        let (upgrade, downgrade, period, lock) = (upgrade?, downgrade?, period(table)?, self.lock(table)?);
        self.never_down(table, &downgrade)?;
        let movement = Movement {
            upgrade,
            downgrade: downgrade.timing,
            grace: downgrade.after.map(|(span, _)| span),
            steps: downgrade.steps.map(|(steps, _)| steps),
            period,
            lock,
        };
        self.idle_period(table, &movement);
        Some(movement)
    }

    /// Reports every option of movement in a set whose levels have no order; whether there is none.
    fn no_movement(&mut self, table: &TiersTable) -> bool {
        let keys = [
            ("upgrade", table.upgrade.as_ref().map(|key| &key.at)),
            ("downgrade", table.downgrade.as_ref().map(|key| &key.at)),
            ("period", table.period.as_ref().map(|key| &key.at)),
            ("lock", table.lock.as_ref().map(|key| &key.at)),
        ];
        let given: Vec<_> = keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))).collect();
        for (key, at) in &given {
            self.without_order(key, at, table);
        }
        given.is_empty()
    }

    /// Reports a key that levels without order can't have.
    pub(super) fn without_order(&mut self, key: &str, at: &Location, table: &TiersTable) {
        let headline = format!("`{key}` goes with ordered levels only");
        let mut diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, at, headline);
        if let Some(ordered) = &table.ordered {
            diagnostic = diagnostic.other(&ordered.at, "these levels move neither up nor down");
        }
        self.out.push(diagnostic.help("leave it out, or write `ordered = true`"));
    }

    fn downgrade<'t>(&mut self, table: &'t TiersTable) -> Option<Downgrade<'t>> {
        let at_once = Downgrade { timing: Timing::AtOnce, after: None, steps: None };
        let Some(written) = &table.downgrade else {
            return Some(at_once);
        };
        let long = match written.value.as_ref()? {
            DowngradeEntry::Short(timing) => return Some(Downgrade { timing: self::timing(*timing), ..at_once }),
            DowngradeEntry::Long(long) => long,
        };
        let timing = At::value_or(long.r#when.as_ref(), Timing::AtOnce, |timing| self::timing(*timing));
        let after = At::value_or(long.after.as_ref(), None, |span| Some(span.0));
        let steps = At::value_or(long.steps.as_ref(), None, |steps| Some(*steps))?;
        if steps == Some(0) {
            let help = "write steps = 1, or downgrade = \"never\" where levels aren't lost";
            self.error(code::OUT_OF_RANGE, &long.steps.as_ref()?.at, "a level falls by one step at least", help);
            return None;
        }
        Some(Downgrade {
            timing: timing?,
            after: after?.zip(long.after.as_ref().map(|after| &after.at)),
            steps: steps.zip(long.steps.as_ref().map(|steps| &steps.at)),
        })
    }

    /// Reports what is about falling in a set whose levels never fall.
    fn never_down(&mut self, table: &TiersTable, downgrade: &Downgrade<'_>) -> Option<()> {
        if downgrade.timing != Timing::Never {
            return Some(());
        }
        let keys = [
            ("after", downgrade.after.map(|(_, at)| at)),
            ("steps", downgrade.steps.map(|(_, at)| at)),
            ("lock", table.lock.as_ref().map(|lock| &lock.at)),
        ];
        let given: Vec<_> = keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))).collect();
        for (key, at) in &given {
            let headline = format!("`{key}` means nothing where levels are never lost");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out, or write another `downgrade`");
        }
        given.is_empty().then_some(())
    }

    /// The lock; `Some(None)` where there is none.
    fn lock(&mut self, table: &TiersTable) -> Option<Option<Lock>> {
        let Some(written) = &table.lock else {
            return Some(None);
        };
        let long = match written.value.as_ref()? {
            LockEntry::Short(until) => return Some(Some(Lock { until: until.0, renew: false })),
            LockEntry::Long(long) => long,
        };
        let renew = At::value_or(long.renew.as_ref(), false, |renew| *renew)?;
        let until = long.until.value.as_ref()?.0;
        if let (LockUntil::Day(_), true, Some(written)) = (until, renew, &long.renew) {
            let help = "leave it out, or write a span such as \"12 months\" for `until`";
            self.error(code::CONFLICTING_KEYS, &written.at, "a lock to a day isn't renewed", help);
            return None;
        }
        Some(Some(Lock { until, renew }))
    }

    /// Warns of a period that nothing is about.
    fn idle_period(&mut self, table: &TiersTable, movement: &Movement) {
        let timed = [movement.upgrade, movement.downgrade].contains(&Timing::AtPeriodEnd);
        let by_period = |lock: Lock| matches!(lock.until, LockUntil::PeriodEnd | LockUntil::NextPeriodEnd);
        let locked = movement.lock.is_some_and(by_period);
        if let (Some(period), false) = (&table.period, timed || locked) {
            let help =
                "write \"at period end\" for `upgrade` or `downgrade`, or a lock to the period's end; or leave it out";
            self.idle(&period.at, "nothing here is about periods", help);
        }
    }
}

fn timing(name: TimingName) -> Timing {
    match name {
        TimingName::AtOnce => Timing::AtOnce,
        TimingName::AtPeriodEnd => Timing::AtPeriodEnd,
        TimingName::Never => Timing::Never,
    }
}

/// The periods; `None` where they can't be read.
fn period(table: &TiersTable) -> Option<Period> {
    let Some(written) = &table.period else {
        return Some(Movement::AT_ONCE.period);
    };
    match written.value.as_ref()? {
        PeriodEntry::Calendar(unit) => Some(Period::Calendar(calendar_unit(*unit))),
        PeriodEntry::Program(program) => Some(Period::ProgramYear(program.program_year.value.as_ref()?.0)),
    }
}
