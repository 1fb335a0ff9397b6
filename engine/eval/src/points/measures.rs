//! What metrics ask of accounts, added up while they are replayed.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array};
use tierd_model::{Clock, Instants, Timestamp, Type, Zone};
use tierd_rules::{BookingKind, PointsMeasure, PointsProgram};

use super::account::{Account, Entry, EntryKind};
use crate::columns::arrow_type;

/// Measures of all accounts, one after the other.
pub(super) struct Measures<'a> {
    measures: Vec<Measure>,
    ty: Type,
    zone: &'a Zone,
}

struct Measure {
    what: What,
    /// Of the account that is being replayed.
    now: i128,
    /// By subject; dates in days.
    done: Vec<Option<i128>>,
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
            let what = What::new(*measure, clock);
            Measure { what, now: 0, done: Vec::with_capacity(subjects) }
        };
        Measures { measures: measures.iter().map(measure).collect(), ty: program.ty(), zone: clock.zone() }
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
        let ty = self.ty;
        let column = |measure: Measure| match measure.what {
            What::NextExpiry => column(Type::Date, measure.done),
            _ => column(ty, measure.done),
        };
        self.measures.into_iter().map(column).collect()
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

fn column(ty: Type, values: Vec<Option<i128>>) -> ArrayRef {
    let values = values.into_iter();
    match ty {
        Type::Date => {
            Arc::new(values.map(|days| days.and_then(|days| i32::try_from(days).ok())).collect::<Date32Array>())
        }
        Type::Integer => Arc::new(values.map(|v| v.and_then(|v| i64::try_from(v).ok())).collect::<Int64Array>()),
        ty => Arc::new(values.collect::<Decimal128Array>().with_data_type(arrow_type(ty))),
    }
}
