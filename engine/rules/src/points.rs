//! Points programs: how points are earned, spent, lost and taken back.
//!
//! An account is a function of the facts: every run replays them, so that a corrected order corrects the account.

use tierd_model::{CalendarSpan, CalendarUnit, MonthDay, Type, Window};

use crate::{
    checked::{FactsId, SubjectId},
    expr::Expr,
    fileset::Location,
};

/// A points program.
#[derive(Debug, Clone)]
pub struct PointsProgram {
    /// Name in rules.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Whose points these are.
    pub subject: SubjectId,
    /// Digits after the point; points of a single booking are rounded down to them, towards zero.
    pub digits: u8,
    /// What books points, in the order written.
    pub bookings: Vec<Booking>,
    /// How points that nobody spends are lost.
    pub expiry: Expiry,
    /// Where it is declared.
    pub at: Location,
}

impl PointsProgram {
    /// The type of an amount of points: integer without digits after the point, else decimal.
    pub fn ty(&self) -> Type {
        if self.digits == 0 { Type::Integer } else { Type::Decimal(self.digits) }
    }
}

/// Facts that book points.
#[derive(Debug, Clone)]
pub struct Booking {
    /// What they do.
    pub kind: BookingKind,
    /// For people.
    pub title: Option<String>,
    /// Which facts.
    pub facts: FactsId,
    /// Which of them, over their columns.
    pub filter: Option<Expr>,
    /// How many points, over their columns: an exact number. NULL and anything below zero book nothing.
    pub points: Expr,
    /// Where it is written.
    pub at: Location,
}

/// What a booking does. On the same instant, earning comes first, then refunds, then spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BookingKind {
    /// Makes a new lot.
    Earn,
    /// Takes points back, from the newest lot first; what isn't there any more is owed, and the next earnings pay it.
    Refund,
    /// Spends points, from the lot that expires first; what isn't there is owed likewise.
    Spend,
}

/// How points that nobody spends are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// They aren't.
    Never,
    /// A lot is lost at the local midnight that begins the day this long after it was earned; with a unit, at the end of the
    /// month, quarter or year which that day falls in.
    After(CalendarSpan, Option<CalendarUnit>),
    /// All lots are lost at the end of these days of the year, ascending.
    Clearing(Vec<MonthDay>),
}

/// What a metric tells of an account as of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsMeasure {
    /// Points earned in a window, refunds in it taken off.
    Earned(Window),
    /// Points spent in a window.
    Spent(Window),
    /// Points lost by expiry or clearing in a window. What is lost at the midnight at which a window ends is lost in it.
    Expired(Window),
    /// Points there are; negative where some are owed.
    Balance,
    /// Points that are lost within this span from the run's day if nobody spends them: up to the midnight that begins the day so
    /// much later, itself inside.
    Expiring(CalendarSpan),
    /// The day on which the next points are lost (date): the first day on which they are gone; NULL if none will be.
    NextExpiry,
}
