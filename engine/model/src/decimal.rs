use std::{cmp::Ordering, fmt};

/// The largest scale that a column or an explicit cast may declare.
pub const MAX_SCALE: u8 = 18;

/// `10^scale`, exact up to `scale` 38.
///
/// # Panics
/// Never for `scale <= 38`, which every [`Decimal`] keeps to.
pub const fn pow10(scale: u8) -> i128 {
    10i128.pow(scale as u32)
}

/// `numerator / denominator` to the nearest integer, halves away from zero. `None` for a zero denominator or overflow.
///
/// ```
/// use tierd_model::div_round;
/// assert_eq!(div_round(5, 2), Some(3));
/// assert_eq!(div_round(-5, 2), Some(-3));
/// assert_eq!(div_round(1, 0), None);
/// ```
pub const fn div_round(numerator: i128, denominator: i128) -> Option<i128> {
    let (Some(quotient), Some(rest)) = (numerator.checked_div(denominator), numerator.checked_rem(denominator)) else {
        return None;
    };
    let twice = rest.unsigned_abs().saturating_mul(2);
    if twice < denominator.unsigned_abs() {
        return Some(quotient);
    }
    if (numerator < 0) == (denominator < 0) { quotient.checked_add(1) } else { quotient.checked_sub(1) }
}

/// An exact decimal: `units / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    /// The number in its smallest unit.
    pub units: i128,
    /// Digits after the point, at most 38.
    pub scale: u8,
}

impl Decimal {
    /// A decimal of `units / 10^scale`.
    pub fn new(units: i128, scale: u8) -> Self {
        Decimal { units, scale }
    }

    /// Parses `-12.340`: digits, optionally a sign, optionally a point with digits after it. The scale is the number of
    /// digits written. `None` for anything else (blanks, exponents, more than 38 digits).
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut units: i128 = 0;
        let mut scale: Option<u8> = None;
        let mut any = false;
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    units = units.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                    scale = match scale {
                        Some(s) if s >= 38 => return None,
                        Some(s) => Some(s + 1),
                        None => None,
                    };
                }
                b'.' if scale.is_none() && any => scale = Some(0),
                _ => return None,
            }
        }
        if !any || digits.ends_with(b".") || units >= pow10(38) {
            return None;
        }
        Some(Decimal { units: if negative { -units } else { units }, scale: scale.unwrap_or(0) })
    }

    /// The same number at another scale, if that loses nothing and fits.
    pub fn rescale_exact(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return Some(Decimal { units: self.units.checked_mul(pow10(scale - self.scale))?, scale });
        }
        let factor = pow10(self.scale - scale);
        (self.units % factor == 0).then(|| Decimal { units: self.units / factor, scale })
    }

    /// The nearest number at another scale, halves away from zero; `None` if it doesn't fit.
    pub fn round(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return self.rescale_exact(scale);
        }
        Some(Decimal { units: div_round(self.units, pow10(self.scale - scale))?, scale })
    }

    /// The nearest binary floating-point number.
    pub fn to_f64(self) -> f64 {
        // Up to 2^53 both operands are exact, so that the quotient is the nearest double.
        self.units as f64 / pow10(self.scale) as f64
    }

    /// Without needless zeros after the point: `10.50` → `10.5`, `10.00` → `10`.
    pub fn normalize(self) -> Self {
        let mut out = self;
        while out.scale > 0 && out.units % 10 == 0 {
            out.units /= 10;
            out.scale -= 1;
        }
        out
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.normalize(), other.normalize());
        let scale = a.scale.max(b.scale);
        match (a.rescale_exact(scale), b.rescale_exact(scale)) {
            (Some(a), Some(b)) => a.units.cmp(&b.units),
            // One of them overflows at the common scale: it is the larger in size, so whole parts decide.
            _ => (a.units / pow10(a.scale)).cmp(&(b.units / pow10(b.scale))),
        }
    }
}

impl std::hash::Hash for Decimal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let n = self.normalize();
        (n.units, n.scale).hash(state);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let size = self.units.unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{sign}{size}");
        }
        let factor = pow10(self.scale).unsigned_abs();
        write!(f, "{sign}{}.{:0width$}", size / factor, size % factor, width = usize::from(self.scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_keeps_the_written_scale() {
        let d = Decimal::parse("-12.340").unwrap();
        assert_eq!((d.units, d.scale), (-12340, 3));
        let digits = |count| "1".repeat(count);
        assert!(Decimal::parse(&digits(38)).is_some());
        for bad in ["", ".", "-", "1.", ".5", "1e3", " 1", "1 ", "1,000", "--1", &digits(39)] {
            assert!(Decimal::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn equality_ignores_scale() {
        assert_eq!(Decimal::new(100, 2), Decimal::new(1, 0));
        assert!(Decimal::new(101, 2) > Decimal::new(1, 0));
        assert!(Decimal::new(i128::MAX, 0) > Decimal::new(1, 30));
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(Decimal::new(125, 2).round(1).unwrap().units, 13);
        assert_eq!(Decimal::new(-125, 2).round(1).unwrap().units, -13);
        assert_eq!(Decimal::new(124, 2).round(1).unwrap().units, 12);
    }

    #[test]
    fn display_pads_the_fraction() {
        assert_eq!(Decimal::new(-5, 2).to_string(), "-0.05");
        assert_eq!(Decimal::new(7, 0).to_string(), "7");
    }
}
