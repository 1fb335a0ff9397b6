//! tierd's evaluation of the bench's rules, by the library calls that a run makes.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tierd_eval::{
    columns::value_at, derive::Metrics, due::Due, evaluate::evaluate, history::NoHistory, plugin::NoPlugins,
};
use tierd_model::{Clock, Key, Value, parse_timestamp};
use tierd_rules::{File, FileSet, RuleSet, SubjectId, load};
use tierd_sources::{Database, Keys, Progress, ReadOptions, ReaderKind, read};

use crate::{
    AS_OF, Failure,
    memory::{Peak, processor_seconds, warm},
    outcome::{FACTORS, MODULUS, Outcome},
};

/// Reads and grades everyone.
pub(crate) fn run(database: &Path, reader: ReaderKind) -> Result<Outcome, Failure> {
    let rules = rules()?;
    warm(database)?;
    let (peak, processor) = (Peak::watch(), processor_seconds());
    let started = Instant::now();
    let zone = Arc::clone(&rules.config.zone);
    let as_of = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&zone);
    let clock = Clock::new(as_of, zone);
    let database = Database::open(database, Duration::from_secs(10))?;
    let options = ReadOptions { reader, ..ReadOptions::default() };
    let mut data = read(&database, &rules, SubjectId(0), &clock, options, &Progress::default())?;
    let mut phases = BTreeMap::from([("read".to_owned(), started.elapsed().as_secs_f64())]);
    for table in &data.tables {
        phases.insert(format!("read {}", table.table), table.duration.as_secs_f64());
    }
    let evaluating = Instant::now();
    let found = evaluate(&rules, vec![data.take_given()], &NoHistory, &NoPlugins, &Due::ALL, &clock)?;
    phases.insert("ranks and levels".to_owned(), evaluating.elapsed().as_secs_f64());
    let seconds = started.elapsed().as_secs_f64();
    let processor_seconds = processor_seconds() - processor;
    let peak_mib = peak.end();
    let levels = levels(&rules, &found.sets[0].settled.held);
    Ok(Outcome {
        seconds,
        processor_seconds,
        phases,
        peak_mib,
        levels,
        checksum: checksum(&rules, &data.keys, &found.subjects[0].metrics),
    })
}

fn rules() -> Result<RuleSet, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["tierd.toml", "rules/value.toml"]
        .map(|path| fs::read_to_string(folder.join(path)).map(|text| File { path: path.into(), text: text.into() }));
    let loaded = load(FileSet::new(files.into_iter().collect::<Result<_, _>>()?));
    loaded.rules.ok_or_else(|| format!("the bench's rules don't load: {:#?}", loaded.diagnostics).into())
}

fn levels(rules: &RuleSet, earned: &[u16]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for &level in earned {
        let name = rules.tier_sets[0].levels.get(usize::from(level)).map_or("none", |level| &level.name);
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// The sum over all customers of their id times the weighted sum of their metrics, each modulo a prime.
fn checksum(rules: &RuleSet, keys: &Keys, metrics: &Metrics) -> i64 {
    let columns = FACTORS.map(|(name, factor)| {
        let (id, metric) = rules.metric(name)?;
        Some((metrics.columns[id.0].clone()?, metric.ty, factor))
    });
    let number = |value: Option<Value>| value.and_then(|value| value.as_decimal()).map_or(-1, |decimal| decimal.units);
    let of = |subject: usize| {
        let Key::Integer(id) = keys.key(subject) else { return 0 };
        let sum: i128 =
            columns.iter().flatten().map(|(column, ty, factor)| factor * number(value_at(column, *ty, subject))).sum();
        (i128::from(id) % MODULUS) * (sum % MODULUS)
    };
    (0..keys.len()).map(of).sum::<i128>() as i64
}
