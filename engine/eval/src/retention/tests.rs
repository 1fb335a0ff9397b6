mod naive;
mod world;

use tierd_model::{CalendarSpan, Key, MonthDay};
use tierd_rules::retention::{DateTrigger, Direction, Reentry, RunLimit};

use super::*;
use crate::{levels::NONE, testing::date};
use world::{BIRTHDAY, Now, SET, World, acted, idle, moves, now, planned, rule};

fn days(days: i32) -> CalendarSpan {
    CalendarSpan::days(days)
}

fn warns() -> RetentionRule {
    rule("warn", Trigger::State, idle(30))
}

const WARN: [&str; 1] = ["warn"];
const NOBODY: [&str; 0] = [];

#[test]
fn r1_a_warning_comes_once_per_entry() {
    let mut world = World::new(vec![warns()]);
    assert_eq!(world.one("2026-01-01", &now(29)), NOBODY);
    assert_eq!(world.one("2026-01-02", &now(30)), WARN);
    assert_eq!(world.one("2026-01-03", &now(31)), NOBODY);
    assert_eq!(world.one("2026-01-04", &now(0)), NOBODY);
    assert_eq!(world.one("2026-02-04", &now(31)), WARN);
}

#[test]
fn unknown_opens_ends_and_starts_nothing() {
    let unknown = Now { idle: None, ..now(0) };
    let mut world = World::new(vec![RetentionRule { hold_for: Some(days(2)), ..warns() }]);
    let first = &world.run("2026-01-01", std::slice::from_ref(&unknown))[0];
    assert_eq!((first.unknown, first.entered, first.states.len()), (1, 0, 0));
    assert_eq!(world.one("2026-01-02", &now(30)), NOBODY);
    assert_eq!(world.one("2026-01-04", &unknown), NOBODY, "it may act by now, but isn't known to qualify");
    assert_eq!(world.one("2026-01-05", &now(30)), WARN, "the entry goes on");
    assert_eq!(world.one("2026-01-06", &unknown), NOBODY);
    assert_eq!(world.one("2026-01-07", &now(30)), NOBODY, "it is still the same entry");
}

#[test]
fn an_entry_must_last_by_local_days() {
    let mut world = World::new(vec![RetentionRule { hold_for: Some(days(2)), ..warns() }]);
    let waiting = &world.run("2026-01-01T23:59", &[now(30)])[0];
    assert_eq!((waiting.entered, waiting.waiting.hold_for), (1, 1));
    assert_eq!(world.one("2026-01-02T23:59", &now(30)), NOBODY);
    assert_eq!(world.one("2026-01-03T00:00", &now(30)), WARN);
    // A break begins it anew.
    assert_eq!(world.one("2026-01-04", &now(0)), NOBODY);
    assert_eq!(world.one("2026-01-05", &now(30)), NOBODY);
    assert_eq!(world.one("2026-01-07", &now(30)), WARN);
}

#[test]
fn another_for_begins_the_wait_anew() {
    let mut world = World::new(vec![RetentionRule { hold_for: Some(days(5)), ..warns() }]);
    assert_eq!(world.one("2026-01-01", &now(30)), NOBODY);
    world.wait(Some(days(3)));
    let edited = world.run("2026-01-05", &[now(30)]).remove(0);
    assert_eq!((edited.waiting.hold_for, edited.states.len()), (1, 1), "it would be over by either");
    assert_eq!(world.one("2026-01-07", &now(30)), NOBODY);
    assert_eq!(world.one("2026-01-08", &now(30)), WARN);
    world.wait(Some(days(1)));
    assert_eq!(world.one("2026-01-09", &now(30)), NOBODY);
    assert_eq!(world.one("2026-01-20", &now(30)), NOBODY, "who was acted on stays so");
}

