//! Subjects that stand for all subjects: one for each combination of values at which conditions may change.

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_select::{concat::concat, take::take};
use tierd_model::{Clock, Date, Decimal, Timestamp, Type, Value, pow10};
use tierd_rules::{Expr, ExprKind, MetricId, RuleSet};

use super::range::{self, Range};
use crate::{
    columns::{array_of, value_at},
    expr::{evaluate, sound, truth},
};

/// More combinations than this are sampled.
const MAX_ROWS: usize = 4096;

/// A text that no rule names.
const OTHER: &str = "(another)";

/// The grid of some conditions.
pub(super) struct Grid<'a> {
    axes: Vec<Axis>,
    columns: Vec<Option<ArrayRef>>,
    rows: usize,
    /// By row, how far its values are from those that the rules name: small for witnesses that people understand at once.
    oddity: Vec<usize>,
    clock: &'a Clock,
}

/// The values that one metric takes.
struct Axis {
    metric: MetricId,
    ty: Type,
    /// Those that the rules name first.
    values: Vec<Option<Value>>,
}

impl<'a> Grid<'a> {
    /// The grid of these conditions; of too many cases, a sample.
    pub(super) fn new<'e>(rules: &RuleSet, conditions: impl IntoIterator<Item = &'e Expr>, clock: &'a Clock) -> Self {
        let survey = Survey::of(rules, conditions, clock);
        match survey.cases() {
            Some(rows) => Grid::of(rules, every(&survey.axes, rows), rows, survey),
            None => Grid::of(rules, sampled(&survey.axes, MAX_ROWS), MAX_ROWS, survey),
        }
    }

    /// The grid of these conditions if it has a row for every case: what never happens in it never happens at all.
    pub(super) fn complete<'e>(
        rules: &RuleSet,
        conditions: impl IntoIterator<Item = &'e Expr>,
        clock: &'a Clock,
    ) -> Option<Self> {
        let survey = Survey::of(rules, conditions, clock);
        let rows = survey.cases().filter(|_| survey.complete)?;
        Some(Grid::of(rules, every(&survey.axes, rows), rows, survey))
    }

    fn of(rules: &RuleSet, picks: Vec<Vec<u32>>, rows: usize, survey: Survey<'a>) -> Self {
        let mut columns = vec![None; rules.metrics.len()];
        for (axis, picks) in survey.axes.iter().zip(&picks) {
            columns[axis.metric.0] = Some(axis.column(picks));
        }
        let oddity = (0..rows).map(|row| picks.iter().map(|picks| picks[row] as usize).sum()).collect();
        Grid { axes: survey.axes, columns, rows, oddity, clock: survey.clock }
    }

    /// How many subjects it has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The verdict of a condition that the grid was made for, by row.
    pub(super) fn truth(&self, condition: &Expr) -> BooleanArray {
        truth(condition, &self.columns, self.rows, self.clock)
    }

    /// The rows for which it is TRUE.
    pub(super) fn fulfilling(&self, condition: &Expr) -> BooleanBuffer {
        let verdicts = self.truth(condition);
        match verdicts.nulls() {
            Some(known) => verdicts.values() & known.inner(),
            None => verdicts.values().clone(),
        }
    }

    /// Of the rows that fulfil this, the one whose values are nearest to those that the rules name.
    pub(super) fn plainest(&self, fulfils: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.rows).filter(|&row| fulfils(row)).min_by_key(|&row| self.oddity[row])
    }

    /// The metrics of a row, in the order in which the conditions name them.
    pub(super) fn values(&self, row: usize) -> impl Iterator<Item = (MetricId, Option<Value>)> + '_ {
        self.axes.iter().map(move |axis| {
            let column = self.columns[axis.metric.0].as_ref();
            (axis.metric, column.and_then(|column| value_at(column, axis.ty, row)))
        })
    }
}

/// Looks for the values that conditions compare metrics with.
struct Survey<'a> {
    axes: Vec<Axis>,
    /// Whether the axes have a value for every case of every condition.
    complete: bool,
    clock: &'a Clock,
}

