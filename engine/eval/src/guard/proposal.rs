//! Which threshold would bring a level back to the share that its guard allows.
//!
//! For each comparison `metric >= constant` (or `>`) that a level's condition can't be TRUE without, there is one question: which is the
//! smallest constant with which the level has no more subjects than the guard allows, all else equal? The answer is found from the
//! column, not by trying: one grading without the comparison ever being TRUE tells who would leave the level if it excluded them, and
//! the values of these subjects, in order, tell where to cut. A last grading with the constant in place proves it.
//!
//! Levels are those that the conditions give; where a set moves at once, those that are held. A fall that a policy delays, or a `keep`
//! condition prevents, is no reason for a stricter condition. Nothing is proposed for personal metrics: a threshold is somebody's value.
//!
//! Deliberately absent: comparisons from above (`rank <= 100`), and those with dates that move with the run.

use arrow_array::Array;
use tierd_model::{Clock, Date, Decimal, Timestamp, Type, Value};
use tierd_rules::{CompareOp, Expr, ExprKind, Location, MetricId, RuleSet, TierSet};

use super::words::percent;
use crate::{
    columns::value_at,
    derive::Metrics,
    evaluate::{Outcome, SetOutcome},
    history::{Held, Override},
    levels::{NONE, grade},
    movement::{is_at_once, settle},
};

/// Another constant for a comparison of a level's condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The metric compared.
    pub metric: MetricId,
    /// How: `>=` or `>`.
    pub op: CompareOp,
    /// Where the constant is written.
    pub at: Location,
    /// What to write instead, of the metric's type.
    pub value: Value,
    /// Subjects that the condition gives the level to now.
    pub now: u64,
    /// Subjects that it would give it to.
    pub then: u64,
    /// All subjects of the set.
    pub subjects: u64,
}

impl Proposal {
    /// `tiers.value.A: annual_spend >= 10000 → 12350.00 (share 24.1 % → 19.9 %)`
    pub fn text(&self, rules: &RuleSet, set: &TierSet, level: u16) -> String {
        let (name, metric, op) =
            (&set.levels[usize::from(level)].name, &rules.metrics[self.metric.0].name, self.op.symbol());
        let (written, value) = (rules.quote(&self.at), &self.value);
        let (now, then) = (percent(self.now, self.subjects), percent(self.then, self.subjects));
        format!("tiers.{}.{name}: {metric} {op} {written} → {value} (share {now} → {then})", set.name)
    }
}

/// What would bring a level to at most so many parts per million of the set's subjects: a proposal for each comparison that can, in the
/// order written. `was` has what each subject held before.
///
/// # Panics
/// If `was` isn't as long as the subjects are many.
pub fn proposals(
    rules: &RuleSet,
    outcome: &Outcome,
    of: &SetOutcome,
    was: &[Held],
    (level, most): (u16, u32),
    clock: &Clock,
) -> Vec<Proposal> {
    let (set, metrics) = (&rules.tier_sets[of.set.0], &outcome.subjects[of.subject].metrics);
    let Some(when) = &set.levels[usize::from(level)].when else { return Vec::new() };
    let subjects = metrics.subjects as u64;
    let allowed = (u128::from(subjects) * u128::from(most) / 1_000_000) as u64;
    let trial = Trial { metrics, was, overrides: &of.overrides, level, clock };
    let Some(now) = trial.members(set) else { return Vec::new() };
    let personal = rules.personal();
    let open = |(_, threshold): &(usize, Threshold)| !personal[threshold.metric.0];
    let found = thresholds(when).into_iter().filter(open).filter_map(|(nth, threshold)| {
        let ty = rules.metrics[threshold.metric.0].ty;
        let with = |comparison| trial.members(&replaced(set, level, nth, comparison));
        let without = with(threshold.never(ty))?;
        let value = trial.cut(&threshold, ty, (&now, &without), allowed)?;
        let then = count(&with(threshold.with(value.clone()))?);
        let Threshold { metric, op, at } = threshold;
        (then <= allowed).then_some(Proposal { metric, op, at, value, now: count(&now), then, subjects })
    });
    found.collect()
}

fn count(members: &[bool]) -> u64 {
    members.iter().filter(|member| **member).count() as u64
}

/// Grading the set with other conditions.
struct Trial<'a> {
    metrics: &'a Metrics,
    was: &'a [Held],
    overrides: &'a [Override],
    level: u16,
    clock: &'a Clock,
}

impl Trial<'_> {
    /// By subject, whether it has the level; `None` where the set refuses to grade.
    fn members(&self, set: &TierSet) -> Option<Vec<bool>> {
        let mut graded = grade(set, self.metrics, self.clock).ok()?;
        let levels = if is_at_once(set) {
            settle(set, self.metrics, graded, self.was, self.overrides, self.clock).held
        } else {
            graded.settle(|subject| Some(self.was[subject].state.level).filter(|level| *level != NONE));
            graded.earned
        };
        Some(levels.into_iter().map(|level| level == self.level).collect())
    }

    /// The smallest constant with which no more subjects are left than allowed. `None` if none does it.
    fn cut(&self, threshold: &Threshold, ty: Type, (now, without): (&[bool], &[bool]), allowed: u64) -> Option<Value> {
        let column = self.metrics.column(threshold.metric);
        let leaves = (0..now.len()).filter(|&row| now[row] && !without[row] && column.is_valid(row));
        let mut values: Vec<Ordered> = leaves.filter_map(|row| Ordered::new(value_at(column, ty, row)?)).collect();
        let excess = usize::try_from(count(now).checked_sub(allowed)?).ok()?;
        // The value that leaves last of those that have to.
        let last = excess.checked_sub(1).filter(|&last| last < values.len())?;
        let (_, &mut last, _) = values.select_nth_unstable(last);
        match threshold.op {
            CompareOp::Gt => Some(last.value(ty)),
            _ => last.next(ty),
        }
    }
}

