//! Conditions over the rows of a batch.
//!
//! Comparisons of a number, date or bool with a constant become [`Range`]s; conditions on one text column become tables by text
//! id ([`TextTable`]); `and`, `or`, `not` are bitwise. Whatever else a rule says goes through [`crate::expr`].

use tierd_model::{Clock, Type, Value, pow10};
use tierd_rules::{CompareOp, Expr, ExprKind, Facts};

use super::{
    arrays::exact_value,
    mask::{FALSE, Range, RealRange, TRUE, UNKNOWN, truth_of},
    plan::Origin,
    same::same,
};
use crate::{columns::value_at, expr::evaluate};

/// Longer lists of constants are looked up in a set by [`crate::expr`].
const FEW: usize = 8;

/// A condition, ready to run over a batch. Columns are those of the batch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// The same for every row.
    Constant(u8),
    /// The value of a column that isn't real.
    Range(usize, Range),
    /// The value of a real column.
    RealRange(usize, RealRange),
    /// Whether the column is NULL.
    IsNull(usize),
    /// By text: index of a [`TextTable`].
    Table(usize),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
    /// Index of an expression of the plan.
    Other(usize),
}

/// A condition that reads one text column: decided once for each distinct text.
#[derive(Debug, Clone)]
pub(super) struct TextTable {
    /// The batch's column.
    pub(super) column: usize,
    /// The facts' column, as the expression counts.
    pub(super) scope_column: usize,
    pub(super) expr: Expr,
}

/// What the conditions and arguments of a plan share: columns to read, tables, expressions.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    pub(super) facts: &'a Facts,
    pub(super) clock: &'a Clock,
    /// Columns of the batch.
    pub(super) columns: Vec<Origin>,
    pub(super) tables: Vec<TextTable>,
    pub(super) others: Vec<Expr>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(facts: &'a Facts, clock: &'a Clock) -> Self {
        Needs { facts, clock, columns: Vec::new(), tables: Vec::new(), others: Vec::new() }
    }

    /// The batch's column for a column of the facts.
    pub(super) fn column(&mut self, of_facts: usize) -> usize {
        self.batch_column(Origin::Table(of_facts))
    }

    /// The batch's column for a computed value.
    pub(super) fn computed(&mut self, expr: &Expr) -> usize {
        let other = self.other_index(expr);
        self.batch_column(Origin::Computed(other))
    }

    pub(super) fn type_of(&self, origin: Origin) -> Type {
        match origin {
            Origin::Table(column) => self.facts.columns[column].ty,
            Origin::Computed(other) => self.others[other].ty,
        }
    }

    fn batch_column(&mut self, origin: Origin) -> usize {
        position_or_push(&mut self.columns, |known| *known == origin, || origin)
    }

    /// Compiles a condition.
    pub(super) fn filter(&mut self, expr: &Expr) -> Filter {
        use ExprKind as K;
        let reads = expr.columns();
        if reads.is_empty() {
            return Filter::Constant(truth_of(match self.constant(expr) {
                Some(Value::Bool(truth)) => Some(truth),
                _ => None,
            }));
        }
        if let [column] = reads[..]
            && self.facts.columns[column].ty == Type::Text
        {
            return self.table(expr, column);
        }
        match &expr.kind {
            K::Not(a) => Filter::Not(Box::new(self.filter(a))),
            K::And(all) => Filter::All(all.iter().map(|e| self.filter(e)).collect()),
            K::Or(any) => Filter::Any(any.iter().map(|e| self.filter(e)).collect()),
            K::Column(column) => Filter::Range(self.column(*column), Range { low: 1, high: 1 }),
            K::IsNull { value, negated } => self.is_null(expr, value, *negated),
            _ => self.ranges(expr).unwrap_or_else(|| self.other(expr)),
        }
    }

    fn table(&mut self, expr: &Expr, scope_column: usize) -> Filter {
        let column = self.column(scope_column);
        let table = || TextTable { column, scope_column, expr: expr.clone() };
        Filter::Table(position_or_push(&mut self.tables, |t| same(&t.expr, expr), table))
    }

    fn is_null(&mut self, expr: &Expr, value: &Expr, negated: bool) -> Filter {
        let ExprKind::Column(column) = value.kind else {
            return self.other(expr);
        };
        negate_if(negated, Filter::IsNull(self.column(column)))
    }

    /// The index of an expression for [`crate::expr`], whose columns will be read.
    fn other_index(&mut self, expr: &Expr) -> usize {
        for column in expr.columns() {
            self.column(column);
        }
        position_or_push(&mut self.others, |e| same(e, expr), || expr.clone())
    }

    fn other(&mut self, expr: &Expr) -> Filter {
        Filter::Other(self.other_index(expr))
    }

    /// A comparison of one column with constants.
    fn ranges(&mut self, expr: &Expr) -> Option<Filter> {
        use ExprKind as K;
        match &expr.kind {
            K::Compare(op, a, b) if b.columns().is_empty() => self.compare(*op, a, b),
            K::Compare(op, a, b) if a.columns().is_empty() => self.compare(op.mirrored(), b, a),
            K::Between { value, low, high, negated } => {
                let inside = vec![self.compare(CompareOp::Ge, value, low)?, self.compare(CompareOp::Le, value, high)?];
                Some(negate_if(*negated, Filter::All(inside)))
            }
            K::In { value, list, negated } if list.len() <= FEW => {
                let any = list.iter().map(|v| self.compare_value(CompareOp::Eq, value, Some(v)));
                Some(negate_if(*negated, Filter::Any(any.collect::<Option<_>>()?)))
            }
            _ => None,
        }
    }

    fn compare(&mut self, op: CompareOp, column: &Expr, constant: &Expr) -> Option<Filter> {
        if !constant.columns().is_empty() {
            return None;
        }
        let value = self.constant(constant);
        self.compare_value(op, column, value.as_ref())
    }

    fn compare_value(&mut self, op: CompareOp, column: &Expr, value: Option<&Value>) -> Option<Filter> {
        let (of_facts, factor) = self.widened_column(column)?;
        let Some(value) = value else {
            return Some(Filter::Constant(UNKNOWN));
        };
        let index = self.column(of_facts);
        let filter = match value {
            Value::Real(value) => Filter::RealRange(index, real_range(op, *value)),
            value => Filter::Range(index, exact_range(op, exact_value(value, column.ty)?, factor)),
        };
        Some(negate_if(op == CompareOp::Ne, filter))
    }

    /// A column of the facts, or one that is widened to more digits: by which factor.
    fn widened_column(&self, expr: &Expr) -> Option<(usize, i128)> {
        match &expr.kind {
            ExprKind::Column(column) => Some((*column, 1)),
            ExprKind::Cast(inner) => {
                let ExprKind::Column(column) = inner.kind else { return None };
                let digits = expr.ty.scale()?.checked_sub(inner.ty.scale()?)?;
                Some((column, pow10(digits)))
            }
            _ => None,
        }
    }

    /// The value of an expression without columns.
    fn constant(&self, expr: &Expr) -> Option<Value> {
        value_at(&evaluate(expr, &[], 1, self.clock), expr.ty, 0)
    }
}

