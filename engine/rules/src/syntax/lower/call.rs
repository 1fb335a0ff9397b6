//! Function calls: `name(a, b)`, `count(*)`, `count(distinct x)`.

use sqlparser::ast::{
    DuplicateTreatment, Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart,
};

use super::{Lower, Part};
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
        let name_run = Run { first, last: first };
        let lower = name.value.to_lowercase();
        if matches!(function.args, FunctionArguments::None) {
            return self.not_supported(
                name_run,
                &format!("`{lower}` isn't part of the rule language"),
                "write `today` or `as_of`",
            );
        }
        let run = Run { first, last: self.tokens.closing(first + 1) };
        let plain = function.filter.is_none()
            && function.over.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && matches!(function.parameters, FunctionArguments::None);
        let Some(arguments) = arguments(&function.args).filter(|_| plain) else {
            let help = "a call is name(a, b); rows are chosen by `where` and `window` of a metric, places by `rank`";
            return self.not_supported(run, "only plain calls are part of the rule language", help);
        };
        let parts: Vec<_> = arguments.expressions.iter().map(|sql| self.part(sql, depth + 1)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let height = parts.iter().map(|part| part.height).max().unwrap_or(0);
        let kind = NodeKind::Call {
            name: lower,
            name_at: self.tokens.locate(name_run),
            distinct: arguments.distinct,
            star: arguments.star,
            arguments: parts.into_iter().map(|part| part.node).collect(),
        };
        self.finish(kind, run, height)
    }
}

/// The arguments, if there is nothing else between the parentheses.
fn arguments(written: &FunctionArguments) -> Option<Arguments<'_>> {
    let FunctionArguments::List(list) = written else {
        return None;
    };
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let mut found = Arguments { distinct, ..Arguments::default() };
    if !list.clauses.is_empty() || list.duplicate_treatment == Some(DuplicateTreatment::All) {
        return None;
    }
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(sql)) => found.expressions.push(sql),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if list.args.len() == 1 => found.star = true,
            _ => return None,
        }
    }
    Some(found)
}
