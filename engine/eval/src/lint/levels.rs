//! Levels that nobody can reach, levels that are harder to keep than to enter, and sets that seem upside down.

use arrow_array::{Array, BooleanArray};
use tierd_model::Clock;
use tierd_rules::{Diagnostic, Expr, Level, RuleSet, TierSet, code};

use super::{grid::Grid, witness};

/// The lints about single levels of a set.
pub(super) fn lints(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Vec<Diagnostic> {
    let grid = Grid::new(rules, conditions(set), clock);
    let verdicts: Vec<Option<BooleanArray>> =
        set.levels.iter().map(|level| level.when.as_ref().map(|when| grid.truth(when))).collect();
    let mut found = Vec::new();
    if grid.is_complete() {
        found.extend((0..set.levels.len()).filter_map(|level| unreachable(rules, set, &grid, &verdicts, level)));
    }
    found.extend(set.levels.iter().filter_map(|level| keep_harder_than_enter(rules, level, clock)));
    found.extend(order_of_names(set));
    found
}

fn conditions(set: &TierSet) -> impl Iterator<Item = &Expr> {
    set.levels.iter().filter_map(|level| level.when.as_ref())
}

/// Whether a verdict is TRUE; a level without condition is.
fn holds(verdicts: Option<&BooleanArray>, row: usize) -> bool {
    verdicts.is_none_or(|verdicts| verdicts.is_valid(row) && verdicts.value(row))
}

fn unreachable(
    rules: &RuleSet,
    set: &TierSet,
    grid: &Grid<'_>,
    verdicts: &[Option<BooleanArray>],
    level: usize,
) -> Option<Diagnostic> {
    let of = |index: usize, row: usize| holds(verdicts[index].as_ref(), row);
    let higher = |row: usize| (level + 1..set.levels.len()).rev().find(|&higher| of(higher, row));
    if (0..grid.rows()).any(|row| of(level, row) && higher(row).is_none()) {
        return None;
    }
    let (this, at) = (&set.levels[level], condition_place(&set.levels[level]));
    let headline = format!("no subject can reach level `{}`", this.name);
    let fulfilling = grid.plainest(|row| of(level, row));
    let taken = fulfilling.and_then(|row| Some((row, &set.levels[higher(row)?])));
    let lint = Diagnostic::warning(code::UNREACHABLE_LEVEL, at, headline);
    Some(match taken {
        None => lint.label("this is never true").help("no value fulfils all of it: look at its limits"),
        Some((row, winner)) => {
            let words = witness::words(rules, grid, row);
            let why = if words.is_empty() { "always".to_owned() } else { format!("for instance with {words}") };
            lint.label(format!("whoever fulfils this has `{}`, {why}", winner.name))
                .other(condition_place(winner), "")
                .help("levels are tried from the last one down: the hardest condition belongs to the last level")
        }
    })
}

fn condition_place(level: &Level) -> &tierd_rules::Location {
    level.when.as_ref().map_or(&level.at, |when| &when.at)
}

fn keep_harder_than_enter(rules: &RuleSet, level: &Level, clock: &Clock) -> Option<Diagnostic> {
    let (when, keep) = (level.when.as_ref()?, level.keep.as_ref()?);
    let grid = Grid::new(rules, [when, keep], clock);
    let (enters, stays) = (grid.truth(when), grid.truth(keep));
    let row = grid.plainest(|row| holds(Some(&enters), row) && stays.is_valid(row) && !stays.value(row))?;
    let headline = format!("level `{}` can be entered by those who can't keep it", level.name);
    let lint = Diagnostic::warning(code::KEEP_HARDER_THAN_ENTER, &keep.at, headline);
    let words = witness::words(rules, &grid, row);
    let lint = lint.label(format!("false with {words}")).other(&when.at, "which is enough to enter");
    Some(lint.help("`keep` should be true wherever `when` is: make it easier"))
}

/// Levels named A, B, C … have A as the lowest, where most people would take it for the best.
fn order_of_names(set: &TierSet) -> Option<Diagnostic> {
    let names: Vec<&str> = set.levels.iter().map(|level| level.name.as_str()).collect();
    let letters = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let upside_down = set.ordered && names.len() > 1 && letters.starts_with(&names);
    let (lowest, highest) = (names.first()?, names.last()?);
    upside_down.then(|| {
        let headline = format!("`{lowest}` is the lowest level of this set, `{highest}` the highest");
        let help = "levels are written lowest first; if this is meant, say allow = [\"level-order\"]";
        Diagnostic::warning(code::LEVEL_ORDER, &set.at, headline).help(help)
    })
}