impl<'a> Survey<'a> {
    fn of<'e>(rules: &RuleSet, conditions: impl IntoIterator<Item = &'e Expr>, clock: &'a Clock) -> Self {
        let mut survey = Survey { axes: Vec::new(), complete: true, clock };
        conditions.into_iter().for_each(|condition| survey.condition(condition));
        for axis in &mut survey.axes {
            axis.widen();
            axis.narrow(range::of(rules, axis.metric).as_ref());
        }
        survey
    }

    /// How many combinations of values there are, unless there are too many.
    fn cases(&self) -> Option<usize> {
        let all = self.axes.iter().try_fold(1usize, |all, axis| all.checked_mul(axis.values.len()));
        all.filter(|&all| all <= MAX_ROWS)
    }

    fn condition(&mut self, expr: &Expr) {
        use ExprKind as K;
        match &expr.kind {
            K::Not(_) | K::And(_) | K::Or(_) => {
                expr.children().into_iter().for_each(|child| self.condition(child));
            }
            K::Column(metric) => drop(self.axis(*metric, expr.ty)),
            K::Compare(_, a, b) => self.compared(&[a, b]),
            K::Between { value, low, high, .. } => self.compared(&[value, low, high]),
            K::In { value, list, .. } => match metric_of(value) {
                Some((metric, ty)) => list.iter().for_each(|constant| self.axis(metric, ty).name(constant)),
                None => self.unclear(value),
            },
            K::IsNull { value, .. } => match metric_of(value) {
                Some((metric, ty)) => drop(self.axis(metric, ty)),
                None => self.unclear(value),
            },
            K::StartsWith { value, prefix, .. } => match metric_of(value) {
                Some((metric, ty)) => self.axis(metric, ty).name(&Value::Text(prefix.as_ref().into())),
                None => self.unclear(value),
            },
            _ => self.unclear(expr),
        }
    }

    /// One metric beside constants; anything else is unclear.
    fn compared(&mut self, sides: &[&Expr]) {
        let metrics: Vec<(usize, Type)> = sides.iter().filter_map(|side| metric_of(side)).collect();
        let constants: Vec<&&Expr> = sides.iter().filter(|side| side.columns().is_empty()).collect();
        if metrics.len() != 1 || constants.len() + 1 != sides.len() {
            return sides.iter().for_each(|side| self.unclear(side));
        }
        let (metric, ty) = metrics[0];
        for constant in constants {
            let value = value_at(&evaluate(constant, &[], 1, self.clock), constant.ty, 0);
            value.iter().for_each(|value| self.axis(metric, ty).name(value));
        }
    }

    /// A condition whose changes can't be read off: some usual values, and no proof.
    fn unclear(&mut self, expr: &Expr) {
        self.complete = self.complete && expr.columns().is_empty();
        self.usual(expr);
    }

    fn usual(&mut self, expr: &Expr) {
        if let ExprKind::Column(metric) = expr.kind {
            for number in [1, 10, 100, 1000] {
                self.axis(metric, expr.ty).name(&Value::Integer(number));
            }
        }
        expr.children().into_iter().for_each(|child| self.usual(child));
    }

    fn axis(&mut self, metric: usize, ty: Type) -> &mut Axis {
        let known = self.axes.iter().position(|axis| axis.metric.0 == metric);
        let place = known.unwrap_or_else(|| {
            self.axes.push(Axis { metric: MetricId(metric), ty, values: Vec::new() });
            self.axes.len() - 1
        });
        &mut self.axes[place]
    }
}

/// The metric that an expression is, widened or not.
fn metric_of(expr: &Expr) -> Option<(usize, Type)> {
    match &expr.kind {
        ExprKind::Column(metric) => Some((*metric, expr.ty)),
        ExprKind::Cast(inner) if inner.ty.scale() <= expr.ty.scale() => metric_of(inner),
        _ => None,
    }
}

impl Axis {
    /// Takes in a value that a rule names, where the type can have it (rounded down).
    fn name(&mut self, value: &Value) {
        if let Some(value) = fitting(self.ty, value) {
            self.add(Some(value));
        }
    }

