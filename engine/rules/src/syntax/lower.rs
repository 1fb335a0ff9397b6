//! From sqlparser's tree to [`Node`]: what the rule language has, and for everything else what to write in its place.
//!
//! sqlparser's limit keeps the recursion here shallow, but not along chains (`a + b + …`), whose tree leans to the left as deep
//! as the chain is long. Those are walked in a loop, and [`MAX_HEIGHT`] bounds the tree that everyone after this gets.

use sqlparser::ast::{BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Expr as Sql, Ident, UnaryOperator};

use super::{
    node::{Node, NodeKind},
    parse::too_deep,
    tokens::{Run, STANDINGS, Tokens},
};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{ArithOp, CompareOp},
    report::Report,
};

mod call;
mod choice;
mod foreign;
mod predicate;
mod values;

/// The height of the tallest tree. Lists of `and` and `or` count once, however long.
const MAX_HEIGHT: usize = 100;

/// Lowers a whole expression; `None` where something is reported.
pub(super) fn lower(tree: &Sql, tokens: &Tokens<'_>, out: &mut Report) -> Option<Node> {
    let part = Lower { tokens, out }.part(tree, 0)?;
    let whole = Run { first: 0, last: tokens.all().len() - 1 };
    if part.run != whole {
        // sqlparser has taken in words that its tree doesn't show.
        let extra = if part.run.first > 0 { 0 } else { part.run.last + 1 };
        let headline = format!("`{}` isn't part of the rule language here", tokens.all()[extra].token);
        let diagnostic = Diagnostic::error(code::NOT_SUPPORTED, &tokens.locate_token(extra), headline);
        out.push(diagnostic.help("leave it out"));
        return None;
    }
    Some(part.node)
}

struct Lower<'a> {
    tokens: &'a Tokens<'a>,
    out: &'a mut Report,
}

/// A node, the tokens that it is made of, and the height of its tree.
struct Part {
    node: Node,
    run: Run,
    height: usize,
}

