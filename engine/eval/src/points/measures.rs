//! What metrics ask of accounts, added up while they are replayed.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{Date32Builder, Decimal128Builder, Int64Builder},
};
use tierd_model::{Clock, Instants, Timestamp, Type, Zone};
use tierd_rules::{BookingKind, PointsMeasure, PointsProgram};

use super::account::{Account, Entry, EntryKind};
use crate::columns::arrow_type;

/// Measures of all accounts, one after the other.
pub(super) struct Measures<'a> {
    measures: Vec<Measure>,
    zone: &'a Zone,
}

struct Measure {
    what: What,
    /// Of the account that is being replayed.
    now: i128,
    done: Column,
}

/// One value per subject.
enum Column {
    Dates(Date32Builder),
    Integers(Int64Builder),
    Decimals(Decimal128Builder),
}

/// A measure, its window resolved.
enum What {
    Earned(Instants),
    Spent(Instants),
    Expired(Instants),
    Balance,
    /// Lost at this instant or before.
    Expiring(Timestamp),
    NextExpiry,
}

impl<'a> Measures<'a> {
    pub(super) fn new(program: &PointsProgram, measures: &[PointsMeasure], subjects: usize, clock: &'a Clock) -> Self {
        let measure = |measure: &PointsMeasure| {
            let ty = if *measure == PointsMeasure::NextExpiry { Type::Date } else { program.ty() };
            Measure { what: What::new(*measure, clock), now: 0, done: Column::new(ty, subjects) }
        };
        Measures { measures: measures.iter().map(measure).collect(), zone: clock.zone() }
    }

    pub(super) fn begin(&mut self) {
        self.measures.iter_mut().for_each(|measure| measure.now = 0);
    }

    pub(super) fn take(&mut self, entry: Entry) {
        use BookingKind as B;
        use EntryKind as E;
        for Measure { what, now, .. } in &mut self.measures {
            match (what, entry.kind) {
                (What::Earned(window), E::Booked(B::Earn, _)) if begins(window, entry.at) => *now += entry.amount,
                (What::Earned(window), E::Booked(B::Refund, _)) if begins(window, entry.at) => *now -= entry.amount,
                (What::Spent(window), E::Booked(B::Spend, _)) if begins(window, entry.at) => *now += entry.amount,
                (What::Expired(window), E::Expired(_)) if ends(window, entry.at) => *now += entry.amount,
                _ => {}
            }
        }
    }

    pub(super) fn finish(&mut self, account: &Account) {
        for Measure { what, now, done } in &mut self.measures {
            let lost_by = |until: Timestamp| {
                let lots = account.lots().filter(|lot| lot.expires.is_some_and(|at| at <= until));
                lots.map(|lot| lot.remaining).sum()
            };
            done.push(match what {
                What::Earned(_) | What::Spent(_) | What::Expired(_) => Some(*now),
                What::Balance => Some(account.balance),
                What::Expiring(until) => Some(lost_by(*until)),
                What::NextExpiry => {
                    let first = account.lots().next().and_then(|lot| lot.expires);
                    first.map(|at| i128::from(self.zone.date_of(at).0))
                }
            });
        }
    }

    pub(super) fn into_columns(self) -> Vec<ArrayRef> {
        self.measures.into_iter().map(|measure| measure.done.finish()).collect()
    }
}

impl What {
    fn new(measure: PointsMeasure, clock: &Clock) -> Self {
        match measure {
            PointsMeasure::Earned(window) => What::Earned(window.resolve(clock)),
            PointsMeasure::Spent(window) => What::Spent(window.resolve(clock)),
            PointsMeasure::Expired(window) => What::Expired(window.resolve(clock)),
            PointsMeasure::Balance => What::Balance,
            PointsMeasure::Expiring(span) => What::Expiring(clock.zone().midnight(span.add_to(clock.today()))),
            PointsMeasure::NextExpiry => What::NextExpiry,
        }
    }
}

/// Bookings: at the start of a window or later, before its end.
fn begins(window: &Instants, at: Timestamp) -> bool {
    window.start <= at && at < window.end
}

/// Expiries come before everything else at their instant: after the start of a window, up to its end.
fn ends(window: &Instants, at: Timestamp) -> bool {
    window.start < at && at <= window.end
}

impl Column {
    fn new(ty: Type, subjects: usize) -> Self {
        match ty {
            Type::Date => Column::Dates(Date32Builder::with_capacity(subjects)),
            Type::Integer => Column::Integers(Int64Builder::with_capacity(subjects)),
            ty => {
                let decimals = Decimal128Builder::with_capacity(subjects);
                Column::Decimals(decimals.with_data_type(arrow_type(ty)))
            }
        }
    }

    /// Adds the value of the next subject, dates in days. What doesn't fit is NULL.
    fn push(&mut self, value: Option<i128>) {
        match self {
            Column::Dates(days) => days.append_option(value.and_then(|days| days.try_into().ok())),
            Column::Integers(numbers) => numbers.append_option(value.and_then(|number| number.try_into().ok())),
            Column::Decimals(units) => units.append_option(value),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Column::Dates(mut days) => Arc::new(days.finish()),
            Column::Integers(mut numbers) => Arc::new(numbers.finish()),
            Column::Decimals(mut units) => Arc::new(units.finish()),
        }
    }
}
