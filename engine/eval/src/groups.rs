//! Groups and their members: what a member knows of its group (look-ups), and a group of its members (roll-ups).
//!
//! Roll-ups are exact in the same way as aggregates over facts ([`crate::scan`]): sums beyond 128 bits are kept whole until the end,
//! reals are added in fixed point. So the order of members makes no difference.

use std::{cmp::Ordering, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, UInt32Array, cast::AsArray, types,
};
use arrow_ord::ord::make_comparator;
use arrow_schema::SortOptions;
use arrow_select::{take::take, zip::zip};
use tierd_model::{Clock, Type, div_round, pow10};
use tierd_rules::{AggregateFn, Expr, Rollup};

use crate::{
    columns::{array_of, arrow_type},
    derive::{Metrics, derived},
    expr::{numbers::fit, sound},
    given::NO_PARENT,
    scan::sums::{fixed_point, real_of},
};

/// The parents' values, one for each member; NULL without a parent. `parents` has the index of each member's parent.
pub fn lookup(column: &ArrayRef, parents: &[u32]) -> ArrayRef {
    let parents: UInt32Array = parents.iter().map(|&parent| (parent != NO_PARENT).then_some(parent)).collect();
    sound(take(column, &parents, None))
}

/// One value of type `ty` for each of so many groups, from the metrics of their members.
///
/// # Panics
/// If a metric that the roll-up reads is absent from `members`.
pub fn rollup(rollup: &Rollup, ty: Type, members: &Metrics, parents: &[u32], groups: usize, clock: &Clock) -> ArrayRef {
    let of_members = |expr: &Expr| derived(expr, &members.columns, members.subjects, clock);
    let argument = rollup.argument.as_ref().map(|argument| (of_members(argument), argument.ty));
    let filter = rollup.filter.as_ref().map(of_members);
    let counts = counting(argument.as_ref().map(|(column, _)| column), filter.as_ref().map(|f| f.as_boolean()));
    let rows = parents.iter().enumerate().filter(|&(row, &parent)| parent != NO_PARENT && counts(row));
    let rows: Vec<Counted> = rows.map(|(row, &group)| Counted { group: group as usize, row }).collect();
    let column = column(rollup.function, argument.as_ref(), ty, &rows, groups);
    let Some(empty) = &rollup.empty else { return column };
    let mut any = vec![false; groups];
    rows.iter().for_each(|counted| any[counted.group] = true);
    let empty = arrow_array::Scalar::new(array_of(ty, Some(empty), 1));
    sound(zip(&BooleanArray::from(any), &column, &empty))
}

/// A member that counts for a group.
#[derive(Clone, Copy)]
struct Counted {
    group: usize,
    row: usize,
}

/// Whether a member counts: its argument isn't NULL, and the filter is TRUE.
fn counting<'a>(argument: Option<&'a ArrayRef>, filter: Option<&'a BooleanArray>) -> impl Fn(usize) -> bool + 'a {
    move |row| {
        argument.is_none_or(|column| column.is_valid(row))
            && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
    }
}

/// NULL for groups that have no row.
fn column(
    function: AggregateFn,
    argument: Option<&(ArrayRef, Type)>,
    ty: Type,
    rows: &[Counted],
    groups: usize,
) -> ArrayRef {
    let Some((argument, of)) = argument else {
        return whole(ty, counts(rows, groups).into_iter().map(some_count));
    };
    match (function, *of) {
        (AggregateFn::Sum | AggregateFn::Avg, Type::Real) => reals(function, argument, rows, groups),
        (AggregateFn::Sum | AggregateFn::Avg, _) => exact(function, argument, (*of, ty), rows, groups),
        (AggregateFn::CountDistinct, _) => whole(ty, distinct(argument, rows, groups).into_iter().map(some_count)),
        (AggregateFn::Min, _) => extreme(argument, rows, groups, Ordering::Less),
        (AggregateFn::Max, _) => extreme(argument, rows, groups, Ordering::Greater),
        (AggregateFn::Count, _) => whole(ty, counts(rows, groups).into_iter().map(some_count)),
        _ => unreachable!("the checker lets no roll-up ask for the order of members"),
    }
}

fn some_count(count: u64) -> Option<i128> {
    (count != 0).then_some(i128::from(count))
}

