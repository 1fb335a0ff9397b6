//! From rule files as people write them to levels and explanations, with columns by hand in place of a database.
#![allow(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, StringArray};
use tierd_eval::plugin::NoPlugins;
use tierd_eval::{
    columns::arrow_type,
    derive::Metrics,
    due::Due,
    evaluate::evaluate,
    explain::{Explanation, explain, text::lines},
    given::Given,
    history::NoHistory,
    levels::grade,
};
use tierd_model::{Clock, Key, Type, Zone, parse_date, parse_timestamp};
use tierd_rules::{File, FileSet, RuleSet, SubjectId, load};

const CONFIG: &str = include_str!("../../../tests/corpus/tierd.toml");

const RULES: &str = r#"
[metric.annual_spend]
title = "年消费额"
from = "orders"
aggregate = "sum(amount)"
where = "status = 'paid' and not gift"
window = { last = "12 months" }
empty = 0

[metric.orders]
from = "orders"
aggregate = "count(*)"
window = "lifetime"
empty = 0

[metric.average_order]
derived = "round(annual_spend / nullif(orders, 0), 2)"

[metric.spend_half]
ntile = { of = "annual_spend desc", buckets = 2 }

[tiers.value]
title = "客户价值等级"

[[tiers.value.level]]
name = "普通"

[[tiers.value.level]]
name = "重要"
when = """
    annual_spend >= 5000
    and (city in ('武汉', 'Paris') or joined_on < today - interval '1 year')
"""

[[tiers.value.level]]
name = "核心"
when = "average_order between 2000.00 and 9999.99 and spend_half = 1 and not (10 > orders)"
"#;

fn rules() -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/value.toml", RULES)]));
    assert_eq!(loaded.diagnostics, []);
    loaded.rules.unwrap()
}

fn clock() -> Clock {
    let zone = Arc::new(Zone::new("Asia/Shanghai").unwrap());
    Clock::new(parse_timestamp(b"2026-03-31 10:00").unwrap().instant(&zone), zone)
}

/// Three customers: spend, orders, city and date of joining.
fn metrics(rules: &RuleSet) -> Metrics {
    let mut given: Vec<Option<ArrayRef>> = vec![None; rules.metrics.len()];
    let mut give = |name, column: ArrayRef| given[rules.metric(name).unwrap().0.0] = Some(column);
    let spend = Decimal128Array::from(vec![Some(750_000), Some(3_000_050), Some(0)]);
    give("annual_spend", Arc::new(spend.with_data_type(arrow_type(Type::Decimal(2)))));
    give("orders", Arc::new(Int64Array::from(vec![3, 12, 0])));
    give("city", Arc::new(StringArray::from(vec![Some("London"), Some("武汉"), None])));
    let joined = ["2025-11-01", "2020-02-29", "2026-01-01"].map(|day| parse_date(day.as_bytes()).map(|day| day.0));
    give("joined_on", Arc::new(Date32Array::from(joined.to_vec())));
    let given = Given {
        subject: SubjectId(0),
        subjects: 3,
        key: Arc::new(|subject| Key::Integer(subject as i64)),
        columns: given,
        parents: Vec::new(),
        bookings: Vec::new(),
        gathered: Vec::new(),
    };
    evaluate(rules, vec![given], &NoHistory, &NoPlugins, &Due::ALL, &clock()).unwrap().subjects.remove(0).metrics
}

fn explained(subject: usize) -> (Explanation, Vec<String>) {
    let rules = rules();
    let set = rules.tier_set("value").unwrap();
    let explanation = explain(&rules, set, &metrics(&rules), subject, None, &clock());
    let lines = lines(&explanation, &format!("customer {subject}"), &clock());
    (explanation, lines.iter().map(|line| line.plain()).collect())
}

#[test]
fn rules_as_written_grade_customers() {
    let rules = rules();
    let graded = grade(rules.tier_set("value").unwrap(), &metrics(&rules), &clock()).unwrap();
    assert_eq!(graded.earned, [0, 2, 0]);
    // The last customer has no orders, so that its average order is NULL, but it isn't in the first half.
    assert_eq!(graded.needs_held(), []);
}

#[test]
fn a_level_is_explained_in_the_words_of_the_rules() {
    let (_, lines) = explained(0);
    let expected = r"
customer 0 · value (客户价值等级): level 普通
  核心  no    average_order between 2000.00 and 9999.99 and spend_half = 1 and not (10 > orders)
              yes   average_order  = 2500  needs between 2000.00 and 9999.99
              yes   spend_half     = 1     needs = 1
              no    orders         = 3     must not be < 10                   7 short
  重要  no    annual_spend >= 5000 and (city in ('武汉', 'Paris') or joined_on < today - interval '1 year')
              yes   annual_spend  = 7500        needs >= 5000
              no    any of
                no    city        = 'London'    needs one of '武汉', 'Paris'
                no    joined_on   = 2025-11-01  needs < today - interval '1 year' (= 2025-03-31)  215 days too late
  普通  yes   no condition
metrics
  average_order = 2500  from round(annual_spend / nullif(orders, 0), 2)
    annual_spend = 7500  sum(amount) of orders where status = 'paid' and not gift, from 2025-03-31 00:00 to 2026-03-31 10:00
    orders = 3  count(*) of orders, before 2026-03-31 10:00
  spend_half = 1  bucket of 2 by annual_spend, largest first, among 3
    1: 30000.5 to 7500 (2)
    2: 0 to 0 (1)
  city = 'London'  attribute city
  joined_on = 2025-11-01  attribute joined_on
next level 重要 needs one of
  city must be one of '武汉', 'Paris', and is 'London'
  joined_on must move back by more than 215 days, beyond today - interval '1 year' (= 2025-03-31)
";
    assert_eq!(format!("\n{}\n", lines.join("\n")), expected);
}

#[test]
fn the_highest_level_has_nothing_missing() {
    let (explanation, lines) = explained(1);
    assert_eq!((explanation.level, explanation.missing), (Some(2), None));
    // What lies below the level isn't taken apart.
    assert_eq!(lines.iter().filter(|line| line.contains("needs") || line.contains("must")).count(), 3);
}
