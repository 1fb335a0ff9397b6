//! Gamma-Gamma: how much a purchase is worth (Fader and Hardie, "The Gamma-Gamma model of monetary value", 2013).
//!
//! What a customer's purchases are worth varies around a mean of their own (gamma, shape `p`), and the means vary over customers (gamma again, `q`
//! and `v`, the paper's γ). How often somebody buys says nothing of it. A customer is known by `x` repeat purchases of `mean` each.

use crate::{
    newton::Sums,
    special::{digamma, ln_gamma, trigamma},
};

/// The parameters, in the order of the sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// Shape of the values of a customer's purchases.
    pub p: f64,
    /// Shape of the customers' scales; the mean of all is finite above 1.
    pub q: f64,
    /// Their scale.
    pub v: f64,
}

impl From<[f64; 3]> for GammaGamma {
    fn from([p, q, v]: [f64; 3]) -> Self {
        GammaGamma { p, q, v }
    }
}

impl GammaGamma {
    /// ln L of a customer with repeat purchases of more than nothing, with its gradient and Hessian in the parameters, added to sums.
    pub fn add_likelihood(&self, sums: &mut Sums<3>, x: f64, mean: f64) {
        let GammaGamma { p, q, v } = *self;
        let (px, pxq, total) = (p * x, p * x + q, x * mean + v);
        sums.value += ln_gamma(pxq) - ln_gamma(px) - ln_gamma(q) + q * v.ln() + (px - 1.0) * mean.ln() + px * x.ln()
            - pxq * total.ln();
        sums.add_gradient([
            x * (digamma(pxq) - digamma(px) + mean.ln() + x.ln() - total.ln()),
            digamma(pxq) - digamma(q) + v.ln() - total.ln(),
            q / v - pxq / total,
        ]);
        let pq = x * trigamma(pxq);
        let pv = -x / total;
        let qv = 1.0 / v - 1.0 / total;
        sums.add_hessian([
            [x * x * (trigamma(pxq) - trigamma(px)), pq, pv],
            [pq, trigamma(pxq) - trigamma(q), qv],
            [pv, qv, -q / (v * v) + pxq / (total * total)],
        ]);
    }

    /// What a purchase of a customer is expected to be worth: between the mean of all and the customer's own, nearer to the latter the more
    /// purchases there are. `None` where the mean of all is infinite and the customer's own doesn't outweigh it.
    pub fn value(&self, x: f64, mean: f64) -> Option<f64> {
        let GammaGamma { p, q, v } = *self;
        let weight = p * x + q - 1.0;
        (weight > 0.0 && (x > 0.0 || q > 1.0)).then(|| (v * p + p * x * mean) / weight)
    }
}

#[cfg(test)]
mod tests {
    use super::GammaGamma;
    use crate::newton::{Sums, tests::derivatives_fit};

    #[test]
    fn the_paper_s_customers_are_worth_as_much() {
        // Fader and Hardie (2013), CDNOW: the population's mean, and two customers of table 1 with the means given there.
        let cdnow = GammaGamma { p: 6.25, q: 3.74, v: 15.44 };
        let mean = cdnow.value(0.0, 0.0).unwrap();
        assert!((mean - 15.44 * 6.25 / 2.74).abs() < 1e-12);
        let own = cdnow.value(4.0, 50.0).unwrap();
        assert!(own > mean && own < 50.0);
        assert!((cdnow.value(1e9, 50.0).unwrap() - 50.0).abs() < 1e-6);
    }

    #[test]
    fn an_infinite_mean_is_no_value() {
        let wild = GammaGamma { p: 2.0, q: 0.8, v: 10.0 };
        assert_eq!(wild.value(0.0, 0.0), None);
        assert!(wild.value(3.0, 10.0).is_some());
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        for (x, mean) in [(1.0, 12.0), (7.0, 33.0), (2.0, 0.5)] {
            derivatives_fit([6.25, 3.74, 15.44], |at| {
                let mut sums = Sums::default();
                GammaGamma::from(at).add_likelihood(&mut sums, x, mean);
                sums
            });
        }
    }
}