#[test]
fn a_wait_that_is_added_or_taken_away_counts_from_now() {
    let mut world = World::new(vec![RetentionRule { hold_for: Some(days(5)), cooldown: Some(days(9)), ..warns() }]);
    assert_eq!(world.one("2026-01-01", &now(30)), NOBODY);
    world.wait(None);
    assert_eq!(world.one("2026-01-02", &now(30)), WARN, "there is nothing left to wait for");
    assert_eq!(world.one("2026-01-03", &now(0)), NOBODY);
    assert_eq!(world.one("2026-01-04", &now(30)), NOBODY, "the cool-down goes on");
    world.wait(Some(days(8)));
    assert_eq!(world.one("2026-01-11", &now(30)), NOBODY, "the wait begins");
    assert_eq!(world.one("2026-01-18", &now(30)), NOBODY, "the cool-down is over");
    assert_eq!(world.one("2026-01-19", &now(30)), WARN);
}

#[test]
fn r2_a_win_back_waits_for_its_cooldown() {
    let mut world = World::new(vec![RetentionRule { cooldown: Some(days(90)), ..warns() }]);
    assert_eq!(world.one("2026-01-01", &now(30)), WARN);
    assert_eq!(world.one("2026-01-10", &now(0)), NOBODY);
    let waiting = &world.run("2026-02-10", &[now(30)])[0];
    assert_eq!((waiting.acts.len(), waiting.waiting.cooldown), (0, 1));
    assert_eq!(world.one("2026-03-31", &now(30)), NOBODY);
    assert_eq!(world.one("2026-04-01", &now(30)), WARN, "in the same entry, once the cooldown is over");
}

#[test]
fn a_rule_may_act_once_and_never_again_or_again_and_again() {
    let mut once = World::new(vec![RetentionRule { reentry: Reentry::Once, ..warns() }]);
    assert_eq!(once.one("2026-01-01", &now(30)), WARN);
    assert_eq!(once.one("2026-01-02", &now(0)), NOBODY);
    assert_eq!(once.one("2027-01-02", &now(30)), NOBODY);
    let mut every = World::new(vec![RetentionRule { reentry: Reentry::Every(days(30)), ..warns() }]);
    assert_eq!(every.one("2026-01-01", &now(30)), WARN);
    assert_eq!(every.one("2026-01-30", &now(30)), NOBODY);
    assert_eq!(every.one("2026-01-31", &now(30)), WARN);
    assert_eq!(every.one("2026-02-01", &now(0)), NOBODY);
    assert_eq!(every.one("2026-02-02", &now(30)), WARN, "a new entry");
}

#[test]
fn r2_held_out_subjects_count_as_acted_on() {
    let of = |key: i64| holdout::is_held_out(&RetentionRule { holdout: 500_000, ..warns() }, &Key::Integer(key));
    let subjects = vec![now(30); 40];
    let expected: Vec<u32> = (0..40).filter(|key| of(i64::from(*key))).collect();
    let mut world = World::new(vec![RetentionRule { holdout: 500_000, ..warns() }]);
    let outcome = &world.run("2026-01-01", &subjects)[0];
    assert_eq!(acted(outcome, ActKind::HeldOut), expected);
    assert!((10..30).contains(&expected.len()), "{expected:?}");
    assert_eq!(acted(outcome, ActKind::Acted).len(), 40 - expected.len());
    assert!(outcome.states.iter().all(|(_, state)| state.acted && state.last_acted.is_some()));
    assert_eq!(world.run("2026-01-02", &subjects)[0].acts, []);
}

/// The remainders of `printf 'win_back\0KEY' | sha256sum`, its first 16 digits modulo 1,000,000.
#[test]
fn r2_who_is_held_out_depends_on_nothing_but_rule_and_key() {
    let remainders = [(Key::Integer(1), 246_392), (Key::Integer(42), 403_273), (Key::Text("王小明".into()), 307_521)];
    for (key, remainder) in remainders {
        let held_out =
            |holdout| holdout::is_held_out(&RetentionRule { holdout, ..rule("win_back", Trigger::State, None) }, &key);
        assert!(!held_out(0) && !held_out(remainder) && held_out(remainder + 1) && held_out(1_000_000), "{key}");
    }
}

