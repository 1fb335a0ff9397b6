//! From accumulators to columns: one Arrow array per metric, `empty`, averages, rates and days applied.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{Decimal128Builder, Float64Builder, Int64Builder, NullBufferBuilder, StringBuilder},
};
use arrow_buffer::NullBuffer;
use arrow_select::nullif::nullif;
use tierd_model::{Date, Timestamp, Type, Value, div_round, pow10};
use tierd_rules::MetricId;

use super::{
    accumulators::Accumulators,
    arrays::{array_from, exact_value, stored},
    gaps,
    interner::Interner,
    order::Order,
    plan::{FactPlan, Finish, MetricPlan, OpKind},
};
use crate::{columns::arrow_type, expr::sound};

/// The largest number of 38 digits: what a decimal column holds.
const MOST_UNITS: i128 = pow10(38) - 1;

/// Every metric of the plan, one value per subject.
pub(super) fn metrics(
    plan: &FactPlan,
    accumulators: Accumulators,
    texts: &[Option<Interner>],
) -> Vec<(MetricId, ArrayRef)> {
    let mut finisher = Finisher { plan, accumulators, texts };
    plan.metrics.iter().map(|metric| (metric.id, finisher.known(metric))).collect()
}

struct Finisher<'a> {
    plan: &'a FactPlan,
    accumulators: Accumulators,
    texts: &'a [Option<Interner>],
}

