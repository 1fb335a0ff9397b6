/// A small generator of numbers that are the same on every machine: SplitMix64.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. Nothing in it calls a logarithm,
/// whose last digit may differ between machines.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A generator of its own for part `part` of a whole that has `seed`: parts don't depend on how many there are.
    pub(super) fn new(seed: u64, part: u64) -> Self {
        let whole = Random(seed).next();
        Random(Random(whole ^ part).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly from `low..=high`.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        low + ((u128::from(self.next()) * u128::from(width)) >> 64) as u32
    }

    /// Evenly from `low..=high`; `low` where that is nothing. For numbers whose distance is below 2^32.
    pub(super) fn within(&mut self, low: i64, high: i64) -> i64 {
        let width = u32::try_from(high.saturating_sub(low)).unwrap_or(if high < low { 0 } else { u32::MAX });
        low.saturating_add(i64::from(self.between(0, width)))
    }

    /// From `low..=high`, the smaller the likelier.
    pub(super) fn skewed(&mut self, low: u32, high: u32) -> u32 {
        let edge = self.between(low, high);
        self.between(low, edge)
    }

    /// About the standard normal distribution, from -6 to 6: a sum of twelve even draws.
    pub(super) fn normal(&mut self) -> f64 {
        let sum: u64 = (0..12).map(|_| self.next() >> 32).sum();
        sum as f64 / (1_u64 << 32) as f64 - 6.0
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.between(0, 99) < percent
    }

    /// The index of one of these weights, the larger the likelier (never called with weights that are all 0).
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: u32 = weights.clone().sum();
        let mut at = self.between(0, total.saturating_sub(1));
        for (i, weight) in weights.enumerate() {
            if at < weight {
                return i;
            }
            at -= weight;
        }
        0
    }

    /// One of these (never called with none).
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.between(0, from.len() as u32 - 1) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_reference_implementation() {
        // Vigna's splitmix64.c, seeded with 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_both_ends() {
        let mut random = Random::new(7, 1);
        let drawn: Vec<u32> = (0..1000).map(|_| random.between(3, 6)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&6));
        assert_eq!(random.between(5, 5), 5);
        assert!((0..1000).map(|_| random.skewed(10, 20)).all(|n| (10..=20).contains(&n)));
        assert!((0..1000).map(|_| random.within(-5, 5)).all(|n| (-5..=5).contains(&n)));
        assert_eq!(random.within(5, -5), 5);
    }

    #[test]
    fn weights_are_heeded() {
        let mut random = Random::new(1, 1);
        let mut seen = [0_u32; 3];
        (0..1000).for_each(|_| seen[random.weighted([1, 0, 3].into_iter())] += 1);
        assert_eq!(seen[1], 0);
        assert!((200..300).contains(&seen[0]), "{seen:?}");
    }
}
