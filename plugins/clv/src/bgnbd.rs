//! BG/NBD: how often customers buy, and when they leave (Fader, Hardie and Lee, "Counting your customers the easy way", Marketing
//! Science 24, 2005).
//!
//! While customers stay, they buy at a rate of their own, spread over all as a gamma distribution (`r`, `alpha`); after each purchase
//! they leave with a probability of their own, spread as a beta distribution (`a`, `b`). A customer is known by `x` repeat purchases, the last
//! of them `tx` after the first purchase, and the time `t` from the first purchase until now.

use tierd_plugin::Failure;

use crate::{
    newton::Sums,
    special::{digamma, ln_gamma, trigamma},
};

/// What is known of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Repeat purchases.
    pub x: f64,
    /// From the first purchase until the last; without repeat purchases it means nothing.
    pub tx: f64,
    /// From the first purchase until now.
    pub t: f64,
}

impl History {
    /// Of these figures.
    ///
    /// # Errors
    /// Where no customer can have them.
    pub fn new(frequency: f64, recency: f64, t: f64) -> Result<Self, Failure> {
        if !(frequency >= 0.0 && recency >= 0.0 && t >= 0.0) {
            return Err("frequency, recency and t must not be negative".into());
        }
        if recency > t {
            return Err("recency must not be greater than t: both count from the first purchase".into());
        }
        Ok(History { x: frequency, tx: recency, t })
    }
}

/// The parameters, in the order of the sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bgnbd {
    /// Shape of the rates of purchase.
    pub r: f64,
    /// Their scale: the mean rate is `r / alpha`.
    pub alpha: f64,
    /// Of the probabilities of leaving: their mean is `a / (a + b)`.
    pub a: f64,
    /// See `a`.
    pub b: f64,
}

impl From<[f64; 4]> for Bgnbd {
    fn from([r, alpha, a, b]: [f64; 4]) -> Self {
        Bgnbd { r, alpha, a, b }
    }
}

impl Bgnbd {
    /// ln L of a customer, with its gradient and Hessian in the parameters, added to sums.
    pub fn add_likelihood(&self, sums: &mut Sums<4>, History { x, tx, t }: History) {
        let Bgnbd { r, alpha, a, b } = *self;
        let rx = r + x;
        // ln L = counts + ln(e^stayed + e^left), where only those who bought again can have left.
        let counts = ln_gamma(rx) - ln_gamma(r) + r * alpha.ln() + ln_gamma(a + b) - ln_gamma(a + b + x)
            + ln_gamma(b + x)
            - ln_gamma(b);
        let stayed = Exponent::new(rx, alpha + t);
        let left = Exponent::new(rx, alpha + tx);
        let (share, mix) = match x > 0.0 {
            true => mixed(stayed.value, left.value + a.ln() - (b + x - 1.0).ln()),
            false => (0.0, stayed.value),
        };
        let both = |of_stayed: f64, of_left: f64| (1.0 - share) * of_stayed + share * of_left;

        let beta = digamma(a + b) - digamma(a + b + x);
        let beta_2 = trigamma(a + b) - trigamma(a + b + x);
        // What leaving adds to the derivatives in a and b; without repeat purchases its share is 0.
        let (left_a, left_b) = (1.0 / a, -1.0 / (b + x.max(1.0) - 1.0));
        let gap = [left.r - stayed.r, left.alpha - stayed.alpha, left_a, left_b];

        sums.value += counts + mix;
        sums.add_gradient([
            digamma(rx) - digamma(r) + alpha.ln() + both(stayed.r, left.r),
            r / alpha + both(stayed.alpha, left.alpha),
            beta + share * left_a,
            beta + digamma(b + x) - digamma(b) + share * left_b,
        ]);
        let r_alpha = 1.0 / alpha + both(stayed.r_alpha, left.r_alpha);
        let mut hessian = [
            [trigamma(rx) - trigamma(r), r_alpha, 0.0, 0.0],
            [r_alpha, -r / (alpha * alpha) + both(stayed.alpha_2, left.alpha_2), 0.0, 0.0],
            [0.0, 0.0, beta_2 - share * left_a * left_a, beta_2],
            [0.0, 0.0, beta_2, beta_2 + trigamma(b + x) - trigamma(b) + share * left_b * left_b],
        ];
        for (row, of_row) in hessian.iter_mut().zip(gap) {
            for (cell, of_column) in row.iter_mut().zip(gap) {
                *cell += share * (1.0 - share) * of_row * of_column;
            }
        }
        sums.add_hessian(hessian);
    }

