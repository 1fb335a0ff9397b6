//! Times spread by a hash: always the same for the same names, and different for different ones, so that many projects on one
//! machine, or many tries after one failure, don't all begin at once.

use std::time::Duration;

/// A part of `most` that depends on these names alone: less than `most`, in whole microseconds.
pub(super) fn part_of(most: Duration, names: &[&str]) -> Duration {
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    // The upper half of the product: `most` times the hash as a fraction.
    Duration::from_micros(((u128::from(most) * u128::from(hash(names))) >> 64) as u64)
}

/// FNV-1a over the names, each ended by a byte that no text holds; then the finish of SplitMix64, because the upper bits of FNV
/// hardly move with the last characters. Not `std`'s hasher: that one may change with the next compiler.
fn hash(names: &[&str]) -> u64 {
    let bytes = names.iter().flat_map(|name| name.bytes().chain([0xff]));
    let fnv =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(300);

    /// A new version must not move every run of every installation.
    #[test]
    fn part_never_changes() {
        assert_eq!(part_of(MOST, &["/srv/shop", "default"]), Duration::from_micros(76_623_143));
        assert_eq!(part_of(Duration::ZERO, &["/srv/shop", "default"]), Duration::ZERO);
    }

    #[test]
    fn parts_of_similar_names_are_spread_over_the_whole() {
        let parts = (0..1000).map(|i| part_of(MOST, &["/srv/shop", &format!("schedule {i}")]));
        let mut tenths = [0; 10];
        parts.for_each(|part| tenths[(part.as_secs() / 30) as usize] += 1);
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
        assert_ne!(part_of(MOST, &["ab", "c"]), part_of(MOST, &["a", "bc"]));
    }
}
