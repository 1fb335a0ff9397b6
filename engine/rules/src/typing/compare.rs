//! Comparisons: what can be compared, and what to write where it can't.

use tierd_model::{Type, Value};

use super::{Typing, common::is_literal};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{CompareOp, Expr, ExprKind},
    fileset::Location,
    syntax::{Node, NodeKind},
};

impl Typing<'_> {
    pub(super) fn compare(&mut self, op: CompareOp, left: &Node, right: &Node, at: &Location) -> Option<Expr> {
        for (null, other) in [(left, right), (right, left)] {
            if matches!(null.kind, NodeKind::Null) {
                return self.compared_with_null(op, null, other);
            }
        }
        if let (NodeKind::Compare(..), true) = (&left.kind, !matches!(op, CompareOp::Eq | CompareOp::Ne)) {
            let headline = "comparisons can't be chained";
            let help = "write `a <= x and x < b`";
            return self.report(Diagnostic::error(code::TYPE_MISMATCH, at, headline).help(help));
        }
        if let Some(found) = self.compare_level(op, left, right, at) {
            return found;
        }
        let operands = self.values([left, right])?;
        let mut operands = self.same_type(operands, "compare")?.into_iter();
        let (left, right) = (operands.next()?, operands.next()?);
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            self.ordered(left.ty, at)?;
        }
        Some(Expr { kind: ExprKind::Compare(op, Box::new(left), Box::new(right)), ty: Type::Bool, at: at.clone() })
    }

    fn compared_with_null(&mut self, op: CompareOp, null: &Node, other: &Node) -> Option<Expr> {
        let not = if op == CompareOp::Ne { "not " } else { "" };
        let help = format!("write `{} is {not}null`", self.quote(&other.at));
        let headline = "a comparison with NULL is never true";
        self.report(Diagnostic::error(code::NULL_OPERAND, &null.at, headline).help(help))
    }

    /// Reports types without order.
    fn ordered(&mut self, ty: Type, at: &Location) -> Option<()> {
        let help = match ty {
            Type::Text => "texts are compared with `=`, `<>`, `in` and `like 'prefix%'`",
            Type::Bool => "write `x` or `not x`",
            _ => return Some(()),
        };
        let headline = format!("{ty} values have no order");
        self.report(Diagnostic::error(code::TEXT_ORDER, at, headline).help(help))
    }

    pub(super) fn between(&mut self, [value, low, high]: [&Node; 3], negated: bool, at: &Location) -> Option<Expr> {
        if let Some(found) = self.levels_between([value, low, high], negated, at) {
            return found;
        }
        let operands = self.values([value, low, high])?;
        let mut operands = self.same_type(operands, "compare")?.into_iter().map(Box::new);
        let (value, low, high) = (operands.next()?, operands.next()?, operands.next()?);
        self.ordered(value.ty, at)?;
        Some(Expr { kind: ExprKind::Between { value, low, high, negated }, ty: Type::Bool, at: at.clone() })
    }

    pub(super) fn within(&mut self, value: &Node, list: &[Node], negated: bool, at: &Location) -> Option<Expr> {
        self.known_levels(value, list)?;
        let value = self.value(value);
        let mut operands: Vec<_> = list.iter().map(|item| self.list_item(item)).collect();
        operands.insert(0, value);
        let operands = operands.into_iter().collect::<Option<Vec<_>>>()?;
        let mut operands = self.same_type(operands, "compare")?.into_iter();
        let value = Box::new(operands.next()?);
        if value.ty == Type::Bool {
            let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, at, "a list of true and false");
            let help = format!("write `{0}` or `not {0}`", self.quote(&value.at));
            return self.report(diagnostic.help(help));
        }
        let constants = operands.filter_map(|item| match item.kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        });
        let kind = ExprKind::In { value, list: constants.collect(), negated };
        Some(Expr { kind, ty: Type::Bool, at: at.clone() })
    }

    fn list_item(&mut self, item: &Node) -> Option<Expr> {
        if matches!(item.kind, NodeKind::Null) {
            let headline = "NULL in a list is never found, and makes `not in` unknown";
            let help = "leave it out and add `or x is null`";
            return self.report(Diagnostic::error(code::NULL_OPERAND, &item.at, headline).help(help));
        }
        let value = self.value(item)?;
        if is_literal(&value) {
            return Some(value);
        }
        let help = "a list holds values only; write `x = a or x = b`";
        self.report(Diagnostic::error(code::NOT_CONSTANT, &item.at, "this is no constant").help(help))
    }

    pub(super) fn like(&mut self, value: &Node, pattern: &Node, negated: bool, at: &Location) -> Option<Expr> {
        let value = self.text(value, "like");
        let NodeKind::Text(text) = &pattern.kind else {
            let help = "write the pattern itself: like 'prefix%'";
            return self
                .report(Diagnostic::error(code::NOT_CONSTANT, &pattern.at, "this is no text in quotes").help(help));
        };
        let prefix = text.strip_suffix('%').filter(|prefix| !prefix.is_empty() && !prefix.contains(['%', '_']));
        let Some(prefix) = prefix else {
            let help = match text.strip_suffix('%') {
                None if !text.contains(['%', '_']) => format!("write = '{}'", text.replace('\'', "''")),
                Some("") => "write `is not null`".to_owned(),
                _ => "a pattern is a beginning and one `%`; use starts_with(x, 'a_b') where it holds `_` or `%`"
                    .to_owned(),
            };
            let headline = "only beginnings of texts can be compared";
            return self.report(Diagnostic::error(code::LIKE_PATTERN, &pattern.at, headline).help(help));
        };
        let kind = ExprKind::StartsWith { value: Box::new(value?), prefix: prefix.into(), negated };
        Some(Expr { kind, ty: Type::Bool, at: at.clone() })
    }

    /// A value that must be text.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Expr> {
        let value = self.value(node)?;
        if value.ty == Type::Text {
            return Some(value);
        }
        let headline = format!("`{what}` takes text, this is {}", value.ty);
        let help = "other values are compared with `=`, `<`, `>`";
        self.report(Diagnostic::error(code::TYPE_MISMATCH, &value.at, headline).help(help))
    }

    /// Text in quotes.
    pub(super) fn constant_text(&mut self, node: &Node) -> Option<std::sync::Arc<str>> {
        match self.value(node)? {
            Expr { kind: ExprKind::Literal(Value::Text(text)), .. } => Some(text),
            _ => {
                let help = "write the text itself, in single quotes";
                self.report(Diagnostic::error(code::NOT_CONSTANT, &node.at, "this is no text in quotes").help(help))
            }
        }
    }
}
