use super::*;
use crate::{Zone, parse_date, parse_timestamp};
use std::sync::Arc;

fn resolve(kind: WindowKind, offset: u16, as_of: &str, zone: &str) -> String {
    let zone = Arc::new(Zone::new(zone).unwrap());
    let at = parse_timestamp(as_of.as_bytes()).unwrap().instant(&zone);
    let w = Window { kind, offset }.resolve(&Clock::new(at, zone));
    format!("{} {}", w.start, w.end)
}

#[test]
fn windows_are_half_open_from_local_midnight() {
    let last = WindowKind::Last(CalendarSpan::months(12));
    for (kind, offset, as_of, zone, expected) in [
        (last, 0, "2026-03-31T10:00:00", "UTC", "2025-03-31T00:00:00Z 2026-03-31T10:00:00Z"),
        (last, 1, "2026-03-31T10:00:00", "UTC", "2024-03-31T00:00:00Z 2025-03-31T00:00:00Z"),
        (last, 0, "2024-02-29", "UTC", "2023-02-28T00:00:00Z 2024-02-29T00:00:00Z"),
        (last, 0, "2026-03-31T10:00:00", "Asia/Shanghai", "2025-03-30T16:00:00Z 2026-03-31T02:00:00Z"),
        (
            WindowKind::Calendar(CalendarUnit::Quarter),
            0,
            "2026-05-20",
            "UTC",
            "2026-04-01T00:00:00Z 2026-05-20T00:00:00Z",
        ),
        (WindowKind::Calendar(CalendarUnit::Year), 1, "2026-05-20", "UTC", "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z"),
        (WindowKind::Previous(CalendarUnit::Year), 0, "2026-05-20", "UTC", "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z"),
        (
            WindowKind::Previous(CalendarUnit::Month),
            1,
            "2026-01-20",
            "UTC",
            "2025-11-01T00:00:00Z 2025-12-01T00:00:00Z",
        ),
    ] {
        assert_eq!(resolve(kind, offset, as_of, zone), expected, "{kind:?} {as_of}");
    }
}

#[test]
fn rates_divide_by_whole_units_where_there_are_any() {
    let units = |kind, per| Window { kind, offset: 0 }.units(per);
    assert_eq!(units(WindowKind::Last(CalendarSpan::months(12)), Per::Month), Some((12, 1)));
    assert_eq!(units(WindowKind::Last(CalendarSpan::days(90)), Per::Day), Some((90, 1)));
    assert_eq!(units(WindowKind::Previous(CalendarUnit::Year), Per::Year), Some((12, 12)));
    assert_eq!(units(WindowKind::Lifetime, Per::Month), None);
}

fn day(text: &str) -> Date {
    parse_date(text.as_bytes()).unwrap()
}

/// The window of a subject with this date (or time), as its two local times.
fn own(kind: WindowKind, offset: u16, anchor: &str, as_of: &str, zone: &str) -> String {
    let zone = Arc::new(Zone::new(zone).unwrap());
    let instant = |text: &str| parse_timestamp(text.as_bytes()).unwrap().instant(&zone);
    let from = match parse_date(anchor.as_bytes()) {
        Some(day) => Anchor::Day(day),
        None => Anchor::Time(instant(anchor)),
    };
    let window = Window { kind, offset }.resolve_from(&Clock::new(instant(as_of), Arc::clone(&zone)), from);
    format!("{} {}", window.start, window.end)
}