    /// The probability that a customer hasn't left.
    pub fn alive(&self, History { x, tx, t }: History) -> f64 {
        if x == 0.0 { 1.0 } else { 1.0 / (1.0 + self.odds_of_having_left(x, tx, t)) }
    }

    fn odds_of_having_left(&self, x: f64, tx: f64, t: f64) -> f64 {
        self.a / (self.b + x - 1.0) * ((self.r + x) * ((self.alpha + t) / (self.alpha + tx)).ln()).exp()
    }

    /// Purchases to be expected of a customer from now on for as long as `horizon` (equation 10).
    pub fn purchases(&self, history: History, horizon: f64) -> f64 {
        self.purchases_if_alive(history, horizon) * self.alive(history)
    }

    /// Equation 10 has (a+b+x-1)/(a-1) · [1 - (1-z)^(r+x) ₂F₁(r+x, b+x; a+b+x-1; z)], z = horizon / (alpha + t + horizon).
    ///
    /// By Euler's transformation the second term is (1-z)^(a-1) ₂F₁(a+b-1-r, a-1; a+b+x-1; z): nothing overflows with many purchases, all terms
    /// but the first have the factor a-1, and so a = 1 is no hole. Where `a` is large, because customers hardly differ in how they leave, its
    /// terms grow beyond all bounds before they fall, and the brackets are taken as they are.
    fn purchases_if_alive(&self, History { x, t, .. }: History, horizon: f64) -> f64 {
        let Bgnbd { r, alpha, a, b } = *self;
        let z = horizon / (alpha + t + horizon);
        let ln_rest = (alpha + t).ln() - (alpha + t + horizon).ln();
        let c = a + b + x - 1.0;
        if a > LARGE {
            return c / (a - 1.0) * (1.0 - thinned(r + x, b + x, c, z, ln_rest));
        }
        let exponent = a - 1.0;
        let grown = if exponent == 0.0 { ln_rest } else { (exponent * ln_rest).exp_m1() / exponent };
        -c * grown - (exponent * ln_rest).exp() * series(a + b - 1.0 - r, a, c, z)
    }
}

/// Terms of the series before it is given up; at a horizon of 1000 times the age it has ended long before.
const MOST_TERMS: u32 = 1_000_000;

/// From here on 1 - (1-z)^(r+x) ₂F₁ loses no digits that matter.
const LARGE: f64 = 20.0;

