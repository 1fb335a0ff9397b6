use std::sync::Arc;

use proptest::prelude::*;
use tierd_model::{Date, parse_timestamp};

use super::*;

fn group(came_back: u64, subjects: u64) -> Group {
    Group { subjects, came_back, open: 0 }
}

fn difference(treated: Group, held_out: Group) -> Estimate {
    Effect { treated, held_out }.difference().unwrap()
}

/// Newcombe 1998, table II, method 10.
#[test]
fn intervals_are_those_of_the_paper() {
    for (a, b, low, high) in [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ] {
        let found = difference(group(a.0, a.1), group(b.0, b.1));
        let rounded = |x: f64| format!("{x:.4}");
        assert_eq!((rounded(found.low), rounded(found.high)), (rounded(low), rounded(high)), "{a:?} {b:?}");
    }
}

/// Wilson 1927 by Newcombe's companion paper (Statistics in Medicine 17, 857–872), table I, method 3.
#[test]
fn rates_have_wilsons_intervals() {
    for (hits, n, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let found = group(hits, n).rate().unwrap();
        let rounded = |x: f64| format!("{x:.4}");
        assert_eq!((rounded(found.low), rounded(found.high)), (rounded(low), rounded(high)), "{hits} of {n}");
    }
    let all = group(29, 29).rate().unwrap();
    assert_eq!((all.value, all.high), (1.0, 1.0));
}

#[test]
fn an_empty_group_has_no_rate_and_leaves_nothing_to_compare() {
    assert_eq!(group(0, 0).rate(), None);
    assert_eq!(Effect { treated: group(3, 9), held_out: Group::default() }.difference(), None);
    assert_eq!(Effect { treated: Group::default(), held_out: group(3, 9) }.difference(), None);
}

#[test]
fn zero_is_in_the_interval_or_not() {
    assert!(!difference(group(56, 70), group(48, 80)).contains_zero());
    assert!(!difference(group(48, 80), group(56, 70)).contains_zero());
    assert!(difference(group(5, 56), group(0, 29)).contains_zero());
}

fn shanghai() -> Arc<Zone> {
    Arc::new(Zone::new("Asia/Shanghai").unwrap())
}

fn at(text: &str) -> Timestamp {
    parse_timestamp(text.as_bytes()).unwrap().instant(&shanghai())
}

/// What became of one subject that was acted on at `action`, with these facts.
fn one(action: &str, within: CalendarSpan, facts: &[&str], as_of: &str) -> Group {
    let first = [FirstAction { at: at(action), held_out: false }];
    let goals: Vec<FactTime> = facts.iter().map(|fact| FactTime { subject: 0, at: at(fact) }).collect();
    let effect = effect(&first, &goals, within, &Clock::new(at(as_of), shanghai()));
    assert_eq!(effect.held_out, Group::default());
    effect.treated
}

#[test]
fn who_comes_after_the_action_and_until_the_end_of_the_last_day_has_come_back() {
    let (action, later) = ("2026-03-01 08:00", "2026-12-31");
    for (fact, came_back) in [
        ("2026-03-01 07:59:59", 0),
        ("2026-03-01 08:00:00", 0),
        ("2026-03-01 08:00:00.000001", 1),
        ("2026-03-31 23:59:59.999999", 1),
        ("2026-04-01 00:00:00", 0),
    ] {
        assert_eq!(one(action, CalendarSpan::days(30), &[fact], later), group(came_back, 1), "{fact}");
    }
    assert_eq!(one(action, CalendarSpan::days(30), &["2026-02-01", "2026-03-09", "2026-03-10"], later), group(1, 1));
    assert_eq!(one(action, CalendarSpan::days(30), &[], later), group(0, 1));
    // A month after 31 January ends with February.
    let month = CalendarSpan::months(1);
    assert_eq!(one("2026-01-31", month, &["2026-02-28 23:00"], later), group(1, 1));
    assert_eq!(one("2026-01-31", month, &["2026-03-01"], later), group(0, 1));
}

