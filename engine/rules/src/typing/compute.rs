//! Arithmetic with numbers and dates.

use tierd_model::{CalendarSpan, MAX_SCALE, Type, Value};

use super::{
    Typing,
    common::{is_literal, number_text},
};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{ArithOp, Expr, ExprKind},
    fileset::Location,
    syntax::{Node, NodeKind},
};

impl Typing<'_> {
    pub(super) fn arith(&mut self, op: ArithOp, left: &Node, right: &Node, at: &Location) -> Option<Expr> {
        if let NodeKind::Interval(span) = right.kind {
            return self.add_span(op, left, span, right, at);
        }
        if let (NodeKind::Interval(span), ArithOp::Add) = (&left.kind, op) {
            return self.add_span(op, right, *span, left, at);
        }
        let mut operands = self.values([left, right])?.into_iter();
        let (left, right) = (operands.next()?, operands.next()?);
        if let Some(wrong) = [&left, &right].into_iter().find(|operand| !operand.ty.is_numeric()) {
            let diagnostic = self.no_number(op, &left, &right, wrong);
            return self.report(diagnostic);
        }
        let ((left, right), ty) = self.operands(op, left, right, at)?;
        if op == ArithOp::Div && !never_zero(&right) {
            let diagnostic = match is_literal(&right) {
                true => {
                    Diagnostic::error(code::ZERO_DIVISOR, &right.at, "division by zero").help("write another divisor")
                }
                false => Diagnostic::error(code::ZERO_DIVISOR, &right.at, "this divisor may be zero")
                    .help(format!("write nullif({}, 0): the result is then NULL", self.quote(&right.at))),
            };
            return self.report(diagnostic);
        }
        Some(Expr { kind: ExprKind::Arith(op, Box::new(left), Box::new(right)), ty, at: at.clone() })
    }

    /// The operands as the operation takes them, and its result's type.
    fn operands(&mut self, op: ArithOp, left: Expr, right: Expr, at: &Location) -> Option<((Expr, Expr), Type)> {
        let ty = match (op, left.ty.scale(), right.ty.scale()) {
            (ArithOp::Mul, Some(_), Some(_)) if (left.ty, right.ty) == (Type::Integer, Type::Integer) => Type::Integer,
            (ArithOp::Mul, Some(a), Some(b)) => Type::Decimal(self.product_scale(a, b, at)?),
            (ArithOp::Div, Some(a), Some(_)) => Type::Decimal(a.max(6)),
            _ => {
                let doing = match op {
                    ArithOp::Add => "add",
                    ArithOp::Sub => "subtract",
                    ArithOp::Mul => "multiply",
                    ArithOp::Div => "divide",
                };
                let mut same = self.same_type(vec![left, right], doing)?.into_iter();
                let (left, right) = (same.next()?, same.next()?);
                let ty = left.ty;
                return Some(((left, right), ty));
            }
        };
        Some(((left, right), ty))
    }

    fn product_scale(&mut self, a: u8, b: u8, at: &Location) -> Option<u8> {
        let scale = a + b;
        if scale <= MAX_SCALE {
            return Some(scale);
        }
        let headline = format!("this product has {scale} digits after the point; at most {MAX_SCALE} are computed");
        let help = "round a factor first: round(x, 2)";
        self.report(Diagnostic::error(code::TOO_MANY_DIGITS, at, headline).help(help))
    }

    /// Arithmetic with something that is no number.
    fn no_number(&self, op: ArithOp, left: &Expr, right: &Expr, wrong: &Expr) -> Diagnostic {
        let dated = |ty| matches!(ty, Type::Date | Type::Timestamp);
        let headline = format!("can't compute with {}", wrong.ty);
        let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, &wrong.at, headline);
        let (a, b) = (self.quote(&left.at), self.quote(&right.at));
        let help = match (op, &right.kind, &wrong.kind) {
            (ArithOp::Sub, ..) if dated(left.ty) && dated(right.ty) => format!("write days_between({b}, {a})"),
            (ArithOp::Add | ArithOp::Sub, ExprKind::Literal(Value::Integer(days)), _) if dated(left.ty) => {
                format!("write interval '{days} days'")
            }
            (_, _, ExprKind::Literal(Value::Text(text))) if number_text(text) => {
                format!("write {text} without quotes")
            }
            _ => no_number_help(wrong.ty).to_owned(),
        };
        diagnostic.help(help)
    }

    fn add_span(
        &mut self,
        op: ArithOp,
        date: &Node,
        span: CalendarSpan,
        interval: &Node,
        at: &Location,
    ) -> Option<Expr> {
        let span = match op {
            ArithOp::Add => span,
            ArithOp::Sub => span.negate(),
            ArithOp::Mul | ArithOp::Div => {
                let headline = "an interval can't be multiplied or divided";
                return self
                    .report(Diagnostic::error(code::TYPE_MISMATCH, &interval.at, headline).help("write the result"));
            }
        };
        let date = self.value(date)?;
        match (date.ty, &date.kind) {
            (Type::Date, _) | (Type::Timestamp, ExprKind::AsOf) => {
                let ty = date.ty;
                Some(Expr { kind: ExprKind::AddSpan(Box::new(date), span), ty, at: at.clone() })
            }
            (ty, _) => {
                let headline = format!("an interval is added to a date, this is {ty}");
                let help = (ty == Type::Timestamp).then(|| format!("write date({})", self.quote(&date.at)));
                self.report(Diagnostic::error(code::TYPE_MISMATCH, &date.at, headline).maybe_help(help))
            }
        }
    }

    pub(super) fn negate(&mut self, inner: &Node, at: &Location) -> Option<Expr> {
        let inner = self.number(inner, "`-`")?;
        let ty = inner.ty;
        Some(Expr { kind: ExprKind::Negate(Box::new(inner)), ty, at: at.clone() })
    }

    /// A value that must be a number.
    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<Expr> {
        let value = self.value(node)?;
        if value.ty.is_numeric() {
            return Some(value);
        }
        let headline = format!("{what} takes a number, this is {}", value.ty);
        let help = no_number_help(value.ty);
        self.report(Diagnostic::error(code::TYPE_MISMATCH, &value.at, headline).help(help))
    }
}

/// What to do with something that was taken for a number.
fn no_number_help(ty: Type) -> &'static str {
    match ty {
        Type::Text => "where the column holds numbers, declare it so in tierd.toml",
        Type::Bool => "write case when x then 1 else 0 end",
        _ => "dates have days_between(a, b) and `+ interval '3 months'`",
    }
}

/// Whether a divisor is NULL or other than zero, whatever the data.
fn never_zero(divisor: &Expr) -> bool {
    match &divisor.kind {
        ExprKind::Literal(value) => !is_zero(value),
        ExprKind::NullIf(_, other) => is_literal(other) && matches!(&other.kind, ExprKind::Literal(v) if is_zero(v)),
        ExprKind::Negate(inner) | ExprKind::Abs(inner) => never_zero(inner),
        // A cast to fewer digits may round to zero.
        ExprKind::Cast(inner) => {
            never_zero(inner) && divisor.ty.scale().is_none_or(|s| Some(s) >= inner.ty.scale() && inner.ty.is_exact())
        }
        _ => false,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Integer(number) => *number == 0,
        Value::Decimal(decimal) => decimal.units == 0,
        Value::Real(real) => *real == 0.0,
        _ => false,
    }
}
