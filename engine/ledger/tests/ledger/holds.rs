//! Runs that wait for a person: what they leave, who decides them, and that they are decided once.

use std::time::Duration;

use tierd_ledger::{
    ActRow, Cause, ErrorKind, HoldState, Keys, Ledger, NewTask, Outcome, Outgoing, Reader, RuleDecisions, RuleState,
    RuleStateRow, RunId, RunRecord, RunStart, RunSummary, SetDecisions, StateRow, Verdict,
};

use crate::common::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Applies these levels by a person's approval of a hold.
fn approve(
    ledger: &mut Ledger,
    hold: RunId,
    verdict: Verdict<'_>,
    assigned: &[u16],
) -> tierd_ledger::Result<RunSummary> {
    let start = RunStart { cause: Cause::Approval, ..start(0) };
    let keys = [7, 42];
    let set = decisions(Keys::Integer(&keys), assigned);
    ledger.begin_run(start).approving(hold, verdict).apply(&RunRecord::default(), &[set], &[])
}

fn state(place: &Place, hold: RunId) -> HoldState {
    Reader::open(&place.path).unwrap().hold(hold).unwrap().unwrap().state
}

#[test]
fn held_run_changes_nothing_and_waits() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[7, 42], &[0, 1]);
    let schedules = names(&["monthly"]);
    let held = hold(&mut ledger, 1, Some(&schedules));
    let reader = Reader::open(&place.path).unwrap();
    let found = reader.hold(held).unwrap().unwrap();
    assert_eq!(found.run.outcome, Outcome::Held(NEW_HOLD.message.to_owned()));
    assert_eq!((found.run.cause, found.run.schedules.as_ref()), (Cause::Schedule, Some(&schedules)));
    assert_eq!((&*found.shown, found.digest), (NEW_HOLD.shown, NEW_HOLD.digest));
    assert_eq!(
        (found.state, found.at, found.by, found.why, found.followed),
        (HoldState::Waiting, None, None, None, None)
    );
    assert_eq!(reader.held_levels("value", Keys::Integer(&[7, 42]), LEVELS).unwrap(), [0, 1]);
    assert_eq!(reader.last_applied_run().unwrap().unwrap().id, RunId(1), "a held run has decided nothing");
    assert_eq!(reader.hold(RunId(1)).unwrap(), None);
    assert_eq!(reader.holds(true, 10).unwrap().len(), 1);
    assert_sound(&place.path);
}

#[test]
fn approval_and_what_it_applies_are_one() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[7, 42], &[0, 1]);
    let held = hold(&mut ledger, 1, None);
    let summary = approve(&mut ledger, held, verdict("王芳"), &[2, 2]).unwrap();
    assert_eq!(summary.transitions, 2);
    let reader = Reader::open(&place.path).unwrap();
    let found = reader.hold(held).unwrap().unwrap();
    assert_eq!((found.state, found.followed), (HoldState::Approved, Some(summary.run)));
    assert_eq!((found.by.as_deref(), found.why.as_deref()), (Some("王芳"), Some("checked with sales")));
    assert_eq!(reader.run(summary.run).unwrap().unwrap().cause, Cause::Approval);
    assert_eq!(reader.holds(true, 10).unwrap(), []);
    assert_sound(&place.path);
}

/// Whoever comes second is told what the first has done, and changes nothing.
#[test]
fn hold_is_decided_once() {
    let place = place();
    let mut ledger = open(&place.path);
    let approved = hold(&mut ledger, 1, Some(&names(&["a"])));
    let applied = approve(&mut ledger, approved, verdict("Ada"), &[2, 2]).unwrap().run;
    let refused = approve(&mut ledger, approved, verdict("Bob"), &[1, 1]).unwrap_err();
    assert!(
        refused.to_string().ends_with(&format!("no longer waits: approved by Ada, applied by run {}", applied.0)),
        "{refused}"
    );
    assert!(matches!(ledger.reject_hold(approved, &verdict("Bob")).unwrap_err().kind, ErrorKind::HoldOver { .. }));

    let rejected = hold(&mut ledger, 2, None);
    ledger.reject_hold(rejected, &verdict("Bob")).unwrap();
    let refused = approve(&mut ledger, rejected, verdict("Ada"), &[1, 1]).unwrap_err();
    assert!(refused.to_string().ends_with("no longer waits: rejected by Bob"), "{refused}");
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.held_levels("value", Keys::Integer(&[7, 42]), LEVELS).unwrap(), [2, 2]);
    assert_eq!(reader.runs(10).unwrap().len(), 3, "what is refused leaves no run");
    assert_sound(&place.path);
}