fn on(day: DateTrigger, from: i32, until: i32) -> Trigger {
    Trigger::Date { day, from: days(from), until: days(until) }
}

fn born(day: &str) -> Now {
    Now { birthday: Some(date(day)), ..now(0) }
}

#[test]
fn r3_a_birthday_comes_every_year_and_is_greeted_once() {
    let mut world = World::new(vec![rule("greet", on(DateTrigger::Anniversary(BIRTHDAY), -7, 0), None)]);
    let customer = born("1990-03-05");
    for (day, greeted) in [
        ("2026-02-25", false),
        ("2026-02-27", true),
        ("2026-03-05", false),
        ("2026-03-06", false),
        ("2027-03-05", true),
        ("2028-03-06", false),
    ] {
        assert_eq!(!world.one(day, &customer).is_empty(), greeted, "{day}");
    }
    let acts = world.run("2029-02-26T10:00", &[customer, born("2029-02-27"), now(0)])[0].acts.clone();
    let Some(tierd_model::Value::Date(occurrence)) = born("2029-03-05").birthday else { unreachable!() };
    assert_eq!(acts.len(), 1, "the day of birth is no anniversary, and without a date there is none");
    assert_eq!((acts[0].subject, acts[0].occurrence), (0, Some(occurrence)));
}

#[test]
fn r3_a_leap_day_is_the_28th_in_other_years() {
    let mut world = World::new(vec![rule("greet", on(DateTrigger::Anniversary(BIRTHDAY), 0, 0), None)]);
    let customer = born("2004-02-29");
    assert_eq!(world.one("2025-02-28", &customer), ["greet"]);
    assert_eq!(world.one("2028-02-28", &customer), NOBODY);
    assert_eq!(world.one("2028-02-29", &customer), ["greet"]);
}

#[test]
fn r3_a_contract_end_comes_once_and_a_holiday_for_all() {
    let christmas = DateTrigger::Yearly(MonthDay::parse("12-24").unwrap());
    let rules = vec![
        rule("contract", on(DateTrigger::On(BIRTHDAY), -30, -1), idle(5)),
        rule("holiday", on(christmas, 3, 5), None),
    ];
    let mut world = World::new(rules);
    let customer = |idle| Now { idle: Some(idle), ..born("2026-12-31") };
    assert_eq!(world.one("2026-12-01", &customer(0)), NOBODY);
    assert_eq!(world.one("2026-12-26", &customer(5)), ["contract"]);
    assert_eq!(world.one("2026-12-27", &customer(0)), ["holiday"]);
    assert_eq!(world.one("2026-12-28", &customer(5)), NOBODY, "the condition came again, but not for another date");
    assert_eq!(world.one("2027-12-30", &customer(5)), NOBODY);
    // Across the turn of the year: three days after the last 24 December.
    let new_year = DateTrigger::Yearly(MonthDay::parse("12-31").unwrap());
    let mut world = World::new(vec![rule("wish", on(new_year, 1, 2), None)]);
    assert_eq!(world.one("2027-01-02", &now(0)), ["wish"]);
}

#[test]
fn r4_follow_ups_come_by_level() {
    let mut world = World::new(vec![rule("follow", Trigger::FollowUp(SET), None)]);
    let at = |level| Now { level, ..now(0) };
    let all = [at(0), at(1), at(2)];
    let mut on = |day: &str| acted(&world.run(day, &all)[0], ActKind::Acted);
    assert_eq!(on("2026-01-15"), [] as [u32; 0]);
    assert_eq!(on("2026-02-14"), [] as [u32; 0]);
    assert_eq!(on("2026-02-15"), [2]);
    assert_eq!(on("2026-02-16"), [] as [u32; 0]);
    assert_eq!(on("2026-04-20"), [1, 2], "late, and from then on");
    assert_eq!(on("2026-05-19"), [] as [u32; 0]);
    assert_eq!(on("2026-05-20"), [2]);
    assert_eq!(on("2026-08-20"), [1, 2], "again due in the next run");
    assert_eq!(on("2026-11-20"), [1, 2]);
}

