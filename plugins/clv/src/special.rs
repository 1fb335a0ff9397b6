//! ln Γ and its first two derivatives, for arguments above 0.
//!
//! Each is carried up to an argument where Stirling's series is exact to the last digits, by its recurrence (Abramowitz and Stegun 6.1.15, 6.3.5,
//! 6.4.6; the series are 6.1.41, 6.3.18 and 6.4.12).

/// From here on the series below are exact in a double.
const FAR: f64 = 10.0;

/// ln Γ(x).
pub fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < FAR {
        product *= x;
        x += 1.0;
    }
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
    let y = 1.0 / (x * x);
    let series = 1.0 / 12.0
        + y * (-1.0 / 360.0
            + y * (1.0 / 1260.0
                + y * (-1.0 / 1680.0
                    + y * (1.0 / 1188.0 + y * (-691.0 / 360_360.0 + y * (1.0 / 156.0 - y * 3617.0 / 122_400.0))))));
    (x - 0.5) * x.ln() - x + HALF_LN_TAU + series / x - product.ln()
}

/// ψ(x), the derivative of ln Γ.
pub fn digamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < FAR {
        below += 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0
                    - y * (1.0 / 240.0
                        - y * (1.0 / 132.0 - y * (691.0 / 32_760.0 - y * (1.0 / 12.0 - y * 3617.0 / 8160.0)))))));
    x.ln() - 0.5 / x - series - below
}

/// ψ'(x), the second derivative of ln Γ.
pub fn trigamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < FAR {
        below += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = 1.0 / 6.0
        + y * (-1.0 / 30.0
            + y * (1.0 / 42.0
                + y * (-1.0 / 30.0 + y * (5.0 / 66.0 + y * (-691.0 / 2730.0 + y * (7.0 / 6.0 - y * 3617.0 / 510.0))))));
    1.0 / x + 0.5 * y + series * y / x + below
}

#[cfg(test)]
mod tests {
    use super::{digamma, ln_gamma, trigamma};

    fn near(x: f64, value: f64, wanted: f64) {
        assert!((value - wanted).abs() <= 4e-15 * wanted.abs().max(1.0), "at {x}: {value}, not {wanted}");
    }

    // Values of scipy.special.{gammaln, digamma, polygamma(1, ·)}.
    #[test]
    fn ln_gamma_and_its_derivatives_are_those_of_scipy() {
        for (x, ln_g, psi, psi1) in SCIPY {
            near(x, ln_gamma(x), ln_g);
            near(x, digamma(x), psi);
            near(x, trigamma(x), psi1);
        }
    }

    const SCIPY: [(f64, f64, f64, f64); 12] = [
        (0.001, 6.907178885383853, -1000.5755719318103, 1000001.6425331959),
        (0.0425, 3.1351752144786342, -24.038809109483772, 555.1815394567697),
        (0.2426, 1.3197854750907922, -4.358361853222514, 18.19821032424031),
        (0.5, 0.5723649429247, -1.9635100260214235, 4.93480220054468),
        (0.7929, 0.1589694633724255, -0.9814474190300095, 2.331319887688621),
        (1.0, 0.0, -0.5772156649015329, 1.6449340668482266),
        (1.4616321449683622, -0.1214862905358497, -9.241265521729427e-17, 0.9676722454476214),
        (2.4259, 0.2339414986382207, 0.666157066515542, 0.5084972170181998),
        (4.4136, 2.3346731726675762, 1.3671480056524186, 0.2541592394191213),
        (9.999, 12.799575780077413, 2.251647417205735, 0.10517738667672885),
        (33.25, 82.42923834590904, 3.4889418035209387, 0.030531979535421604),
        (10000.0, 82099.71749644238, 9.21029037114285, 0.00010000500016666666),
    ];
}