#[test]
fn program_years_begin_on_their_day_of_the_year() {
    let april = WindowKind::ProgramYear(MonthDay::parse("04-01").unwrap());
    let leap = WindowKind::ProgramYear(MonthDay::parse("02-29").unwrap());
    for (kind, offset, as_of, zone, expected) in [
        (april, 0, "2026-03-31T10:00:00", "UTC", "2025-04-01T00:00:00Z 2026-03-31T10:00:00Z"),
        (april, 0, "2026-04-01", "UTC", "2026-04-01T00:00:00Z 2026-04-01T00:00:00Z"),
        (april, 1, "2026-04-01", "UTC", "2025-04-01T00:00:00Z 2026-04-01T00:00:00Z"),
        (april, 2, "2026-03-31", "UTC", "2023-04-01T00:00:00Z 2024-04-01T00:00:00Z"),
        // It is 1 April in Shanghai already.
        (april, 0, "2026-03-31T17:00:00Z", "Asia/Shanghai", "2026-03-31T16:00:00Z 2026-03-31T17:00:00Z"),
        // Summer time begins in between.
        (april, 1, "2026-06-01", "Europe/Paris", "2025-03-31T22:00:00Z 2026-03-31T22:00:00Z"),
        (leap, 0, "2025-02-28", "UTC", "2025-02-28T00:00:00Z 2025-02-28T00:00:00Z"),
        (leap, 0, "2024-02-28", "UTC", "2023-02-28T00:00:00Z 2024-02-28T00:00:00Z"),
        (leap, 1, "2024-03-01", "UTC", "2023-02-28T00:00:00Z 2024-02-29T00:00:00Z"),
    ] {
        assert_eq!(resolve(kind, offset, as_of, zone), expected, "{kind:?} {as_of}");
    }
}

#[test]
fn a_subjects_year_begins_on_the_anniversary_of_its_date() {
    let year = WindowKind::AnniversaryOf(0);
    for (offset, anchor, as_of, zone, expected) in [
        (0, "2020-04-10", "2026-03-31T10:00:00", "UTC", "2025-04-10T00:00:00Z 2026-03-31T10:00:00Z"),
        (0, "2020-03-31", "2026-03-31T10:00:00", "UTC", "2026-03-31T00:00:00Z 2026-03-31T10:00:00Z"),
        (1, "2020-04-10", "2026-03-31", "UTC", "2024-04-10T00:00:00Z 2025-04-10T00:00:00Z"),
        // The date itself is the first anniversary; before it there is no time.
        (0, "2026-03-01", "2026-03-31", "UTC", "2026-03-01T00:00:00Z 2026-03-31T00:00:00Z"),
        (1, "2026-03-01", "2026-03-31", "UTC", "2026-03-01T00:00:00Z 2026-03-01T00:00:00Z"),
        (2, "2025-03-01", "2026-03-31", "UTC", "2025-03-01T00:00:00Z 2025-03-01T00:00:00Z"),
        // A leap day's anniversaries are on the last of February; the day itself comes back.
        (0, "2024-02-29", "2026-02-28", "UTC", "2026-02-28T00:00:00Z 2026-02-28T00:00:00Z"),
        (0, "2024-02-29", "2028-02-28", "UTC", "2027-02-28T00:00:00Z 2028-02-28T00:00:00Z"),
        (1, "2024-02-29", "2028-02-29", "UTC", "2027-02-28T00:00:00Z 2028-02-29T00:00:00Z"),
        // A date to come: nothing yet.
        (0, "2026-12-24", "2026-03-31T10:00:00", "UTC", "2026-03-31T10:00:00Z 2026-03-31T10:00:00Z"),
        // A time counts by its local day.
        (0, "2020-04-09T20:00:00Z", "2026-03-31", "Asia/Shanghai", "2025-04-09T16:00:00Z 2026-03-30T16:00:00Z"),
        // Local midnight, in winter and in summer.
        (1, "2020-03-29", "2026-05-01", "Europe/Paris", "2025-03-28T23:00:00Z 2026-03-28T23:00:00Z"),
        (1, "2020-03-30", "2026-05-01", "Europe/Paris", "2025-03-29T23:00:00Z 2026-03-29T22:00:00Z"),
        // Samoa skipped 30 December 2011: the day after took its midnight.
        (0, "2001-12-30", "2011-12-31T08:00:00", "Pacific/Apia", "2011-12-30T10:00:00Z 2011-12-30T18:00:00Z"),
    ] {
        assert_eq!(own(year, offset, anchor, as_of, zone), expected, "{anchor} at {as_of}, {offset} back");
    }
}

