//! Levels over time: what the specification says (`spec`), and what a naive reference says (`model`).

mod base;
mod coverage;
mod model;
mod spec;

use tierd_model::{Date, Timestamp};
use tierd_rules::{Lock, LockUntil, Movement, Timing};

use super::*;
use crate::{expr::CHUNK, history::OverrideKind, testing::clock};
use base::{Conditions, Facts, ladder, metrics};

fn run(set: &TierSet, facts: &[Facts], held: &[Held], overrides: &[Override], day: &str) -> Settled {
    let (metrics, clock) = (metrics(facts), clock(day, "UTC"));
    let graded = crate::levels::grade(set, &metrics, &clock).unwrap();
    settle(set, &metrics, graded, held, overrides, &clock)
}

fn keeping() -> TierSet {
    ladder(Movement::AT_ONCE, &Conditions { keep: true, ..Conditions::default() })
}

fn at(level: u16) -> Held {
    Held { level, since: Timestamp(1), state: PolicyState::at(level) }
}

#[test]
fn keep_conditions_count_for_the_level_before_and_those_below_it_in_every_chunk() {
    let subjects = CHUNK + 3;
    let facts = vec![Facts { enter: Some(12), keep: Some(26) }; subjects];
    let mut held = vec![at(2); subjects];
    (held[CHUNK], held[CHUNK + 1]) = (at(1), at(3));
    let settled = run(&keeping(), &facts, &held, &[], "2026-01-01");
    let mut expected = vec![2; subjects];
    (expected[CHUNK], expected[CHUNK + 1]) = (1, 3);
    assert_eq!((settled.held, settled.moved, settled.states), (expected, vec![], vec![]));
}

#[test]
fn nothing_is_remembered_where_there_is_nothing_to_remember() {
    let facts = [Some(5), Some(15), Some(25)].map(|value| Facts { enter: value, keep: value });
    let settled = run(&keeping(), &facts, &[Held::NOTHING, at(1), at(3)], &[], "2026-01-01");
    assert_eq!(settled.held, [0, 1, 3]);
    // That the policy gives the new level is told all the same: an override might have given it.
    assert_eq!((settled.moved, settled.states), (vec![(0, Reason::First)], vec![(0, PolicyState::at(0))]));
}

#[test]
fn a_lock_to_a_day_holds_for_levels_that_were_taken_before_the_rules_had_it() {
    let until = LockUntil::Day(Date::from_ymd(2026, 7, 1).unwrap());
    let locked = Movement { lock: Some(Lock { until, renew: false }), ..Movement::AT_ONCE };
    let set = ladder(locked, &Conditions::default());
    let low = [Facts { enter: Some(5), keep: Some(5) }];
    let held = |day| run(&set, &low, &[at(2)], &[], day).held;
    assert_eq!((held("2026-06-30"), held("2026-07-01")), (vec![2], vec![0]));
}

#[test]
fn a_level_that_the_rules_have_no_longer_is_taken_anew() {
    let facts = [Facts { enter: Some(15), keep: Some(15) }];
    let removed = Held { since: Timestamp(1), ..Held::NOTHING };
    let never = Movement { upgrade: Timing::Never, ..Movement::AT_ONCE };
    let settled = run(&ladder(never, &Conditions::default()), &facts, &[removed], &[], "2026-01-01");
    assert_eq!((settled.held, settled.moved), (vec![1], vec![(0, Reason::LevelRemoved)]));
}

#[test]
fn reasons_of_sets_that_move_at_once_are_known_without_settling() {
    let removed = Held { since: Timestamp(1), ..Held::NOTHING };
    let before = [Held::NOTHING, removed, at(0), at(1), at(2), at(3)];
    for ordered in [true, false] {
        let set = ladder(Movement::AT_ONCE, &Conditions { lowest: true, ordered, ..Conditions::default() });
        for (was, enter) in before.iter().flat_map(|was| [0, 1, 10, 20, 30].map(|enter| (was, enter))) {
            let facts = [Facts { enter: Some(enter), keep: None }];
            let settled = run(&set, &facts, std::slice::from_ref(was), &[], "2026-01-01");
            for (_, reason) in &settled.moved {
                assert_eq!(reason_at_once(&set, was, settled.held[0]), *reason, "{was:?} to {:?}", settled.held);
            }
        }
    }
    let set = ladder(Movement::AT_ONCE, &Conditions::default());
    assert_eq!(reason_at_once(&set, &removed, 1), Reason::LevelRemoved);
    assert_eq!(reason_at_once(&set, &Held::NOTHING, 1), Reason::First);
}

#[test]
fn of_several_overrides_the_last_pin_wins_then_floors_then_ceilings() {
    use OverrideKind::{Ceiling, Floor, Pin};
    let cases: &[(&[(OverrideKind, u16)], u16)] = &[
        (&[(Pin, 3), (Pin, 2), (Floor, 3)], 2),
        (&[(Floor, 2), (Floor, 3)], 3),
        (&[(Floor, 3), (Ceiling, 2)], 2),
        (&[(Ceiling, 0)], 0),
        (&[(Ceiling, 2)], 1),
        (&[(Pin, NONE), (Floor, 9)], 1),
    ];
    for (overrides, expected) in cases {
        let of = |subject: u32| move |&(kind, level)| Override { subject, kind, level };
        let all: Vec<_> = overrides.iter().map(of(0)).chain(overrides.iter().map(of(2))).collect();
        let facts = [Facts { enter: Some(15), keep: None }; 3];
        let settled = run(&ladder(Movement::AT_ONCE, &Conditions::default()), &facts, &[at(1); 3], &all, "2026-01-01");
        assert_eq!(settled.held, [*expected, 1, *expected], "{overrides:?}");
    }
}

#[test]
fn a_policy_goes_on_under_an_override_and_is_remembered_while_it_differs() {
    let set = ladder(Movement::AT_ONCE, &Conditions::default());
    let pin = Override { subject: 0, kind: OverrideKind::Pin, level: 3 };
    let facts = |value| [Facts { enter: Some(value), keep: None }];
    let pinned = run(&set, &facts(15), &[at(1)], &[pin], "2026-01-01");
    assert_eq!((&pinned.held, &pinned.moved), (&vec![3], &vec![(0, Reason::Override)]));
    assert_eq!(pinned.states, [(0, PolicyState::at(1))]);
    let held = Held { level: 3, since: Timestamp(2), state: PolicyState::at(1) };
    let ended = run(&set, &facts(25), &[held], &[], "2026-01-02");
    assert_eq!((ended.held, ended.moved), (vec![2], vec![(0, Reason::OverrideEnded)]));
    assert_eq!(ended.states, [(0, PolicyState::at(2))], "listed once, to replace what was kept");
}

/// A policy that looks at periods from now on doesn't move anybody at once: the next period end is the first.
#[test]
fn a_policy_that_begins_to_go_by_periods_waits_for_the_next_one() {
    let by_year = Movement { downgrade: Timing::AtPeriodEnd, ..Movement::AT_ONCE };
    let set = ladder(by_year, &Conditions::default());
    let facts = [Facts { enter: Some(5), keep: None }];
    let settled = run(&set, &facts, &[at(2)], &[], "2026-05-01");
    let (may, january) = (Date::from_ymd(2026, 5, 1), Date::from_ymd(2026, 1, 1));
    let waits = PolicyState { below_since: may, decided: january, ..PolicyState::at(2) };
    assert_eq!((settled.held, settled.states), (vec![2], vec![(0, waits)]));
}