#[test]
fn r5_a_new_stage_is_welcomed() {
    let to_two = Trigger::Moved { set: SET, direction: Direction::Any, from: vec![0, 1], to: vec![2] };
    let mut world = World::new(vec![rule("train", to_two, None)]);
    let at = |level| Now { level, ..now(0) };
    assert_eq!(world.one("2026-01-01", &at(2)), NOBODY, "the first level is no move");
    assert_eq!(world.one("2026-01-02", &at(0)), NOBODY);
    assert_eq!(world.one("2026-01-03", &at(2)), ["train"]);
    assert_eq!(world.one("2026-01-04", &at(2)), NOBODY);
    assert_eq!(world.one("2026-01-05", &at(1)), NOBODY);
    assert_eq!(world.one("2026-01-06", &at(2)), ["train"]);
}

#[test]
fn a_move_opens_an_entry_that_lasts_till_the_next() {
    let down = RetentionRule { hold_for: Some(days(3)), ..rule("down", moves(Direction::Down), idle(1)) };
    let mut world = World::new(vec![down]);
    let at = |level, idle| Now { level, ..now(idle) };
    assert_eq!(world.one("2026-01-01", &at(2, 1)), NOBODY);
    assert_eq!(world.one("2026-01-02", &at(1, 1)), NOBODY);
    assert_eq!(world.one("2026-01-04", &at(1, 0)), NOBODY);
    assert_eq!(world.one("2026-01-05", &at(1, 0)), NOBODY, "`when` isn't TRUE");
    assert_eq!(world.one("2026-01-06", &at(1, 1)), ["down"]);
    assert_eq!(world.one("2026-01-07", &at(2, 1)), NOBODY);
    assert_eq!(world.one("2026-01-08", &at(NONE, 1)), NOBODY, "to no level is down");
    assert_eq!(world.one("2026-01-09", &at(0, 1)), NOBODY);
    assert_eq!(world.one("2026-01-15", &at(0, 1)), NOBODY, "the next move ended the entry");
    assert_eq!(world.one("2026-01-16", &at(2, 1)), NOBODY);
    assert_eq!(world.one("2026-01-17", &at(1, 0)), NOBODY);
    assert_eq!(world.one("2026-01-27", &at(1, 1)), NOBODY, "`when` wasn't TRUE in the run that moved it");
}

fn in_group(name: &str, priority: i64, bound: i64) -> RetentionRule {
    RetentionRule { group: Some("contact".to_owned()), priority, ..rule(name, Trigger::State, idle(bound)) }
}

#[test]
fn r6_of_a_group_the_highest_priority_acts_and_the_others_wait() {
    let mut world = World::new(vec![in_group("a_news", 0, 10), in_group("b_vip", 10, 20), in_group("c_news", 0, 10)]);
    assert_eq!(world.one("2026-01-01", &now(10)), ["a_news"], "of equal ones the first by name");
    assert_eq!(world.one("2026-01-02", &now(20)), ["b_vip"]);
    let outcomes = world.run("2026-01-03", &[now(20)]);
    assert_eq!(acted(&outcomes[2], ActKind::Acted), [0], "who has waited acts as soon as the others have");
    let mut world = World::new(vec![in_group("a_news", 0, 10), in_group("b_vip", 10, 20)]);
    let outcomes = world.run("2026-01-01", &[now(20), now(10)]);
    assert_eq!((acted(&outcomes[0], ActKind::Acted), outcomes[0].waiting.group), (vec![1], 1));
    assert_eq!(acted(&outcomes[1], ActKind::Acted), [0]);
}

