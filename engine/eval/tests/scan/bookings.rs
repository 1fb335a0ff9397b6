//! Bookings of a pass against a plain reading, row by row.

use proptest::prelude::*;
use tierd_eval::given::Booked;
use tierd_model::{Type, pow10};
use tierd_rules::{
    Booking, BookingKind, Expiry, FactsId, Metric, MetricKind, PointsId, PointsMeasure, PointsProgram, RuleSet,
    SubjectId,
};

use crate::{
    DATED,
    base::{Anchors, Row, SUBJECTS, TYPES, clock, column, nowhere, rules},
    random::{condition, rows},
    reference::{holds, instant, value_of},
    scan_all,
};

/// Two programs that some metric asks about, of 0 and 3 digits, and one that nobody asks about: each booking the integers and
/// the decimals of facts.
fn programs(types: &[Type], bookings: Vec<Booking>) -> RuleSet {
    let mut rules = rules(types, None, vec![]);
    let program = |digits| PointsProgram {
        name: format!("p{digits}"),
        title: None,
        subject: SubjectId(0),
        digits,
        bookings: bookings.clone(),
        expiry: Expiry::Never,
        at: nowhere(),
    };
    rules.points = vec![program(0), program(1), program(3)];
    for program in [0, 2].map(PointsId) {
        let kind = MetricKind::Points { program, measure: PointsMeasure::Balance };
        let metric = Metric { ty: rules.points[program.0].ty(), kind, ..rules.metrics[0].clone() };
        rules.metrics.push(metric);
    }
    rules
}

fn booking(types: &'static [Type]) -> impl Strategy<Value = Booking> {
    (proptest::option::of(condition(types)), 1usize..3).prop_map(move |(filter, points)| Booking {
        kind: BookingKind::Earn,
        title: None,
        facts: FactsId(0),
        filter,
        points: column(points, types),
        at: nowhere(),
    })
}

fn expected(program: &PointsProgram, rows: &[Row], types: &[Type]) -> Vec<Booked> {
    let mut found = Vec::new();
    for (index, booking) in (0..).zip(&program.bookings) {
        let rows = rows.iter().filter(|row| row.subject < SUBJECTS && holds(&booking.filter, row, types));
        for row in rows {
            let (Some(at), Some(points)) = (instant(row), value_of(&booking.points, row, types)) else { continue };
            let points = points.as_decimal().unwrap();
            let amount = points.units * pow10(program.digits) / pow10(points.scale);
            if let (true, Ok(amount @ 1..)) = (at < clock().as_of(), i64::try_from(amount)) {
                found.push(Booked { subject: row.subject as u32, booking: index, at, amount });
            }
        }
    }
    sorted(found)
}

fn sorted(mut bookings: Vec<Booked>) -> Vec<Booked> {
    bookings.sort_by_key(|booked| (booked.subject, booked.booking, booked.at, booked.amount));
    bookings
}

fn check(types: &[Type], bookings: Vec<Booking>, rows: &[Row]) {
    let rules = programs(types, bookings);
    for splits in [1, 3] {
        let found = scan_all(&rules, (&Anchors::default(), rows), splits).bookings;
        assert_eq!(found.iter().map(|(program, _)| *program).collect::<Vec<_>>(), [PointsId(0), PointsId(2)]);
        for (program, found) in found {
            assert_eq!(sorted(found), expected(&rules.points[program.0], rows, types));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn bookings_agree_with_a_plain_reading(
        bookings in proptest::collection::vec(booking(&TYPES), 1..4), rows in rows(&TYPES),
    ) {
        check(&TYPES, bookings, &rows);
    }

    #[test]
    fn bookings_of_dates_are_of_their_local_midnight(
        bookings in proptest::collection::vec(booking(&DATED), 1..3), rows in rows(&DATED),
    ) {
        check(&DATED, bookings, &rows);
    }
}

/// 9.3e18 units of a thousandth are more than 64 bits hold.
#[test]
fn points_that_do_not_fit_are_bad_values() {
    let points = column(1, &TYPES);
    let booking =
        Booking { kind: BookingKind::Earn, title: None, facts: FactsId(0), filter: None, points, at: nowhere() };
    let rules = programs(&TYPES, vec![booking]);
    let row = |amount| crate::row(1, tierd_model::Timestamp(0), amount);
    let rows = [row(9_300_000_000_000_000), row(9_200_000_000_000_000), row(-5), row(0)];
    let found = scan_all(&rules, (&Anchors::default(), &rows), 1);
    assert_eq!(found.bookings[0].1.len(), 2);
    assert_eq!(found.bookings[1].1.iter().map(|booked| booked.amount).collect::<Vec<_>>(), [9_200_000_000_000_000_000]);
    assert_eq!((found.counts.bad_rows, found.counts.bad_values.iter().sum::<u64>()), (1, 1));
}
