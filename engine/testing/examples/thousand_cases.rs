//! How long 1,000 cases take: `cargo run --release -p tierd-testing --example thousand_cases`.
//!
//! Each case has 13 orders, two steps and six expectations, over rules with aggregates, a rank and two tier sets.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a measurement for developers")]

use std::{fmt::Write, time::Instant};

use tierd_eval::plugin::NoPlugins;
use tierd_rules::{File, FileSet, load};
use tierd_testing::{Coverage, Filters, run};

const CONFIG: &str = r#"
time_zone = "Asia/Shanghai"
database.sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
attributes = { city = "text" }
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
"#;

const RULES: &str = r#"
metric.spend = { from = "orders", aggregate = "sum(amount)", window = { last = "12 months" }, empty = 0 }
metric.orders = { from = "orders", aggregate = "count(*)", window = { last = "12 months" }, empty = 0 }
metric.days_idle = { from = "orders", aggregate = "days_since(ordered_at)", window = "lifetime", empty = "null" }
metric.mean = { derived = "spend / nullif(orders, 0)" }
metric.place = { rank = "spend desc" }
[tiers.value]
level = [{ name = "C" }, { name = "B", when = "spend >= 5000 and orders >= 2" }, { name = "A", when = "spend >= 10000" }]
[tiers.state]
level = [{ name = "asleep" }, { name = "awake", when = "days_idle <= 90 or city = '武汉'" }]
"#;

fn cases(count: usize) -> String {
    let mut text = String::new();
    for case in 0..count {
        let _ = write!(
            text,
            r#"
[[case]]
name = "case {case}"
as_of = "2026-06-30T09:00:00"
subject = {{ city = "上海" }}
facts.orders = [{{ ordered_at = "2025-07-15", amount = {}, every = "1 month", times = 12 }}]
expect = {{ state = "awake" }}
expect_metrics = {{ orders = 12, place = 1 }}
[[case.step]]
as_of = "2026-12-30T09:00:00"
facts.orders = [{{ ordered_at = "2026-07-01T10:00:00", amount = "12.50" }}]
expect = {{ state = "asleep" }}
expect_moves = {{ state = "awake -> asleep" }}
expect_metrics = {{ orders = 7 }}
"#,
            400 + case
        );
    }
    text
}

fn main() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let rules = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/value.toml", RULES)]));
    let rules = rules.rules.expect("good rules");
    let files = FileSet::new(vec![file("rules/value.test.toml", &cases(1_000))]);
    let started = Instant::now();
    let loaded = tierd_testing::load(&rules, files);
    let tests = loaded.tests.expect("good tests");
    let read = started.elapsed();
    let started = Instant::now();
    let results = run(&rules, &NoPlugins, &tests, &loaded.files, &Filters::default(), None);
    let ran = started.elapsed();
    let failed = results.iter().flat_map(|file| &file.cases).filter(|case| !case.failures.is_empty()).count();
    let mut coverage = Coverage::new(&rules);
    let started = Instant::now();
    run(&rules, &NoPlugins, &tests, &loaded.files, &Filters::default(), Some(&mut coverage));
    println!("read {read:.1?}, ran {ran:.1?} ({failed} failed), with coverage {:.1?}", started.elapsed());
}
