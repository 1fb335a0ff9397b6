//! Overlaps: segments and retention rules that are meant for the same subjects.

use arrow_array::{Array, BooleanArray};
use tierd_model::Clock;
use tierd_rules::{
    Diagnostic, Expr, RetentionRule, RuleSet, TierSet, code,
    retention::{Mode, Trigger},
};

use super::{grid::Grid, witness};

/// The first two levels of an unordered set that can both be true of one subject.
pub(super) fn of_levels(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Option<Diagnostic> {
    if set.ordered {
        return None;
    }
    let grid = Grid::new(rules, set.levels.iter().filter_map(|level| level.when.as_ref()), clock);
    let conditions: Vec<(&str, &Expr, BooleanArray)> = set
        .levels
        .iter()
        .filter_map(|level| level.when.as_ref().map(|when| (level.name.as_str(), when, grid.truth(when))))
        .collect();
    let pairs = (0..conditions.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let mut found = pairs.filter_map(|(first, second)| {
        let (a, b) = (&conditions[first], &conditions[second]);
        Some((a, b, grid.plainest(|row| is_true(&a.2, row) && is_true(&b.2, row))?))
    });
    let ((first, other, _), (second, at, _), row) = found.next()?;
    let more = found.count();
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
    for (index, &(second, at)) in candidates.iter().enumerate() {
        let first = candidates[..index].iter().find_map(|&(first, other)| {
            let row_words = both(rules, (first, other), (second, at), clock)?;
            Some((first, other, row_words))
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

/// Values with which both conditions are true, of rules that look at a common metric and that no group separates.
fn both(
    rules: &RuleSet,
    (first, a): (&RetentionRule, &Expr),
    (second, b): (&RetentionRule, &Expr),
    clock: &Clock,
) -> Option<String> {
    let grouped = first.group.is_some() && first.group == second.group;
    let of_first = a.columns();
    if grouped || first.subject != second.subject || !b.columns().iter().any(|metric| of_first.contains(metric)) {
        return None;
    }
    let grid = Grid::new(rules, [a, b], clock);
    let (first, second) = (grid.truth(a), grid.truth(b));
    let row = grid.plainest(|row| is_true(&first, row) && is_true(&second, row))?;
    Some(witness::words(rules, &grid, row))
}

fn is_true(verdicts: &BooleanArray, row: usize) -> bool {
    verdicts.is_valid(row) && verdicts.value(row)
}
