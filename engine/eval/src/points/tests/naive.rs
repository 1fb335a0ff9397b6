//! A naive reference: every point by itself, day after day.

use proptest::prelude::*;
use tierd_model::Date;

use super::*;

/// One point: when it was earned, and on which day.
#[derive(Debug, Clone, Copy)]
struct Point {
    earned: Timestamp,
    day: Date,
}

#[derive(Debug, Default)]
struct Purse {
    points: Vec<Point>,
    owed: i128,
    earned: i128,
    refunded: i128,
    spent: i128,
    lost: i128,
}

impl Purse {
    /// Everything up to the run, one local day after the other.
    fn of(expiry: &Expiry, bookings: &[Booked], clock: &Clock) -> Self {
        let mut purse = Purse::default();
        let zone = clock.zone();
        let mut bookings: Vec<_> = bookings.iter().filter(|one| one.at < clock.as_of()).collect();
        bookings.sort_by_key(|one| (one.at, one.booking));
        let first = bookings.first().map_or(clock.today(), |one| zone.date_of(one.at));
        for day in (first.0..=clock.today().0).map(Date) {
            purse.begin_day(expiry, day);
            bookings.iter().filter(|one| zone.date_of(one.at) == day).for_each(|one| purse.book(one, day));
        }
        purse
    }

    /// What the midnight takes that begins this day.
    fn begin_day(&mut self, expiry: &Expiry, today: Date) {
        let yesterday = Date(today.0 - 1);
        let before = self.points.len();
        self.points.retain(|point| match expiry {
            Expiry::Never => true,
            Expiry::After(span, None) => span.add_to(point.day) > today,
            Expiry::After(span, Some(unit)) => unit.first_day(today) != today || span.add_to(point.day) >= today,
            Expiry::Clearing(days) => !days.iter().any(|day| day.in_year(yesterday.ymd().0) == yesterday),
        });
        self.lost += (before - self.points.len()) as i128;
    }

    fn book(&mut self, one: &Booked, day: Date) {
        for _ in 0..one.amount {
            match one.booking {
                EARN => {
                    self.earned += 1;
                    if self.owed > 0 { self.owed -= 1 } else { self.points.push(Point { earned: one.at, day }) }
                }
                REFUND => {
                    self.refunded += 1;
                    let newest = (0..self.points.len()).max_by_key(|&i| self.points[i].earned);
                    self.take(newest);
                }
                _ => {
                    self.spent += 1;
                    let oldest = (0..self.points.len()).min_by_key(|&i| self.points[i].earned);
                    self.take(oldest);
                }
            }
        }
    }

    fn take(&mut self, point: Option<usize>) {
        match point {
            Some(point) => drop(self.points.remove(point)),
            None => self.owed += 1,
        }
    }
}

fn expiries() -> impl Strategy<Value = Expiry> {
    let unit = prop_oneof![Just(CalendarUnit::Month), Just(CalendarUnit::Quarter), Just(CalendarUnit::Year)];
    let span = prop_oneof![(1..400).prop_map(CalendarSpan::days), (1..14).prop_map(CalendarSpan::months)];
    let day = prop::sample::select(vec!["02-29", "03-31", "06-30", "07-01", "12-31"]);
    prop_oneof![
        Just(Expiry::Never),
        (span, prop::option::of(unit)).prop_map(|(span, unit)| Expiry::After(span, unit)),
        prop::collection::btree_set(day, 1..4).prop_map(|days| clearing(&days.into_iter().collect::<Vec<_>>())),
    ]
}

/// Bookings of three subjects over three years, many of them on the same instant or at midnight.
fn bookings() -> impl Strategy<Value = Vec<Booked>> {
    let hour = prop_oneof![2 => Just(0), 1 => 0..24i64];
    let one = (0..3u32, prop::sample::select(vec![EARN, EARN, EARN, REFUND, SPEND]), 0..1100i32, hour, 1..9i64);
    let one = one.prop_map(|(subject, booking, day, hour, amount)| {
        let midnight = now("2024-01-01").zone().midnight(Date(19_723 + day));
        Booked { subject, booking, at: Timestamp(midnight.0 + hour * 3_600_000_000), amount }
    });
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn an_account_is_what_counting_every_point_gives(
        expiry in expiries(),
        bookings in bookings(),
        shuffled in any::<prop::sample::Index>(),
        as_of in 0..1200i32,
    ) {
        let today = Date(19_723 + as_of);
        let clock = now(&format!("{today}T09:00"));
        let program = program(expiry.clone());
        let lifetime = window(WindowKind::Lifetime);
        let measures = [
            PointsMeasure::Balance,
            PointsMeasure::Earned(lifetime),
            PointsMeasure::Spent(lifetime),
            PointsMeasure::Expired(lifetime),
            PointsMeasure::Expiring(CalendarSpan::days(60)),
        ];
        let found = columns(&program, &measures, &mut bookings.clone(), 3, &clock);
        for subject in 0..3 {
            let mine: Vec<_> = bookings.iter().filter(|one| one.subject == subject).copied().collect();
            let purse = Purse::of(&expiry, &mine, &clock);
            let statement = replay(&program, &mine, &clock);
            let lots: i128 = statement.lots.iter().map(|lot| lot.remaining).sum();
            prop_assert_eq!((lots, statement.debt), (purse.points.len() as i128, purse.owed));
            prop_assert_eq!(statement.balance(), purse.earned - purse.refunded - purse.spent - purse.lost);
            let booked = statement.history.last().map_or(0, |entry| entry.balance);
            prop_assert_eq!(statement.balance(), booked);
            // Who spends nothing more, and earns nothing, loses this much in the next days.
            let mut later = Purse { points: purse.points.clone(), ..Purse::default() };
            (1..=60).for_each(|day| later.begin_day(&expiry, Date(today.0 + day)));
            let expected =
                [statement.balance(), purse.earned - purse.refunded, purse.spent, purse.lost, later.lost];
            let values = found.iter().map(|column| column.as_primitive::<types::Int64Type>().value(subject as usize));
            prop_assert_eq!(values.map(i128::from).collect::<Vec<_>>(), expected);
        }
        // The order in which rows are read doesn't matter.
        let mut others = bookings.clone();
        others.reverse();
        others.rotate_left(if bookings.is_empty() { 0 } else { shuffled.index(bookings.len()) });
        let others = columns(&program, &measures, &mut others, 3, &clock);
        for (one, other) in found.iter().zip(&others) {
            prop_assert_eq!(one.to_data(), other.to_data());
        }
    }
}
