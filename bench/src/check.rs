//! How long an edit of large rules takes to check: 1,000 metrics and 500 levels in 200 files, by the program itself.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tierd_eval::lint::lints;
use tierd_model::{Clock, parse_timestamp};
use tierd_rules::{File, FileSet, load};

use crate::{AS_OF, Failure};

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
/// `tierd check` may take so long, with everything that belongs to it.
const MOST: Duration = Duration::from_millis(200);

/// Times `tierd check --offline` on good files and on files with a mistake, and prints the medians.
///
/// The program is the one beside this one: `cargo build --release -p tierd` makes it.
///
/// # Errors
/// Where the program isn't there, or takes longer than it may.
#[expect(clippy::print_stdout, reason = "a measurement prints what it found")]
pub(crate) fn run() -> Result<(), Failure> {
    let program = std::env::current_exe()?.with_file_name("tierd");
    if !program.exists() {
        return Err("first build the program: cargo build --release -p tierd".into());
    }
    let good = files();
    let broken = |file: &File| File { text: file.text.replace("m7_3 >= 5", "m7_3x >= 5").into(), ..file.clone() };
    let broken: Vec<File> = good.iter().map(broken).collect();
    println!("{FILES} files, {} KiB", good.iter().map(|file| file.text.len()).sum::<usize>() >> 10);
    let parts = median((0..ROUNDS).map(|_| library(&good)).collect::<Result<_, _>>()?);
    println!("by the library: loading {:.1?}, loading and lints {:.1?}", parts.0, parts.1);
    for (what, files) in [("good", &good), ("one name wrong", &broken)] {
        let folder = write(what, files)?;
        let times = (0..ROUNDS).map(|_| Ok((process(&program, &folder)?, ()))).collect::<Result<_, Failure>>()?;
        let (time, ()) = median(times);
        println!("{what}: `tierd check --offline` takes {time:.1?} (median of {ROUNDS}; at most {MOST:?})");
        if time > MOST {
            return Err("that is too long".into());
        }
    }
    Ok(())
}

/// The middle one.
pub(crate) fn median<T: Ord + Copy>(mut times: Vec<(Duration, T)>) -> (Duration, T) {
    times.sort();
    times[times.len() / 2]
}

/// How long loading takes, and loading with lints.
fn library(files: &[File]) -> Result<(Duration, Duration), Failure> {
    let files = FileSet::new(files.to_vec());
    let start = Instant::now();
    let rules = load(files).rules.ok_or("the generated rules don't load")?;
    let loaded = start.elapsed();
    let zone = Arc::clone(&rules.config.zone);
    let as_of = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&zone);
    drop(lints(&rules, &Clock::new(as_of, zone)));
    Ok((loaded, start.elapsed()))
}

fn process(program: &Path, folder: &Path) -> Result<Duration, Failure> {
    let start = Instant::now();
    Command::new(program)
        .args(["check", "--offline", "--project"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(start.elapsed())
}

/// The files as a project folder under `target/bench`.
pub(crate) fn write(name: &str, files: &[File]) -> Result<PathBuf, Failure> {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench");
    let folder = Path::new(target).join(format!("check-{}", name.replace(' ', "-")));
    fs::create_dir_all(folder.join("rules"))?;
    for file in files {
        fs::write(folder.join(&*file.path), &*file.text)?;
    }
    Ok(folder)
}

/// The generated files, good as they are.
pub(crate) fn files() -> Vec<File> {
    let rules = (0..FILES).map(|i| File { path: format!("rules/{i}.toml").into(), text: rules(i).into() });
    rules.chain([File { path: "tierd.toml".into(), text: CONFIG.into() }]).collect()
}

/// Five metrics, and in every other file a set of five levels that asks for the one before.
pub(crate) fn rules(i: usize) -> String {
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
