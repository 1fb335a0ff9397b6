//! Overlaps: segments and retention rules that are meant for the same subjects.

use arrow_buffer::BooleanBuffer;
use tierd_model::Clock;
use tierd_rules::{
    Diagnostic, Expr, RetentionRule, RuleSet, TierSet, code,
    retention::{Mode, Trigger},
};

use super::{grid::Grid, witness};

/// So many pairs of retention rules are tried, at most: a bound for time.
const MAX_PAIRS: usize = 2_000;

/// The first two levels of an unordered set that can both be true of one subject.
pub(super) fn of_levels(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Option<Diagnostic> {
    if set.ordered {
        return None;
    }
    let grid = Grid::new(rules, set.levels.iter().filter_map(|level| level.when.as_ref()), clock);
    let conditions: Vec<(&str, &Expr, BooleanBuffer)> = set
        .levels
        .iter()
        .filter_map(|level| level.when.as_ref().map(|when| (level.name.as_str(), when, grid.fulfilling(when))))
        .collect();
    let pairs = conditions.iter().enumerate().flat_map(|(index, b)| conditions[..index].iter().map(move |a| (a, b)));
    let overlaps = pairs.map(|(a, b)| (a, b, &a.2 & &b.2));
    let mut found = overlaps.filter(|(_, _, both)| both.set_indices().next().is_some());
    let ((first, other, _), (second, at, _), both) = found.next()?;
    let more = found.count();
    let row = grid.plainest(|row| both.value(row))?;
    let headline = format!("`{first}` and `{second}` can both be true; then it is `{second}`, which is written later");
    let lint = Diagnostic::warning(code::OVERLAPPING_LEVELS, &at.at, headline);
    let lint = lint.label(format!("both with {}", witness::words(rules, &grid, row))).other(&other.at, "");
    let also = if more > 0 { format!("; {more} more pairs of this set overlap") } else { String::new() };
    let help = format!("make the conditions exclude each other, or say allow = [\"overlapping-levels\"]{also}");
    Some(lint.help(help))
}

/// Retention rules that may act on one subject in the same run, with nothing that chooses between them.
pub(super) fn of_rules(rules: &RuleSet, clock: &Clock) -> Vec<Diagnostic> {
    let candidates: Vec<(&RetentionRule, &Expr)> = rules
        .retention
        .iter()
        .filter(|rule| rule.trigger == Trigger::State && rule.mode == Mode::Live)
        .filter(|rule| !rule.allow.iter().any(|code| code == code::OVERLAPPING_RULES))
        .filter_map(|rule| Some((rule, rule.when.as_ref()?)))
        .collect();
    let mut found = Vec::new();
    let mut pairs = MAX_PAIRS;
    for (index, &(second, at)) in candidates.iter().enumerate() {
        let first = candidates[..index].iter().find_map(|&(first, other)| {
            if !may_clash((first, other), (second, at)) {
                return None;
            }
            pairs = pairs.checked_sub(1)?;
            Some((first, other, both(rules, other, at, clock)?))
        });
        if let Some((first, other, words)) = first {
            let headline =
                format!("rules `{}` and `{}` may act on the same subject in one run", first.name, second.name);
            let lint = Diagnostic::warning(code::OVERLAPPING_RULES, &at.at, headline);
            let lint = lint.label(format!("both with {words}")).other(&other.at, "");
            let help = "give both the same `group`, so that only the one with the higher `priority` acts, or say \
                        allow = [\"overlapping-rules\"]";
            found.push(lint.help(help));
        }
    }
    found
}

/// Whether two rules look at a common metric of the same subject, and no group separates them.
fn may_clash((first, a): (&RetentionRule, &Expr), (second, b): (&RetentionRule, &Expr)) -> bool {
    let grouped = first.group.is_some() && first.group == second.group;
    let of_first = a.columns();
    !grouped && first.subject == second.subject && b.columns().iter().any(|metric| of_first.contains(metric))
}

/// Values with which both conditions are true.
fn both(rules: &RuleSet, a: &Expr, b: &Expr, clock: &Clock) -> Option<String> {
    let grid = Grid::new(rules, [a, b], clock);
    let both = &grid.fulfilling(a) & &grid.fulfilling(b);
    let row = grid.plainest(|row| both.value(row))?;
    Some(witness::words(rules, &grid, row))
}