/// Σ (p)ₙ (a)ₙ₋₁ / (c+1)ₙ₋₁ zⁿ/n! for n from 1: what is left of c · (₂F₁(p, a-1; c; z) - 1) / (a-1).
fn series(p: f64, a: f64, c: f64, z: f64) -> f64 {
    let mut term = p * z;
    let mut sum = term;
    for n in 1..MOST_TERMS {
        let n = f64::from(n);
        term *= (p + n) * (a + n - 1.0) / ((c + n) * (n + 1.0)) * z;
        sum += term;
        if term.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    sum
}

/// (1-z)^s ₂F₁(s, b; c; z) with `ln_rest` = ln(1-z): the mean of (b)ₙ/(c)ₙ where n is negative binomial, and so at most 1 where b < c. The first
/// term may be too small for a double; it is taken as 1, and the sum scaled as it grows.
fn thinned(s: f64, b: f64, c: f64, z: f64, ln_rest: f64) -> f64 {
    const MOST: f64 = 1e250;
    let (mut term, mut sum, mut ln_scale) = (1.0, 1.0, s * ln_rest);
    for n in 0..MOST_TERMS {
        let n = f64::from(n);
        term *= (s + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        sum += term;
        if sum > MOST {
            (term, sum, ln_scale) = (term / MOST, sum / MOST, ln_scale + MOST.ln());
        }
        if term <= 1e-17 * sum {
            break;
        }
    }
    (sum.ln() + ln_scale).exp()
}

/// -(r+x) ln s for s = alpha + some time, and its derivatives.
struct Exponent {
    value: f64,
    r: f64,
    alpha: f64,
    r_alpha: f64,
    alpha_2: f64,
}

impl Exponent {
    fn new(rx: f64, s: f64) -> Self {
        Exponent { value: -rx * s.ln(), r: -s.ln(), alpha: -rx / s, r_alpha: -1.0 / s, alpha_2: rx / (s * s) }
    }
}

/// The share of the second in e^first + e^second, and the logarithm of the sum.
fn mixed(first: f64, second: f64) -> (f64, f64) {
    let most = first.max(second);
    let (one, other) = ((first - most).exp(), (second - most).exp());
    (other / (one + other), most + (one + other).ln())
}

#[cfg(test)]
mod tests {
    use super::{Bgnbd, History};
    use crate::newton::Sums;

    const CDNOW: Bgnbd = Bgnbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

    fn near(value: f64, wanted: f64, tolerance: f64) {
        assert!((value - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{value}, not {wanted}");
    }

    #[test]
    fn the_paper_s_customer_is_expected_to_buy_as_often() {
        // Fader, Hardie and Lee, "Implementing the BG/NBD model for customer base analysis in Excel": x = 2, tx = 30.43, T = 38.86, 39 weeks.
        near(CDNOW.purchases(History { x: 2.0, tx: 30.43, t: 38.86 }, 39.0), 1.226, 5e-4);
    }

    // (1-z)^(r+x) ₂F₁ by scipy.special.hyp2f1, in the form of the paper.
    #[test]
    fn expectations_are_those_of_scipy() {
        for ([r, alpha, a, b], x, t, horizon, wanted) in SCIPY {
            let model = Bgnbd { r, alpha, a, b };
            near(model.purchases_if_alive(History { x, tx: 0.0, t }, horizon), wanted, 1e-9);
        }
    }

    const SCIPY: [([f64; 4], f64, f64, f64, f64); 15] = [
        ([0.243, 4.414, 0.793, 2.426], 0.0, 30.0, 39.0, 0.23938163233959234),
        ([0.243, 4.414, 0.793, 2.426], 2.0, 38.86, 39.0, 1.6873993058053),
        ([0.243, 4.414, 0.793, 2.426], 12.0, 36.0, 13.0, 3.562857860074204),
        ([0.243, 4.414, 0.793, 2.426], 40.0, 50.0, 26.0, 16.475316433828603),
        ([0.243, 4.414, 0.793, 2.426], 1.0, 3.0, 52.0, 4.480444841118445),
        ([1.7, 30.0, 1.4, 3.2], 0.0, 30.0, 39.0, 0.8832028506596552),
        ([1.7, 30.0, 1.4, 3.2], 2.0, 38.86, 39.0, 1.65089166076223),
        ([1.7, 30.0, 1.4, 3.2], 12.0, 36.0, 13.0, 2.4092968786939832),
        ([1.7, 30.0, 1.4, 3.2], 40.0, 50.0, 26.0, 11.183066672053169),
        ([1.7, 30.0, 1.4, 3.2], 1.0, 3.0, 52.0, 2.5719090551213877),
        ([0.5, 2.0, 0.3, 0.4], 0.0, 30.0, 39.0, 0.4698285345240561),
        ([0.5, 2.0, 0.3, 0.4], 2.0, 38.86, 39.0, 2.081760558936523),
        ([0.5, 2.0, 0.3, 0.4], 12.0, 36.0, 13.0, 4.073495170273174),
        ([0.5, 2.0, 0.3, 0.4], 40.0, 50.0, 26.0, 18.96797328043967),
        ([0.5, 2.0, 0.3, 0.4], 1.0, 3.0, 52.0, 8.58502469150243),
    ];

    #[test]
    fn an_a_of_one_lies_between_its_neighbours() {
        let at = |a| Bgnbd { a, ..CDNOW }.purchases(History { x: 3.0, tx: 20.0, t: 30.0 }, 52.0);
        let (below, one, above) = (at(1.0 - 1e-7), at(1.0), at(1.0 + 1e-7));
        assert!(below > one && one > above && below - above < 1e-6, "{below} {one} {above}");
    }

    const HISTORIES: [(f64, f64, f64); 5] =
        [(0.0, 1.0, 1.0), (1.0, 3.0, 52.0), (12.0, 36.0, 13.0), (40.0, 50.0, 2600.0), (3000.0, 100.0, 520.0)];

    #[test]
    fn a_large_a_is_computed_otherwise_and_gives_the_same() {
        for (x, t, horizon) in HISTORIES {
            let at = |a| Bgnbd { a, b: 480.0, ..CDNOW }.purchases_if_alive(History { x, tx: t, t }, horizon);
            let (below, above) = (at(20.0), at(20.0 + 1e-9));
            assert!((below / above - 1.0).abs() < 1e-9, "{below} {above}");
        }
    }

    #[test]
    fn customers_who_all_leave_alike_are_the_limit_of_large_parameters() {
        // With one probability of leaving for all, p, it is (1 - (1 + p h / (alpha + t))^-(r+x)) / p.
        for (x, t, horizon) in HISTORIES {
            let p = 0.04;
            let alike = Bgnbd { a: 1e7 * p, b: 1e7 * (1.0 - p), ..CDNOW };
            let power = -(CDNOW.r + x) * (p * horizon / (CDNOW.alpha + t)).ln_1p();
            near(alike.purchases_if_alive(History { x, tx: t, t }, horizon), -power.exp_m1() / p, 1e-3);
        }
    }

    #[test]
    fn a_thousand_purchases_and_an_endless_horizon_are_finite() {
        let heavy = CDNOW.purchases(History { x: 1000.0, tx: 100.0, t: 100.0 }, 52.0);
        assert!((0.7..1.0).contains(&(heavy / 520.0)), "{heavy}");
        let first_day = CDNOW.purchases(History { x: 0.0, tx: 0.0, t: 0.0 }, 1e6);
        assert!(first_day.is_finite() && first_day > 0.0);
    }

    #[test]
    fn who_bought_once_is_alive_and_who_is_silent_for_long_is_not() {
        near(CDNOW.alive(History { x: 0.0, tx: 0.0, t: 38.0 }), 1.0, 0.0);
        assert!(CDNOW.alive(History { x: 10.0, tx: 5.0, t: 38.0 }) < 0.01);
        assert!(CDNOW.alive(History { x: 10.0, tx: 37.0, t: 38.0 }) > 0.9);
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        for history in [(0.0, 0.0, 30.0), (1.0, 12.0, 30.0), (7.0, 29.5, 38.86), (3.0, 0.5, 38.0), (2.0, 20.0, 20.0)] {
            let history = History { x: history.0, tx: history.1, t: history.2 };
            crate::newton::tests::derivatives_fit([0.243, 4.414, 0.793, 2.426], |at| {
                let mut sums = Sums::default();
                Bgnbd::from(at).add_likelihood(&mut sums, history);
                sums
            });
        }
    }
}