#[test]
fn the_winner_of_a_group_is_found_before_limits_and_holdouts() {
    let none_today = Some(RunLimit { per_run: 0, exceed: Exceed::Defer });
    let stopped = RetentionRule { limit: none_today, ..in_group("b_vip", 10, 10) };
    let held_out = RetentionRule { holdout: 1_000_000, ..in_group("b_vip", 10, 10) };
    let shadow = RetentionRule { mode: Mode::Shadow, ..in_group("b_vip", 10, 10) };
    for (vip, news_acts) in [(stopped, false), (held_out, false), (shadow, true)] {
        let mut world = World::new(vec![in_group("a_news", 0, 10), vip]);
        let outcomes = world.run("2026-01-01", &[now(10)]);
        assert_eq!(!outcomes[0].acts.is_empty(), news_acts);
    }
}

#[test]
fn a_rule_that_is_watched_records_whom_it_would_act_on() {
    let shadow = RetentionRule { mode: Mode::Shadow, holdout: 500_000, ..in_group("a", 0, 10) };
    let mut world = World::new(vec![shadow, in_group("b", 10, 10)]);
    let outcomes = world.run("2026-01-01", &[now(10), now(10)]);
    assert_eq!(acted(&outcomes[0], ActKind::Shadow), [0, 1]);
    assert_eq!(acted(&outcomes[1], ActKind::Acted), [0, 1]);
    assert_eq!(world.run("2026-01-02", &[now(10), now(10)])[0].acts, []);
}

#[test]
fn above_the_limit_the_first_act_and_the_others_wait() {
    let limit = |exceed| RetentionRule { limit: Some(RunLimit { per_run: 2, exceed }), ..warns() };
    let subjects = vec![now(30); 5];
    let mut world = World::new(vec![limit(Exceed::Defer)]);
    let mut next = |day: &str| {
        let outcome = &world.run(day, &subjects)[0];
        (acted(outcome, ActKind::Acted), outcome.waiting.limit, outcome.held)
    };
    assert_eq!(next("2026-01-01"), (vec![0, 1], 3, None));
    assert_eq!(next("2026-01-02"), (vec![2, 3], 1, None));
    assert_eq!(next("2026-01-03"), (vec![4], 0, None));
    let mut world = World::new(vec![limit(Exceed::Hold)]);
    let outcome = &world.run("2026-01-01", &subjects)[0];
    assert_eq!((acted(outcome, ActKind::Acted), outcome.held), (vec![0, 1, 2, 3, 4], Some(5)), "if it is approved");
    assert_eq!((outcome.waiting.limit, outcome.entered, outcome.states.len()), (0, 5, 5));
    let outcome = &world.run("2026-01-02", &subjects)[0];
    assert_eq!((&outcome.acts[..], outcome.held), (&[][..], None), "it was approved");
}

#[test]
fn nothing_is_remembered_of_subjects_outside_of_entries_that_were_never_acted_on() {
    let mut world = World::new(vec![RetentionRule { hold_for: Some(days(9)), ..warns() }]);
    assert_eq!(world.run("2026-01-01", &[now(0), now(30)])[0].states.len(), 1);
    assert_eq!(world.run("2026-01-02", &[now(0), now(30)])[0].states, []);
    assert_eq!(world.run("2026-01-03", &[now(0), now(0)])[0].states, [(1, RuleState::default())]);
}

/// Subjects and what is proposed for them.
fn proposed(outcome: &RuleOutcome) -> Vec<(u32, String)> {
    let name = |action: &ProposedAction| match action {
        ProposedAction::Event { name, .. } => name.clone(),
        ProposedAction::Task { title, .. } => title.clone(),
    };
    outcome.planned.iter().map(|(subject, action)| (*subject, name(action))).collect()
}

