//! Codes that keep an order, so that "the greatest code so far" serves minimum and maximum alike and 0 means "none yet".

use tierd_model::Type;

/// How values become codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Larger integers (and dates, instants, units) have larger codes.
    Largest,
    /// Smaller integers have larger codes.
    Smallest,
    /// As `Largest`, for values that never are `i64::MIN`: dates and instants. No value has code 0.
    LargestTime,
    /// As `Smallest`, for values that never are `i64::MAX`.
    SmallestTime,
    /// Larger doubles (by their bits) have larger codes. No number has code 0.
    LargestReal,
    /// Smaller doubles have larger codes.
    SmallestReal,
}

const SIGN: u64 = 1 << 63;

impl Order {
    /// The order for the maximum of a type.
    pub(super) fn largest(ty: Type) -> Self {
        match ty {
            Type::Real => Order::LargestReal,
            Type::Date | Type::Timestamp => Order::LargestTime,
            Type::Text | Type::Integer | Type::Decimal(_) | Type::Bool => Order::Largest,
        }
    }

    /// The order for the minimum of a type.
    pub(super) fn smallest(ty: Type) -> Self {
        match ty {
            Type::Real => Order::SmallestReal,
            Type::Date | Type::Timestamp => Order::SmallestTime,
            Type::Text | Type::Integer | Type::Decimal(_) | Type::Bool => Order::Smallest,
        }
    }

    /// Whether some value has code 0, so that a count must tell it from "none".
    pub(super) fn may_be_zero(self) -> bool {
        matches!(self, Order::Largest | Order::Smallest)
    }

    /// The code of a value laid out as in [`super::Values`].
    #[inline(always)]
    pub(super) fn code(self, value: i64) -> u64 {
        match self {
            Order::Largest | Order::LargestTime => value as u64 ^ SIGN,
            Order::Smallest | Order::SmallestTime => !(value as u64 ^ SIGN),
            Order::LargestReal => real_code(value as u64),
            Order::SmallestReal => !real_code(value as u64),
        }
    }

    /// The value of a code.
    #[inline(always)]
    pub(super) fn value(self, code: u64) -> i64 {
        match self {
            Order::Largest | Order::LargestTime => (code ^ SIGN) as i64,
            Order::Smallest | Order::SmallestTime => (!code ^ SIGN) as i64,
            Order::LargestReal => real_value(code),
            Order::SmallestReal => real_value(!code),
        }
    }
}

/// Bits of positive doubles are in order already; those of negative ones in reverse.
#[inline(always)]
fn real_code(bits: u64) -> u64 {
    bits ^ (((bits as i64 >> 63) as u64) | SIGN)
}

#[inline(always)]
fn real_value(code: u64) -> i64 {
    (code ^ ((!(code as i64) >> 63) as u64 | SIGN)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_the_order_and_come_back() {
        let integers = [i64::MIN, i64::MIN + 1, -5, -1, 0, 1, 7, i64::MAX - 1, i64::MAX];
        let reals = [-1e20, -1.5, -1e-300, 0.0, 1e-300, 0.5, 3.0, 1e20].map(|r: f64| r.to_bits() as i64);
        for (largest, smallest, values) in [
            (Order::Largest, Order::Smallest, &integers[..]),
            (Order::LargestTime, Order::SmallestTime, &integers[1..8]),
            (Order::LargestReal, Order::SmallestReal, &reals[..]),
        ] {
            for pair in values.windows(2) {
                assert!(largest.code(pair[0]) < largest.code(pair[1]), "{largest:?} {pair:?}");
                assert!(smallest.code(pair[0]) > smallest.code(pair[1]), "{smallest:?} {pair:?}");
            }
            for &value in values {
                for order in [largest, smallest] {
                    assert_eq!(order.value(order.code(value)), value);
                    assert!(order.code(value) != 0 || order.may_be_zero(), "{order:?} {value}");
                }
            }
        }
    }
}
