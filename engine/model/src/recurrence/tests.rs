use super::*;
use crate::{CivilText, parse_timestamp};

fn zone(name: &str) -> Zone {
    Zone::new(name).unwrap()
}

/// An instant written on the clock of a zone or with an offset.
fn instant(text: &str, zone: &Zone) -> Timestamp {
    parse_timestamp(text.as_bytes()).map(|text: CivilText| text.instant(zone)).unwrap()
}

/// Words, or five fields.
fn recurrence(text: &str) -> Recurrence {
    if text.split_whitespace().count() == 5 && !text.contains(" at ") {
        Recurrence::cron(text)
    } else {
        Recurrence::words(text)
    }
    .unwrap()
}

/// The times after `from`, in UTC.
fn times(text: &str, name: &str, from: &str, count: usize) -> Vec<String> {
    let (zone, recurrence) = (zone(name), recurrence(text));
    let next = |at: &Timestamp| recurrence.next_after(*at, &zone);
    let times = std::iter::successors(next(&instant(from, &zone)), next).take(count);
    times.map(|at| jiff::Timestamp::from_microsecond(at.0).unwrap().to_string()).collect()
}

#[test]
fn words_and_crons_come_when_they_say() {
    for (text, from, expected) in [
        ("15 minutes", "2024-01-01 00:00", ["2024-01-01T00:15:00Z", "2024-01-01T00:30:00Z"]),
        ("7 hours", "2000-01-01 00:00", ["2000-01-01T07:00:00Z", "2000-01-01T14:00:00Z"]),
        ("hourly", "2024-01-01 00:59:59.999999", ["2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"]),
        ("daily at 02:15", "2024-02-28 02:15", ["2024-02-29T02:15:00Z", "2024-03-01T02:15:00Z"]),
        ("daily at 02:15", "2024-02-28 02:14:59", ["2024-02-28T02:15:00Z", "2024-02-29T02:15:00Z"]),
        ("weekly on Thursday at 03:00", "2024-02-29 02:00", ["2024-02-29T03:00:00Z", "2024-03-07T03:00:00Z"]),
        ("weekly", "2024-02-29", ["2024-03-04T00:00:00Z", "2024-03-11T00:00:00Z"]),
        ("monthly on 31 at 03:00", "2024-01-31 03:00", ["2024-02-29T03:00:00Z", "2024-03-31T03:00:00Z"]),
        ("monthly on last", "2023-01-31", ["2023-02-28T00:00:00Z", "2023-03-31T00:00:00Z"]),
        ("quarterly", "2024-02-01", ["2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"]),
        ("quarterly on 15 at 04:00", "2024-11-01", ["2025-01-15T04:00:00Z", "2025-04-15T04:00:00Z"]),
        ("quarterly on last", "2024-01-01", ["2024-03-31T00:00:00Z", "2024-06-30T00:00:00Z"]),
        ("yearly on 02-29", "2023-12-31", ["2024-02-29T00:00:00Z", "2025-02-28T00:00:00Z"]),
        ("yearly", "2023-12-31 23:59:59", ["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]),
        ("15 2 * * *", "2024-02-28 02:15", ["2024-02-29T02:15:00Z", "2024-03-01T02:15:00Z"]),
        ("0 0 29 2 *", "2096-03-01", ["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"]),
        ("0 0 * FEB MON#5", "2024-03-01", ["2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z"]),
        ("0 0 L * *", "2023-02-01", ["2023-02-28T00:00:00Z", "2023-03-31T00:00:00Z"]),
        // Either the 13th or a Friday; with `+`, Friday the 13th.
        ("0 0 13 * FRI", "2024-09-07", ["2024-09-13T00:00:00Z", "2024-09-20T00:00:00Z"]),
        ("0 0 13 * FRI", "2024-10-12", ["2024-10-13T00:00:00Z", "2024-10-18T00:00:00Z"]),
        ("0 0 13 * +FRI", "2024-09-07", ["2024-09-13T00:00:00Z", "2024-12-13T00:00:00Z"]),
        ("0 0 * * 7", "2024-09-07", ["2024-09-08T00:00:00Z", "2024-09-15T00:00:00Z"]),
    ] {
        assert_eq!(times(text, "UTC", from, 2), expected, "{text}");
    }
}

/// Five zones: a jump of an hour, one at midnight, one of half an hour, none; each forward and back.
#[test]
fn jumps_of_the_clock() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        // Skipped: at the jump, once. Shown twice: the first time.
        ("daily at 02:30", "Europe/Berlin", "2024-03-30 12:00", &["2024-03-31T01:00:00Z", "2024-04-01T00:30:00Z"]),
        ("daily at 02:30", "Europe/Berlin", "2024-10-26 12:00", &["2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"]),
        ("daily at 02:30", "America/New_York", "2024-03-09 12:00", &["2024-03-10T07:00:00Z", "2024-03-11T06:30:00Z"]),
        ("daily at 01:30", "America/New_York", "2024-11-02 12:00", &["2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z"]),
        (
            "daily at 02:15",
            "Australia/Lord_Howe",
            "2024-10-05 12:00",
            &["2024-10-05T15:30:00Z", "2024-10-06T15:15:00Z"],
        ),
        (
            "daily at 01:45",
            "Australia/Lord_Howe",
            "2024-04-06 12:00",
            &["2024-04-06T14:45:00Z", "2024-04-07T15:15:00Z"],
        ),
        ("daily", "America/Sao_Paulo", "2018-11-03 12:00", &["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]),
        ("daily at 23:30", "America/Sao_Paulo", "2018-02-17 12:00", &["2018-02-18T01:30:00Z", "2018-02-19T02:30:00Z"]),
        ("daily at 02:30", "Asia/Shanghai", "2024-03-30 12:00", &["2024-03-30T18:30:00Z", "2024-03-31T18:30:00Z"]),
        // All that are skipped come at the jump, as one.
        (
            "0,30 2,3 * * *",
            "Europe/Berlin",
            "2024-03-31 01:59",
            &["2024-03-31T01:00:00Z", "2024-03-31T01:30:00Z", "2024-04-01T00:00:00Z"],
        ),
        // Intervals, and crons about each hour, go on in real time.
        ("30 minutes", "Europe/Berlin", "2024-03-31 01:30", &["2024-03-31T01:00:00Z", "2024-03-31T01:30:00Z"]),
        (
            "30 minutes",
            "Europe/Berlin",
            "2024-10-27 02:00",
            &["2024-10-27T00:30:00Z", "2024-10-27T01:00:00Z", "2024-10-27T01:30:00Z"],
        ),
        (
            "30 * * * *",
            "Europe/Berlin",
            "2024-10-27 01:45",
            &["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-10-27T02:30:00Z"],
        ),
        ("30 * * * *", "Europe/Berlin", "2024-03-31 01:15", &["2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z"]),
        // 00:01 became 23:01 of the day before: the order is that of real time.
        (
            "20,50 * * * *",
            "America/St_Johns",
            "2010-11-06 23:00",
            &[
                "2010-11-07T01:50:00Z",
                "2010-11-07T02:20:00Z",
                "2010-11-07T02:50:00Z",
                "2010-11-07T03:20:00Z",
                "2010-11-07T03:50:00Z",
            ],
        ),
        // A day that an island skipped when it changed sides of the date line comes when the next one begins.
        ("daily at 12:00", "Pacific/Apia", "2011-12-29 13:00", &["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]),
    ];
    for (text, zone, from, expected) in cases {
        assert_eq!(times(text, zone, from, expected.len()), *expected, "{text} in {zone} after {from}");
    }
}

#[test]
fn what_never_comes_ends() {
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 +MON"] {
        assert_eq!(Recurrence::cron(never).unwrap().next_after(Timestamp(0), &Zone::utc()), None, "{never}");
    }
}

#[test]
fn times_at_the_ends_of_the_calendar() {
    let zone = zone("Europe/Berlin");
    for text in ["15 minutes", "daily at 02:15", "yearly", "* * * * *", "0 0 29 2 *"] {
        assert_eq!(recurrence(text).next_after(Timestamp(i64::MAX), &zone), None, "{text}");
        let first = recurrence(text).next_after(Timestamp(i64::MIN), &zone).unwrap();
        assert!(first > EARLIEST && first.0 < EARLIEST.0 + 9 * 366 * DAY_MICROS, "{text}");
    }
}

#[test]
fn words_are_written_as_short_as_they_can_be() {
    for (text, expected) in [
        ("15 minutes", "15 minutes"),
        ("EVERY 15 Minutes", "15 minutes"),
        ("every minute", "1 minute"),
        ("90 minutes", "90 minutes"),
        ("120 minutes", "2 hours"),
        ("1 hour", "hourly"),
        ("daily at 00:00", "daily"),
        ("daily at 2:15", "daily at 02:15"),
        ("weekly on monday", "weekly"),
        ("weekly on SUNDAY at 23:59", "weekly on Sunday at 23:59"),
        ("monthly  on 1 at 03:00", "monthly at 03:00"),
        ("monthly on last at 03:00", "monthly on last at 03:00"),
        ("quarterly on 2", "quarterly on 2"),
        ("yearly on 01-01", "yearly"),
        ("yearly on 04-01 at 03:00", "yearly on 04-01 at 03:00"),
    ] {
        let read = Recurrence::words(text).unwrap();
        assert_eq!(read.to_string(), expected);
        assert_eq!(Recurrence::words(expected), Ok(read), "{text}");
    }
    assert_eq!(Recurrence::cron(" 15  2 * * * ").unwrap().to_string(), "15 2 * * *");
}

#[test]
fn other_texts_say_what_can_be_written() {
    for (text, expected) in [
        ("", "write `15 minutes`"),
        ("dayly", "`dayly` isn't understood here: write `15 minutes`"),
        ("every", "an interval is `15 minutes` or `2 hours`"),
        ("15", "an interval is `15 minutes` or `2 hours`"),
        ("15 fortnights", "`fortnights` isn't understood here"),
        ("3 days", "longer ones are `daily`"),
        ("0 minutes", "1 minute at least"),
        ("99999999999999999999 hours", "a year at most"),
        ("527041 minutes", "a year at most"),
        ("daily at", "a time of day stands after `at`"),
        ("daily at 24:00", "`24:00` isn't understood here"),
        ("daily at 2:5", "from 00:00 to 23:59"),
        ("daily at 02:15 utc", "`utc` isn't understood here"),
        ("daily on 3", "`on` isn't understood here"),
        ("weekly on Mo", "`weekly on Monday`"),
        ("monthly on 0", "1 to 31, or `last`"),
        ("monthly on 32", "1 to 31, or `last`"),
        ("monthly at 03:00 on 1", "a day stands after `on`, then a time after `at`"),
        ("yearly on 02-30", "as MM-DD"),
    ] {
        let error = Recurrence::words(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    let error = Recurrence::words("weekly on monady").unwrap_err();
    assert_eq!(error.unknown().map(|(word, known)| (word, known.len())), Some(("monady", 7)));
}

#[test]
fn other_crons_say_what_is_wrong() {
    for text in [
        "",
        "@daily",
        "* * * *",
        "0 15 2 * * *",
        "61 * * * *",
        "* 24 * * *",
        "a * * * *",
        "* * * * MONN",
        "０ 0 * * *",
        "5-1 * * * *",
    ] {
        let error = Recurrence::cron(text).unwrap_err().to_string();
        assert!(error.contains("is no cron expression: "), "{text}: {error}");
    }
}

/// A naive reading: every minute of real time, asked whether one of the times of day is shown then.
#[test]
fn stepping_finds_the_same() {
    for name in [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Shanghai",
        "Africa/Casablanca",
    ] {
        let zone = zone(name);
        for text in ["0 0 * * *", "30 2 * * *", "*/20 1-3 * * SUN", "45 23,0 1-7 * *", "*/25 * * * *", "10 * * * SUN"] {
            let cron = Recurrence::cron(text).unwrap();
            for (from, days) in [("2018-02-14", 6), ("2018-10-30", 8), ("2024-03-05", 30), ("2024-10-03", 35)] {
                let from = instant(from, &zone);
                let until = Timestamp(from.0 + days * DAY_MICROS);
                let next = |at: &Timestamp| cron.next_after(*at, &zone).filter(|at| *at <= until);
                let found: Vec<Timestamp> = std::iter::successors(next(&from), next).collect();
                assert_eq!(found, stepped(&cron, &zone, from, until), "{text} in {name}");
            }
        }
    }
}

fn stepped(cron: &Recurrence, zone: &Zone, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let Kind::Cron(cron) = &cron.0 else { panic!("a cron") };
    let comes = |civil: i64| {
        let day = Date(civil.div_euclid(DAY_MICROS) as i32);
        cron.on(day) && cron.minutes.contains(&((civil.rem_euclid(DAY_MICROS) / MINUTE) as u16))
    };
    let (mut out, mut shown, mut at) = (vec![], zone.to_civil(from.0), from.0);
    while at < until.0 {
        at += MINUTE;
        let civil = zone.to_civil(at);
        // Minutes that the clock jumped over, and this one; unless it was put back and shows them again.
        let skipped = (shown / MINUTE + 1..civil / MINUTE).any(|minute| comes(minute * MINUTE));
        let again = civil <= shown;
        if (comes(civil) && (!again || cron.each_hour)) || (skipped && !cron.each_hour) {
            out.push(Timestamp(at));
        }
        shown = if cron.each_hour { civil } else { shown.max(civil) };
    }
    out
}

mod random {
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 5] =
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Shanghai"];

    fn any_words() -> impl Strategy<Value = String> {
        let head = prop_oneof![
            Just("daily".to_owned()),
            (0..7usize).prop_map(|day| format!("weekly on {}", words::WEEKDAYS[day])),
            (1..32).prop_map(|day| format!("monthly on {day}")),
            (1..32).prop_map(|day| format!("quarterly on {day}")),
            Just("monthly on last".to_owned()),
            (1..13, 1..29).prop_map(|(month, day)| format!("yearly on {month:02}-{day:02}")),
        ];
        let at = (head, 0..24, 0..60).prop_map(|(head, hour, minute)| format!("{head} at {hour:02}:{minute:02}"));
        prop_oneof![at, (1..3000).prop_map(|minutes| format!("{minutes} minutes"))]
    }

    proptest! {
        /// Nothing lies between a time and the next one: whoever asks from anywhere in between is told the same.
        #[test]
        fn next_is_later_and_skips_nothing(text in any_words(), zone in 0..5usize, at in -3_000_000_000i64..8_000_000_000, part in 0.0..1.0) {
            let (recurrence, zone) = (Recurrence::words(&text).unwrap(), self::zone(ZONES[zone]));
            let at = Timestamp(at * MICROS);
            let next = recurrence.next_after(at, &zone).unwrap();
            prop_assert!(next > at);
            let between = Timestamp(at.0 + ((next.0 - at.0 - 1) as f64 * part) as i64);
            prop_assert_eq!(recurrence.next_after(between, &zone), Some(next));
            prop_assert!(recurrence.next_after(next, &zone).unwrap() > next);
        }

        #[test]
        fn no_text_and_no_time_panics(text in "[a-zA-Z0-9*/,+#@?: -]{0,24}", fields in prop::collection::vec("[0-9*/,LW#?+-]{1,5}|MON|JAN-5", 5), at: i64) {
            let (zone, cron) = (self::zone("Europe/Berlin"), fields.join(" "));
            for read in [Recurrence::words(&text), Recurrence::cron(&text), Recurrence::cron(&cron)].into_iter().flatten() {
                if let Some(next) = read.next_after(Timestamp(at), &zone) {
                    prop_assert!(next > Timestamp(at));
                }
            }
        }
    }
}
