//! Points accounts: bookings replayed in the order of time into lots, and metrics read off them.
//!
//! An account is a function of the facts. Every run replays all of them, so that a corrected order corrects the account; and
//! because the order in which bookings count is total (time, kind, place in the program, amount), the order in which rows were
//! read doesn't matter.
//!
//! Bookings of all subjects come in one heap. They are grouped by counting (`grouped`), and each subject's few are sorted
//! and replayed (`account`); what measures ask for is added up on the way (`measures`). [`replay`] is the same for one
//! subject, with the lots and the history, to be shown.
//!
//! What leaves by expiry at an instant leaves before anything that is booked at it. So a window that ends at that
//! midnight has the loss, and the one that begins there doesn't: a clearing at the end of the year belongs to that year.

mod account;
mod grouped;
mod measures;
#[cfg(test)]
mod tests;

use arrow_array::ArrayRef;
use tierd_model::Clock;
use tierd_rules::{PointsMeasure, PointsProgram};

use crate::given::Booked;
use account::{Account, Expiries};
use measures::Measures;

pub use account::{Entry, EntryKind, Lot};
pub use grouped::Grouped;

/// A column for each of these measures, one value per subject: of [`PointsProgram::ty`], or dates for
/// [`PointsMeasure::NextExpiry`]. A number that doesn't fit is NULL. Bookings at or after the run's time don't count. The bookings
/// are left in another order, which means nothing: moving them takes no memory beside their own.
///
/// # Panics
/// If a booking's subject isn't below `subjects`, or its booking isn't one of the program's.
pub fn columns(
    program: &PointsProgram,
    measures: &[PointsMeasure],
    bookings: &mut [Booked],
    subjects: usize,
    clock: &Clock,
) -> Vec<ArrayRef> {
    let mut expiries = Expiries::new(&program.expiry, clock.zone());
    let mut measured = Measures::new(program, measures, subjects, clock);
    let mut account = Account::default();
    Grouped::new(bookings, subjects).each(0, subjects, |mine| {
        sort(program, mine);
        account.clear();
        measured.begin();
        account.replay(program, mine, &mut expiries, clock.as_of(), |entry| measured.take(entry));
        measured.finish(&account);
    });
    measured.into_columns()
}

/// An account as of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What there is, in the order in which it was earned, which is also that in which it will be lost.
    pub lots: Vec<Lot>,
    /// What is owed: the next earnings pay it.
    pub debt: i128,
    /// Everything that happened, in order of time.
    pub history: Vec<Entry>,
}

impl Statement {
    /// Points that there are; negative where some are owed.
    pub fn balance(&self) -> i128 {
        self.lots.iter().map(|lot| lot.remaining).sum::<i128>() - self.debt
    }
}

/// The account of one subject, from its bookings in any order. Amounts are in units of the program's digits.
///
/// # Panics
/// If a booking isn't one of the program's.
pub fn replay(program: &PointsProgram, bookings: &[Booked], clock: &Clock) -> Statement {
    let mut mine = bookings.to_vec();
    sort(program, &mut mine);
    let mut account = Account::default();
    let mut history = Vec::with_capacity(mine.len());
    let mut expiries = Expiries::new(&program.expiry, clock.zone());
    account.replay(program, &mine, &mut expiries, clock.as_of(), |entry| history.push(entry));
    let (lots, debt) = account.into_lots();
    Statement { lots, debt, history }
}

/// The order in which bookings count. Kinds are in the order that they have on equal instants.
fn sort(program: &PointsProgram, bookings: &mut [Booked]) {
    let order = |b: &Booked| (b.at, program.bookings[usize::from(b.booking)].kind, b.booking, b.amount);
    bookings.sort_unstable_by_key(order);
}
