//! A first rule file: metrics of what was found, and levels that need no figure of the business.
//!
//! Fixed thresholds would be guesses about a business that nobody has explained. So the first levels come from fifths of all
//! subjects, which fit any data, and the file says how to write thresholds in their place. Every metric that stands in the
//! file is used by a level; what else could be counted stands in comments.

use super::{
    InitOptions, names,
    newest::newest,
    relate::{Described, Facts, Found},
    toml_text::{comment, key, string},
    write_attribute_rules::from_attributes,
    write_config::seen,
};

/// The rule file for what was found.
pub(super) fn rules(options: &InitOptions<'_>, found: &Found<'_>, notes: &mut Vec<String>) -> String {
    let mut out = format!(
        "#:schema ../.tierd/rules.schema.json\n#\n# First rules, proposed by `tierd init` for {}. Change what doesn't fit: `tierd check` \
         reads it,\n# `tierd run --dry-run` shows what it would do.\n",
        comment(options.database)
    );
    match found.facts.split_first() {
        Some((first, others)) => {
            out.push_str(&from_facts(found, first, notes));
            others.iter().for_each(|facts| out.push_str(&suggestion(facts)));
        }
        None => {
            notes.push(format!(
                "no dated rows refer to `{}`: its columns are all that rules can use",
                found.subject.table.name
            ));
            out.push_str(&from_attributes(&found.subject));
        }
    }
    out
}

fn from_facts(found: &Found<'_>, facts: &Facts<'_>, notes: &mut Vec<String>) -> String {
    if let Some(newest) = newest(facts) {
        notes.push(format!(
            "the newest row seen in `{}` is of {newest}: if that is long ago, run with `--as-of` a day soon after it",
            facts.table.name
        ));
    }
    let condition = condition(facts);
    let metrics = Metrics::new(found, facts);
    let spend = spend(facts).map(|amount| sum_metric(&metrics, facts, &amount, &condition));
    let (value_of, value_title) = match &spend {
        Some(_) => (&metrics.spend, "spend"),
        None => (&metrics.count, "number of rows"),
    };
    let mut out = spend.unwrap_or_default();
    out.push_str(&count_metrics(&metrics, facts, &condition));
    out.push_str(&value_levels(found, &metrics, value_of, value_title));
    out.push_str(&activity_levels(found, &metrics));
    out
}

/// Names of the metrics, none of them that of an attribute.
struct Metrics {
    spend: String,
    count: String,
    days: String,
    fifth: String,
}

impl Metrics {
    fn new(found: &Found<'_>, facts: &Facts<'_>) -> Self {
        let free = |name: String| {
            let taken = found.subject.columns.iter().any(|d| d.name == name);
            if taken { format!("{name}_in_{}", facts.name) } else { name }
        };
        Metrics {
            spend: free("spend_12m".to_owned()),
            count: free(format!("{}_12m", facts.name)),
            days: free(format!("days_since_{}", names::noun(&facts.table.name).join("_"))),
            fifth: free("value_fifth".to_owned()),
        }
    }
}

/// A condition for `where`, with what to say about it.
struct Condition {
    /// The line with `where`, or nothing.
    line: String,
    remark: String,
}

/// Rows that count, by a column with states.
fn condition(facts: &Facts<'_>) -> Condition {
    let none = Condition { line: String::new(), remark: String::new() };
    let is_status = |d: &&Described| names::is_status(&facts.table.columns[d.column].name);
    let Some(status) = facts.columns.iter().filter(is_status).find(|d| d.kind.is_ok()) else { return none };
    let Some(values) = seen(facts.table, status) else {
        return Condition {
            remark: format!("# `{}` is not looked at: all rows count.\n", comment(&status.name)),
            ..none
        };
    };
    let of = |counts: bool| values.iter().filter(move |v| names::status_counts(v) == Some(counts)).map(|v| text(v));
    let (good, bad): (Vec<String>, Vec<String>) = (of(true).collect(), of(false).collect());
    let remark = format!("# `{}` was seen as {}.\n", comment(&status.name), comment(&values.join(", ")));
    let condition = match (&good[..], &bad[..]) {
        ([], []) => {
            return Condition {
                remark: format!("{remark}# All of them count; leave some out with `where`.\n"),
                ..none
            };
        }
        ([], bad) => format!("{} not in ({})", status.name, bad.join(", ")),
        ([one], _) => format!("{} = {one}", status.name),
        (good, _) => format!("{} in ({})", status.name, good.join(", ")),
    };
    Condition { line: format!("where     = {}\n", string(&condition)), remark }
}