fn position_or_push<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    list.iter().position(is).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    })
}

fn negate_if(negated: bool, filter: Filter) -> Filter {
    match filter {
        Filter::Constant(UNKNOWN) => filter,
        Filter::Constant(truth) if negated => Filter::Constant(truth ^ TRUE ^ FALSE),
        filter if negated => Filter::Not(Box::new(filter)),
        filter => filter,
    }
}

/// The values `v` for which `v * factor op constant` holds (for `<>`: does not hold).
fn exact_range(op: CompareOp, constant: i128, factor: i128) -> Range {
    let floor = constant.div_euclid(factor);
    let exact = constant.rem_euclid(factor) == 0;
    // The least value whose multiple reaches the constant.
    let ceil = if exact { floor } else { floor.saturating_add(1) };
    match op {
        CompareOp::Eq | CompareOp::Ne => Range::clamped(ceil, floor),
        CompareOp::Lt => Range::clamped(i128::MIN, ceil.saturating_sub(1)),
        CompareOp::Le => Range::clamped(i128::MIN, floor),
        CompareOp::Gt => Range::clamped(floor.saturating_add(1), i128::MAX),
        CompareOp::Ge => Range::clamped(ceil, i128::MAX),
    }
}

fn real_range(op: CompareOp, constant: f64) -> RealRange {
    // Zero has one sign in columns; the step below or above it must not begin at the other.
    let constant = constant + 0.0;
    let (low, high) = match op {
        CompareOp::Eq | CompareOp::Ne => (constant, constant),
        CompareOp::Lt => (f64::NEG_INFINITY, constant.next_down()),
        CompareOp::Le => (f64::NEG_INFINITY, constant),
        CompareOp::Gt => (constant.next_up(), f64::INFINITY),
        CompareOp::Ge => (constant, f64::INFINITY),
    };
    RealRange { low, high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparing_a_widened_column_rounds_the_constant_the_right_way() {
        use CompareOp::{Eq, Ge, Gt, Le, Lt};
        let (min, max) = (i64::MIN, i64::MAX);
        for (op, constant, low, high) in [
            (Eq, 150, 1, 0),
            (Eq, 200, 2, 2),
            (Lt, 150, min, 1),
            (Lt, 200, min, 1),
            (Le, 199, min, 1),
            (Le, 200, min, 2),
            (Gt, 150, 2, max),
            (Gt, 200, 3, max),
            (Ge, 150, 2, max),
            (Ge, 200, 2, max),
            (Gt, -150, -1, max),
            (Lt, -150, min, -2),
        ] {
            let range = exact_range(op, constant, 100);
            let expected = Range { low, high };
            assert!(range == expected || (range.low > range.high && low > high), "{op:?} {constant}: {range:?}");
        }
    }
}
