mod naive;

use arrow_array::{Array, cast::AsArray, types};
use tierd_model::{CalendarSpan, CalendarUnit, Clock, MonthDay, Timestamp, Type, Window, WindowKind};
use tierd_rules::{Booking, BookingKind, Expiry, FactsId, SubjectId};

use super::*;
use crate::{
    columns::value_at,
    testing::{clock, integer, literal, nowhere},
};

/// A program with one booking of each kind: 0 earns, 1 refunds, 2 spends.
fn program(expiry: Expiry) -> PointsProgram {
    let booking = |kind| Booking {
        kind,
        title: None,
        facts: FactsId(0),
        filter: None,
        points: literal(integer(1)),
        at: nowhere(),
    };
    PointsProgram {
        name: "club".to_owned(),
        title: None,
        subject: SubjectId(0),
        digits: 0,
        bookings: [BookingKind::Earn, BookingKind::Refund, BookingKind::Spend].map(booking).into(),
        expiry,
        at: nowhere(),
    }
}

const ZONE: &str = "Asia/Shanghai";

fn now(as_of: &str) -> Clock {
    clock(as_of, ZONE)
}

const EARN: u16 = 0;
const REFUND: u16 = 1;
const SPEND: u16 = 2;

/// Bookings of one subject at local times.
fn booked(bookings: &[(&str, u16, i64)]) -> Vec<Booked> {
    let one = |&(at, booking, amount): &(&str, u16, i64)| Booked { subject: 0, booking, at: now(at).as_of(), amount };
    bookings.iter().map(one).collect()
}

fn after(months: i32, unit: Option<CalendarUnit>) -> Expiry {
    Expiry::After(CalendarSpan::months(months), unit)
}

fn clearing(days: &[&str]) -> Expiry {
    Expiry::Clearing(days.iter().map(|day| MonthDay::parse(day).unwrap()).collect())
}

/// What remains of each lot, and the debt.
fn left(expiry: Expiry, bookings: &[(&str, u16, i64)], as_of: &str) -> (Vec<i128>, i128) {
    let statement = replay(&program(expiry), &booked(bookings), &now(as_of));
    (statement.lots.iter().map(|lot| lot.remaining).collect(), statement.debt)
}

#[test]
fn spending_takes_what_is_lost_first_and_refunds_the_newest() {
    let earned = [("2026-01-01", EARN, 10), ("2026-02-01", EARN, 10), ("2026-03-01", EARN, 10)];
    let with = |last| [&earned[..], &[last]].concat();
    assert_eq!(left(Expiry::Never, &with(("2026-03-02", SPEND, 15)), "2026-04-01"), (vec![5, 10], 0));
    assert_eq!(left(Expiry::Never, &with(("2026-03-02", REFUND, 15)), "2026-04-01"), (vec![10, 5], 0));
    assert_eq!(left(Expiry::Never, &with(("2026-03-02", SPEND, 30)), "2026-04-01"), (vec![], 0));
}

#[test]
fn what_is_not_there_is_owed_and_paid_by_the_next_earnings() {
    let bookings = [("2026-01-01", EARN, 10), ("2026-01-02", SPEND, 25)];
    assert_eq!(left(Expiry::Never, &bookings, "2026-02-01"), (vec![], 15));
    let paid = [&bookings[..], &[("2026-01-03", EARN, 10), ("2026-01-04", EARN, 8)]].concat();
    assert_eq!(left(Expiry::Never, &paid, "2026-01-04"), (vec![], 5));
    assert_eq!(left(Expiry::Never, &paid, "2026-02-01"), (vec![3], 0));
}

#[test]
fn on_the_same_instant_earning_comes_first_then_refunds_then_spending() {
    let same = [("2026-01-02", SPEND, 4), ("2026-01-02", REFUND, 3), ("2026-01-02", EARN, 10)];
    let statement = replay(&program(Expiry::Never), &booked(&same), &now("2026-02-01"));
    let balances: Vec<_> = statement.history.iter().map(|entry| entry.balance).collect();
    assert_eq!((balances, statement.debt), (vec![10, 7, 3], 0));
}