impl Lower<'_> {
    fn part(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        if depth > MAX_HEIGHT {
            self.out.push(too_deep(&self.tokens.locate_token(0)));
            return None;
        }
        match sql {
            Sql::BinaryOp { .. } => self.binary(sql, depth),
            Sql::Identifier(name) => {
                let run = Run::one(self.tokens.find(name.span));
                Some(self.leaf(NodeKind::Name(name.value.as_str().into()), run))
            }
            Sql::CompoundIdentifier(parts) => self.standing(sql, parts),
            Sql::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.rounding("floor", expr, depth)
            }
            Sql::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.rounding("ceil", expr, depth)
            }
            Sql::Value(value) => self.literal(&value.value, "", Run::one(self.tokens.find(value.span))),
            Sql::Nested(inner) => {
                let part = self.part(inner, depth + 1)?;
                let run = Run { first: part.run.first.saturating_sub(1), last: part.run.last + 1 };
                Some(Part { node: Node { at: self.tokens.locate(run), ..part.node }, run, ..part })
            }
            Sql::UnaryOp { op, expr } => self.unary(*op, expr, depth),
            Sql::TypedString(text) => self.typed_string(text),
            Sql::Interval(interval) => self.interval(interval),
            Sql::Function(function) => self.call(function, depth),
            Sql::Cast { kind: CastKind::Cast, expr, data_type, format: None } => self.cast(expr, data_type, depth),
            Sql::Case { case_token, end_token, operand, conditions, else_result } => {
                let (first, last) = (self.tokens.find(case_token.0.span), self.tokens.find(end_token.0.span));
                self.case(operand.as_deref(), conditions, else_result.as_deref(), Run { first, last }, depth)
            }
            _ => self.predicate(sql, depth),
        }
    }

    /// `tier.NAME`, `was.NAME`, `since.NAME`: one name, point and all.
    fn standing(&mut self, sql: &Sql, parts: &[Ident]) -> Option<Part> {
        match parts {
            [what, set] if STANDINGS.contains(&what.value.as_str()) => {
                let first = self.tokens.find(what.span);
                let name = format!("{}.{}", what.value, set.value);
                Some(self.leaf(NodeKind::Name(name.into()), Run { first, last: first + 2 }))
            }
            _ => self.foreign(sql),
        }
    }

    /// All of them, so that each one's mistakes are reported.
    fn parts<'s>(&mut self, all: impl IntoIterator<Item = &'s Sql>, depth: usize) -> Option<Vec<Part>> {
        let parts: Vec<_> = all.into_iter().map(|sql| self.part(sql, depth + 1)).collect();
        parts.into_iter().collect()
    }

    /// A chain of operators, from its left end: chains are long, so there is no recursion along them.
    fn binary(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        let (mut chain, mut leftmost) = (vec![], sql);
        while let Sql::BinaryOp { left, op, right } = leftmost {
            chain.push((op, &**right));
            leftmost = left;
        }
        let mut left = self.part(leftmost, depth + 1);
        for (op, right) in chain.into_iter().rev() {
            let right = self.part(right, depth + 1);
            left = match (left, right) {
                (Some(left), Some(right)) => self.operator(left, op, right),
                _ => None,
            };
        }
        left
    }

    fn operator(&mut self, left: Part, op: &BinaryOperator, right: Part) -> Option<Part> {
        if let BinaryOperator::And | BinaryOperator::Or = op {
            return self.logic(left, *op == BinaryOperator::And, right);
        }
        let (run, height) = (left.run.join(right.run), left.height.max(right.height));
        let (a, b) = (Box::new(left.node), Box::new(right.node));
        let kind = match (compare_op(op), arith_op(op)) {
            (Some(op), _) => NodeKind::Compare(op, a, b),
            (_, Some(op)) => NodeKind::Arith(op, a, b),
            _ => {
                let help = "operators are =, <>, <, <=, >, >=, +, -, *, /, and, or, not";
                let headline = format!("`{op}` is no operator here");
                return self.not_supported(Run::one(left.run.last + 1), &headline, help);
            }
        };
        self.above(height, kind, run)
    }

    /// `and` and `or`: a chain becomes one list.
    fn logic(&mut self, left: Part, and: bool, right: Part) -> Option<Part> {
        let run = left.run.join(right.run);
        let (mut all, below) = match left.node.kind {
            NodeKind::And(all) if and => (all, left.height - 1),
            NodeKind::Or(all) if !and => (all, left.height - 1),
            kind => (vec![Node { kind, at: left.node.at }], left.height),
        };
        all.push(right.node);
        let kind = if and { NodeKind::And(all) } else { NodeKind::Or(all) };
        self.above(below.max(right.height), kind, run)
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Sql, depth: usize) -> Option<Part> {
        if let (UnaryOperator::Minus, Sql::Value(value)) = (op, inner) {
            let last = self.tokens.find(value.span);
            return self.literal(&value.value, "-", Run { first: last.saturating_sub(1), last });
        }
        let part = self.part(inner, depth + 1)?;
        let first = part.run.first.saturating_sub(1);
        let (run, height) = (Run { first, last: part.run.last }, part.height);
        match op {
            UnaryOperator::Not => self.above(height, NodeKind::Not(Box::new(part.node)), run),
            UnaryOperator::Minus => self.above(height, NodeKind::Negate(Box::new(part.node)), run),
            UnaryOperator::Plus => self.not_supported(Run::one(first), "`+` before a value", "leave it out"),
            _ => self.not_supported(Run::one(first), &format!("`{op}` is no operator here"), "use `not`"),
        }
    }

    fn leaf(&self, kind: NodeKind, run: Run) -> Part {
        Part { node: Node { kind, at: self.tokens.locate(run) }, run, height: 1 }
    }

    /// A node above others of the given height.
    fn above(&mut self, height: usize, kind: NodeKind, run: Run) -> Option<Part> {
        if height >= MAX_HEIGHT {
            self.out.push(too_deep(&self.tokens.locate(run)));
            return None;
        }
        Some(Part { height: height + 1, ..self.leaf(kind, run) })
    }

    fn not_supported<T>(&mut self, run: Run, headline: &str, help: &str) -> Option<T> {
        self.wrong(code::NOT_SUPPORTED, run, headline, help)
    }

    fn wrong<T>(&mut self, code: &'static str, run: Run, headline: &str, help: &str) -> Option<T> {
        self.out.push(Diagnostic::error(code, &self.tokens.locate(run), headline).help(help));
        None
    }
}

fn compare_op(op: &BinaryOperator) -> Option<CompareOp> {
    match op {
        BinaryOperator::Eq => Some(CompareOp::Eq),
        BinaryOperator::NotEq => Some(CompareOp::Ne),
        BinaryOperator::Lt => Some(CompareOp::Lt),
        BinaryOperator::LtEq => Some(CompareOp::Le),
        BinaryOperator::Gt => Some(CompareOp::Gt),
        BinaryOperator::GtEq => Some(CompareOp::Ge),
        _ => None,
    }
}

fn arith_op(op: &BinaryOperator) -> Option<ArithOp> {
    match op {
        BinaryOperator::Plus => Some(ArithOp::Add),
        BinaryOperator::Minus => Some(ArithOp::Sub),
        BinaryOperator::Multiply => Some(ArithOp::Mul),
        BinaryOperator::Divide => Some(ArithOp::Div),
        _ => None,
    }
}

fn tallest(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.height).max().unwrap_or(0)
}
