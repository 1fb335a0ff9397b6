//! Function calls: `name(a, b)`, `count(*)`, `count(distinct x)`.

use sqlparser::ast::{
    DuplicateTreatment, Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart,
};

use super::{Lower, Part, tallest};
use crate::syntax::{node::NodeKind, tokens::Run};

/// Arguments as written.
#[derive(Default)]
struct Arguments<'a> {
    distinct: bool,
    star: bool,
    expressions: Vec<&'a Sql>,
}

impl Lower<'_> {
    pub(super) fn call(&mut self, function: &Function, depth: usize) -> Option<Part> {
        let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else {
            return self.foreign(&Sql::Function(function.clone()));
        };
        let first = self.tokens.find(name.span);
        let name = name.value.to_lowercase();
        if matches!(function.args, FunctionArguments::None) {
            // Functions of SQL that are called without parentheses tell the time or the user.
            let headline = format!("`{name}` isn't part of the rule language");
            return self.not_supported(Run::one(first), &headline, "write `today` or `as_of`");
        }
        let run = Run { first, last: self.tokens.closing(first + 1) };
        let Some(arguments) = plain_arguments(function) else {
            let help = "a call is name(a, b); rows are chosen by `where` and `window` of a metric, places by `rank`";
            return self.not_supported(run, "only plain calls are part of the rule language", help);
        };
        let parts = self.parts(arguments.expressions, depth)?;
        let height = tallest(&parts);
        let kind = NodeKind::Call {
            name,
            name_at: self.tokens.locate(Run::one(first)),
            distinct: arguments.distinct,
            star: arguments.star,
            arguments: parts.into_iter().map(|part| part.node).collect(),
        };
        self.above(height, kind, run)
    }

    /// `floor(x)` and `ceil(x)`, which have a grammar of their own in SQL.
    pub(super) fn rounding(&mut self, name: &str, of: &Sql, depth: usize) -> Option<Part> {
        let part = self.part(of, depth + 1)?;
        let first = part.run.first.saturating_sub(2);
        let kind = NodeKind::Call {
            name: name.to_owned(),
            name_at: self.tokens.locate(Run::one(first)),
            distinct: false,
            star: false,
            arguments: vec![part.node],
        };
        self.above(part.height, kind, Run { first, last: part.run.last + 1 })
    }
}

/// The arguments, if that is all there is to the call.
fn plain_arguments(function: &Function) -> Option<Arguments<'_>> {
    let plain = function.filter.is_none()
        && function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && matches!(function.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if !plain || !list.clauses.is_empty() || list.duplicate_treatment == Some(DuplicateTreatment::All) {
        return None;
    }
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let mut found = Arguments { distinct, ..Arguments::default() };
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(sql)) => found.expressions.push(sql),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if list.args.len() == 1 => found.star = true,
            _ => return None,
        }
    }
    Some(found)
}
