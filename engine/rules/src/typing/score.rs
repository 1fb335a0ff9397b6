//! Scorecards: rows of points, and their sum.

use tierd_model::{Type, Value};

use super::{Typing, common::is_literal};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{ArithOp, Expr, ExprKind},
    fileset::Location,
    syntax::Node,
};

/// A row as written.
pub(crate) struct Score<'n> {
    pub(crate) when: Option<&'n Node>,
    pub(crate) points: &'n Node,
    pub(crate) at: &'n Location,
}

impl Typing<'_> {
    /// What each row adds, all of the widest type among them, and the sum.
    pub(crate) fn scorecard(&mut self, rows: &[Score<'_>], at: &Location) -> Option<(Vec<Expr>, Expr)> {
        let whens: Vec<_> = rows.iter().map(|row| self.score_when(row)).collect();
        let points: Vec<_> = rows.iter().map(|row| self.number(row.points, "`points`")).collect();
        if rows.is_empty() {
            let help = "write scorecard = [{ when = \"…\", points = 10 }]";
            return self.report(Diagnostic::error(code::EMPTY_VALUE, at, "this scorecard has no rows").help(help));
        }
        let points = self.same_type(points.into_iter().collect::<Option<_>>()?, "add")?;
        let adds = rows.iter().zip(whens).zip(points);
        let adds = adds.map(|((row, when), points)| self.adds(when?, points, row.at)).collect::<Option<Vec<_>>>()?;
        let (first, others) = adds.split_first()?;
        let add = |sum: Expr, row: &Expr| Expr {
            ty: row.ty,
            at: at.clone(),
            kind: ExprKind::Arith(ArithOp::Add, Box::new(sum), Box::new(row.clone())),
        };
        let sum = others.iter().fold(first.clone(), add);
        Some((adds, sum))
    }

    /// A row's condition: `Some(None)` where it has none.
    fn score_when(&mut self, row: &Score<'_>) -> Option<Option<Expr>> {
        match row.when {
            Some(when) => self.condition(when).map(Some),
            None => Some(None),
        }
    }

    /// The points where the condition is TRUE, and 0 where it isn't or the points are NULL.
    fn adds(&mut self, when: Option<Expr>, points: Expr, at: &Location) -> Option<Expr> {
        let (ty, never_null) = (points.ty, is_literal(&points));
        let node = |kind| Expr { kind, ty, at: at.clone() };
        let zero = Expr { kind: ExprKind::Literal(Value::Integer(0)), ty: Type::Integer, at: at.clone() };
        let zero = self.convert(zero, ty)?;
        let row = match when {
            Some(when) => {
                let otherwise = Some(Box::new(zero.clone()));
                node(ExprKind::Case { whens: vec![(when, points)], otherwise })
            }
            None => points,
        };
        Some(if never_null { row } else { node(ExprKind::Coalesce(vec![row, zero])) })
    }
}
