//! Time zones in SQL: SQLite knows none, so the offsets of the scheme's zone are written out.
//!
//! Only those offsets are written that can matter: a fact's own time counts within the windows of the metrics asked for, so that
//! last year's orders in Shanghai need one constant, and orders of all time in New York some two hundred lines.

use tierd_model::{DAY_MICROS, Date, Instants, Timestamp, Zone};

use super::{
    expr::scalar,
    text::{Binds, Sql, infix},
};

/// Instants that can matter to the result, in microseconds, both ends inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    from: i64,
    until: i64,
}

impl Reach {
    /// All time.
    pub(super) const ALL: Reach = Reach { from: i64::MIN, until: i64::MAX };

    /// What these windows can see. Two days more on both sides hold any offset, so that a time outside stays outside,
    /// whatever offset it is read with.
    pub(super) fn of(windows: impl IntoIterator<Item = Instants>) -> Self {
        let reach = windows.into_iter().map(|w| (w.start.0, w.end.0));
        let (from, until) = reach.fold((i64::MAX, i64::MIN), |(a, b), (start, end)| (a.min(start), b.max(end)));
        Reach { from: from.saturating_sub(2 * DAY_MICROS), until: until.saturating_add(2 * DAY_MICROS) }
    }
}

/// The offset from UTC, in microseconds, that holds at the instant `at`.
pub(super) fn offset_at_instant(zone: &Zone, reach: Reach, at: &Sql) -> Sql {
    offset(zone.instant_offsets().collect(), reach, at)
}

/// The offset from UTC, in microseconds, with which the local time `local` is read.
pub(super) fn offset_at_local(zone: &Zone, reach: Reach, local: &Sql) -> Sql {
    offset(zone.civil_offsets().collect(), reach, local)
}

/// The newest first: most rows are young.
fn offset(pieces: Vec<(i64, i64)>, reach: Reach, of: &Sql) -> Sql {
    let first = pieces.partition_point(|(start, _)| *start <= reach.from).saturating_sub(1);
    let end = pieces.partition_point(|(start, _)| *start <= reach.until).max(first + 1);
    let (oldest, younger) = (pieces[first], &pieces[first + 1..end]);
    if younger.is_empty() {
        return Sql::integer(oldest.1);
    }
    let mut text = "CASE".to_owned();
    for (start, offset) in younger.iter().rev() {
        let clock = Timestamp(*start).to_string();
        text +=
            &format!("\n  WHEN {} >= {start} THEN {offset} /* {} */", of.at(Binds::Sum), clock.trim_end_matches('Z'));
    }
    Sql::whole(text + &format!("\n  ELSE {} END", oldest.1))
}

/// The local calendar day, as `YYYY-MM-DD`, at the instant `at`.
pub(super) fn date_of(zone: &Zone, reach: Reach, at: &Sql) -> Sql {
    if !at.is_short() {
        let inner = date_of(zone, reach, &Sql::whole("at"));
        return scalar(&inner, &format!("{} AS at", at.bare()));
    }
    let offset = offset_at_instant(zone, reach, at);
    match offset.bare().parse::<i64>() {
        Ok(0) => day_of(at),
        Ok(_) => day_of(&infix(Binds::Sum, at, "+", &offset)),
        Err(_) => {
            let local = format!("{} + {} AS local", at.bare(), offset.bare());
            scalar(&day_of(&Sql::whole("local")), &local)
        }
    }
}

/// The calendar day of microseconds on the local clock. They are counted from the year 0 first, because SQLite's division
/// rounds towards zero; 1721059.5 is the Julian day on which the year 0 begins.
fn day_of(local: &Sql) -> Sql {
    const YEAR_0: i64 = 719_528 * DAY_MICROS;
    Sql::whole(format!("date(({} + {YEAR_0}) / {DAY_MICROS} + 1721059.5)", local.at(Binds::Sum)))
}

/// The instant, in microseconds, at which a local day (`YYYY-MM-DD`) begins.
pub(super) fn midnight(zone: &Zone, reach: Reach, day: &Sql) -> Sql {
    let local = Sql::new(Binds::Product, format!("CAST(strftime('%s', {}) AS INTEGER) * 1000000", day.bare()));
    let offset = offset_at_local(zone, reach, &Sql::whole("local"));
    match offset.bare().parse::<i64>() {
        Ok(0) => local,
        Ok(_) => infix(Binds::Sum, &local, "-", &offset),
        Err(_) => scalar(&infix(Binds::Sum, &Sql::whole("local"), "-", &offset), &format!("{} AS local", local.bare())),
    }
}

/// The first day that begins at or after this instant. Days that a zone has skipped begin together with the next one.
pub(super) fn first_day_from(zone: &Zone, at: Timestamp) -> Date {
    let mut day = zone.date_of(at);
    while zone.midnight(day) < at {
        day = Date(day.0 + 1);
    }
    while zone.midnight(Date(day.0 - 1)) >= at {
        day = Date(day.0 - 1);
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;
    use tierd_model::parse_timestamp;

    fn at(text: &str) -> Timestamp {
        parse_timestamp(text.as_bytes()).unwrap().instant(&Zone::utc())
    }

    #[test]
    fn only_offsets_within_reach_are_written() {
        let paris = Zone::new("Europe/Paris").unwrap();
        let t = Sql::whole("t");
        let window = |start: &str, end: &str| Reach::of([Instants { start: at(start), end: at(end) }]);
        let text = |reach| offset_at_instant(&paris, reach, &t).bare().to_owned();
        assert_eq!(text(window("2026-01-10", "2026-02-10")), "3600000000");
        assert_eq!(text(window("2026-06-10", "2026-07-10")), "7200000000");
        assert_eq!(
            text(window("2026-01-10", "2026-07-10")),
            "CASE\n  WHEN t >= 1774746000000000 THEN 7200000000 /* 2026-03-29T01:00:00 */\n  ELSE 3600000000 END"
        );
        assert!(text(Reach::ALL).lines().count() > 300);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_later() {
        // Clocks in Beirut went from 23:59:59 to 01:00 into 26 March 2020… 29 March 2020.
        let beirut = Zone::new("Asia/Beirut").unwrap();
        let day = beirut.date_of(at("2020-03-29T12:00:00"));
        let begins = beirut.midnight(day);
        assert_eq!(first_day_from(&beirut, begins), day);
        assert_eq!(first_day_from(&beirut, Timestamp(begins.0 + 1)), Date(day.0 + 1));
        // Samoa had no 30 December 2011.
        let apia = Zone::new("Pacific/Apia").unwrap();
        let day = apia.date_of(at("2011-12-31T00:00:00"));
        assert_eq!(first_day_from(&apia, apia.midnight(day)), Date(day.0 - 1));
    }
}
