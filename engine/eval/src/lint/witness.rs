//! A subject of the grid, in words.

use tierd_rules::RuleSet;

use super::grid::Grid;

/// `annual_spend 10000.00, monthly_contacts 1`: the metrics of a row.
pub(super) fn words(rules: &RuleSet, grid: &Grid<'_>, row: usize) -> String {
    let values = grid.values(row).map(|(metric, value)| {
        let value = value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
        format!("{} {value}", rules.metrics[metric.0].name)
    });
    values.collect::<Vec<_>>().join(", ")
}