#[test]
fn a_planner_is_asked_about_those_on_whom_its_rule_acts() {
    let limit = Some(RunLimit { per_run: 4, exceed: Exceed::Defer });
    let mut world = World::new(vec![RetentionRule { limit, ..planned("plan", Trigger::State, idle(-9)) }]);
    let subjects = [now(4), now(-10), now(3), now(0), now(6), now(8)];
    let first = world.run("2026-01-01", &subjects).remove(0);
    assert_eq!(acted(&first, ActKind::Acted), [0, 2, 3, 4], "who has no proposals is acted on like the others");
    let event = |subject, idle: i64| (subject, format!("idle {idle}"));
    assert_eq!(proposed(&first), [event(0, 4), event(3, 0), event(3, 0), event(4, 6)]);
    let second = world.run("2026-01-02", &subjects).remove(0);
    assert_eq!(proposed(&second), [event(5, 8)], "the limit left it over");
    assert_eq!(proposed(&world.run("2026-01-03", &subjects)[0]), []);
}

#[test]
fn a_planner_is_not_asked_about_others() {
    let shadow = RetentionRule { mode: Mode::Shadow, ..planned("shadow", Trigger::State, idle(2)) };
    let held = RetentionRule { holdout: 500_000, ..planned("half", Trigger::State, idle(2)) };
    let unknown =
        planned("unknown", Trigger::Moved { set: SET, direction: Direction::Any, from: vec![], to: vec![] }, None);
    let mut world = World::new(vec![held, shadow, unknown]);
    let subjects: Vec<Now> = (0..64).map(|_| now(2)).collect();
    world.run("2026-01-01", &subjects);
    let moved: Vec<Now> = (0..64).map(|_| Now { level: 1, idle: None, ..now(0) }).collect();
    let outcomes = world.run("2026-01-02", &moved);
    assert_eq!((acted(&outcomes[2], ActKind::Acted).len(), outcomes[2].planned.len()), (64, 0), "an input is NULL");

    let mut world = World::new(world.rules.retention.drain(..2).collect());
    let outcomes = world.run("2026-01-01", &subjects);
    let (treated, held) = (acted(&outcomes[0], ActKind::Acted), acted(&outcomes[0], ActKind::HeldOut));
    assert!(treated.len() > 10 && held.len() > 10, "{treated:?} {held:?}");
    assert_eq!(outcomes[0].planned.iter().map(|(subject, _)| *subject).collect::<Vec<_>>(), treated);
    assert_eq!((acted(&outcomes[1], ActKind::Shadow).len(), outcomes[1].planned.len()), (64, 0));
}

#[test]
fn who_would_be_acted_on_waits_for_a_planner_that_works() {
    let rules = vec![RetentionRule { holdout: 500_000, ..planned("half", Trigger::State, idle(2)) }];
    let mut world = World::new(rules);
    world.plugins.broken = true;
    let subjects: Vec<Now> = (0..64).map(|_| now(2)).collect();
    let failed = world.run("2026-01-01", &subjects).remove(0);
    assert_eq!((failed.acts.len(), failed.waiting.plugin, failed.entered), (0, 64, 64), "held-out ones among them");
    assert!(failed.states.iter().all(|(_, state)| !state.acted && state.last_acted.is_none()));
    assert_eq!(
        world.failures.iter().map(|(rule, failure)| (rule.0, failure.reason)).collect::<Vec<_>>(),
        [(0, "unavailable")]
    );
    world.plugins.broken = false;
    let works = world.run("2026-01-02", &subjects).remove(0);
    assert_eq!((works.acts.len(), works.waiting.plugin), (64, 0));
    assert!(world.failures.is_empty() && !works.planned.is_empty());
}

#[test]
fn a_planner_that_has_to_work_ends_the_run() {
    let mut rule = planned("plan", Trigger::State, idle(2));
    if let Action::Planned(call) = &mut rule.action {
        call.on_error = OnPluginError::Fail;
    }
    let mut world = World::new(vec![rule]);
    world.plugins.broken = true;
    assert_eq!(world.fails("2026-01-01", &[now(2)]).reason, "unavailable");
    assert_eq!(world.run("2026-01-01", &[now(1)])[0].acts, [], "nobody is to be acted on: it isn't asked");
}
