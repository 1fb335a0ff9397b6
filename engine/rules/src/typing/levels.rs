//! Comparisons with the levels of a tier set: by their order, and only with levels that the set has.
//!
//! `tier.value >= 'B'` becomes a list of the levels from B up, so that nothing behind the checker needs to know of this order.

use std::ops::Range;

use tierd_model::{Type, Value};

use super::{Levels, Typing};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{CompareOp, Expr, ExprKind},
    fileset::Location,
    suggest::nearest,
    syntax::{Node, NodeKind},
};

impl<'a> Typing<'a> {
    /// A comparison of a level with a text; `None` where it is none, or needs no more than that of texts.
    pub(super) fn compare_level(
        &mut self,
        op: CompareOp,
        left: &Node,
        right: &Node,
        at: &Location,
    ) -> Option<Option<Expr>> {
        let (level, text, op) = match (&left.kind, &right.kind) {
            (NodeKind::Name(_), NodeKind::Text(_)) => (left, right, op),
            (NodeKind::Text(_), NodeKind::Name(_)) => (right, left, op.mirrored()),
            _ => return None,
        };
        let levels = self.levels_of(level)?;
        let Some(index) = self.level_index(levels, text) else {
            return Some(None);
        };
        let range = match op {
            CompareOp::Eq | CompareOp::Ne => return None,
            CompareOp::Lt => 0..index,
            CompareOp::Le => 0..index + 1,
            CompareOp::Gt => index + 1..levels.names.len(),
            CompareOp::Ge => index..levels.names.len(),
        };
        Some(self.one_of(levels, level, range, false, at))
    }

    /// `tier.value between 'C' and 'B'`; `None` where it is none.
    pub(super) fn levels_between(
        &mut self,
        [level, low, high]: [&Node; 3],
        negated: bool,
        at: &Location,
    ) -> Option<Option<Expr>> {
        let levels = self.levels_of(level)?;
        if !matches!((&low.kind, &high.kind), (NodeKind::Text(_), NodeKind::Text(_))) {
            return None;
        }
        let (low, high) = (self.level_index(levels, low), self.level_index(levels, high));
        let (Some(low), Some(high)) = (low, high) else {
            return Some(None);
        };
        Some(self.one_of(levels, level, low..high + 1, negated, at))
    }

    /// Reports levels of a list that the set hasn't.
    pub(super) fn known_levels(&mut self, value: &Node, list: &[Node]) -> Option<()> {
        let Some(levels) = self.levels_of(value) else {
            return Some(());
        };
        let texts = list.iter().filter(|item| matches!(item.kind, NodeKind::Text(_)));
        let unknown = texts.filter(|item| self.level_index(levels, item).is_none()).count();
        (unknown == 0).then_some(())
    }

    fn levels_of(&self, node: &Node) -> Option<Levels<'a>> {
        match &node.kind {
            NodeKind::Name(name) => self.scope.levels(name),
            _ => None,
        }
    }

    fn level_index(&mut self, levels: Levels<'_>, text: &Node) -> Option<usize> {
        let NodeKind::Text(name) = &text.kind else {
            return None;
        };
        let found = levels.names.iter().position(|level| **level == **name);
        if found.is_none() && !levels.names.is_empty() {
            let names = || levels.names.iter().map(String::as_str);
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("its levels are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let headline = format!("tier set `{}` has no level '{name}'", levels.set);
            self.out.push(Diagnostic::error(code::UNKNOWN_LEVEL, &text.at, headline).help(help));
        }
        found
    }

    fn one_of(
        &mut self,
        levels: Levels<'_>,
        level: &Node,
        range: Range<usize>,
        negated: bool,
        at: &Location,
    ) -> Option<Expr> {
        if !levels.ordered {
            let headline = format!("the levels of `{}` have no order", levels.set);
            let help = "it says `ordered = false`: list the levels, `in ('A', 'B')`";
            return self.report(Diagnostic::error(code::BAD_LEVEL_COMPARISON, at, headline).help(help));
        }
        if range.is_empty() {
            let headline = format!("no level of `{}` is like that", levels.set);
            let help = format!("its levels, lowest first, are {}", levels.names.join(", "));
            return self.report(Diagnostic::error(code::BAD_LEVEL_COMPARISON, at, headline).help(help));
        }
        let value = Box::new(self.value(level)?);
        let list = levels.names[range].iter().map(|name| Value::Text(name.as_str().into())).collect();
        Some(Expr { kind: ExprKind::In { value, list, negated }, ty: Type::Bool, at: at.clone() })
    }
}
