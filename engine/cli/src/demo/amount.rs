//! Numbers of an example database: fixed, drawn from a range or a distribution, or around a row's own figure.

use serde::Deserialize;

use super::random::Random;

/// How a number is found. Texts are names of the row's figures.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Amount {
    /// Always this.
    Fixed(i64),
    /// Evenly, both ends inside.
    Range([i64; 2]),
    /// The row's figure itself.
    Figure(String),
    /// From a range, the smaller the likelier.
    Skewed { skewed: [i64; 2] },
    /// Half of them lie above the first number; two of three between it divided and multiplied by about
    /// `1 + second / 100`: what people spend.
    Lognormal { lognormal: [i64; 2] },
    /// Evenly, so many percent below and above the figure.
    Around { around: String, percent: u32 },
    /// Evenly, so much below and above the figure, within bounds: marks from 1 to 5.
    Near { near: String, by: u32, min: i64, max: i64 },
}

impl Amount {
    /// The figure that it needs.
    pub(super) fn figure(&self) -> Option<&str> {
        match self {
            Amount::Figure(name) | Amount::Around { around: name, .. } | Amount::Near { near: name, .. } => Some(name),
            _ => None,
        }
    }

    /// A number; `figure` gives the row's figure of a name.
    pub(super) fn draw(&self, random: &mut Random, figure: impl Fn(&str) -> i64) -> i64 {
        match self {
            Amount::Fixed(number) => *number,
            Amount::Range([low, high]) => random.within(*low, *high),
            Amount::Figure(name) => figure(name),
            Amount::Skewed { skewed: [low, high] } => {
                let edge = random.within(*low, *high);
                random.within(*low, edge)
            }
            Amount::Lognormal { lognormal: [median, spread] } => {
                (*median as f64 * exp(random.normal() * ln_1p(*spread as f64 / 100.0))) as i64
            }
            Amount::Around { around, percent } => {
                let middle = figure(around);
                let off = middle * i64::from(*percent) / 100;
                random.within(middle - off, middle + off)
            }
            Amount::Near { near, by, min, max } => {
                let by = i64::from(*by);
                (figure(near) + random.within(-by, by)).clamp(*min, *max)
            }
        }
    }
}

/// `e^x` for small x by multiplication alone, so that it is the same on every machine; within 1 % up to |x| = 4.
fn exp(x: f64) -> f64 {
    let mut y = 1.0 + x / 1024.0;
    for _ in 0..10 {
        y *= y;
    }
    y
}

/// `ln(1 + x)` for x from 0 to 2 by plain arithmetic: the first terms of the series of the inverse hyperbolic tangent.
fn ln_1p(x: f64) -> f64 {
    let t = x / (2.0 + x);
    let square = t * t;
    2.0 * t * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square / 7.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(amount: &Amount) -> Vec<i64> {
        let mut random = Random::new(1, 1);
        let mut all: Vec<i64> = (0..9999).map(|_| amount.draw(&mut random, |_| 200)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn numbers_keep_their_range() {
        for (amount, low, high) in [
            (Amount::Range([-3, 3]), -3, 3),
            (Amount::Skewed { skewed: [5, 9] }, 5, 9),
            (Amount::Around { around: "f".into(), percent: 50 }, 100, 300),
            (Amount::Near { near: "f".into(), by: 1, min: 150, max: 200 }, 199, 200),
            (Amount::Figure("f".into()), 200, 200),
        ] {
            let all = draws(&amount);
            assert_eq!((all[0], all[9998]), (low, high), "{amount:?}");
        }
    }

    #[test]
    fn half_of_a_lognormal_lies_above_its_median() {
        let all = draws(&Amount::Lognormal { lognormal: [10_000, 100] });
        assert!((9_600..10_400).contains(&all[5000]), "{}", all[5000]);
        // One standard deviation up, the 84th percent, is twice as much.
        assert!((19_000..21_000).contains(&all[8413]), "{}", all[8413]);
        assert!(all[0] > 0);
    }

    #[test]
    fn the_functions_are_close() {
        for x in [-4.0_f64, -1.0, 0.0, 0.5, 2.0, 4.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 0.01, "{x}");
        }
        for x in [0.0_f64, 0.3, 1.0, 2.0] {
            assert!((ln_1p(x) - x.ln_1p()).abs() < 0.001, "{x}");
        }
    }
}
