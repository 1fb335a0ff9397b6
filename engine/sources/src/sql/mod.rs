//! The checked rules as plain SQL for SQLite: to be read by people, run in any sqlite3 shell, and to check tierd itself.
//!
//! ```text
//! customer            the subjects, columns decoded
//! orders              a fact table, columns decoded          (one per fact table)
//! orders_by_customer  all aggregates over it, one GROUP BY   (one per fact table)
//! metrics             subjects ⟕ aggregates
//! metrics_2 …         what is computed from metrics: derived ones, ranks, levels, windows that begin at a metric, look-ups and
//!                     roll-ups; as many steps as they need
//! account_metrics …   the same of other kinds of subjects, where something is looked up or rolled up
//! SELECT              the level by CASE, the metrics
//! ```
//!
//! The query says what the rules mean, with the same NULLs and the same rounding; the oracle test holds it against tierd's own
//! evaluation. It isn't the way tierd runs: that is one pass in Rust (see the scan), some twelve times as fast.
//!
//! Limits, stated rather than worked around: whole-number results are exact while they fit 64 bits; reals are added in floating
//! point, where tierd adds in fixed point; dates end with the year 9999; the movement of levels between runs, and overrides, aren't
//! part of a query: levels are those earned, also where conditions ask for them, and `unknown = "keep"` holds for subjects that
//! have no level yet. What can't be said at all is an error ([`NotSql`]): levels of earlier runs, what is left of lots of points.

mod aggregate;
mod decode;
mod error;
mod expr;
mod gaps;
mod group;
mod grouped;
mod level;
mod metric;
mod own_window;
mod plan;
mod points;
mod size;
mod text;
mod zone;

use tierd_eval::movement::is_at_once;
use tierd_model::{Clock, Type};
use tierd_rules::{MetricId, RuleSet, SubjectId, TierSet};

pub use error::NotSql;
use plan::Plan;
pub use plan::entered_by;
use text::{comment, indent, name};

/// A query for these metrics of all subjects of one kind, by key: columns are `key` and then the metrics in the order given.
///
/// Integers, bools (0 and 1) and decimals (in their smallest unit) are INTEGER, reals REAL, texts and dates (`YYYY-MM-DD`)
/// TEXT, timestamps INTEGER microseconds since 1970 in UTC.
///
/// # Errors
/// Where one of the metrics, or something that it is found from, can't be said in SQL.
pub fn metrics_query(
    rules: &RuleSet,
    subject: SubjectId,
    metrics: &[MetricId],
    clock: &Clock,
) -> Result<String, NotSql> {
    let names: Vec<&str> = metrics.iter().map(|id| rules.metrics[id.0].name.as_str()).collect();
    let what = format!("{} of each {}", names.join(", "), rules.config.subjects[subject.0].name);
    let plan = Plan::new(rules, subject, metrics, clock)?;
    query(&plan, &what, None, metrics)
}

/// As [`metrics_query`], for one metric.
///
/// # Errors
/// As there.
pub fn metric_query(rules: &RuleSet, metric: MetricId, clock: &Clock) -> Result<String, NotSql> {
    metrics_query(rules, rules.metrics[metric.0].subject, &[metric], clock)
}

/// A query for the level that each subject of this tier set has earned, by key: columns are `key`, `level` (NULL for none) and the
/// metrics that its conditions to enter a level read ([`entered_by`]), as in [`metrics_query`].
///
/// With `unknown = "error"` a subject whose condition is UNKNOWN has the level NULL, where a run fails. Of a set with a movement
/// policy the query tells the level that is earned, not the one that is held, and says so.
///
/// # Errors
/// As there.
pub fn tier_set_query(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Result<String, NotSql> {
    let title = set.title.as_ref().map_or(String::new(), |title| format!(" ({title})"));
    let what = format!("tier set {}{title} of each {}", set.name, rules.config.subjects[set.subject.0].name);
    let metrics = entered_by(set);
    let plan = Plan::new(rules, set.subject, &metrics, clock)?;
    query(&plan, &what, Some(set), &metrics)
}

fn query(plan: &Plan<'_>, what: &str, set: Option<&TierSet>, metrics: &[MetricId]) -> Result<String, NotSql> {
    let (ctes, last) = metric::ctes(plan);
    size::check(&ctes)?;
    let mut out = header(plan, what);
    out += &earned_only(plan, set);
    for (i, (name, body)) in ctes.iter().enumerate() {
        let with = if i == 0 { "WITH " } else { "" };
        let comma = if i + 1 < ctes.len() { "," } else { "" };
        out += &format!("{with}{name} AS MATERIALIZED (\n  {}\n){comma}\n", indent(body, 2));
    }
    let mut columns = vec!["key".to_owned()];
    columns.extend(set.map(|set| format!("{} AS level", level::lower(plan, set))));
    columns.extend(metrics.iter().map(|id| plan.columns[id.0].clone()));
    out += &format!("SELECT\n{}\nFROM {last}\nORDER BY key;\n", select_list(plan, &columns, metrics));
    Ok(out)
}

/// A line for each set of which the query tells something else than what is held.
fn earned_only(plan: &Plan<'_>, set: Option<&TierSet>) -> String {
    let read = plan.sets().into_iter().map(|id| (format!("tier.{}", plan.rules.tier_sets[id.0].name), id));
    let read = read.map(|(name, id)| (name, &plan.rules.tier_sets[id.0]));
    let moved = set.map(|set| ("level".to_owned(), set)).into_iter().chain(read).filter(|(_, set)| !is_at_once(set));
    moved
        .map(|(name, _)| format!("-- {}: earned level; the movement policy of the set is not in it.\n", comment(&name)))
        .collect()
}

fn header(plan: &Plan<'_>, what: &str) -> String {
    let (rules, clock) = (plan.rules, plan.clock);
    format!(
        "-- {}\n-- as of {}, time zone {}, revision {}\n-- Decimals are whole numbers of their smallest unit, timestamps \
         microseconds since 1970 (UTC), dates text.\n-- For SQLite 3.35 and later.\n",
        comment(what),
        clock.as_of(),
        comment(clock.zone().name()),
        rules.revision.short()
    )
}

/// One column a line, the metrics with their types.
fn select_list(plan: &Plan<'_>, columns: &[String], metrics: &[MetricId]) -> String {
    let first_metric = columns.len() - metrics.len();
    let lines = columns.iter().enumerate().map(|(i, column)| {
        let comma = if i + 1 < columns.len() { "," } else { "" };
        let ty = i.checked_sub(first_metric).map(|m| plan.rules.metrics[metrics[m].0].ty);
        let note =
            ty.filter(|ty| !matches!(ty, Type::Text | Type::Integer)).map_or(String::new(), |ty| format!(" -- {ty}"));
        format!("  {}{comma}{note}", indent(column, 2))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `name AS (…)`: a name in quotes and the query behind it.
type Cte = (String, String);

/// A `SELECT` with one column a line.
fn select(columns: &[(String, String)], rest: &str) -> String {
    let lines: Vec<String> = columns
        .iter()
        .map(|(text, alias)| if text == alias { text.clone() } else { format!("{text} AS {alias}") })
        .collect();
    let lines: Vec<String> = lines.iter().map(|line| format!("  {}", indent(line, 2))).collect();
    format!("SELECT\n{}\n{rest}", lines.join(",\n"))
}

/// The table of the user's database, never one of our own names.
fn table(table: &str) -> String {
    format!("main.{}", name(table))
}
