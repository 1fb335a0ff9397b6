//! What the planner does in each situation, on tables.

use std::sync::Arc;

use tierd_model::{Recurrence, Zone, parse_timestamp};
use tierd_rules::{FileId, Location};

use super::*;

const MINUTE: i64 = 60 * MICROS;

pub(super) fn schedule(every: &str, zone: &str, missed: Missed) -> Schedule {
    Schedule {
        name: every.to_owned(),
        recurrence: Some(Recurrence::words(every).unwrap()),
        zone: Arc::new(Zone::new(zone).unwrap()),
        missed,
        deadline: None,
        jitter: Duration::ZERO,
        on_change: None,
        at: Location { file: FileId(0), range: 0..0 },
    }
}

pub(super) fn line(schedule: &Schedule, handled: Timestamp) -> Line<'_> {
    Line { schedule, delay: Duration::ZERO, handled, busy: None, busy_until: None, tried: None }
}

fn at(minute: i64) -> Timestamp {
    Timestamp(minute * MINUTE)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn utc(text: &str) -> Timestamp {
    parse_timestamp(text.as_bytes()).unwrap().instant(&Zone::utc())
}

/// Gaps as `first-last reason`, runs as slots, in minutes.
fn said(plan: &Plan) -> (Vec<String>, Vec<i64>) {
    let minute = |at: Timestamp| at.0 / MINUTE;
    let gap =
        |gap: &PlannedGap| format!("{}-{} {} {}", minute(gap.first), minute(gap.last), gap.slots, gap.reason.name());
    (plan.gaps.iter().map(gap).collect(), plan.runs.iter().map(|run| minute(run.slot)).collect())
}

fn check(line: Line<'_>, now: i64, gaps: &[&str], runs: &[i64]) {
    let plan = plan(&[line], at(now));
    assert_eq!(said(&plan), (gaps.iter().map(|&gap| gap.to_owned()).collect(), runs.to_vec()), "{line:?} at {now}");
}

const MODES: [Missed; 3] = [Missed::Latest, Missed::All, Missed::Skip];

#[test]
fn slot_is_run_when_it_comes_and_not_before() {
    for missed in MODES {
        let every = schedule("10 minutes", "UTC", missed);
        let line = line(&every, at(20));
        check(line, 29, &[], &[]);
        check(line, 30, &[], &[30]);
        check(line, 31, &[], &[30]);
        assert_eq!(plan(&[line], at(29)).next, Some(at(30)));
    }
}

#[test]
fn missed_slots_go_the_way_that_the_schedule_says() {
    let lines = MODES.map(|missed| schedule("10 minutes", "UTC", missed));
    let [latest, all, skip] = lines.each_ref().map(|schedule| line(schedule, at(0)));
    check(latest, 45, &["10-30 3 missed"], &[40]);
    check(all, 45, &[], &[10]);
    check(skip, 45, &["10-40 4 missed"], &[]);
    // The last one has only just come.
    check(skip, 41, &["10-30 3 missed"], &[40]);
}

#[test]
fn slot_past_its_deadline_becomes_a_gap() {
    for (missed, gaps, runs) in [
        (Missed::Latest, &["10-20 2 deadline", "30-30 1 missed"][..], &[40][..]),
        (Missed::All, &["10-20 2 deadline"], &[30]),
        (Missed::Skip, &["10-20 2 deadline", "30-40 2 missed"], &[]),
    ] {
        let schedule = Schedule { deadline: Some(minutes(20)), ..schedule("10 minutes", "UTC", missed) };
        check(line(&schedule, at(0)), 45, gaps, runs);
    }
    let short = Schedule { deadline: Some(minutes(2)), ..schedule("10 minutes", "UTC", Missed::Latest) };
    check(line(&short, at(0)), 12, &[], &[10]);
    check(line(&short, at(0)), 13, &["10-10 1 deadline"], &[]);
}

#[test]
fn slot_that_comes_while_its_own_run_is_busy_becomes_a_gap() {
    for (missed, gaps, runs) in [
        (Missed::Latest, &["20-30 2 overlap"][..], &[40][..]),
        (Missed::Skip, &["20-30 2 overlap"], &[40]),
        (Missed::All, &[], &[20]),
    ] {
        let every = schedule("10 minutes", "UTC", missed);
        let busy = Line { busy: Some(at(10)), ..line(&every, at(0)) };
        check(busy, 35, &[], &[]);
        let done = Line { busy_until: Some(at(35)), ..line(&every, at(10)) };
        check(done, 41, gaps, runs);
    }
}

#[test]
fn failed_slot_is_tried_again_until_a_later_one_takes_its_place() {
    let tried = |times| Tried { slot: at(10), times, again: at(12), reason: GapReason::Failed };
    for missed in MODES {
        let every = schedule("10 minutes", "UTC", missed);
        let failed = Line { tried: Some(tried(1)), ..line(&every, at(0)) };
        check(failed, 11, &[], &[]);
        assert_eq!(plan(&[failed], at(11)).next, Some(at(12)));
        check(failed, 12, &[], &[10]);
        check(failed, 19, &[], &[10]);
        let (gaps, runs) = if missed == Missed::All { (&[][..], [10]) } else { (&["10-10 1 failed"][..], [20]) };
        check(failed, 21, gaps, &runs);
        check(Line { tried: Some(tried(MOST_TRIES)), ..failed }, 21, &["10-10 1 failed"], &[20]);
    }
}

#[test]
fn failed_slot_is_not_tried_after_its_deadline() {
    let schedule = Schedule { deadline: Some(minutes(5)), ..schedule("10 minutes", "UTC", Missed::All) };
    let tried = Tried { slot: at(10), times: 1, again: at(12), reason: GapReason::Deferred };
    let failed = Line { tried: Some(tried), ..line(&schedule, at(0)) };
    check(failed, 14, &[], &[10]);
    check(failed, 16, &["10-10 1 deferred"], &[]);
}

#[test]
fn clock_that_was_set_back_runs_nothing_twice_and_forgets_its_pauses() {
    let every = schedule("10 minutes", "UTC", Missed::Latest);
    for back in [1, 60, 60 * 24 * 400] {
        check(line(&every, at(1000)), 1000 - back, &[], &[]);
        assert_eq!(plan(&[line(&every, at(1000))], at(1000 - back)).next, Some(at(1010)));
    }
    // A pause that seems to be a day long.
    let tried = Tried { slot: at(10), times: 1, again: at(24 * 60), reason: GapReason::Failed };
    check(Line { tried: Some(tried), ..line(&every, at(0)) }, 11, &[], &[10]);
}

#[test]
fn jitter_delays_the_beginning_and_not_the_slot() {
    let every = schedule("10 minutes", "UTC", Missed::Skip);
    let late = Line { delay: minutes(3), ..line(&every, at(0)) };
    check(late, 12, &[], &[]);
    assert_eq!(plan(&[late], at(12)).next, Some(at(13)));
    check(late, 14, &[], &[10]);
}

#[test]
fn schedules_at_one_slot_are_one_run_and_runs_come_in_the_order_of_slots() {
    let (ten, twenty) = (schedule("10 minutes", "UTC", Missed::Latest), schedule("20 minutes", "UTC", Missed::Latest));
    let delayed = Line { delay: minutes(5), ..line(&twenty, at(0)) };
    let of = |lines: &[Line<'_>], now| plan(lines, at(now)).runs;
    assert_eq!(of(&[delayed, line(&ten, at(10))], 21), [PlannedRun { slot: at(20), lines: vec![0, 1] }]);
    // Alone, it waits for its own time.
    assert_eq!(of(&[delayed], 21), []);
    let first = PlannedRun { slot: at(20), lines: vec![1] };
    assert_eq!(of(&[line(&ten, at(20)), delayed], 31), [first, PlannedRun { slot: at(30), lines: vec![0] }]);
    let busy = Line { busy: Some(at(0)), ..delayed };
    assert_eq!(of(&[busy, line(&ten, at(10))], 21), [PlannedRun { slot: at(20), lines: vec![1] }]);
}

/// A year away from a schedule of every minute is looked at in pieces.
#[test]
fn long_absence_is_worked_off_in_pieces() {
    let every = schedule("1 minutes", "UTC", Missed::Latest);
    let (mut handled, mut slots, mut passes, now) = (at(0), 0, 0, at(60 * 24 * 365));
    let last = loop {
        let plan = plan(&[line(&every, handled)], now);
        handled = plan.gaps.last().map_or(handled, |gap| gap.last);
        slots += plan.gaps.iter().map(|gap| gap.slots).sum::<u64>();
        passes += 1;
        if let Some(run) = plan.runs.first() {
            break run.slot;
        }
        assert_eq!(plan.next, Some(now));
    };
    assert_eq!((last, slots), (now, 60 * 24 * 365 - 1));
    assert!(passes > 100 && passes < 110, "{passes}");
}

#[test]
fn changed_schedule_gives_up_what_has_come_and_is_not_being_run() {
    let every = schedule("10 minutes", "UTC", Missed::Latest);
    let gap = |first, last, slots| PlannedGap {
        line: 0,
        first: at(first),
        last: at(last),
        slots,
        reason: GapReason::Changed,
    };
    assert_eq!(given_up(0, &line(&every, at(0)), at(25)), [gap(10, 20, 2)]);
    assert_eq!(given_up(0, &Line { busy: Some(at(10)), ..line(&every, at(0)) }, at(25)), [gap(20, 20, 1)]);
    assert_eq!(given_up(0, &line(&every, at(20)), at(25)), []);
}

/// Every run of two days, with the clock looked at every half minute: (its slot, when it is asked for), in UTC.
fn runs_around(every: &str, zone: &str, from: &str) -> Vec<(String, String)> {
    let schedule = schedule(every, zone, Missed::Latest);
    let (mut handled, mut runs) = (utc(from), Vec::new());
    for look in 0..2 * 24 * 120 {
        let now = Timestamp(handled.0.max(utc(from).0 + look * 30 * MICROS));
        for run in plan(&[line(&schedule, handled)], now).runs {
            runs.push((run.slot.to_string(), now.to_string()));
            handled = run.slot;
        }
    }
    assert!(runs.iter().all(|(slot, asked)| slot == asked), "{runs:?}");
    runs
}

/// A time that the clock skips comes right after the gap, and one that it shows twice comes once.
#[test]
fn daily_runs_come_once_a_day_whatever_the_clock_of_the_zone_does() {
    for (zone, every, from, expected) in [
        // 02:00 → 03:00 on 29 March 2026, 03:00 → 02:00 on 25 October.
        ("Europe/Berlin", "daily at 02:15", "2026-03-28T12:00:00", ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"]),
        ("Europe/Berlin", "daily at 02:15", "2026-10-24T12:00:00", ["2026-10-25T00:15:00Z", "2026-10-26T01:15:00Z"]),
        // 02:00 → 03:00 on 8 March, 02:00 → 01:00 on 1 November.
        ("America/New_York", "daily at 02:15", "2026-03-07T12:00:00", ["2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"]),
        ("America/New_York", "daily at 01:30", "2026-10-31T12:00:00", ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]),
        // Half an hour: 02:00 → 02:30 on 4 October, 02:00 → 01:30 on 5 April.
        (
            "Australia/Lord_Howe",
            "daily at 02:15",
            "2026-10-03T12:00:00",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "daily at 01:45",
            "2026-04-04T12:00:00",
            ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
        ),
        // At midnight: 24:00 → 01:00 on 24 April, 24:00 → 23:00 on 29 October.
        ("Africa/Cairo", "daily at 00:30", "2026-04-23T12:00:00", ["2026-04-23T22:00:00Z", "2026-04-24T21:30:00Z"]),
        ("Africa/Cairo", "daily at 23:30", "2026-10-29T12:00:00", ["2026-10-29T20:30:00Z", "2026-10-30T21:30:00Z"]),
        // Never.
        ("Asia/Shanghai", "daily at 02:15", "2026-03-28T20:00:00", ["2026-03-29T18:15:00Z", "2026-03-30T18:15:00Z"]),
    ] {
        let runs = runs_around(every, zone, from);
        let slots: Vec<&str> = runs.iter().map(|(slot, _)| slot.as_str()).collect();
        assert_eq!(slots, expected, "{zone} {every} from {from}");
    }
}