fn counts(rows: &[Counted], groups: usize) -> Vec<u64> {
    let mut counts = vec![0; groups];
    rows.iter().for_each(|counted| counts[counted.group] += 1);
    counts
}

/// Exact numbers in units of their type; what doesn't fit is NULL.
fn whole(ty: Type, units: impl Iterator<Item = Option<i128>>) -> ArrayRef {
    match ty {
        Type::Integer => {
            Arc::new(units.map(|units| units.and_then(|units| i64::try_from(units).ok())).collect::<Int64Array>())
        }
        _ => {
            let units = units.map(|units| units.and_then(fit)).collect::<Decimal128Array>();
            Arc::new(units.with_data_type(arrow_type(ty)))
        }
    }
}

/// A sum of any size: its low 128 bits, and how often these have wrapped.
#[derive(Clone, Copy, Default)]
struct Sum {
    low: i128,
    wraps: i64,
}

impl Sum {
    fn add(&mut self, value: i128) {
        let (low, wrapped) = self.low.overflowing_add(value);
        self.low = low;
        self.wraps += i64::from(wrapped) * value.signum() as i64;
    }

    /// The sum, if 128 bits hold it.
    fn fits(self) -> Option<i128> {
        (self.wraps == 0).then_some(self.low)
    }
}

fn sums(rows: &[Counted], groups: usize, value: impl Fn(usize) -> i128) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); groups];
    rows.iter().for_each(|counted| sums[counted.group].add(value(counted.row)));
    sums
}

/// Sums and averages of exact numbers of the first type, as the second.
fn exact(
    function: AggregateFn,
    argument: &ArrayRef,
    (of, ty): (Type, Type),
    rows: &[Counted],
    groups: usize,
) -> ArrayRef {
    let sums = match of {
        Type::Integer => {
            let values = argument.as_primitive::<types::Int64Type>();
            sums(rows, groups, |row| i128::from(values.value(row)))
        }
        _ => {
            let values = argument.as_primitive::<types::Decimal128Type>();
            sums(rows, groups, |row| values.value(row))
        }
    };
    let more_digits = pow10(ty.scale().unwrap_or(0).saturating_sub(of.scale().unwrap_or(0)));
    let divisor = |count: u64| if function == AggregateFn::Avg { i128::from(count) } else { 1 };
    let numbers = sums.into_iter().zip(counts(rows, groups)).map(|(sum, count)| {
        let units = sum.fits().filter(|_| count > 0)?.checked_mul(more_digits)?;
        div_round(units, divisor(count))
    });
    whole(ty, numbers)
}

fn reals(function: AggregateFn, argument: &ArrayRef, rows: &[Counted], groups: usize) -> ArrayRef {
    let values = argument.as_primitive::<types::Float64Type>();
    let sums = sums(rows, groups, |row| fixed_point(values.value(row)));
    let numbers = sums.into_iter().zip(counts(rows, groups)).map(|(sum, count)| {
        let sum = (count > 0).then(|| real_of(sum.low, i128::from(sum.wraps)))?;
        let number = if function == AggregateFn::Avg { sum / count as f64 } else { sum };
        Some(number).filter(|number| number.is_finite())
    });
    Arc::new(numbers.collect::<Float64Array>())
}

/// The smallest or largest value of each group.
fn extreme(argument: &ArrayRef, rows: &[Counted], groups: usize, better: Ordering) -> ArrayRef {
    let compare = sound(make_comparator(argument, argument, SortOptions::default()));
    let mut best: Vec<Option<u32>> = vec![None; groups];
    for counted in rows {
        let best = &mut best[counted.group];
        if best.is_none_or(|best| compare(counted.row, best as usize) == better) {
            *best = Some(counted.row as u32);
        }
    }
    sound(take(argument, &UInt32Array::from(best), None))
}

/// How many different values each group has.
fn distinct(argument: &ArrayRef, rows: &[Counted], groups: usize) -> Vec<u64> {
    let compare = sound(make_comparator(argument, argument, SortOptions::default()));
    let mut rows = rows.to_vec();
    rows.sort_unstable_by(|a, b| a.group.cmp(&b.group).then_with(|| compare(a.row, b.row)));
    rows.dedup_by(|a, b| a.group == b.group && compare(a.row, b.row).is_eq());
    counts(&rows, groups)
}

#[cfg(test)]
mod tests;
