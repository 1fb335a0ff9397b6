//! The days between a subject's neighbouring days: `mean_gap`, `median_gap`.

use tierd_model::pow10;

use super::{
    expr::{days_between, divide, times},
    metric::Step,
    select,
    text::Sql,
};

/// A query with the gaps of each subject from one with its different days (columns `key` and `day`): its name, and the gap in
/// millionths of a day, NULL for fewer than two days.
pub(super) fn between(days: &str, median: bool, wish: &str, step: &mut Step<'_>) -> (String, Sql) {
    let column = |text: &str, alias: &str| (text.to_owned(), alias.to_owned());
    let (key, whole) = (column("key", "key"), |text: &str| Sql::whole(text));
    if !median {
        // The sum of all gaps is the whole distance.
        let distance = days_between(&whole("min(day)"), &whole("max(day)"));
        let columns = [key, column(distance.bare(), "days"), column("count(*) - 1", "gaps")];
        let cte = step.query(&format!("{wish}_gaps"), select(&columns, &format!("FROM {days}\nGROUP BY key")));
        let (sum, gaps) = (whole(&format!("{cte}.days")), whole(&format!("{cte}.gaps")));
        return (cte, divide(&times(&sum, pow10(6)), &gaps));
    }
    let gap = days_between(&whole("lag(day) OVER (PARTITION BY key ORDER BY day)"), &whole("day"));
    let columns = [key.clone(), column(gap.bare(), "gap")];
    let gaps = step.query(&format!("{wish}_gaps"), select(&columns, &format!("FROM {days}")));
    let columns = [
        key.clone(),
        column("gap", "gap"),
        column("row_number() OVER (PARTITION BY key ORDER BY gap)", "nth"),
        column("count(*) OVER (PARTITION BY key)", "gaps"),
    ];
    let ordered = select(&columns, &format!("FROM {gaps}\nWHERE gap IS NOT NULL"));
    let ordered = step.query(&format!("{wish}_ordered"), ordered);
    // One in the middle, or the two beside it: their mean is a whole number of half days.
    let columns = [key, column("sum(gap) * 1000000 / count(*)", "gap")];
    let middle = format!("FROM {ordered}\nWHERE nth IN ((gaps + 1) / 2, gaps / 2 + 1)\nGROUP BY key");
    let cte = step.query(&format!("{wish}_middle"), select(&columns, &middle));
    let gap = whole(&format!("{cte}.gap"));
    (cte, gap)
}