    /// Adds what lies beside the values named, 0, something else and NULL.
    fn widen(&mut self) {
        let named: Vec<Value> = self.values.iter().flatten().cloned().collect();
        self.add_all(usual(self.ty));
        for value in named {
            self.add_all(beside(&value));
        }
        self.add(None);
    }

    /// Drops what the metric can't be. Values at and beside all bounds that lie in the range stay; where none does, all of the range
    /// is one case, for which its least value stands.
    fn narrow(&mut self, range: Option<&Range<'_>>) {
        let Some(range) = range else { return };
        self.values.retain(|value| value.as_ref().is_none_or(|value| range.holds(value)));
        if self.values.iter().flatten().next().is_none() {
            self.name(&Value::Integer(range.least));
        }
        range.empty.into_iter().for_each(|empty| self.name(empty));
    }

    fn add_all(&mut self, values: Vec<Value>) {
        values.into_iter().for_each(|value| self.add(Some(value)));
    }

    fn add(&mut self, value: Option<Value>) {
        if !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    fn column(&self, picks: &[u32]) -> ArrayRef {
        let values: Vec<ArrayRef> = self.values.iter().map(|value| array_of(self.ty, value.as_ref(), 1)).collect();
        let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
        sound(take(&sound(concat(&values)), &UInt32Array::from(picks.to_vec()), None))
    }
}

fn fitting(ty: Type, value: &Value) -> Option<Value> {
    let exact = |scale: u8| {
        let decimal = value.as_decimal()?;
        let units = match decimal.scale.checked_sub(scale) {
            Some(fewer) => Some(decimal.units.div_euclid(pow10(fewer))),
            None => decimal.units.checked_mul(pow10(scale - decimal.scale)),
        };
        units.filter(|units| units.unsigned_abs() < pow10(37).unsigned_abs())
    };
    match ty {
        Type::Integer => exact(0)?.try_into().ok().map(Value::Integer),
        Type::Decimal(scale) => Some(Value::Decimal(Decimal::new(exact(scale)?, scale))),
        ty => (value.ty() == ty).then(|| value.clone()),
    }
}

/// What a metric may be besides what the rules name.
fn usual(ty: Type) -> Vec<Value> {
    match ty {
        Type::Text => vec![Value::Text(OTHER.into())],
        Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
        Type::Real => vec![Value::Real(0.0)],
        ty => fitting(ty, &Value::Integer(0)).into_iter().collect(),
    }
}

/// The next values below and above.
fn beside(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(v) => [v.checked_sub(1), v.checked_add(1)].into_iter().flatten().map(Value::Integer).collect(),
        Value::Decimal(v) => [-1, 1].map(|step| Value::Decimal(Decimal::new(v.units + step, v.scale))).to_vec(),
        Value::Real(v) => vec![Value::Real(v.next_down()), Value::Real(v.next_up())],
        Value::Date(v) => [-1, 1].map(|step| Value::Date(Date(v.0.saturating_add(step)))).to_vec(),
        Value::Timestamp(v) => [-1, 1].map(|step| Value::Timestamp(Timestamp(v.0.saturating_add(step)))).to_vec(),
        Value::Text(v) => vec![Value::Text(format!("{v}{OTHER}").into())],
        Value::Bool(_) => Vec::new(),
    }
}

/// Every combination: by axis, the index of each row's value.
fn every(axes: &[Axis], rows: usize) -> Vec<Vec<u32>> {
    let mut repeat = 1;
    let mut picks = Vec::with_capacity(axes.len());
    for axis in axes {
        let count = axis.values.len();
        picks.push((0..rows).map(|row| (row / repeat % count) as u32).collect());
        repeat *= count;
    }
    picks
}

/// Some combinations, the same every time (SplitMix64).
fn sampled(axes: &[Axis], rows: usize) -> Vec<Vec<u32>> {
    let mut state = 0u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    axes.iter().map(|axis| (0..rows).map(|_| (next() % axis.values.len() as u64) as u32).collect()).collect()
}
