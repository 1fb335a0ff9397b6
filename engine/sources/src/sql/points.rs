//! Points that are sums of bookings: earned, spent; and the balance of points that are never lost.
//!
//! Which lots are spent first, and what of each is lost when, isn't said in SQL: see [`super::NotSql::Account`].

use tierd_model::{Type, Window, WindowKind, pow10};
use tierd_rules::{Booking, BookingKind, FactsId, MetricId, MetricKind, PointsMeasure, PointsProgram};

use super::{
    plan::Plan,
    text::{Binds, Sql, infix},
};

/// A booking that a metric counts.
pub(super) struct Part<'a> {
    pub(super) metric: MetricId,
    pub(super) program: &'a PointsProgram,
    pub(super) booking: &'a Booking,
    pub(super) window: Window,
    /// Taken off.
    pub(super) minus: bool,
}

/// What these metrics count of the bookings by these facts.
pub(super) fn parts<'a>(plan: &Plan<'a>, metrics: &[MetricId], facts: FactsId) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for &metric in metrics {
        let MetricKind::Points { program, measure } = plan.rules.metrics[metric.0].kind else { continue };
        let program = &plan.rules.points[program.0];
        for booking in program.bookings.iter().filter(|booking| booking.facts == facts) {
            if let Some((window, minus)) = counted(measure, booking.kind) {
                parts.push(Part { metric, program, booking, window, minus });
            }
        }
    }
    parts
}

/// In which window a measure counts a kind of booking, and whether it is taken off.
fn counted(measure: PointsMeasure, kind: BookingKind) -> Option<(Window, bool)> {
    match (measure, kind) {
        (PointsMeasure::Earned(window), BookingKind::Earn) => Some((window, false)),
        (PointsMeasure::Earned(window), BookingKind::Refund) => Some((window, true)),
        (PointsMeasure::Spent(window), BookingKind::Spend) => Some((window, false)),
        (PointsMeasure::Balance, kind) => {
            Some((Window { kind: WindowKind::Lifetime, offset: 0 }, kind != BookingKind::Earn))
        }
        _ => None,
    }
}

/// The points of a booking: cut to the program's digits. What isn't above 0 must not be counted.
pub(super) fn cut(points: &Sql, ty: Type, digits: u8) -> Sql {
    let scale = ty.scale().unwrap_or(0);
    match scale.cmp(&digits) {
        std::cmp::Ordering::Less => infix(Binds::Product, points, "*", &Sql::integer(pow10(digits - scale))),
        std::cmp::Ordering::Equal => points.clone(),
        std::cmp::Ordering::Greater => infix(Binds::Product, points, "/", &Sql::integer(pow10(scale - digits))),
    }
}
