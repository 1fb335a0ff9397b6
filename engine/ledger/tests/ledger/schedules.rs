//! Slots of schedules: taken care of by runs and by gaps, once each.

use tierd_ledger::{
    Cause, Gap, GapReason, GapState, Keys, Ledger, NewGap, Outcome, Reader, RunId, RunRecord, RunStart, RunSummary,
};
use tierd_model::Timestamp;

use crate::common::*;

fn slot(day: i64) -> Timestamp {
    start(day).as_of
}

fn follow(ledger: &mut Ledger, names: &[&str], now: i64) {
    let written: Vec<_> = names.iter().map(|&name| (name, "daily Asia/Shanghai".to_owned())).collect();
    ledger.follow_schedules(&written, slot(now)).unwrap();
}

fn handled(place: &Place) -> Vec<(String, i64)> {
    let followed = Reader::open(&place.path).unwrap().followed_schedules().unwrap();
    let day = |at: Timestamp| (at.0 - FIRST_DAY) / tierd_model::DAY_MICROS;
    followed.into_iter().map(|one| (one.name, day(one.handled))).collect()
}

fn scheduled(ledger: &mut Ledger, cause: Cause, day: i64, names: &[&str], level: u16) -> RunSummary {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let start = RunStart { cause, schedules: Some(&names), ..start(day) };
    let set = decisions(Keys::Integer(&[7]), std::slice::from_ref(&level));
    ledger.begin_run(start).apply(&RunRecord::default(), &[set], &[]).unwrap()
}

fn gap(schedule: &str, days: std::ops::RangeInclusive<i64>, reason: GapReason) -> NewGap<'_> {
    let slots = days.clone().count() as u64;
    NewGap { schedule, first: slot(*days.start()), last: slot(*days.end()), slots, reason }
}

fn gaps(place: &Place) -> Vec<Gap> {
    Reader::open(&place.path).unwrap().gaps(None).unwrap()
}

#[test]
fn schedule_counts_from_when_it_is_first_seen_or_comes_at_other_times() {
    let place = place();
    let mut ledger = open(&place.path);
    follow(&mut ledger, &["default", "monthly"], 3);
    follow(&mut ledger, &["default", "monthly"], 9);
    assert_eq!(handled(&place), [("default".to_owned(), 3), ("monthly".to_owned(), 3)]);

    ledger.follow_schedules(&[("default", "hourly UTC".to_owned())], slot(11)).unwrap();
    assert_eq!(handled(&place), [("default".to_owned(), 11)]);
    follow(&mut ledger, &["monthly"], 12);
    assert_eq!(handled(&place), [("monthly".to_owned(), 12)]);
}

#[test]
fn run_moves_its_schedules_forward_and_never_back() {
    let place = place();
    let mut ledger = open(&place.path);
    follow(&mut ledger, &["default", "monthly", "other"], 0);
    scheduled(&mut ledger, Cause::Schedule, 5, &["default", "monthly"], 1);
    scheduled(&mut ledger, Cause::Schedule, 2, &["default"], 1);
    for cause in [Cause::Hand, Cause::Change, Cause::Approval, Cause::Fill] {
        scheduled(&mut ledger, cause, 8, &["other"], 1);
    }
    let expected = [("default", 5), ("monthly", 5), ("other", 0)].map(|(name, day)| (name.to_owned(), day));
    assert_eq!(handled(&place), expected);
}

#[test]
fn failed_run_leaves_its_slot_to_be_taken_care_of() {
    let place = place();
    let mut ledger = open(&place.path);
    follow(&mut ledger, &["default"], 0);
    let names = ["default".to_owned()];
    let start = RunStart { cause: Cause::Schedule, schedules: Some(&names), ..start(1) };
    let run = ledger.begin_run(start).fail(&RunRecord::default(), "the table is gone").unwrap();
    assert_eq!(handled(&place), [("default".to_owned(), 0)]);
    let last = Reader::open(&place.path).unwrap().last_scheduled_run("default").unwrap().unwrap();
    assert_eq!((last.id, last.outcome), (run, Outcome::Failed("the table is gone".to_owned())));
}

#[test]
fn gaps_one_after_the_other_for_one_reason_are_one() {
    let place = place();
    let mut ledger = open(&place.path);
    follow(&mut ledger, &["default"], 0);
    ledger.note_gaps(&[gap("default", 1..=3, GapReason::Missed)], slot(4)).unwrap();
    ledger.note_gaps(&[gap("default", 4..=4, GapReason::Missed)], slot(5)).unwrap();
    ledger.note_gaps(&[gap("default", 5..=5, GapReason::Overlap)], slot(6)).unwrap();
    scheduled(&mut ledger, Cause::Schedule, 6, &["default"], 1);
    // A run lies in between.
    ledger.note_gaps(&[gap("default", 7..=7, GapReason::Overlap)], slot(8)).unwrap();
    let ranges: Vec<_> = gaps(&place).iter().map(|gap| (gap.first, gap.last, gap.slots, gap.reason)).collect();
    assert_eq!(
        ranges,
        [
            (slot(1), slot(4), 4, GapReason::Missed),
            (slot(5), slot(5), 1, GapReason::Overlap),
            (slot(7), slot(7), 1, GapReason::Overlap)
        ]
    );
    assert_eq!(handled(&place), [("default".to_owned(), 7)]);
}

#[test]
fn gap_is_open_until_it_is_filled_or_a_later_run_has_decided_the_same() {
    let place = place();
    let mut ledger = open(&place.path);
    follow(&mut ledger, &["default", "monthly"], 0);
    let noted = [gap("default", 1..=2, GapReason::Missed), gap("monthly", 1..=1, GapReason::Failed)];
    ledger.note_gaps(&noted, slot(4)).unwrap();
    let states = |place: &Place| -> Vec<_> {
        gaps(place).into_iter().map(|gap| (gap.schedule, gap.filled, gap.state)).collect()
    };
    let default = |filled, state| ("default".to_owned(), filled, state);
    let monthly = |filled, state| ("monthly".to_owned(), filled, state);
    assert_eq!(states(&place), [default(0, GapState::Open), monthly(0, GapState::Open)]);

    scheduled(&mut ledger, Cause::Fill, 1, &["default"], 1);
    assert_eq!(states(&place), [default(1, GapState::Open), monthly(0, GapState::Open)]);
    let filled = scheduled(&mut ledger, Cause::Fill, 2, &["default"], 2).run;
    assert_eq!(states(&place), [default(2, GapState::Filled(filled)), monthly(0, GapState::Open)]);

    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.decided_until("default").unwrap(), Some(slot(2)));
    assert_eq!(reader.decided_until("monthly").unwrap(), None);
    // By hand, everything is decided.
    run(&mut ledger, 3, &[7], &[0]);
    assert_eq!(reader.decided_until("monthly").unwrap(), Some(slot(3)));
    assert_eq!(states(&place), [default(2, GapState::Filled(filled)), monthly(0, GapState::Overtaken)]);
    assert_eq!(filled, RunId(2));
}