#[test]
fn who_still_has_time_is_open_even_if_it_came_back() {
    let open = Group { open: 1, ..Group::default() };
    let of = |as_of| one("2026-03-01 08:00", CalendarSpan::days(2), &["2026-03-02"], as_of);
    assert_eq!(of("2026-03-03 23:59:59.999999"), open);
    assert_eq!(of("2026-03-04 00:00:00"), group(1, 1));
}

#[test]
fn groups_are_counted_apart() {
    let clock = Clock::new(at("2026-06-01"), shanghai());
    let action = |day: &str, held_out| FirstAction { at: at(day), held_out };
    let first = [
        action("2026-03-01", false),
        action("2026-03-01", true),
        action("2026-03-02", false),
        action("2026-05-31", true),
        action("2026-03-02", true),
    ];
    let goal = |subject, day: &str| FactTime { subject, at: at(day) };
    let goals = [goal(4, "2026-03-03"), goal(0, "2026-03-09"), goal(4, "2026-03-04"), goal(3, "2026-05-31 10:00")];
    let expected = Effect { treated: group(1, 2), held_out: Group { subjects: 2, came_back: 1, open: 1 } };
    assert_eq!(effect(&first, &goals, CalendarSpan::days(30), &clock), expected);
}

prop_compose! {
    fn any_group()(subjects in prop_oneof![1u64..50, 1u64..3_000_000])(came_back in 0..=subjects, subjects in Just(subjects))
        -> Group {
        group(came_back, subjects)
    }
}

proptest! {
    #[test]
    fn an_interval_lies_around_its_difference_and_between_minus_one_and_one(a in any_group(), b in any_group()) {
        for rate in [a.rate().unwrap(), b.rate().unwrap()] {
            prop_assert!(0.0 <= rate.low && rate.low <= rate.value && rate.value <= rate.high && rate.high <= 1.0);
        }
        let found = difference(a, b);
        prop_assert!(-1.0 <= found.low && found.low <= found.value, "{found:?}");
        prop_assert!(found.value <= found.high && found.high <= 1.0, "{found:?}");
        prop_assert!(found.low < found.high);
        // The other way round, it is the same with the other sign.
        let back = difference(b, a);
        prop_assert_eq!((back.value, back.low, back.high), (-found.value, -found.high, -found.low));
    }

    #[test]
    fn everybody_is_in_one_place_and_the_order_of_facts_is_no_matter(
        actions in proptest::collection::vec((0i32..40, any::<bool>()), 1..20),
        facts in proptest::collection::vec((0usize..20, 0i32..60), 0..60),
        within in 1i32..30,
    ) {
        let midnight = |day: i32| shanghai().midnight(Date(20_000 + day));
        let first: Vec<FirstAction> =
            actions.iter().map(|&(day, held_out)| FirstAction { at: midnight(day), held_out }).collect();
        let of = |&(subject, day): &(usize, i32)| FactTime { subject: (subject % first.len()) as u32, at: midnight(day) };
        let mut goals: Vec<FactTime> = facts.iter().map(of).collect();
        let clock = Clock::new(midnight(40), shanghai());
        let found = effect(&first, &goals, CalendarSpan::days(within), &clock);
        let all = |group: Group| group.subjects + group.open;
        prop_assert_eq!(all(found.treated) + all(found.held_out), first.len() as u64);
        prop_assert!(found.treated.came_back <= found.treated.subjects);
        let came_back = (0..first.len() as u32).zip(&actions).filter(|(subject, (day, _))| {
            let days = facts.iter().filter(|fact| of(fact).subject == *subject).map(|fact| fact.1);
            day + within < 40 && days.into_iter().any(|fact| fact > *day && fact <= day + within)
        });
        prop_assert_eq!(found.treated.came_back + found.held_out.came_back, came_back.count() as u64);
        goals.reverse();
        prop_assert_eq!(effect(&first, &goals, CalendarSpan::days(within), &clock), found);
    }
}
