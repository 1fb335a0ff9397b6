//! SQL that rules don't have.

use sqlparser::ast::{Expr as Sql, Spanned};

use super::{Lower, Part};
use crate::syntax::tokens::Run;

impl Lower<'_> {
    /// Reports it, with what to write in its place.
    pub(super) fn foreign(&mut self, sql: &Sql) -> Option<Part> {
        let span = sql.span();
        let first = self.tokens.find(span);
        let after = self.tokens.all().partition_point(|token| token.span.start < span.end);
        let (headline, help) = advice(sql);
        self.not_supported(Run { first, last: after.saturating_sub(1).max(first) }, headline, help)
    }
}

/// What it is, and what to write.
fn advice(sql: &Sql) -> (&'static str, &'static str) {
    match sql {
        Sql::Subquery(_) | Sql::InSubquery { .. } | Sql::Exists { .. } => {
            ("subqueries aren't part of the rule language", "make a metric of it and name it here")
        }
        Sql::IsTrue(_) | Sql::IsFalse(_) | Sql::IsUnknown(_) => is_true(),
        Sql::IsNotTrue(_) | Sql::IsNotFalse(_) | Sql::IsNotUnknown(_) => is_true(),
        Sql::IsDistinctFrom(..) | Sql::IsNotDistinctFrom(..) => {
            ("`is distinct from` isn't part of the rule language", "write `a <> b or a is null`")
        }
        Sql::CompoundIdentifier(_) | Sql::CompoundFieldAccess { .. } => {
            ("names have no points", "write the name alone; levels are asked as tier.NAME, was.NAME and since.NAME")
        }
        Sql::ILike { .. } | Sql::RLike { .. } | Sql::SimilarTo { .. } | Sql::Like { .. } => {
            ("only `like 'prefix%'` compares a part of a text", "write like 'prefix%'")
        }
        Sql::Cast { .. } | Sql::Convert { .. } => ("only one cast is known", "write cast(x as real)"),
        Sql::Extract { .. } => {
            ("`extract` isn't part of the rule language", "use windows, date(x) and days_between(a, b)")
        }
        Sql::Ceil { .. } | Sql::Floor { .. } => ("`ceil` and `floor` give whole numbers", "write floor(x) or ceil(x)"),
        Sql::Tuple(_) => ("lists stand only after `in`", "write x in (1, 2, 3)"),
        _ => ("this isn't part of the rule language", "see docs/rules.md for what is"),
    }
}

fn is_true() -> (&'static str, &'static str) {
    ("`is true` and the like aren't part of the rule language", "write coalesce(x, false), or `x is null`")
}
