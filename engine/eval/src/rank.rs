//! Rank, percentile and buckets of all subjects by one metric.
//!
//! Always exact and over everyone. Subjects are in the order of their keys, so that the subject's index breaks ties:
//! ascending, whichever way the metric is ordered. Subjects whose metric is NULL aren't ranked and get NULL.
//!
//! Value and index are packed into one integer per subject, which sorts several times faster than indices that look
//! their values up, and in place: 8 bytes per subject where value range and index fit together into 64 bits (the usual
//! case), else 16. Only a range of decimals beyond 96 bits falls back to sorting bare indices.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Decimal128Array, Int64Array, cast::AsArray, types};
use arrow_buffer::NullBuffer;
use tierd_model::{Type, Value, div_round};
use tierd_rules::RankKind;

use crate::{
    columns::{arrow_type, value_at},
    expr::real,
};

/// What a rank metric gives, and where the cuts lie.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// A value per subject: integer, or decimal(6) for percentiles.
    pub column: ArrayRef,
    /// Subjects that have a rank.
    pub subjects: u64,
    /// For [`RankKind::Ntile`] each bucket that has a subject, in order; else empty.
    pub buckets: Vec<Bucket>,
}

/// The stretch of a metric that one bucket holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// From 1.
    pub number: u16,
    /// The metric of its first subject. Neighbours may share a value: ties are cut by key.
    pub from: Value,
    /// The metric of its last subject.
    pub to: Value,
    /// How many it holds.
    pub subjects: u64,
}

/// Ranks subjects by `column`, a metric of type `ty` (a number, date or timestamp).
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array, cast::AsArray, types::Int64Type};
/// use tierd_eval::rank::rank;
/// use tierd_model::Type;
/// use tierd_rules::RankKind;
///
/// let spend: ArrayRef = Arc::new(Int64Array::from(vec![Some(20), None, Some(50), Some(20)]));
/// let ranked = rank(&spend, Type::Integer, true, RankKind::Rank);
/// assert_eq!(ranked.column.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(2), None, Some(1), Some(3)]));
/// ```
///
/// # Panics
/// If the column isn't of the type, which the checker has proved to have an order.
pub fn rank(column: &ArrayRef, ty: Type, descending: bool, kind: RankKind) -> Ranked {
    let order = order(column, ty, descending);
    let subjects = order.len() as u64;
    let buckets = match kind {
        RankKind::Ntile(count) => buckets(&order, column, ty, count),
        RankKind::Rank | RankKind::Percentile => Vec::new(),
    };
    let nulls = order.nulls.clone();
    let column: ArrayRef = match kind {
        RankKind::Rank => Arc::new(Int64Array::new(scatter(&order, column.len(), |rank| rank as i64).into(), nulls)),
        RankKind::Percentile => Arc::new(percentiles(&order, column.len(), nulls)),
        RankKind::Ntile(_) => Arc::new(Int64Array::new(numbers(&order, column.len(), &buckets).into(), nulls)),
    };
    Ranked { column, subjects, buckets }
}

/// A value for each subject by its rank, from 1.
fn scatter<T: Copy + Default>(order: &Order, rows: usize, value: impl Fn(u64) -> T) -> Vec<T> {
    let mut out = vec![T::default(); rows];
    order.for_each(|place, subject| out[subject] = value(place as u64 + 1));
    out
}

fn percentiles(order: &Order, rows: usize, nulls: Option<NullBuffer>) -> Decimal128Array {
    let total = order.len() as i128;
    // Ranks are at most 2^32: the product fits, and there is no rank where there is no subject.
    let units = scatter(order, rows, |rank| div_round(i128::from(rank) * 100_000_000, total).unwrap_or_default());
    Decimal128Array::new(units.into(), nulls).with_data_type(arrow_type(Type::Decimal(6)))
}

fn numbers(order: &Order, rows: usize, buckets: &[Bucket]) -> Vec<i64> {
    let ends: Vec<u64> = buckets
        .iter()
        .scan(0, |end, bucket| {
            *end += bucket.subjects;
            Some(*end)
        })
        .collect();
    let mut out = vec![0; rows];
    let mut current = 0;
    order.for_each(|place, subject| {
        current += usize::from(place as u64 == ends[current]);
        out[subject] = i64::from(buckets[current].number);
    });
    out
}

