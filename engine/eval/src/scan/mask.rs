//! Three-valued truth of a batch's rows, one byte each, in loops without branches.
//!
//! The two low bits say TRUE and FALSE; neither is UNKNOWN. So Kleene's connectives are bitwise.

use super::batch::{BATCH_ROWS, VALID, Values};

/// Truth of every row of a batch: [`TRUE`], [`FALSE`] or [`UNKNOWN`].
pub(super) type Truth = [u8; BATCH_ROWS];

pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const UNKNOWN: u8 = 0;

/// TRUE or FALSE as a byte.
pub(super) fn truth_of(value: Option<bool>) -> u8 {
    match value {
        Some(true) => TRUE,
        Some(false) => FALSE,
        None => UNKNOWN,
    }
}

pub(super) fn not(truth: &mut Truth) {
    for t in truth {
        *t = ((*t & TRUE) << 1) | (*t >> 1);
    }
}

pub(super) fn and(truth: &mut Truth, other: &Truth) {
    for (t, o) in truth.iter_mut().zip(other) {
        *t = (*t & *o & TRUE) | ((*t | *o) & FALSE);
    }
}

pub(super) fn or(truth: &mut Truth, other: &Truth) {
    for (t, o) in truth.iter_mut().zip(other) {
        *t = ((*t | *o) & TRUE) | (*t & *o & FALSE);
    }
}

/// Whole numbers from `low` to `high`, both inside: what every comparison with a constant comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Range {
    /// A range that holds nothing.
    pub(super) const EMPTY: Range = Range { low: 1, high: 0 };

    /// The numbers from `low` to `high` that fit in 64 bits.
    pub(super) fn clamped(low: i128, high: i128) -> Self {
        if low > high || low > i128::from(i64::MAX) || high < i128::from(i64::MIN) {
            return Range::EMPTY;
        }
        Range { low: low.max(i128::from(i64::MIN)) as i64, high: high.min(i128::from(i64::MAX)) as i64 }
    }

    /// TRUE where the value lies inside, FALSE where not, UNKNOWN where it is NULL.
    pub(super) fn truth(self, column: &Values, out: &mut Truth) {
        if self.low > self.high {
            return out.iter_mut().zip(&column.flags).for_each(|(t, flag)| *t = (flag & VALID) << 1);
        }
        // One comparison: below `low` wraps around to a huge distance.
        let width = self.high.wrapping_sub(self.low) as u64;
        for (t, (&value, flag)) in out.iter_mut().zip(column.values.iter().zip(&column.flags)) {
            let inside = u8::from(value.wrapping_sub(self.low) as u64 <= width);
            *t = (FALSE - inside) & (flag & VALID).wrapping_neg();
        }
    }

    /// 1 where the value lies inside, 0 elsewhere.
    pub(super) fn mask(self, column: &Values, out: &mut Truth) {
        self.truth(column, out);
        out.iter_mut().for_each(|t| *t &= TRUE);
    }
}

/// Doubles from `low` to `high`, both inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RealRange {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl RealRange {
    /// As [`Range::truth`].
    pub(super) fn truth(self, column: &Values, out: &mut Truth) {
        for (t, (&bits, flag)) in out.iter_mut().zip(column.values.iter().zip(&column.flags)) {
            let value = f64::from_bits(bits as u64);
            let inside = u8::from((self.low <= value) & (value <= self.high));
            *t = (FALSE - inside) & (flag & VALID).wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<i64>]) -> Values {
        let mut column = Values::default();
        for (i, value) in values.iter().enumerate() {
            column.values[i] = value.unwrap_or(0);
            column.flags[i] = u8::from(value.is_some());
        }
        column
    }

    #[test]
    fn ranges_reach_both_ends_of_the_integers() {
        let column = column(&[Some(i64::MIN), Some(-1), Some(0), Some(i64::MAX), None]);
        for (low, high, expected) in [
            (i64::MIN, i64::MAX, [TRUE, TRUE, TRUE, TRUE, UNKNOWN]),
            (0, i64::MAX, [FALSE, FALSE, TRUE, TRUE, UNKNOWN]),
            (i64::MIN, -1, [TRUE, TRUE, FALSE, FALSE, UNKNOWN]),
            (i64::MIN, i64::MIN, [TRUE, FALSE, FALSE, FALSE, UNKNOWN]),
            (1, 0, [FALSE, FALSE, FALSE, FALSE, UNKNOWN]),
        ] {
            let mut out = [9; BATCH_ROWS];
            Range { low, high }.truth(&column, &mut out);
            assert_eq!(out[..5], expected, "{low}..={high}");
        }
        assert_eq!(Range::clamped(i128::MAX - 1, i128::MAX), Range::EMPTY);
    }

    #[test]
    fn connectives_are_kleenes() {
        let values = [Some(true), Some(false), None];
        for a in values {
            for b in values {
                let (mut both, mut either) = ([truth_of(a); BATCH_ROWS], [truth_of(a); BATCH_ROWS]);
                let other = [truth_of(b); BATCH_ROWS];
                and(&mut both, &other);
                or(&mut either, &other);
                let expected_and = match (a, b) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                };
                let expected_or = match (a, b) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                };
                assert_eq!((both[0], either[0]), (truth_of(expected_and), truth_of(expected_or)), "{a:?} {b:?}");
            }
            let mut negated = [truth_of(a); BATCH_ROWS];
            not(&mut negated);
            assert_eq!(negated[0], truth_of(a.map(|a| !a)));
        }
    }
}
