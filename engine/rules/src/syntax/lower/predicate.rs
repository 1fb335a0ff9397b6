//! `is null`, `between`, `in`, `like`.

use sqlparser::ast::Expr as Sql;

use super::{Lower, Part, tallest};
use crate::syntax::{node::NodeKind, tokens::Run};

impl Lower<'_> {
    pub(super) fn predicate(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        match sql {
            Sql::IsNull(value) => self.is_null(value, false, depth),
            Sql::IsNotNull(value) => self.is_null(value, true, depth),
            Sql::Between { expr, negated, low, high } => self.between([expr, low, high], *negated, depth),
            Sql::InList { expr, list, negated } => self.within(expr, list, *negated, depth),
            Sql::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, *negated, depth)
            }
            other => self.foreign(other),
        }
    }

    fn is_null(&mut self, value: &Sql, negated: bool, depth: usize) -> Option<Part> {
        let part = self.part(value, depth + 1)?;
        let last = part.run.last + if negated { 3 } else { 2 };
        let run = Run { first: part.run.first, last };
        if !self.tokens.is_word(part.run.last + 1, "is") {
            return self.not_supported(run, "not a way to ask for NULL", "write `is null` or `is not null`");
        }
        let height = part.height;
        self.above(height, NodeKind::IsNull { value: Box::new(part.node), negated }, run)
    }

    fn between(&mut self, operands: [&Sql; 3], negated: bool, depth: usize) -> Option<Part> {
        let parts: [Part; 3] = self.parts(operands, depth)?.try_into().ok()?;
        let (run, height) = (parts[0].run.join(parts[2].run), tallest(&parts));
        let [value, low, high] = parts.map(|part| Box::new(part.node));
        self.above(height, NodeKind::Between { value, low, high, negated }, run)
    }

    fn within(&mut self, value: &Sql, list: &[Sql], negated: bool, depth: usize) -> Option<Part> {
        let parts = self.parts(std::iter::once(value).chain(list), depth)?;
        let (height, first) = (tallest(&parts), parts.first()?.run);
        let open = first.last + if negated { 3 } else { 2 };
        let run = Run { first: first.first, last: self.tokens.closing(open) };
        let mut nodes = parts.into_iter().map(|part| part.node);
        let value = Box::new(nodes.next()?);
        self.above(height, NodeKind::In { value, list: nodes.collect(), negated }, run)
    }

    fn like(&mut self, value: &Sql, pattern: &Sql, negated: bool, depth: usize) -> Option<Part> {
        let parts: [Part; 2] = self.parts([value, pattern], depth)?.try_into().ok()?;
        let (run, height) = (parts[0].run.join(parts[1].run), tallest(&parts));
        let [value, pattern] = parts.map(|part| Box::new(part.node));
        self.above(height, NodeKind::Like { value, pattern, negated }, run)
    }
}
