//! The level of a subject: conditions from the highest level down.

use tierd_rules::{TierSet, Unknown};

use super::{
    expr::Scope,
    plan::Plan,
    text::{indent, literal},
};

/// The level's name as an expression over the last step of the metrics.
pub(super) fn lower(plan: &Plan<'_>, set: &TierSet) -> String {
    let scope = Scope { clock: plan.clock, columns: plan.columns.clone(), time: None };
    let on_unknown = match set.unknown {
        Unknown::Keep => None,
        Unknown::Lowest => set.levels.first().map(|lowest| literal(&lowest.name).bare().to_owned()),
        Unknown::Error => Some("NULL".to_owned()),
    };
    let mut lines = Vec::new();
    let mut otherwise = None;
    for level in set.levels.iter().rev() {
        let name = literal(&level.name).bare().to_owned();
        let Some(when) = &level.when else {
            otherwise = Some(name);
            break;
        };
        let when = indent(scope.lower(when).bare(), 2);
        lines.push(format!("WHEN {when}\nTHEN {name}"));
        lines.extend(on_unknown.as_ref().map(|level| format!("WHEN ({when}) IS NULL\nTHEN {level}")));
    }
    // What is UNKNOWN last of all falls through to the lowest level by itself.
    if on_unknown.is_some() && on_unknown == otherwise {
        lines.pop();
    }
    match (lines.is_empty(), otherwise) {
        (true, otherwise) => otherwise.unwrap_or("NULL".to_owned()),
        (false, None) => format!("CASE\n  {}\nEND", indent(&lines.join("\n"), 2)),
        (false, Some(level)) => format!("CASE\n  {}\n  ELSE {level}\nEND", indent(&lines.join("\n"), 2)),
    }
}