#[test]
fn time_since_a_subjects_date_begins_at_its_midnight_or_instant() {
    let since = WindowKind::Since(0);
    for (anchor, as_of, zone, expected) in [
        ("2026-03-01", "2026-03-31", "Asia/Shanghai", "2026-02-28T16:00:00Z 2026-03-30T16:00:00Z"),
        ("2026-03-01T10:30:00", "2026-03-31", "UTC", "2026-03-01T10:30:00Z 2026-03-31T00:00:00Z"),
        ("2026-03-31", "2026-03-31", "UTC", "2026-03-31T00:00:00Z 2026-03-31T00:00:00Z"),
        // A date to come: an empty window.
        ("2026-04-01", "2026-03-31", "UTC", "2026-04-01T00:00:00Z 2026-04-01T00:00:00Z"),
        // Where clocks jump over midnight, the day begins with the jump.
        ("2018-11-04", "2018-11-05", "America/Sao_Paulo", "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"),
    ] {
        assert_eq!(own(since, 0, anchor, as_of, zone), expected, "{anchor} at {as_of}");
    }
}

/// Years that follow each other leave no time out and count none twice, whatever the day.
#[test]
fn anniversary_years_tile_the_time_since_the_date() {
    let zone = Arc::new(Zone::new("America/Sao_Paulo").unwrap());
    for anchor in ["2014-02-28", "2016-02-29", "2015-03-01", "2015-11-04", "2017-12-31"] {
        for as_of in ["2018-02-28T12:00:00", "2018-11-04T12:00:00", "2020-02-29T00:00:00", "2021-01-01"] {
            let clock = Clock::new(parse_timestamp(as_of.as_bytes()).unwrap().instant(&zone), Arc::clone(&zone));
            let year = |offset| {
                let window = Window { kind: WindowKind::AnniversaryOf(0), offset };
                window.resolve_from(&clock, Anchor::Day(day(anchor)))
            };
            assert_eq!(year(0).end, clock.as_of());
            let years = years_between(day(anchor), clock.today()) as u16;
            (0..years).for_each(|offset| assert_eq!(year(offset).start, year(offset + 1).end, "{anchor} {offset}"));
            assert_eq!(year(years).start, zone.midnight(day(anchor)), "the first year begins with the date");
            assert_eq!(year(years + 1).start, year(years + 1).end, "and nothing is before it");
        }
    }
}

#[test]
fn only_windows_of_the_subjects_own_have_an_anchor() {
    let anchor = |kind| Window { kind, offset: 0 }.anchor();
    assert_eq!(anchor(WindowKind::AnniversaryOf(3)), Some(3));
    assert_eq!(anchor(WindowKind::Since(4)), Some(4));
    assert_eq!(anchor(WindowKind::Lifetime), None);
    assert_eq!(anchor(WindowKind::ProgramYear(MonthDay::parse("04-01").unwrap())), None);
    // All of their windows lie in the common one.
    assert_eq!(
        resolve(WindowKind::Since(4), 0, "2026-03-31", "UTC"),
        resolve(WindowKind::Lifetime, 0, "2026-03-31", "UTC")
    );
}

#[test]
fn whole_years_count_from_the_same_day_of_the_month() {
    for (from, to, years) in [
        ("2020-04-10", "2026-04-09", 5),
        ("2020-04-10", "2026-04-10", 6),
        ("2024-02-29", "2025-02-27", 0),
        ("2024-02-29", "2025-02-28", 1),
        ("2024-02-29", "2028-02-28", 3),
        ("2025-02-28", "2028-02-28", 3),
        ("2026-03-31", "2026-03-30", -1),
        ("2026-03-31", "2025-03-31", -1),
        ("2026-03-31", "2025-03-30", -2),
    ] {
        assert_eq!(years_between(day(from), day(to)), years, "{from} to {to}");
    }
}

#[test]
fn days_of_the_year_are_two_numbers_of_two_digits() {
    for good in ["01-01", "02-29", "12-31", "04-30"] {
        assert_eq!(MonthDay::parse(good).unwrap().to_string(), good);
    }
    for bad in ["", "4-1", "04-31", "02-30", "13-01", "00-10", "01-00", "0401", "04/01", "04-01 ", "２-01"] {
        assert_eq!(MonthDay::parse(bad), Err(MonthDayError), "{bad:?}");
    }
    let leap = MonthDay::parse("02-29").unwrap();
    assert_eq!(leap.on_or_after(day("2025-02-28")), day("2025-02-28"));
    assert_eq!(leap.on_or_after(day("2027-03-01")), day("2028-02-29"));
    assert_eq!(leap.on_or_before(day("2028-02-28")), day("2027-02-28"));
}
