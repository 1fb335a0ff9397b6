//! The gaps between a subject's days.

use tierd_model::{div_round, pow10};

/// One day, in units of a decimal(6).
const DAY: i128 = pow10(6);

/// The mean gap in units of a decimal(6), halves away from zero. Without two days there is none.
pub(super) fn mean(days: &[i32]) -> Option<i128> {
    let (first, last) = (days.first()?, days.last()?);
    // The sum of the gaps is the whole distance; with a single day there is nothing to divide by.
    div_round((i128::from(*last) - i128::from(*first)) * DAY, days.len() as i128 - 1)
}

/// The median gap in units of a decimal(6): of an even number, the mean of the middle two. `work` is emptied and used.
pub(super) fn median(days: &[i32], work: &mut Vec<i64>) -> Option<i128> {
    work.clear();
    work.extend(days.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0])));
    let gaps = work.len();
    let upper = gaps / 2;
    if gaps == 0 {
        return None;
    }
    let (below, &mut high, _) = work.select_nth_unstable(upper);
    let low = if 2 * upper == gaps { below.iter().copied().max()? } else { high };
    Some(i128::from(low + high) * DAY / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_between_neighbouring_days() {
        for (days, expected_mean, expected_median) in [
            (&[][..], None, None),
            (&[7], None, None),
            (&[7, 8], Some(1_000_000), Some(1_000_000)),
            (&[0, 1, 4], Some(2_000_000), Some(2_000_000)),
            (&[0, 2, 5], Some(2_500_000), Some(2_500_000)),
            (&[0, 10, 11, 20], Some(6_666_667), Some(9_000_000)),
            (&[-5, 0, 1, 100, 101], Some(26_500_000), Some(3_000_000)),
            (&[i32::MIN, i32::MAX], Some(4_294_967_295_000_000), Some(4_294_967_295_000_000)),
        ] {
            assert_eq!(mean(days), expected_mean, "{days:?}");
            assert_eq!(median(days, &mut vec![9]), expected_median, "{days:?}");
        }
    }
}
