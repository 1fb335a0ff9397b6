//! What movement policies remember, and overrides.

use tierd_ledger::{
    End, ErrorKind, KeyRef, Keys, NewOverride, OverrideFilter, OverrideId, OverrideKind, Reader, SetDecisions,
    Standing, StateRow,
};
use tierd_model::{Date, Timestamp};

use crate::common::*;

const KEYS: Keys<'static> = Keys::Integer(&[10, 20, 30]);

fn plain(subject: u32, policy: u16) -> StateRow {
    StateRow { subject, policy, below_since: None, locked_until: None, decided: None }
}

fn settle(ledger: &mut tierd_ledger::Ledger, day: i64, assigned: &[u16], states: &[StateRow]) {
    let set = SetDecisions { states: Some(states), reason: &|_| "upgraded", ..decisions(KEYS, assigned) };
    apply(ledger, day, &[set]).unwrap();
}

fn standings(place: &Place) -> Vec<Standing> {
    let reader = Reader::open(&place.path).unwrap();
    let standings = reader.standings("value", KEYS, LEVELS).unwrap();
    for (subject, standing) in standings.iter().enumerate() {
        assert_eq!(reader.standing("value", KEYS.get(subject), LEVELS).unwrap(), *standing);
    }
    standings
}

fn rows(place: &Place) -> i64 {
    query(&place.path, "SELECT count(*) FROM movement")
}

#[test]
fn only_what_is_remembered_is_stored() {
    let place = place();
    let mut ledger = open(&place.path);
    assert_eq!(standings(&place), [Standing::NOTHING; 3]);
    settle(&mut ledger, 0, &[0, 1, NONE], &[plain(0, 0), plain(1, 1)]);
    assert_eq!(rows(&place), 0);

    // Nobody's level changes: the digest is the same, and what is remembered is written all the same.
    let waits =
        StateRow { below_since: Some(Date(5)), locked_until: Some(Date(9)), decided: Some(Date(1)), ..plain(1, 1) };
    settle(&mut ledger, 1, &[0, 1, NONE], &[waits]);
    let held = |level: u16, day| Standing { level, policy: level, since: start(day).as_of, ..Standing::NOTHING };
    let remembered =
        Standing { below_since: Some(Date(5)), locked_until: Some(Date(9)), decided: Some(Date(1)), ..held(1, 0) };
    assert_eq!(standings(&place), [held(0, 0), remembered, Standing::NOTHING]);
    settle(&mut ledger, 2, &[0, 0, NONE], &[plain(1, 0)]);
    assert_eq!((standings(&place), rows(&place)), (vec![held(0, 0), held(0, 2), Standing::NOTHING], 0));
    assert_sound(&place.path);
}

#[test]
fn override_changes_the_level_and_not_what_the_policy_gives() {
    let place = place();
    let mut ledger = open(&place.path);
    settle(&mut ledger, 0, &[0, NONE, NONE], &[plain(0, 0)]);
    // 10 is lifted to A and 20 pinned at B; the policy has nothing new to say of either.
    settle(&mut ledger, 1, &[2, 1, NONE], &[]);
    let policies = |place: &Place| standings(place).iter().map(|s| (s.level, s.policy)).collect::<Vec<_>>();
    assert_eq!(policies(&place), [(2, 0), (1, NONE), (NONE, NONE)]);
    // The policy catches up with the override, and there is nothing to remember any more.
    settle(&mut ledger, 2, &[2, 1, NONE], &[plain(0, 2), plain(1, 1)]);
    assert_eq!((policies(&place), rows(&place)), (vec![(2, 2), (1, 1), (NONE, NONE)], 0));
    assert_sound(&place.path);
}

#[test]
fn set_without_policy_forgets_what_one_remembered() {
    let place = place();
    let mut ledger = open(&place.path);
    settle(
        &mut ledger,
        0,
        &[0, 1, 2],
        &[plain(0, 0), plain(1, 1), StateRow { locked_until: Some(Date(9)), ..plain(2, 2) }],
    );
    assert_eq!(rows(&place), 1);
    apply(&mut ledger, 1, &[decisions(KEYS, &[0, 1, 1])]).unwrap();
    assert_eq!(rows(&place), 0);
}

#[test]
fn overrides_are_kept_whatever_becomes_of_them() {
    let place = place();
    let mut ledger = open(&place.path);
    let OverrideId(first) = ledger.add_override(&override_of(20)).unwrap();
    let pin = NewOverride {
        kind: OverrideKind::Pin,
        level: "gone",
        starts: start(40).as_of,
        expires: start(50).as_of,
        ..override_of(10)
    };
    let second = ledger.add_override(&pin).unwrap();
    let ids = |filter| {
        let overrides = Reader::open(&place.path).unwrap().overrides(filter).unwrap();
        overrides.iter().map(|o| o.id.0).collect::<Vec<_>>()
    };
    let in_force = |day| OverrideFilter { in_force: Some(start(day).as_of), ..OverrideFilter::default() };
    assert_eq!(ids(OverrideFilter::default()), [second.0, first], "by key");
    assert_eq!(
        (ids(in_force(0)), ids(in_force(29)), ids(in_force(30)), ids(in_force(40))),
        (vec![first], vec![first], vec![], vec![second.0])
    );
    assert_eq!(ids(OverrideFilter { key: Some(KeyRef::Integer(10)), ..OverrideFilter::default() }), [second.0]);
    assert_eq!(ids(OverrideFilter { set: Some("rfm"), ..OverrideFilter::default() }), [0; 0]);

    let end = End { at: start(10).as_of, by: "王", why: "left" };
    ledger.end_override(OverrideId(first), &end).unwrap();
    assert_eq!((ids(in_force(9)), ids(in_force(10))), (vec![first], vec![]));
    assert_eq!(ids(OverrideFilter::default()).len(), 2);
    let again = ledger.end_override(OverrideId(first), &end).unwrap_err();
    assert!(matches!(&again.kind, ErrorKind::OverrideEnded { by, .. } if by == "王"), "{again}");
    let unknown = ledger.end_override(OverrideId(99), &end).unwrap_err();
    assert!(matches!(unknown.kind, ErrorKind::NoOverride(99)), "{unknown}");
}

#[test]
fn override_needs_reason_approver_and_expiry() {
    let place = place();
    let mut ledger = open(&place.path);
    let bad = [
        NewOverride { reason: " ", ..override_of(1) },
        NewOverride { approver: "", ..override_of(1) },
        NewOverride { level: "", ..override_of(1) },
        NewOverride { expires: start(0).as_of, ..override_of(1) },
    ];
    for new in bad {
        let failure = ledger.add_override(&new).unwrap_err();
        assert!(matches!(failure.kind, ErrorKind::Override(_)), "{failure}");
    }
    let OverrideId(id) = ledger.add_override(&override_of(1)).unwrap();
    for end in [End { at: Timestamp(0), by: "", why: "x" }, End { at: Timestamp(0), by: "x", why: " " }] {
        let failure = ledger.end_override(OverrideId(id), &end).unwrap_err();
        assert!(matches!(failure.kind, ErrorKind::Nobody | ErrorKind::Override(_)), "{failure}");
    }
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM override WHERE ended IS NULL"), 1);
}