/// As SQL's NTILE: sizes differ by at most one, and the earlier buckets are the larger.
fn buckets(order: &Order, column: &ArrayRef, ty: Type, count: u16) -> Vec<Bucket> {
    let (size, larger) = (order.len() / usize::from(count.max(1)), order.len() % usize::from(count.max(1)));
    let mut first = 0;
    let mut out = Vec::new();
    for number in 1..=count {
        let subjects = size + usize::from(usize::from(number) <= larger);
        let ends = (subjects > 0).then(|| (order.subject(first), order.subject(first + subjects - 1)));
        let values = ends.and_then(|(first, last)| value_at(column, ty, first).zip(value_at(column, ty, last)));
        if let Some((from, to)) = values {
            out.push(Bucket { number, from, to, subjects: subjects as u64 });
        }
        first += subjects;
    }
    out
}

/// The ranked subjects, first to last.
struct Order {
    sorted: Sorted,
    /// Which subjects are ranked; `None` for all.
    nulls: Option<NullBuffer>,
}

enum Sorted {
    /// Distance from the first value above the subject's index, which takes this many bits.
    Narrow(Vec<u64>, u32),
    /// Distance from the first value above 32 bits of index.
    Wide(Vec<u128>),
    /// Subjects' indices.
    Bare(Vec<u32>),
}

impl Order {
    fn len(&self) -> usize {
        match &self.sorted {
            Sorted::Narrow(keys, _) => keys.len(),
            Sorted::Wide(keys) => keys.len(),
            Sorted::Bare(subjects) => subjects.len(),
        }
    }

    fn subject(&self, place: usize) -> usize {
        match &self.sorted {
            Sorted::Narrow(keys, bits) => (keys[place] & ((1 << bits) - 1)) as usize,
            Sorted::Wide(keys) => keys[place] as u32 as usize,
            Sorted::Bare(subjects) => subjects[place] as usize,
        }
    }

    fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        (0..self.len()).for_each(|place| visit(place, self.subject(place)));
    }
}

fn order(column: &ArrayRef, ty: Type, descending: bool) -> Order {
    match ty {
        Type::Integer => order_by::<types::Int64Type>(column, descending, i128::from),
        Type::Decimal(_) => order_by::<types::Decimal128Type>(column, descending, |units| units),
        Type::Date => order_by::<types::Date32Type>(column, descending, i128::from),
        Type::Timestamp => order_by::<types::TimestampMicrosecondType>(column, descending, i128::from),
        Type::Real => order_by::<types::Float64Type>(&real::tidy(column), descending, real_order),
        Type::Text | Type::Bool => unreachable!("the checker ranks what has an order"),
    }
}

fn order_by<T: ArrowPrimitiveType>(column: &ArrayRef, descending: bool, number: impl Fn(T::Native) -> i128) -> Order {
    let values = column.as_primitive::<T>();
    let sorted = sort(values.len(), values.nulls(), descending, |row| number(values.values()[row]));
    Order { sorted, nulls: values.nulls().cloned() }
}

/// An integer for a tidy real, in the same order.
fn real_order(value: f64) -> i128 {
    let bits = value.to_bits() as i64;
    // Negative numbers count downwards from the sign bit.
    i128::from(bits ^ (((bits >> 63) as u64) >> 1) as i64)
}

/// Sorts the rows that aren't NULL by value, then by row.
fn sort(rows: usize, nulls: Option<&NullBuffer>, descending: bool, number: impl Fn(usize) -> i128) -> Sorted {
    let ranked = || (0..rows).filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row)));
    let (least, most) = ranked().fold((i128::MAX, i128::MIN), |(least, most), row| {
        let value = number(row);
        (least.min(value), most.max(value))
    });
    // The distance of two `i128` always fits into a `u128`.
    let distance = |from: i128, to: i128| to.wrapping_sub(from) as u128;
    let key = |row| if descending { distance(number(row), most) } else { distance(least, number(row)) };
    let range = distance(least, most);
    let bits = usize::BITS - rows.leading_zeros();
    if range >> (64 - bits) == 0 {
        let mut keys: Vec<u64> = ranked().map(|row| (key(row) as u64) << bits | row as u64).collect();
        keys.sort_unstable();
        return Sorted::Narrow(keys, bits);
    }
    if range >> 96 == 0 {
        let mut keys: Vec<u128> = ranked().map(|row| key(row) << 32 | row as u128).collect();
        keys.sort_unstable();
        return Sorted::Wide(keys);
    }
    let mut subjects: Vec<u32> = ranked().map(|row| row as u32).collect();
    subjects.sort_unstable_by_key(|row| (key(*row as usize), *row));
    Sorted::Bare(subjects)
}

#[cfg(test)]
mod tests;
