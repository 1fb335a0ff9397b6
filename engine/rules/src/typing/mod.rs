//! Names and types: from an expression as written to [`Expr`].
//!
//! Types go up from the leaves. A literal adapts to what it meets, a smaller scale is widened by an explicit
//! [`ExprKind::Cast`], and nothing else is converted: everything that a reader could doubt is a diagnostic with its fix.
//! An expression with a mistake gives `None` and is reported once; what is around it stays silent about it.

mod common;
mod compare;
mod compute;
mod functions;
mod levels;
mod scope;
mod score;

use std::sync::Arc;

use tierd_model::{Type, Value, Zone};

pub(crate) use scope::{Found, Levels, Scope};
pub(crate) use score::Score;

use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{Expr, ExprKind},
    fileset::{FileSet, Location},
    report::Report,
    suggest::nearest,
    syntax::{Node, NodeKind},
};

/// Gives types to the expressions of one scope.
pub(crate) struct Typing<'a> {
    pub(crate) files: &'a FileSet,
    pub(crate) zone: &'a Zone,
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) out: &'a mut Report,
}

/// A value, or a NULL that takes its type from its neighbours.
enum OrNull {
    Value(Expr),
    Null(Location),
}

impl Typing<'_> {
    /// A condition: true, false or unknown.
    pub(crate) fn condition(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.value(node)?;
        if expr.ty == Type::Bool {
            return Some(expr);
        }
        let headline = format!("a condition is true or false, this is {}", expr.ty);
        let help = match expr.ty {
            ty if ty.is_numeric() => "compare it: `… > 0`",
            _ => "compare it: `… = …` or `… is not null`",
        };
        self.report(Diagnostic::error(code::NOT_A_CONDITION, &expr.at, headline).help(help))
    }

    /// Any value.
    pub(crate) fn value(&mut self, node: &Node) -> Option<Expr> {
        let typed = |kind, ty| Some(Expr { kind, ty, at: node.at.clone() });
        let literal = |value: Value| typed(ExprKind::Literal(value.clone()), value.ty());
        match &node.kind {
            NodeKind::Integer(number) => literal(Value::Integer(*number)),
            NodeKind::Decimal(number) => literal(Value::Decimal(*number)),
            NodeKind::Text(text) => literal(Value::Text(text.clone())),
            NodeKind::Bool(value) => literal(Value::Bool(*value)),
            NodeKind::Date(date) => literal(Value::Date(*date)),
            NodeKind::Timestamp(time) => literal(Value::Timestamp(time.instant(self.zone))),
            NodeKind::Name(name) => self.name(name, &node.at),
            NodeKind::Null => {
                let help =
                    "ask with `is null`; a NULL as a value stands only in `case`, `coalesce`, `least` and `greatest`";
                let headline = "NULL here would make the result unknown, always";
                self.report(Diagnostic::error(code::NULL_OPERAND, &node.at, headline).help(help))
            }
            NodeKind::Interval(_) => {
                let help = "add it to a date: `today - interval '3 months'`";
                let headline = "an interval is no value of its own";
                self.report(Diagnostic::error(code::TYPE_MISMATCH, &node.at, headline).help(help))
            }
            NodeKind::Not(inner) => {
                let inner = self.condition(inner)?;
                typed(ExprKind::Not(Box::new(inner)), Type::Bool)
            }
            NodeKind::And(all) => typed(ExprKind::And(self.conditions(all)?), Type::Bool),
            NodeKind::Or(all) => typed(ExprKind::Or(self.conditions(all)?), Type::Bool),
            NodeKind::Compare(op, left, right) => self.compare(*op, left, right, &node.at),
            NodeKind::Between { value, low, high, negated } => self.between([value, low, high], *negated, &node.at),
            NodeKind::In { value, list, negated } => self.within(value, list, *negated, &node.at),
            NodeKind::Like { value, pattern, negated } => self.like(value, pattern, *negated, &node.at),
            NodeKind::IsNull { value, negated } => {
                let value = Box::new(self.value(value)?);
                typed(ExprKind::IsNull { value, negated: *negated }, Type::Bool)
            }
            NodeKind::Arith(op, left, right) => self.arith(*op, left, right, &node.at),
            NodeKind::Negate(inner) => self.negate(inner, &node.at),
            NodeKind::Case { operand, whens, otherwise } => {
                self.case(operand.as_deref(), whens, otherwise.as_deref(), &node.at)
            }
            NodeKind::Cast(inner, ty) => self.cast(inner, *ty, &node.at),
            NodeKind::Call { .. } => self.call(node),
        }
    }

    /// All of them, so that each one's mistakes are reported.
    fn conditions(&mut self, all: &[Node]) -> Option<Vec<Expr>> {
        let typed: Vec<_> = all.iter().map(|node| self.condition(node)).collect();
        typed.into_iter().collect()
    }

    fn values<'n>(&mut self, all: impl IntoIterator<Item = &'n Node>) -> Option<Vec<Expr>> {
        let typed: Vec<_> = all.into_iter().map(|node| self.value(node)).collect();
        typed.into_iter().collect()
    }

    fn value_or_null(&mut self, node: &Node) -> Option<OrNull> {
        match node.kind {
            NodeKind::Null => Some(OrNull::Null(node.at.clone())),
            _ => self.value(node).map(OrNull::Value),
        }
    }

    fn name(&mut self, name: &Arc<str>, at: &Location) -> Option<Expr> {
        let typed = |kind, ty| Some(Expr { kind, ty, at: at.clone() });
        match (self.scope.find(name), &**name) {
            (Found::Column(index, ty), _) => typed(ExprKind::Column(index), ty),
            (Found::Reported, _) => None,
            (Found::Nothing, "as_of") => typed(ExprKind::AsOf, Type::Timestamp),
            (Found::Nothing, "today") => typed(ExprKind::Today, Type::Date),
            (Found::Nothing, _) => self.unknown_name(name, at),
        }
    }

    fn unknown_name(&mut self, name: &str, at: &Location) -> Option<Expr> {
        let scope = self.scope;
        // Looking through all names takes its time, and is for someone who reads it.
        let known = if self.out.is_full() { &[] } else { scope.names() };
        let near = || nearest(name, known.iter().map(|name| &**name).chain(["as_of", "today"]));
        let help = match scope.advice(name) {
            Some(advice) => advice.to_owned(),
            None => near().map_or(scope.general_advice().to_owned(), |near| format!("did you mean `{near}`?")),
        };
        let headline = format!("{} has no {} `{name}`", scope.owner(), scope.noun());
        self.report(Diagnostic::error(code::UNKNOWN_NAME, at, headline).help(help))
    }

    /// The text of the file at a place.
    pub(crate) fn quote(&self, at: &Location) -> &str {
        self.files.file(at.file).text.get(at.range.clone()).unwrap_or("x")
    }

    fn report<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.out.push(diagnostic);
        None
    }
}
