//! Both ways to the same answer, and where they part.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, config::DbConfig, types::Value as Stored};
use tierd_eval::{
    columns::value_at,
    derive::Metrics,
    evaluate::evaluate,
    history::NoHistory,
    levels::{UnknownConditions, grade},
};
use tierd_model::{Key, Value};
use tierd_rules::{File, FileSet, MetricId, RuleSet, Step, SubjectId, TierSet, load};
use tierd_sources::{Database, Keys, Progress, ReadOptions, ReaderKind, read, sql, sql::NotSql};

use crate::case::Case;

const CUSTOMER: SubjectId = SubjectId(0);
/// How far two reals may lie apart, as a share of the larger.
const TOLERANCE: f64 = 1e-9;

/// Loads, evaluates both ways and compares.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let folder = folder().map_err(|error| error.to_string())?;
    let path = folder.path().join("shop.db");
    difference(case, &path).map_err(|difference| report(case, &difference))
}

fn difference(case: &Case, path: &Path) -> Result<(), String> {
    let rules = loaded(case)?;
    let connection = filled(case, path).map_err(|error| format!("the database can't be made: {error}"))?;
    let all: Vec<MetricId> = (0..rules.metrics.len()).map(MetricId).collect();
    let clock = &case.schema.clock;
    let query = sql::metrics_query(&rules, CUSTOMER, &all, clock).map_err(|error| error.to_string())?;
    let expected = run(&connection, &query)?;
    let lowered = |set| Ok((set, sql::tier_set_query(&rules, set, clock)?));
    let sets: Result<Vec<(&TierSet, String)>, NotSql> = rules.tier_sets.iter().map(lowered).collect();
    let sets = sets.map_err(|error| error.to_string())?;
    let levels = sets.iter().map(|(_, query)| run(&connection, query)).collect::<Result<Vec<_>, _>>()?;
    drop(connection);
    for reader in [ReaderKind::Auto, ReaderKind::Step] {
        let (keys, metrics) = evaluated(case, &rules, path, reader)?;
        let ours = Ours { rules: &rules, keys: &keys, metrics: &metrics };
        ours.same_metrics(&all, &expected, 1).map_err(|error| format!("{reader:?}: {error}\n{query}"))?;
        for ((set, query), levels) in sets.iter().zip(&levels) {
            ours.same_levels(case, set, levels).map_err(|error| format!("{reader:?}: {error}\n{query}"))?;
        }
    }
    Ok(())
}

/// In memory where the system has such a place.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

fn loaded(case: &Case) -> Result<RuleSet, String> {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = FileSet::new(vec![file("tierd.toml", &case.config), file("rules/random.toml", &case.rules)]);
    let loaded = load(files);
    loaded.rules.ok_or_else(|| format!("the rules don't load: {:#?}", loaded.diagnostics))
}

fn filled(case: &Case, path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN")?;
    case.fill(&connection)?;
    connection.execute_batch("COMMIT")?;
    // A name in double quotes that names nothing is an error then, not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    Ok(connection)
}

/// All rows of a query.
fn run(connection: &Connection, query: &str) -> Result<Vec<Vec<Stored>>, String> {
    let rows = || {
        let mut statement = connection.prepare(query)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|i| row.get(i)).collect())?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    rows().map_err(|error| format!("{error}\n{query}"))
}

fn evaluated(case: &Case, rules: &RuleSet, path: &Path, reader: ReaderKind) -> Result<(Keys, Metrics), String> {
    let database = Database::open(path, Duration::from_secs(1)).map_err(|error| error.to_string())?;
    let clock = &case.schema.clock;
    let options = ReadOptions { threads: 1, reader };
    let mut data = read(&database, rules, CUSTOMER, clock, options, &Progress::default())
        .map_err(|error| format!("tierd can't read the database: {error}"))?;
    // Levels are compared set by set, since one that allows no UNKNOWN mustn't hide the others.
    let metrics_only = RuleSet { order: metric_steps(rules), ..rules.clone() };
    let outcome = evaluate(&metrics_only, vec![data.take_given()], &NoHistory, clock);
    let mut outcome = outcome.map_err(|error| error.to_string())?;
    let subjects = outcome.subjects.remove(0);
    Ok((std::sync::Arc::unwrap_or_clone(data.keys), subjects.metrics))
}

