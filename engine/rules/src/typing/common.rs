//! One type for several operands.

use tierd_model::{Decimal, Type, Value};

use super::{OrNull, Typing};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{Expr, ExprKind},
    syntax::Node,
};

impl Typing<'_> {
    /// The operands, all of one type; `doing` says what is done with them (`compare`).
    pub(super) fn same_type(&mut self, operands: Vec<Expr>, doing: &str) -> Option<Vec<Expr>> {
        let ty = self.common_type(&operands, doing)?;
        let typed: Vec<_> = operands.into_iter().map(|operand| self.convert(operand, ty)).collect();
        typed.into_iter().collect()
    }

    /// As [`Typing::same_type`], for nodes of which some may be NULL.
    pub(super) fn same_type_or_null(&mut self, nodes: &[&Node], doing: &str) -> Option<Vec<Expr>> {
        let operands: Vec<_> = nodes.iter().map(|node| self.value_or_null(node)).collect();
        let operands = operands.into_iter().collect::<Option<Vec<_>>>()?;
        let values: Vec<Expr> = operands
            .iter()
            .filter_map(|operand| match operand {
                OrNull::Value(value) => Some(value.clone()),
                OrNull::Null(_) => None,
            })
            .collect();
        if let (true, Some(first)) = (values.is_empty(), nodes.first()) {
            let headline = "this is always NULL";
            return self.report(Diagnostic::error(code::NULL_OPERAND, &first.at, headline).help("give it a value"));
        }
        let ty = self.common_type(&values, doing)?;
        let typed: Vec<_> = operands
            .into_iter()
            .map(|operand| match operand {
                OrNull::Value(value) => self.convert(value, ty),
                OrNull::Null(at) => Some(Expr { kind: ExprKind::Null, ty, at }),
            })
            .collect();
        typed.into_iter().collect()
    }

    /// The type that all of them can have without loss.
    pub(super) fn common_type(&mut self, operands: &[Expr], doing: &str) -> Option<Type> {
        // A literal says the least about what is meant: what isn't one leads.
        let leader = operands.iter().find(|operand| !is_literal(operand)).or(operands.first())?;
        let mut common = leader.ty;
        for operand in operands {
            common = match join(leader, common, operand) {
                Some(ty) => ty,
                None => {
                    let diagnostic = self.mismatch(leader, operand, doing);
                    return self.report(diagnostic);
                }
            };
        }
        Some(common)
    }

    /// The operand at another type that loses nothing.
    pub(super) fn convert(&mut self, operand: Expr, ty: Type) -> Option<Expr> {
        if operand.ty == ty {
            return Some(operand);
        }
        let at = operand.at.clone();
        let kind = match (&operand.kind, ty) {
            (ExprKind::Literal(value), Type::Real) => value.as_decimal().map(|d| ExprKind::Literal(real_literal(d))),
            (ExprKind::Literal(value), Type::Decimal(scale)) => {
                let wider = value.as_decimal().and_then(|decimal| decimal.rescale_exact(scale));
                wider.map(|decimal| ExprKind::Literal(Value::Decimal(decimal)))
            }
            _ => Some(ExprKind::Cast(Box::new(operand))),
        };
        match kind {
            Some(kind) => Some(Expr { kind, ty, at }),
            None => {
                let headline =
                    format!("with {} digits after the point this number doesn't fit", ty.scale().unwrap_or(0));
                let help = "decimals have 38 digits in all";
                self.report(Diagnostic::error(code::TOO_MANY_DIGITS, &at, headline).help(help))
            }
        }
    }

    /// The expression at a type that it is to have, if that loses nothing: a literal adapts, and fewer digits become more.
    pub(crate) fn as_type(&mut self, expr: Expr, ty: Type) -> Option<Expr> {
        let fits = match ty {
            ty if ty == expr.ty => true,
            Type::Real => expr.ty.is_exact() && is_literal(&expr),
            Type::Decimal(most) => expr.ty.scale().is_some_and(|scale| scale <= most),
            _ => false,
        };
        if fits { self.convert(expr, ty) } else { None }
    }

    /// A number as the double nearest to it.
    pub(crate) fn as_real(&mut self, expr: Expr) -> Option<Expr> {
        if expr.ty.is_numeric() { self.convert(expr, Type::Real) } else { None }
    }

    /// Two operands that have no type in common.
    pub(super) fn mismatch(&self, a: &Expr, b: &Expr, doing: &str) -> Diagnostic {
        let mixed = a.ty.is_numeric() && b.ty.is_numeric();
        let code = if mixed { code::MIXED_NUMBERS } else { code::TYPE_MISMATCH };
        let headline = match mixed {
            true => format!("can't {doing} exact and floating-point numbers"),
            false => format!("can't {doing} {} and {}", a.ty, b.ty),
        };
        Diagnostic::error(code, &b.at, headline)
            .label(format!("this is {}", b.ty))
            .other(&a.at, format!("this is {}", a.ty))
            .help("both sides must be of one type")
            .maybe_help(self.mismatch_help(a, b).or_else(|| self.mismatch_help(b, a)))
    }

    /// What to write in place of `b`, if that is what should change.
    fn mismatch_help(&self, a: &Expr, b: &Expr) -> Option<String> {
        let quoted = self.quote(&b.at);
        match (&b.kind, a.ty, b.ty) {
            (ExprKind::Literal(Value::Text(text)), ty, _) if ty.is_numeric() => {
                number_text(text).then(|| format!("write {text} without quotes"))
            }
            (ExprKind::Literal(value), Type::Text, _) => Some(format!("write '{value}' in single quotes")),
            (ExprKind::Literal(Value::Text(text)), Type::Date, _) => {
                let good = tierd_model::parse_date(text.as_bytes()).is_some();
                Some(format!("write date '{}'", if good { text } else { "2024-01-31" }))
            }
            (ExprKind::Literal(Value::Text(text)), Type::Timestamp, _) => {
                let good = tierd_model::parse_timestamp(text.as_bytes()).is_some();
                Some(format!("write timestamp '{}'", if good { text } else { "2024-01-31 08:00:00" }))
            }
            (ExprKind::Literal(_), Type::Bool, _) => Some(format!("write `{0}` or `not {0}`", self.quote(&a.at))),
            (ExprKind::AsOf, Type::Date, _) => Some("write `today`".to_owned()),
            (_, Type::Date, Type::Timestamp) => Some(format!("write date({quoted})")),
            (_, Type::Real, ty) if ty.is_exact() => Some(format!("write cast({quoted} as real)")),
            _ => None,
        }
    }
}

/// The common type so far, joined with another operand's.
fn join(leader: &Expr, common: Type, operand: &Expr) -> Option<Type> {
    let adapts = |expr: &Expr| expr.ty.is_exact() && is_literal(expr);
    match (common, operand.ty) {
        (a, b) if a == b => Some(a),
        (Type::Real, b) if b.is_exact() => adapts(operand).then_some(Type::Real),
        (a, Type::Real) if a.is_exact() => adapts(leader).then_some(Type::Real),
        (a, b) => Some(Type::Decimal(a.scale()?.max(b.scale()?))),
    }
}

pub(super) fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(_))
}

/// Whether a text reads as a number.
pub(super) fn number_text(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// The double nearest to a decimal.
pub(super) fn real_literal(decimal: Decimal) -> Value {
    // The text of a decimal is read as the nearest double; dividing the units would round twice.
    Value::Real(decimal.to_string().parse().unwrap_or(f64::NAN))
}