#[test]
fn lots_are_lost_at_the_local_midnight_a_span_after_they_were_earned() {
    let bookings = [("2026-01-31T23:30", EARN, 10), ("2026-02-01T00:30", EARN, 7)];
    let at = |as_of| left(after(1, None), &bookings, as_of).0;
    assert_eq!(at("2026-02-27T23:59"), [10, 7]);
    assert_eq!(at("2026-02-28T00:00"), [7], "31 January and a month is 28 February");
    assert_eq!(at("2026-02-28T23:59"), [7]);
    assert_eq!(at("2026-03-01T00:00"), [] as [i128; 0]);
}

#[test]
fn lots_may_last_to_the_end_of_the_month_the_quarter_or_the_year() {
    let lost = |unit| {
        let statement = replay(&program(after(2, Some(unit))), &booked(&[("2026-02-10", EARN, 1)]), &now("2026-03-01"));
        statement.lots[0].expires.map(|at| now("2026-03-01").zone().date_of(at).to_string()).unwrap()
    };
    assert_eq!(lost(CalendarUnit::Month), "2026-05-01");
    assert_eq!(lost(CalendarUnit::Quarter), "2026-07-01");
    assert_eq!(lost(CalendarUnit::Year), "2027-01-01");
}

/// S4: points are cleared four times a year.
#[test]
fn s4_all_lots_are_lost_at_the_end_of_clearing_days() {
    let four = || clearing(&["03-31", "06-30", "09-30", "12-31"]);
    let bookings = [("2026-01-05", EARN, 10), ("2026-03-31T23:59", EARN, 5), ("2026-04-01T00:00", EARN, 3)];
    assert_eq!(left(four(), &bookings, "2026-03-31T23:59:59").0, [10, 5]);
    assert_eq!(left(four(), &bookings, "2026-04-01T00:00").0, [] as [i128; 0]);
    assert_eq!(left(four(), &bookings, "2026-04-01T00:01").0, [3]);
    let kinds: Vec<_> = replay(&program(four()), &booked(&bookings), &now("2026-04-02")).history;
    let lost: Vec<_> = kinds.iter().filter(|entry| matches!(entry.kind, EntryKind::Expired(_))).collect();
    assert_eq!(lost.iter().map(|entry| (entry.amount, entry.balance)).collect::<Vec<_>>(), [(10, 5), (5, 0)]);
    assert_eq!(left(clearing(&["02-29"]), &bookings[..1], "2026-03-01").0, [] as [i128; 0], "28 February in 2026");
}

#[test]
fn debts_are_never_lost() {
    let bookings = [("2026-01-05", SPEND, 10), ("2026-01-06", EARN, 4)];
    assert_eq!(left(clearing(&["01-31"]), &bookings, "2027-03-01"), (vec![], 6));
}

fn window(kind: WindowKind) -> Window {
    Window { kind, offset: 0 }
}