/// A text as conditions write it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// What one row is worth, as an expression: the column that says it best, or price times quantity.
fn spend(facts: &Facts<'_>) -> Option<String> {
    let stored = |d: &Described| facts.table.columns[d.column].name.as_str();
    let number = |d: &&Described| d.kind.as_ref().is_ok_and(|k| k.ty.is_numeric());
    let numbers: Vec<&Described> = facts.columns.iter().filter(number).collect();
    // Of equals the first: `max_by_key` would give the last.
    let ranked = numbers
        .iter()
        .rev()
        .filter_map(|d| names::money_rank(stored(d)).filter(|rank| *rank > 0).map(|rank| (rank, *d)));
    let (_, best) = ranked.max_by_key(|(rank, _)| *rank)?;
    let ty = best.kind.as_ref().ok()?.ty;
    let quantity = numbers.iter().find(|d| names::is_quantity(stored(d)));
    match quantity {
        Some(q) if names::is_unit_price(stored(best)) && ty.is_exact() && exact(q) => {
            Some(format!("{} * {}", best.name, q.name))
        }
        _ => Some(best.name.clone()),
    }
}

fn exact(described: &Described) -> bool {
    described.kind.as_ref().is_ok_and(|kind| kind.ty.is_exact())
}

fn sum_metric(metrics: &Metrics, facts: &Facts<'_>, amount: &str, condition: &Condition) -> String {
    let Condition { line, remark } = condition;
    format!(
        "\n{remark}[metric.{name}]\ntitle     = \"spend in 12 months\"\nfrom      = {from}\naggregate = {sum}\n{line}\
         window    = {{ last = \"12 months\" }}   # or \"lifetime\", {{ calendar = \"year\" }}, {{ previous = \"quarter\" }}\n\
         empty     = 0                         # what those without such rows have\n",
        name = key(&metrics.spend),
        from = string(&facts.name),
        sum = string(&format!("sum({amount})")),
    )
}

fn count_metrics(metrics: &Metrics, facts: &Facts<'_>, condition: &Condition) -> String {
    let time = facts.columns.iter().find(|d| d.column == facts.time).map_or("", |d| &d.name);
    let (from, line) = (string(&facts.name), &condition.line);
    format!(
        "\n[metric.{count}]\ntitle     = {count_title}\nfrom      = {from}\naggregate = \"count(*)\"\n{line}\
         window    = {{ last = \"12 months\" }}\nempty     = 0\n\
         \n[metric.{days}]\ntitle     = {days_title}\nfrom      = {from}\naggregate = {since}\n{line}\
         window    = \"lifetime\"\nempty     = \"null\"                    # never: there is no number of days\n",
        count = key(&metrics.count),
        count_title = string(&format!("{} in 12 months", facts.name)),
        days = key(&metrics.days),
        days_title = string(&format!("days since the last {}", names::noun(&facts.table.name).join(" "))),
        since = string(&format!("days_since({time})")),
    )
}

fn value_levels(found: &Found<'_>, metrics: &Metrics, of: &str, title: &str) -> String {
    let (fifth, subject) = (&metrics.fifth, string(&found.subject.name));
    format!(
        r#"
# Fifths of all subjects by {title}, 5 for the largest; ties are broken by key.
[metric.{fifth_key}]
quintile = {quintile}

# The highest level whose condition is TRUE wins. With thresholds of your own it would read: when = "{of} >= 5000"
[tiers.value]
title   = "value"
subject = {subject}
allow   = ["level-gap"]   # both a fifth and some spending are asked for

[[tiers.value.level]]
name     = "C"
strategy = {{ touch = "automated mail" }}

[[tiers.value.level]]
name     = "B"
when     = "{fifth} >= 4 and {of} > 0"
strategy = {{ touch = "offer", every = "3 months" }}

[[tiers.value.level]]
name     = "A"
when     = "{fifth} = 5 and {of} > 0"
strategy = {{ touch = "visit", every = "1 month", owner = "key-accounts" }}
"#,
        fifth_key = key(fifth),
        quintile = string(&format!("{of} asc")),
    )
}

fn activity_levels(found: &Found<'_>, metrics: &Metrics) -> String {
    let Metrics { count, days, .. } = metrics;
    format!(
        r#"
[tiers.activity]
title   = "activity"
subject = {subject}
allow   = ["level-gap"]   # without an order there is no last one

[[tiers.activity.level]]
name = "inactive"

[[tiers.activity.level]]
name = "active"
when = "{count} >= 1"

[[tiers.activity.level]]
name = "recent"
when = "{count} >= 1 and {days} <= 90"
"#,
        subject = string(&found.subject.name),
    )
}

/// A metric of another fact table, to be taken out of its comment.
fn suggestion(facts: &Facts<'_>) -> String {
    let name = key(&format!("{}_12m", facts.name));
    format!(
        "\n# Also there to be used:\n# [metric.{name}]\n# from      = {from}\n# aggregate = \"count(*)\"\n\
         # window    = {{ last = \"12 months\" }}\n# empty     = 0\n",
        from = comment(&string(&facts.name)),
    )
}