#[test]
fn verdict_needs_a_name_a_reason_and_a_hold() {
    let place = place();
    let mut ledger = open(&place.path);
    let held = hold(&mut ledger, 1, None);
    let nameless = Verdict { by: " ", ..verdict("Ada") };
    let groundless = Verdict { why: "\t", ..verdict("Ada") };
    assert!(matches!(approve(&mut ledger, held, nameless, &[1, 1]).unwrap_err().kind, ErrorKind::Nobody));
    assert!(matches!(approve(&mut ledger, held, groundless, &[1, 1]).unwrap_err().kind, ErrorKind::NoReason));
    assert!(matches!(ledger.reject_hold(held, &nameless).unwrap_err().kind, ErrorKind::Nobody));
    assert!(matches!(ledger.reject_hold(held, &groundless).unwrap_err().kind, ErrorKind::NoReason));
    assert!(matches!(ledger.reject_hold(RunId(9), &verdict("Ada")).unwrap_err().kind, ErrorKind::NoHold(9)));
    assert_eq!(state(&place, held), HoldState::Waiting);
}

#[test]
fn later_run_of_the_same_schedules_takes_the_place_of_a_hold() {
    let daily = names(&["daily", "default"]);
    let monthly = names(&["monthly"]);
    let both = names(&["daily", "monthly"]);
    type Names<'a> = Option<&'a [String]>;
    let cases: [(Names<'_>, Names<'_>, bool); 6] = [
        (None, None, true),
        (None, Some(&daily), true),
        (Some(&daily), None, true),
        (Some(&daily), Some(&monthly), false),
        (Some(&daily), Some(&both), true),
        (Some(&both), Some(&monthly), true),
    ];
    for (first, second, takes) in cases {
        for is_held in [true, false] {
            let place = place();
            let mut ledger = open(&place.path);
            let waiting = hold(&mut ledger, 0, first);
            let later = if is_held {
                hold(&mut ledger, 1, second)
            } else {
                let start = RunStart { schedules: second, ..start(1) };
                ledger.begin_run(start).apply(&RunRecord::default(), &[], &[]).unwrap().run
            };
            let found = Reader::open(&place.path).unwrap().hold(waiting).unwrap().unwrap();
            let expected = if takes { (HoldState::Superseded, Some(later)) } else { (HoldState::Waiting, None) };
            assert_eq!((found.state, found.followed), expected, "{first:?} {second:?} {is_held}");
            assert_sound(&place.path);
        }
    }
}

#[test]
fn failed_run_leaves_holds_waiting() {
    let place = place();
    let mut ledger = open(&place.path);
    let held = hold(&mut ledger, 0, None);
    fail(&mut ledger, 1, "the database is locked");
    assert_eq!(state(&place, held), HoldState::Waiting);
}

