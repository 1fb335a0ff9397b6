//! The days between a subject's neighbouring days: `mean_gap`, `median_gap`.

use tierd_model::pow10;

use super::{
    expr::{days_between, divide, times},
    metric::Step,
    select,
    text::Sql,
};

/// A query with the gap of each subject, in millionths of a day in a column named `gap`, from one with the subject's different days
/// (columns `key` and `day`): its name. Fewer than two days have no row, or NULL.
pub(super) fn between(days: &str, median: bool, wish: &str, gap: &str, step: &mut Step<'_>) -> String {
    let column = |text: &str, alias: &str| (text.to_owned(), alias.to_owned());
    let (key, whole) = (column("key", "key"), |text: &str| Sql::whole(text));
    if !median {
        // The sum of all gaps is the whole distance.
        let distance = days_between(&whole("min(day)"), &whole("max(day)"));
        let columns = [key.clone(), column(distance.bare(), "days"), column("count(*) - 1", "gaps")];
        let gaps = step.query(&format!("{wish}_gaps"), select(&columns, &format!("FROM {days}\nGROUP BY key")));
        let mean = divide(&times(&whole("days"), pow10(6)), &whole("gaps"));
        return step.query(&format!("{wish}_mean"), select(&[key, column(mean.bare(), gap)], &format!("FROM {gaps}")));
    }
    let between = days_between(&whole("lag(day) OVER (PARTITION BY key ORDER BY day)"), &whole("day"));
    let columns = [key.clone(), column(between.bare(), "days")];
    let gaps = step.query(&format!("{wish}_gaps"), select(&columns, &format!("FROM {days}")));
    let columns = [
        key.clone(),
        column("days", "days"),
        column("row_number() OVER (PARTITION BY key ORDER BY days)", "nth"),
        column("count(*) OVER (PARTITION BY key)", "gaps"),
    ];
    let ordered = select(&columns, &format!("FROM {gaps}\nWHERE days IS NOT NULL"));
    let ordered = step.query(&format!("{wish}_ordered"), ordered);
    // One in the middle, or the two beside it: their mean is a whole number of half days.
    let columns = [key, column("sum(days) * 1000000 / count(*)", gap)];
    let middle = format!("FROM {ordered}\nWHERE nth IN ((gaps + 1) / 2, gaps / 2 + 1)\nGROUP BY key");
    step.query(&format!("{wish}_median"), select(&columns, &middle))
}
