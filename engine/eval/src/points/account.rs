//! One account: lots, what is owed, and what each booking does to them.
//!
//! Whatever the way of expiry, a lot that is earned later is never lost earlier. So lots stand in a queue: spending and expiry
//! take from its front (what is lost first, the oldest on ties), refunds from its back (the newest).

use std::collections::VecDeque;

use tierd_model::{CalendarSpan, Date, Timestamp, Zone};
use tierd_rules::{BookingKind, Expiry, PointsProgram};

use crate::given::Booked;

/// Points that were earned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// When.
    pub earned: Timestamp,
    /// The local midnight at which what remains is lost; `None` for never.
    pub expires: Option<Timestamp>,
    /// How many, after debts were paid.
    pub amount: i128,
    /// How many there still are: above 0.
    pub remaining: i128,
}

/// One thing that happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EntryKind,
    /// How many points: above 0.
    pub amount: i128,
    /// Points there are afterwards; negative where some are owed.
    pub balance: i128,
}

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A booking: what it did, and its index in [`PointsProgram::bookings`].
    Booked(BookingKind, u16),
    /// A lot was lost that was earned at this time.
    Expired(Timestamp),
}

/// An account in the course of its replay.
#[derive(Debug, Default)]
pub(super) struct Account {
    lots: VecDeque<Lot>,
    debt: i128,
    /// All lots less the debt.
    pub(super) balance: i128,
}

impl Account {
    pub(super) fn clear(&mut self) {
        self.lots.clear();
        (self.debt, self.balance) = (0, 0);
    }

    pub(super) fn lots(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter()
    }

    pub(super) fn into_lots(self) -> (Vec<Lot>, i128) {
        (self.lots.into(), self.debt)
    }

    /// Books everything before `as_of`, in the order given, and lets expire what does by then.
    pub(super) fn replay(
        &mut self,
        program: &PointsProgram,
        bookings: &[Booked],
        expiries: &mut Expiries<'_>,
        as_of: Timestamp,
        mut each: impl FnMut(Entry),
    ) {
        for booked in bookings.iter().take_while(|booked| booked.at < as_of) {
            self.expire(booked.at, &mut each);
            let kind = program.bookings[usize::from(booked.booking)].kind;
            let amount = i128::from(booked.amount);
            match kind {
                BookingKind::Earn => self.earn(booked.at, amount, expiries.of(booked.at)),
                BookingKind::Refund => self.take(amount, VecDeque::back_mut, VecDeque::pop_back),
                BookingKind::Spend => self.take(amount, VecDeque::front_mut, VecDeque::pop_front),
            }
            let kind = EntryKind::Booked(kind, booked.booking);
            each(Entry { at: booked.at, kind, amount, balance: self.balance });
        }
        self.expire(as_of, &mut each);
    }

    /// Earnings pay what is owed; the rest is a new lot.
    fn earn(&mut self, earned: Timestamp, amount: i128, expires: Option<Timestamp>) {
        self.balance += amount;
        let paid = self.debt.min(amount);
        self.debt -= paid;
        let amount = amount - paid;
        if amount > 0 {
            self.lots.push_back(Lot { earned, expires, amount, remaining: amount });
        }
    }

    /// Takes points from one end of the lots; what isn't there is owed.
    fn take(
        &mut self,
        amount: i128,
        end: fn(&mut VecDeque<Lot>) -> Option<&mut Lot>,
        drop_end: fn(&mut VecDeque<Lot>) -> Option<Lot>,
    ) {
        self.balance -= amount;
        let mut rest = amount;
        while rest > 0
            && let Some(lot) = end(&mut self.lots)
        {
            let taken = lot.remaining.min(rest);
            lot.remaining -= taken;
            rest -= taken;
            if lot.remaining == 0 {
                drop_end(&mut self.lots);
            }
        }
        self.debt += rest;
    }

    /// What is lost up to this instant, itself inside.
    fn expire(&mut self, until: Timestamp, each: &mut impl FnMut(Entry)) {
        while let Some(&Lot { earned, expires: Some(at), remaining, .. }) = self.lots.front()
            && at <= until
        {
            self.lots.pop_front();
            self.balance -= remaining;
            each(Entry { at, kind: EntryKind::Expired(earned), amount: remaining, balance: self.balance });
        }
    }
}

/// When lots are lost.
pub(super) struct Expiries<'a> {
    expiry: &'a Expiry,
    zone: &'a Zone,
    /// Days that were asked about, and their answers: accounts have the same few days in common. Each day has one place, from
    /// which it drives out another.
    known: Vec<Option<(Date, Timestamp)>>,
}

/// Places for days: eleven years of them are together in the second-level cache.
const PLACES: usize = 4096;

impl<'a> Expiries<'a> {
    pub(super) fn new(expiry: &'a Expiry, zone: &'a Zone) -> Self {
        Expiries { expiry, zone, known: vec![None; PLACES] }
    }

    /// The midnight at which what is earned at this instant is lost: always later.
    fn of(&mut self, earned: Timestamp) -> Option<Timestamp> {
        if *self.expiry == Expiry::Never {
            return None;
        }
        let day = self.zone.date_of(earned);
        let place = &mut self.known[day.0 as usize % PLACES];
        match *place {
            Some((known, at)) if known == day => Some(at),
            _ => {
                let at = self.zone.midnight(first_day_without(self.expiry, day)?);
                *place = Some((day, at));
                Some(at)
            }
        }
    }
}

/// The first day on which what is earned on this day is gone.
fn first_day_without(expiry: &Expiry, day: Date) -> Option<Date> {
    match expiry {
        Expiry::Never => None,
        Expiry::After(span, None) => Some(span.add_to(day)),
        Expiry::After(span, Some(unit)) => {
            Some(CalendarSpan::months(unit.months()).add_to(unit.first_day(span.add_to(day))))
        }
        // A day of every year comes again within the next.
        Expiry::Clearing(days) => {
            let (year, ..) = day.ymd();
            let coming = [year, year + 1].into_iter().flat_map(|year| days.iter().map(move |d| d.in_year(year)));
            coming.filter(|clearing| *clearing >= day).min().map(|clearing| Date(clearing.0 + 1))
        }
    }
}
