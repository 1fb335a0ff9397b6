//! Lints: rules that load, but hardly mean what their author wants.
//!
//! A lint doesn't reason about conditions, it tries them: a [`grid::Grid`] holds subjects whose metrics lie at, right below and
//! right above every value that a condition compares them with, and the evaluator that grades customers grades these. So a
//! warning comes with the values that show it, and can't disagree with a run. Where conditions only compare metrics with constants
//! the grid has a subject for every case there is, which proves that something *never* happens; elsewhere nothing is said of it.
//!
//! Metrics count as independent of each other, and within what they can be at all ([`range`]). That makes "never" certain, and a witness possible but maybe rare.
//!
//! Deliberately absent: anything that needs data, and any opinion that `allow = ["CODE"]` couldn't silence.

mod gaps;
mod grid;
mod levels;
mod overlaps;
mod range;
#[cfg(test)]
mod tests;
mod witness;

use std::collections::HashSet;

use tierd_model::Clock;
use tierd_rules::{Diagnostic, RuleSet};

/// Every lint about tier sets and retention rules that isn't allowed where it applies, in the order of the rules.
///
/// `clock` stands for `today` and `as_of` in conditions.
///
/// # Errors
/// None: a lint is a [`Diagnostic`] of severity warning.
pub fn lints(rules: &RuleSet, clock: &Clock) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut families = HashSet::new();
    // Of the sets that one table is expanded into, one for each category, one is looked at.
    for set in &rules.tier_sets {
        if set.category.as_ref().is_some_and(|category| !families.insert(&category.set)) {
            continue;
        }
        let mut of_set = levels::lints(rules, set, clock);
        of_set.extend(gaps::lints(rules, set, clock));
        of_set.extend(overlaps::of_levels(rules, set, clock));
        found.extend(of_set.into_iter().filter(|lint| !set.allow.iter().any(|code| code == lint.code)));
    }
    found.extend(overlaps::of_rules(rules, clock));
    found
}