#[test]
fn digest_sees_everything_that_would_be_written() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[7, 42], &[0, 1]);
    let reader = Reader::open(&place.path).unwrap();
    let digest =
        |sets: &[SetDecisions<'_>], rules: &[RuleDecisions<'_>]| reader.digest(start(1).as_of, sets, rules).unwrap();
    let keys = [7, 42];
    let set = decisions(Keys::Integer(&keys), &[2, 1]);
    let remembered = StateRow { subject: 0, policy: 2, below_since: None, locked_until: None, decided: None };
    let (one, other) = ([remembered], [StateRow { decided: Some(start(1).today), ..remembered }]);
    let state = |acted| [RuleStateRow { subject: 0, state: RuleState { acted, ..RuleState::default() } }];
    let (open, acted) = (state(false), state(true));
    let renamed = |owner: Option<&str>| {
        let Outgoing::Task(task) = task("call", 5) else { unreachable!("a task") };
        [act(0, Outgoing::Task(NewTask { owner: owner.map(str::to_owned), ..task }))]
    };
    let (named, unnamed, sent) = (renamed(Some("sales")), renamed(None), [act(0, event("coupon"))]);
    let silent = [ActRow { outgoing: Vec::new(), ..act(0, event("coupon")) }];
    let rule = |states, acts| [win_back(&keys, states, acts)];
    let all = [
        digest(&[], &[]),
        digest(&[set], &[]),
        digest(&[SetDecisions { assigned: &[1, 1], ..set }], &[]),
        digest(&[SetDecisions { states: Some(&[]), ..set }], &[]),
        digest(&[SetDecisions { states: Some(&one), ..set }], &[]),
        digest(&[SetDecisions { states: Some(&other), ..set }], &[]),
        digest(&[], &rule(&[], &[])),
        digest(&[], &rule(&open, &[])),
        digest(&[], &rule(&acted, &[])),
        digest(&[], &rule(&[], &named)),
        digest(&[], &rule(&[], &unnamed)),
        digest(&[], &rule(&[], &sent)),
        digest(&[], &rule(&[], &silent)),
        digest(&[], &[RuleDecisions { shadow: true, ..win_back(&keys, &[], &[]) }]),
        reader.digest(start(2).as_of, &[set], &[]).unwrap(),
    ];
    for (i, digest) in all.iter().enumerate() {
        assert!(!all[..i].contains(digest), "{i} is as one before");
    }
    let before = digest(&[set], &[]);
    assert_eq!(before, digest(&[SetDecisions { metrics: &|_, _| (), reason: &|_| "other", ..set }], &[]));
    // Somebody new gets a first level; nobody had to be asked.
    let (more, levels) = ([7, 8, 42], [2, 0, 1]);
    let newcomer = SetDecisions { keys: Keys::Integer(&more), assigned: &levels, ..set };
    assert_eq!(before, digest(&[newcomer], &[]));
    let unknown = SetDecisions { name: "other", ..newcomer };
    assert_ne!(
        digest(&[unknown], &[]),
        digest(&[SetDecisions { assigned: &[2, 1, 1], ..unknown }], &[]),
        "in a new set they count"
    );
    run(&mut ledger, 1, &[7, 42], &[1, 1]);
    assert_ne!(digest(&[set], &[]), before, "the same level from another one is another change");
}

#[test]
fn rows_before_are_those_of_the_last_run_that_decided_the_same() {
    let place = place();
    let mut ledger = open(&place.path);
    let (daily, monthly) = (names(&["daily"]), names(&["monthly", "yearly"]));
    let mut applied = |schedules: Option<&[String]>, rows: Option<&str>| {
        let record = RunRecord { table_rows: rows, ..RunRecord::default() };
        ledger.begin_run(RunStart { schedules, ..start(0) }).apply(&record, &[], &[]).unwrap();
    };
    applied(None, Some("{\"n\":1}"));
    applied(Some(&monthly), Some("{\"n\":2}"));
    applied(Some(&daily), Some("{\"n\":3}"));
    applied(Some(&monthly), None);
    let held = RunRecord { table_rows: Some("{\"n\":4}"), ..RunRecord::default() };
    ledger.begin_run(start(1)).hold(&held, &NEW_HOLD).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let rows = |schedule| reader.last_table_rows(schedule).unwrap().unwrap();
    assert_eq!(
        [None, Some("daily"), Some("monthly"), Some("yearly"), Some("other")].map(rows),
        [1, 3, 2, 2, 1].map(|n| format!("{{\"n\":{n}}}"))
    );
}

#[test]
fn writers_wait_for_each_other_as_long_as_their_patience_lasts() {
    let place = place();
    let ledger = open(&place.path);
    let refused = Ledger::open_waiting(&place.path, "a test", Duration::from_millis(50)).unwrap_err();
    assert!(
        matches!(&refused.kind, ErrorKind::Locked { holder } if holder.starts_with("a test (process")),
        "{refused}"
    );
    let path = place.path.clone();
    let second = std::thread::spawn(move || Ledger::open_waiting(&path, "the second", Duration::from_secs(30)).is_ok());
    drop(ledger);
    assert!(second.join().unwrap());
}