impl Finisher<'_> {
    /// The metric, NULL where its window has no beginning.
    fn known(&mut self, metric: &MetricPlan) -> ArrayRef {
        let column = self.metric(metric);
        let dateless = metric.own_window.and_then(|own| self.plan.own_windows[own].dateless.as_ref());
        match dateless {
            Some(dateless) => sound(nullif(&column, dateless)),
            None => column,
        }
    }

    fn metric(&mut self, metric: &MetricPlan) -> ArrayRef {
        if let Finish::Distinct { set } = metric.finish {
            let counts = self.accumulators.distinct_counts(self.plan.ops[set].word);
            return self.exact(metric, 0, |subject| some_count(counts[subject].into()));
        }
        match metric.finish {
            Finish::Count { count } => self.exact(metric, 0, |s| some_count(self.count(count, s))),
            Finish::Sum { sum, scale, count } => {
                self.exact(metric, scale, |s| self.any(count, s).then(|| Some(self.sum(sum, s))))
            }
            Finish::Avg { sum, scale, count } => {
                let average = |s| self.any(Some(count), s).then(|| self.average(sum, scale, count, s));
                self.exact(metric, scale.max(6), average)
            }
            Finish::RealSum { sum, count } => self.real(metric, |s| self.any(count, s).then(|| self.real_sum(sum, s))),
            Finish::RealAvg { sum, count } => self.real(metric, |s| {
                self.any(Some(count), s).then(|| self.real_sum(sum, s) / self.count(count, s) as f64)
            }),
            Finish::Extreme { best, count } => self.extreme(metric, best, count),
            Finish::Latest { best } => self.latest(metric, best),
            Finish::LatestText { best } => self.text(metric, best),
            Finish::DaysSince { best } => self.days_since(metric, best),
            Finish::Gaps { days, median } => self.gaps(metric, days, median),
            Finish::Distinct { .. } => unreachable!("sets were read off above"),
        }
    }

    #[inline]
    fn count(&self, index: usize, subject: usize) -> i128 {
        self.accumulators.count(index, &self.plan.ops[index], subject)
    }

    /// Whether any row counted; without a count, it makes no difference.
    #[inline]
    fn any(&self, count: Option<usize>, subject: usize) -> bool {
        count.is_none_or(|count| self.count(count, subject) != 0)
    }

    #[inline]
    fn sum(&self, index: usize, subject: usize) -> i128 {
        self.accumulators.exact_sum(index, &self.plan.ops[index], subject)
    }

    fn real_sum(&self, index: usize, subject: usize) -> f64 {
        self.accumulators.real_sum_of(index, &self.plan.ops[index], subject)
    }

    /// To six digits at least; `None` where it doesn't fit.
    fn average(&self, sum: usize, scale: u8, count: usize, subject: usize) -> Option<i128> {
        let widened = self.sum(sum, subject).checked_mul(pow10(scale.max(6) - scale))?;
        div_round(widened, self.count(count, subject))
    }

    fn extreme(&self, metric: &MetricPlan, best: usize, count: Option<usize>) -> ArrayRef {
        let op = &self.plan.ops[best];
        let order = value_order(op.kind);
        self.value(metric, |subject| {
            let code = self.accumulators.word(subject, op.word);
            // Without a count, code 0 is "none".
            let any = count.map_or(code != 0, |count| self.count(count, subject) != 0);
            any.then(|| order.value(code))
        })
    }

    fn latest(&self, metric: &MetricPlan, best: usize) -> ArrayRef {
        let op = &self.plan.ops[best];
        let (order, word) = (value_order(op.kind), |subject, at| self.accumulators.word(subject, op.word + at));
        self.value(metric, |subject| (word(subject, 0) != 0).then(|| order.value(word(subject, 1))))
    }

    fn days_since(&self, metric: &MetricPlan, best: usize) -> ArrayRef {
        let (op, clock) = (&self.plan.ops[best], &self.plan.clock);
        let OpKind::Extreme { column, order } = op.kind else { unreachable!("days_since keeps a latest time") };
        let timestamps = self.plan.columns[column].ty == Type::Timestamp;
        let today = i128::from(clock.today().0);
        self.exact(metric, 0, |subject| match self.accumulators.word(subject, op.word) {
            0 => None,
            code if timestamps => Some(Some(today - i128::from(clock.zone().date_of(Timestamp(order.value(code))).0))),
            code => Some(Some(today - i128::from(Date(order.value(code) as i32).0))),
        })
    }

    fn gaps(&self, metric: &MetricPlan, days: usize, median: bool) -> ArrayRef {
        let days = self.accumulators.days[self.plan.ops[days].word].by_subject();
        let mut work = Vec::new();
        self.exact(metric, 6, |subject| match median {
            true => gaps::median(days.of(subject), &mut work).map(Some),
            false => gaps::mean(days.of(subject)).map(Some),
        })
    }

    /// A number: `None` where no row counted, `Some(None)` where the result doesn't fit.
    fn exact(&self, metric: &MetricPlan, scale: u8, mut number: impl FnMut(usize) -> Option<Option<i128>>) -> ArrayRef {
        let empty = metric.empty.as_ref().and_then(|value| exact_value(value, metric.ty));
        let to_scale = metric.ty.scale().unwrap_or(0);
        let subjects = self.accumulators.subjects();
        let mut units = |subject| match (number(subject), metric.per) {
            (None, _) => empty,
            (Some(number), None) if scale == to_scale => number,
            (Some(number), per) => number.and_then(|number| rate(number, scale, per.unwrap_or((1, 1)), to_scale)),
        };
        if metric.ty == Type::Integer {
            let mut builder = Int64Builder::with_capacity(subjects);
            (0..subjects).for_each(|s| builder.append_option(units(s).and_then(|units| i64::try_from(units).ok())));
            return Arc::new(builder.finish());
        }
        let mut builder = Decimal128Builder::with_capacity(subjects).with_data_type(arrow_type(metric.ty));
        let fits = |units: &i128| units.unsigned_abs() <= MOST_UNITS as u128;
        (0..subjects).for_each(|subject| builder.append_option(units(subject).filter(fits)));
        Arc::new(builder.finish())
    }

    fn real(&self, metric: &MetricPlan, number: impl Fn(usize) -> Option<f64>) -> ArrayRef {
        let empty = match metric.empty {
            Some(Value::Real(value)) => Some(value),
            _ => None,
        };
        let (units, one) = metric.per.unwrap_or((1, 1));
        let subjects = self.accumulators.subjects();
        let mut builder = Float64Builder::with_capacity(subjects);
        for subject in 0..subjects {
            let value = number(subject).map(|value| match metric.per {
                Some(_) => value * one as f64 / units as f64,
                None => value,
            });
            builder.append_option(value.or(empty).filter(|value| value.is_finite()));
        }
        Arc::new(builder.finish())
    }

    /// A value as it was stored.
    fn value(&self, metric: &MetricPlan, value: impl Fn(usize) -> Option<i64>) -> ArrayRef {
        if metric.per.is_some() {
            return match metric.ty {
                Type::Real => self.real(metric, |s| value(s).map(|bits| f64::from_bits(bits as u64))),
                _ => {
                    let scale = self.argument_scale(metric);
                    self.exact(metric, scale, |s| value(s).map(|v| Some(i128::from(v))))
                }
            };
        }
        let empty = metric.empty.as_ref().and_then(|value| stored(value, metric.ty));
        let subjects = self.accumulators.subjects();
        let mut nulls = NullBufferBuilder::new(subjects);
        let mut values = Vec::with_capacity(subjects);
        for subject in 0..subjects {
            let value = value(subject).or(empty);
            nulls.append(value.is_some());
            values.push(value.unwrap_or(0));
        }
        array_from(metric.ty, values, nulls.finish() as Option<NullBuffer>)
    }

    fn argument_scale(&self, metric: &MetricPlan) -> u8 {
        let best = match metric.finish {
            Finish::Extreme { best, .. } | Finish::Latest { best } => best,
            _ => unreachable!("only stored values have the scale of their column"),
        };
        let (OpKind::Extreme { column, .. } | OpKind::Latest { column, .. }) = self.plan.ops[best].kind else {
            unreachable!("stored values are kept by their order")
        };
        self.plan.columns[column].ty.scale().unwrap_or(0)
    }

    fn text(&self, metric: &MetricPlan, best: usize) -> ArrayRef {
        let op = &self.plan.ops[best];
        let OpKind::LatestText { column, .. } = op.kind else { unreachable!("a text is kept with its time") };
        let texts = self.texts[column].as_ref();
        let empty = match &metric.empty {
            Some(Value::Text(text)) => Some(text.as_ref()),
            _ => None,
        };
        let subjects = self.accumulators.subjects();
        let mut builder = StringBuilder::with_capacity(subjects, subjects * 8);
        for subject in 0..subjects {
            let text = match self.accumulators.word(subject, op.word) {
                0 => None,
                _ => texts.and_then(|texts| texts.text(self.accumulators.word(subject, op.word + 1) as u32)),
            };
            builder.append_option(text.or(empty));
        }
        Arc::new(builder.finish())
    }
}

/// The order of a kept value.
fn value_order(kind: OpKind) -> Order {
    match kind {
        OpKind::Extreme { order, .. } | OpKind::Latest { value: order, .. } => order,
        _ => unreachable!("only extremes and latest values are kept by order"),
    }
}

fn some_count(count: i128) -> Option<Option<i128>> {
    (count != 0).then_some(Some(count))
}

/// `number / per` at another scale, halves away from zero.
fn rate(number: i128, scale: u8, (units, one): (i128, i128), to_scale: u8) -> Option<i128> {
    let widened = number.checked_mul(pow10(to_scale.checked_sub(scale)?))?;
    div_round(widened.checked_mul(one)?, units)
}
