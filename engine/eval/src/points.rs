//! Points accounts: bookings replayed in the order of time into lots, and metrics read off them.

use arrow_array::ArrayRef;
use tierd_model::Clock;
use tierd_rules::{PointsMeasure, PointsProgram};

use crate::given::Booked;

/// A column for each of these measures, one value per subject.
pub fn columns(
    _program: &PointsProgram,
    _measures: &[PointsMeasure],
    _bookings: &[Booked],
    _subjects: usize,
    _clock: &Clock,
) -> Vec<ArrayRef> {
    Vec::new()
}
