//! Scorecards: rows of points, and their sum.

use tierd_model::Value;

use super::{Typing, common::is_literal};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{ArithOp, Expr, ExprKind},
    fileset::Location,
    syntax::Node,
};

impl Typing<'_> {
    /// What a row adds: its points where its condition is TRUE, and 0 where it isn't or the points are NULL.
    pub(crate) fn score_row(&mut self, when: Option<&Node>, points: &Node, at: &Location) -> Option<Expr> {
        let when = when.map(|when| self.condition(when));
        let points = self.number(points, "`points`")?;
        let ty = points.ty;
        let node = |kind| Expr { kind, ty, at: at.clone() };
        let zero = node(ExprKind::Literal(Value::Integer(0)));
        let zero = self.convert(Expr { ty: tierd_model::Type::Integer, ..zero }, ty)?;
        let never_null = is_literal(&points);
        let row = match when {
            Some(when) => {
                let otherwise = Some(Box::new(zero.clone()));
                node(ExprKind::Case { whens: vec![(when?, points)], otherwise })
            }
            None => points,
        };
        Some(if never_null { row } else { node(ExprKind::Coalesce(vec![row, zero])) })
    }

    /// The rows, all of the widest type among them, and their sum.
    pub(crate) fn total(&mut self, rows: Vec<Expr>, at: &Location) -> Option<(Vec<Expr>, Expr)> {
        let rows = self.same_type(rows, "add")?;
        let Some((first, others)) = rows.split_first() else {
            let help = "write scorecard = [{ when = \"…\", points = 10 }]";
            return self.report(Diagnostic::error(code::EMPTY_VALUE, at, "a scorecard has rows").help(help));
        };
        let add = |sum: Expr, row: Expr| Expr {
            ty: row.ty,
            at: at.clone(),
            kind: ExprKind::Arith(ArithOp::Add, Box::new(sum), Box::new(row)),
        };
        let sum = others.iter().cloned().fold(first.clone(), add);
        Some((rows, sum))
    }
}
