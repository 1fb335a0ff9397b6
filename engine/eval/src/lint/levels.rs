//! Levels that nobody can reach, levels that are harder to keep than to enter, and sets that seem upside down.

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;
use tierd_model::Clock;
use tierd_rules::{Diagnostic, Expr, Level, MetricId, RuleSet, TierSet, code};

use super::{grid::Grid, range, witness};

/// The lints about single levels of a set.
pub(super) fn lints(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Vec<Diagnostic> {
    let mut found = unreachable_levels(rules, set, clock);
    found.extend(set.levels.iter().filter_map(|level| keep_harder_than_enter(rules, level, clock)));
    found.extend(order_of_names(rules, set, clock));
    found
}

/// Levels that no subject has, where the grid proves it.
fn unreachable_levels(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Vec<Diagnostic> {
    let conditions = set.levels.iter().filter_map(|level| level.when.as_ref());
    let Some(grid) = Grid::complete(rules, conditions, clock) else { return Vec::new() };
    let fulfilling: Vec<Option<BooleanBuffer>> =
        set.levels.iter().map(|level| level.when.as_ref().map(|when| grid.fulfilling(when))).collect();
    // A level without condition is fulfilled by all.
    let of = |level: usize, row: usize| fulfilling[level].as_ref().is_none_or(|rows| rows.value(row));
    let winners: Vec<Option<usize>> =
        (0..grid.rows()).map(|row| (0..set.levels.len()).rev().find(|&level| of(level, row))).collect();
    let mut reached = vec![false; set.levels.len()];
    winners.iter().flatten().for_each(|&level| reached[level] = true);
    let unreached = (0..set.levels.len()).filter(|&level| !reached[level]);
    let lint = |level: usize| {
        let taken = grid.plainest(|row| of(level, row)).and_then(|row| Some((row, &set.levels[winners[row]?])));
        let taken = taken.map(|(row, winner)| (witness::words(rules, &grid, row), winner));
        unreachable(rules, &set.levels[level], taken)
    };
    unreached.map(lint).collect()
}

/// `taken`: a subject who fulfils the level's condition, and the level that such subjects have.
fn unreachable(rules: &RuleSet, level: &Level, taken: Option<(String, &Level)>) -> Diagnostic {
    let headline = format!("no subject can reach level `{}`", level.name);
    let lint = Diagnostic::warning(code::UNREACHABLE_LEVEL, condition_place(level), headline);
    match taken {
        None => {
            let help = "no value fulfils all of it: look at its limits";
            let columns = level.when.iter().flat_map(Expr::columns);
            let ranges = columns.filter_map(|metric| range::words(rules, MetricId(metric)));
            let help = std::iter::once(help.to_owned()).chain(ranges).collect::<Vec<_>>().join("; ");
            lint.label("this is never true").help(help)
        }
        Some((words, winner)) => {
            let why = if words.is_empty() { "always".to_owned() } else { format!("for instance with {words}") };
            lint.label(format!("whoever fulfils this has `{}`, {why}", winner.name))
                .other(condition_place(winner), "")
                .help("levels are tried from the last one down: the hardest condition belongs to the last level")
        }
    }
}

fn condition_place(level: &Level) -> &tierd_rules::Location {
    level.when.as_ref().map_or(&level.at, |when| &when.at)
}

fn keep_harder_than_enter(rules: &RuleSet, level: &Level, clock: &Clock) -> Option<Diagnostic> {
    let (when, keep) = (level.when.as_ref()?, level.keep.as_ref()?);
    let grid = Grid::new(rules, [when, keep], clock);
    let (enters, stays) = (grid.fulfilling(when), grid.truth(keep));
    let row = grid.plainest(|row| enters.value(row) && stays.is_valid(row) && !stays.value(row))?;
    let headline = format!("level `{}` can be entered by those who can't keep it", level.name);
    let lint = Diagnostic::warning(code::KEEP_HARDER_THAN_ENTER, &keep.at, headline);
    let words = witness::words(rules, &grid, row);
    let lint = lint.label(format!("false with {words}")).other(&when.at, "which is enough to enter");
    Some(lint.help("`keep` should be true wherever `when` is: make it easier"))
}

/// Levels named A, B, C … have A as the lowest, where most people would take it for the best.
fn order_of_names(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Option<Diagnostic> {
    let names: Vec<&str> = set.levels.iter().map(|level| level.name.as_str()).collect();
    let letters = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let (lowest, highest) = (set.levels.first()?, set.levels.last()?);
    if !set.ordered || names.len() < 2 || !letters.starts_with(&names) {
        return None;
    }
    let headline = format!("`{}` is the lowest level of this set, `{}` the highest", lowest.name, highest.name);
    let help = "levels are written lowest first; if this is meant, say allow = [\"level-order\"]";
    let lint = Diagnostic::warning(code::LEVEL_ORDER, condition_place(highest), headline).help(help);
    let grid = Grid::new(rules, &highest.when, clock);
    let fulfilling = highest.when.as_ref().map(|when| grid.fulfilling(when))?;
    let row = grid.plainest(|row| fulfilling.value(row));
    let lint = lint.other(condition_place(lowest), "");
    Some(match row {
        Some(row) => lint.label(format!("`{}` with {}", highest.name, witness::words(rules, &grid, row))),
        None => lint,
    })
}