#[test]
fn measures_are_read_off_the_account() {
    use PointsMeasure as M;
    let bookings = [
        ("2025-01-05", EARN, 10),
        ("2025-06-01", EARN, 100),
        ("2026-01-10", EARN, 50),
        ("2026-01-11", REFUND, 20),
        ("2026-01-12", SPEND, 30),
        ("2026-03-01T09:00", EARN, 1000),
    ];
    let year = window(WindowKind::Calendar(CalendarUnit::Year));
    let lifetime = window(WindowKind::Lifetime);
    let previous = window(WindowKind::Previous(CalendarUnit::Year));
    let cases = [
        (M::Balance, Some(100)),
        (M::Earned(lifetime), Some(140)),
        (M::Earned(year), Some(30)),
        (M::Earned(previous), Some(110)),
        (M::Spent(year), Some(30)),
        (M::Spent(previous), Some(0)),
        (M::Expired(lifetime), Some(10)),
        (M::Expired(previous), Some(0)),
        (M::Expiring(CalendarSpan::days(91)), Some(0)),
        (M::Expiring(CalendarSpan::days(92)), Some(70)),
        (M::Expiring(CalendarSpan::months(12)), Some(100)),
    ];
    let measures: Vec<_> = cases.iter().map(|(measure, _)| *measure).chain([M::NextExpiry]).collect();
    let mut all = booked(&bookings);
    // The first lot is lost before it can be spent; nobody else has points.
    all.iter_mut().for_each(|one| one.subject = 1);
    let now = now("2026-03-01T09:00");
    let found = columns(&program(after(12, None)), &measures, &mut all, 3, &now);
    for ((measure, expected), column) in cases.iter().zip(&found) {
        let column = column.as_primitive::<types::Int64Type>();
        let values: Vec<_> = column.iter().collect();
        assert_eq!(values, [Some(0), expected.map(i64::from), Some(0)], "{measure:?}");
    }
    let next = value_at(found[cases.len()].as_ref(), Type::Date, 1).unwrap();
    assert_eq!(next.to_string(), "2026-06-01");
    assert!(found[cases.len()].is_null(0) && found[cases.len()].is_null(2));
}

/// What is lost at the end of a year is lost in that year.
#[test]
fn a_clearing_at_the_end_of_a_year_belongs_to_it() {
    let mut all = booked(&[("2025-05-01", EARN, 10)]);
    let previous = PointsMeasure::Expired(window(WindowKind::Previous(CalendarUnit::Year)));
    let this = PointsMeasure::Expired(window(WindowKind::Calendar(CalendarUnit::Year)));
    let found = columns(&program(clearing(&["12-31"])), &[previous, this], &mut all, 1, &now("2026-03-01"));
    let values: Vec<_> = found.iter().map(|column| column.as_primitive::<types::Int64Type>().value(0)).collect();
    assert_eq!(values, [10, 0]);
}

#[test]
fn amounts_have_the_digits_of_the_program_and_are_null_where_they_do_not_fit() {
    let digits = |digits| PointsProgram { digits, ..program(Expiry::Never) };
    let all = booked(&[("2026-01-01", EARN, i64::MAX), ("2026-01-02", EARN, i64::MAX)]);
    let balance =
        |program: &PointsProgram| columns(program, &[PointsMeasure::Balance], &mut all.clone(), 1, &now("2026-02-01"));
    assert!(balance(&digits(0))[0].is_null(0));
    let value = value_at(balance(&digits(2))[0].as_ref(), Type::Decimal(2), 0).unwrap();
    assert_eq!(value.to_string(), "184467440737095516.14");
}

#[test]
fn bookings_at_the_run_or_later_do_not_count() {
    let bookings = [("2026-01-01T09:00", EARN, 1), ("2026-01-01T08:59:59", EARN, 2)];
    assert_eq!(left(Expiry::Never, &bookings, "2026-01-01T09:00").0, [2]);
}

/// `cargo test --release -p tierd-eval -- --ignored ten_million_bookings --nocapture`
#[test]
#[ignore = "a measurement"]
fn ten_million_bookings_take_well_under_a_second() {
    let (subjects, begin) = (1_000_000, now("2023-01-01").as_of().0);
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut bookings: Vec<Booked> = (0..10_000_000)
        .map(|_| Booked {
            subject: (next() % subjects) as u32,
            booking: [EARN, EARN, EARN, SPEND, REFUND][(next() % 5) as usize],
            at: Timestamp(begin + (next() % (3 * 365 * 86_400_000_000)) as i64),
            amount: 1 + (next() % 500) as i64,
        })
        .collect();
    let measures =
        [PointsMeasure::Balance, PointsMeasure::Earned(window(WindowKind::Lifetime)), PointsMeasure::NextExpiry];
    let start = std::time::Instant::now();
    let found = columns(&program(after(12, None)), &measures, &mut bookings, subjects as usize, &now("2026-01-01"));
    let taken = start.elapsed();
    eprintln!("{taken:?}");
    assert!(found[0].len() == subjects as usize && taken.as_secs() < 1, "{taken:?}");
}
