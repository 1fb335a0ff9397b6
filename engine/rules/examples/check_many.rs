//! How long checking takes: 1,000 metrics and 500 levels in 200 files, and an edit that breaks one of them.
//!
//! ```text
//! cargo run --release -p tierd-rules --example check_many
//! ```

#![expect(clippy::print_stdout, reason = "a measurement prints what it found")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use tierd_rules::{File, FileSet, load};

const CONFIG: &str = r#"
time_zone = "Asia/Shanghai"
database.sqlite = "shop.db"

[subject.customer]
table = "customers"
key = "id"

[subject.customer.attributes]
visits = "integer"
joined_on = { type = "date", encoding = "iso8601" }

[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"

[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
status = "text"
"#;

const FILES: usize = 200;
const ROUNDS: usize = 21;

fn main() {
    let good = files();
    let broken =
        || good.iter().map(|file| File { text: file.text.replace("m7_3 >= 5", "m7_3x >= 5").into(), ..file.clone() });
    println!("{FILES} files, {} KiB", good.iter().map(|file| file.text.len()).sum::<usize>() >> 10);
    report("good", &good);
    report("one name wrong", &broken().collect::<Vec<_>>());
}

fn report(what: &str, files: &[File]) {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| time(files)).collect();
    times.sort();
    let loaded = load(FileSet::new(files.to_vec()));
    let counts = loaded.rules.map(|rules| {
        let levels: usize = rules.tier_sets.iter().map(|set| set.levels.len()).sum();
        format!("{} metrics, {levels} levels", rules.metrics.len())
    });
    let counts = counts.unwrap_or_else(|| format!("{} mistakes", loaded.diagnostics.len()));
    println!("{what}: {counts}; median {:.1?}, worst {:.1?}", times[ROUNDS / 2], times[ROUNDS - 1]);
}

fn time(files: &[File]) -> Duration {
    let files = FileSet::new(files.to_vec());
    let start = Instant::now();
    let loaded = load(files);
    let time = start.elapsed();
    drop(loaded);
    time
}

fn files() -> Vec<File> {
    let rules = (0..FILES).map(|i| File { path: format!("rules/{i}.toml").into(), text: rules(i).into() });
    rules.chain([File { path: "tierd.toml".into(), text: CONFIG.into() }]).collect()
}

/// Five metrics, and in every other file a set of five levels that asks for the one before.
fn rules(i: usize) -> String {
    let mut text = format!(
        r#"
[metric.m{i}_0]
from = "orders"
aggregate = "sum(case when status = 'paid' then amount else 0 end)"
where = "status <> 'cancelled' and amount > {i}"
window = {{ last = "{} days" }}
empty = 0

[metric.m{i}_1]
from = "orders"
aggregate = "share(status = 'late')"
window = {{ anniversary_of = "joined_on" }}
empty = "null"

[metric.m{i}_2]
trend = "m{i}_0"

[metric.m{i}_3]
scorecard = [{{ when = "m{i}_0 > 100", points = 5 }}, {{ points = "least(visits, 10)" }}]

[metric.m{i}_4]
percentile = "m{i}_3 desc"
"#,
        i + 1
    );
    if i % 2 == 1 {
        let before = i.saturating_sub(2).max(1);
        let asks = if before == i { "visits > 1".to_owned() } else { format!("tier.t{before} >= 'C'") };
        write!(
            text,
            r#"
[tiers.t{i}]
level = [
    {{ name = "E" }},
    {{ name = "D", when = "m{i}_3 >= 5 and {asks}" }},
    {{ name = "C", when = "m{i}_3 >= 9 and m{i}_1 < 0.2 and coalesce(was in ('C', 'B'), false)", keep = "m{i}_3 >= 8" }},
    {{ name = "B", when = "m{i}_4 <= 10 or m{before}_2 > 0.1" }},
    {{ name = "A", when = "m{i}_4 <= 1 and m{before}_0 > 1000 and m{i}_2 > 0" }},
]
"#
        )
        .unwrap_or_default();
    }
    text
}