fn metric_steps(rules: &RuleSet) -> Vec<Step> {
    rules.order.iter().copied().filter(|step| matches!(step, Step::Metric(_))).collect()
}

/// What tierd has evaluated.
struct Ours<'a> {
    rules: &'a RuleSet,
    keys: &'a Keys,
    metrics: &'a Metrics,
}

impl Ours<'_> {
    /// Whether rows of keys and, from column `first` on, metrics are the same as ours.
    fn same_metrics(&self, metrics: &[MetricId], rows: &[Vec<Stored>], first: usize) -> Result<(), String> {
        let keys: Vec<Stored> = (0..self.keys.len()).map(|i| stored_key(&self.keys.key(i))).collect();
        let theirs: Vec<Stored> = rows.iter().map(|row| row[0].clone()).collect();
        if keys != theirs {
            return Err(format!("subjects: tierd has {keys:?}, SQL has {theirs:?}"));
        }
        for (i, row) in rows.iter().enumerate() {
            for (column, id) in metrics.iter().enumerate() {
                let metric = &self.rules.metrics[id.0];
                let array = self.metrics.columns[id.0].as_ref().ok_or("a metric has no column")?;
                let ours = stored(value_at(array.as_ref(), metric.ty, i));
                let theirs = &row[first + column];
                if !same(&ours, theirs) {
                    let (name, key) = (&metric.name, &row[0]);
                    return Err(format!("{name} of {key:?}: tierd has {ours:?}, SQL has {theirs:?} ({})", metric.ty));
                }
            }
        }
        Ok(())
    }

    /// Whether rows of keys, levels and metrics are the same as ours.
    fn same_levels(&self, case: &Case, set: &TierSet, rows: &[Vec<Stored>]) -> Result<(), String> {
        self.same_metrics(&set.metrics(), rows, 2)?;
        let graded = match grade(set, self.metrics, &case.schema.clock) {
            Ok(graded) => graded,
            Err(unknown) => return no_levels(rows, &unknown),
        };
        for (row, level) in rows.iter().zip(&graded.earned) {
            let level = set.levels.get(usize::from(*level));
            let ours = level.map_or(Stored::Null, |level| Stored::Text(level.name.clone()));
            if ours != row[1] {
                return Err(format!("level of {:?} in {}: tierd has {ours:?}, SQL has {:?}", row[0], set.name, row[1]));
            }
        }
        Ok(())
    }
}

/// Whether those for whom a set finds UNKNOWN, and allows none, have no level in SQL.
fn no_levels(rows: &[Vec<Stored>], unknown: &UnknownConditions) -> Result<(), String> {
    match unknown.first.iter().map(|at| &rows[at.subject as usize]).find(|row| row[1] != Stored::Null) {
        Some(row) => Err(format!("{unknown}, and {:?} has {:?} in SQL", row[0], row[1])),
        None => Ok(()),
    }
}

fn stored_key(key: &Key) -> Stored {
    match key {
        Key::Integer(key) => Stored::Integer(*key),
        Key::Text(key) => Stored::Text(key.to_string()),
    }
}

/// A value as the lowered SQL shows it.
fn stored(value: Option<Value>) -> Stored {
    match value {
        None => Stored::Null,
        Some(Value::Text(text)) => Stored::Text(text.to_string()),
        Some(Value::Integer(number)) => Stored::Integer(number),
        // What doesn't fit can't be equal to anything that SQL has.
        Some(Value::Decimal(number)) => i64::try_from(number.units).map_or(Stored::Blob(Vec::new()), Stored::Integer),
        Some(Value::Real(number)) => Stored::Real(number),
        Some(Value::Bool(truth)) => Stored::Integer(truth.into()),
        Some(Value::Date(date)) => Stored::Text(date.to_string()),
        Some(Value::Timestamp(at)) => Stored::Integer(at.0),
    }
}

fn same(ours: &Stored, theirs: &Stored) -> bool {
    match (ours, theirs) {
        (Stored::Real(a), Stored::Real(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        (a, b) => a == b,
    }
}

fn report(case: &Case, difference: &str) -> String {
    format!(
        "as of {} ({})\n--- tierd.toml\n{}\n--- rules\n{}\n--- tables\n{}\n--- {difference}",
        case.schema.clock.as_of(),
        case.schema.zone().name(),
        case.config,
        case.rules,
        case.statements()
    )
}