/// A comparison from below.
#[derive(Debug, Clone)]
struct Threshold {
    metric: MetricId,
    op: CompareOp,
    /// Where the constant is written.
    at: Location,
}

impl Threshold {
    /// `metric >= constant`, `metric > constant`, or the same the other way round.
    fn of(expr: &Expr) -> Option<Self> {
        let ExprKind::Compare(op, a, b) = &expr.kind else { return None };
        let (op, value, constant) = if is_literal(b) { (*op, a, b) } else { (op.mirrored(), b, a) };
        let op = Some(op).filter(|op| matches!(op, CompareOp::Ge | CompareOp::Gt) && is_literal(constant))?;
        Some(Threshold { metric: column(value)?, op, at: constant.at.clone() })
    }

    fn with(&self, value: Value) -> Expr {
        let literal = Expr { ty: value.ty(), kind: ExprKind::Literal(value), at: self.at.clone() };
        self.compare(self.op, literal)
    }

    /// FALSE for whoever has a value, and UNKNOWN for all others, as the comparison is.
    fn never(&self, ty: Type) -> Expr {
        let same = self.column(ty);
        self.compare(CompareOp::Ne, same)
    }

    fn compare(&self, op: CompareOp, with: Expr) -> Expr {
        let column = self.column(with.ty);
        Expr { kind: ExprKind::Compare(op, Box::new(column), Box::new(with)), ty: Type::Bool, at: self.at.clone() }
    }

    fn column(&self, ty: Type) -> Expr {
        Expr { kind: ExprKind::Column(self.metric.0), ty, at: self.at.clone() }
    }
}

/// A metric, also one that was widened.
fn column(expr: &Expr) -> Option<MetricId> {
    match &expr.kind {
        ExprKind::Column(metric) => Some(MetricId(*metric)),
        ExprKind::Cast(inner) if widens(inner.ty, expr.ty) => column(inner),
        _ => None,
    }
}

/// Whether a cast changes no value.
fn widens(from: Type, to: Type) -> bool {
    match (from, to) {
        (Type::Integer, Type::Decimal(_)) => true,
        (Type::Decimal(from), Type::Decimal(to)) => from <= to,
        _ => from == to,
    }
}

fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Cast(inner) | ExprKind::Negate(inner) => is_literal(inner),
        _ => false,
    }
}

/// Thresholds without which a condition isn't TRUE, each with its place among the parts of the conjunction.
fn thresholds(when: &Expr) -> Vec<(usize, Threshold)> {
    let parts = conjunction(when).into_iter().enumerate();
    parts.filter_map(|(nth, part)| Some((nth, Threshold::of(part)?))).collect()
}

/// What must be TRUE, all of it.
fn conjunction(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().flat_map(conjunction).collect(),
        _ => vec![expr],
    }
}

/// The set with another expression in place of one part of a level's condition.
fn replaced(set: &TierSet, level: u16, nth: usize, part: Expr) -> TierSet {
    let mut set = set.clone();
    if let Some(when) = &mut set.levels[usize::from(level)].when {
        let mut parts: Vec<Expr> = conjunction(when).into_iter().cloned().collect();
        parts[nth] = part;
        match <[Expr; 1]>::try_from(parts) {
            Ok([only]) => *when = only,
            Err(parts) => when.kind = ExprKind::And(parts),
        }
    }
    set
}

/// A value by its place in the order of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ordered(i128);

impl Ordered {
    /// `None` for what has no order, and for reals that are no number.
    fn new(value: Value) -> Option<Self> {
        Some(Ordered(match value {
            Value::Integer(value) => i128::from(value),
            Value::Decimal(value) => value.units,
            Value::Real(value) if value.is_nan() => return None,
            Value::Real(value) => i128::from(order_of_real(value)),
            Value::Date(day) => i128::from(day.0),
            Value::Timestamp(at) => i128::from(at.0),
            Value::Text(_) | Value::Bool(_) => return None,
        }))
    }

    /// The next value of the type. `None` beyond its largest.
    fn next(self, ty: Type) -> Option<Value> {
        let next = Ordered(self.0.checked_add(1)?);
        let largest = match ty {
            Type::Integer | Type::Timestamp => i128::from(i64::MAX),
            Type::Date => i128::from(i32::MAX),
            Type::Real => i128::from(order_of_real(f64::MAX)),
            _ => i128::MAX,
        };
        (next.0 <= largest).then(|| next.value(ty))
    }

    fn value(self, ty: Type) -> Value {
        match ty {
            Type::Decimal(scale) => Value::Decimal(Decimal::new(self.0, scale)),
            Type::Real => Value::Real(real_of_order(self.0 as i64)),
            Type::Date => Value::Date(Date(self.0 as i32)),
            Type::Timestamp => Value::Timestamp(Timestamp(self.0 as i64)),
            _ => Value::Integer(self.0 as i64),
        }
    }
}

/// Neighbouring reals have neighbouring numbers, and both zeros the same.
fn order_of_real(value: f64) -> i64 {
    let magnitude = (value.to_bits() & !SIGN) as i64;
    if value.is_sign_negative() { -magnitude } else { magnitude }
}

fn real_of_order(order: i64) -> f64 {
    let sign = if order < 0 { SIGN } else { 0 };
    f64::from_bits(order.unsigned_abs() | sign)
}

const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests;
