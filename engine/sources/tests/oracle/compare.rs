//! Both ways to the same answer, and where they part.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, config::DbConfig, types::Value as Stored};
use tierd_eval::plugin::NoPlugins;
use tierd_eval::{
    columns::value_at,
    derive::Metrics,
    due::Due,
    evaluate::evaluate,
    history::NoHistory,
    levels::{UnknownConditions, grade},
};
use tierd_model::{Key, Value};
use tierd_rules::{File, FileSet, MetricId, RuleSet, Step, SubjectId, TierSet, Unknown, load};
use tierd_sources::{
    Database, Keys, Progress, ReadOptions, ReaderKind, read_all,
    sql::{entered_by, metrics_query, tier_set_query},
};

use crate::case::Case;

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
    let theirs = Theirs::new(case, &rules, &connection)?;
    drop(connection);
    for reader in [ReaderKind::Auto, ReaderKind::Step] {
        let found = evaluated(case, &rules, path, reader)?;
        let of = |subject: SubjectId| Ours { rules: &rules, keys: &found[subject.0].0, metrics: &found[subject.0].1 };
        for Lowered { of: (subject, all), query, rows } in &theirs.metrics {
            of(*subject).same_metrics(all, rows, 1).map_err(|error| format!("{reader:?}: {error}\n{query}"))?;
        }
        for Lowered { of: set, query, rows } in &theirs.sets {
            let same = of(set.subject).same_levels(case, set, rows);
            same.map_err(|error| format!("{reader:?}: {error}\n{query}"))?;
        }
    }
    Ok(())
}

/// A query, and what SQLite makes of it.
struct Lowered<T> {
    of: T,
    query: String,
    rows: Vec<Vec<Stored>>,
}

/// What SQL says of all metrics of each kind of subject, and of all tier sets.
struct Theirs<'a> {
    metrics: Vec<Lowered<(SubjectId, Vec<MetricId>)>>,
    sets: Vec<Lowered<&'a TierSet>>,
}

impl<'a> Theirs<'a> {
    fn new(case: &Case, rules: &'a RuleSet, connection: &Connection) -> Result<Self, String> {
        let clock = &case.schema.clock;
        let (mut metrics, mut sets) = (Vec::new(), Vec::new());
        for subject in (0..rules.config.subjects.len()).map(SubjectId) {
            let all = (0..rules.metrics.len()).filter(|id| rules.metrics[*id].subject == subject);
            let all: Vec<MetricId> = all.map(MetricId).collect();
            let query = metrics_query(rules, subject, &all, clock).map_err(|error| error.to_string())?;
            let rows = run(connection, &query)?;
            metrics.push(Lowered { of: (subject, all), query, rows });
        }
        for set in &rules.tier_sets {
            let query = tier_set_query(rules, set, clock).map_err(|error| error.to_string())?;
            let rows = run(connection, &query)?;
            sets.push(Lowered { of: set, query, rows });
        }
        Ok(Theirs { metrics, sets })
    }
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

/// The keys and metrics of each kind of subject.
fn evaluated(case: &Case, rules: &RuleSet, path: &Path, reader: ReaderKind) -> Result<Vec<(Keys, Metrics)>, String> {
    let database = Database::open(path, Duration::from_secs(1)).map_err(|error| error.to_string())?;
    let clock = &case.schema.clock;
    let options = ReadOptions { threads: 1, reader };
    let subjects: Vec<SubjectId> = (0..rules.config.subjects.len()).map(SubjectId).collect();
    let mut data = read_all(&database, rules, &subjects, clock, options, &Progress::default())
        .map_err(|error| format!("tierd can't read the database: {error}"))?;
    let lenient = RuleSet { order: lenient_steps(rules), ..rules.clone() };
    let given = data.iter_mut().map(|data| data.take_given()).collect();
    let outcome =
        evaluate(&lenient, given, &NoHistory, &NoPlugins, &Due::ALL, clock).map_err(|error| error.to_string())?;
    let metrics = outcome.subjects.into_iter().map(|subject| subject.metrics);
    Ok(data.into_iter().map(|data| std::sync::Arc::unwrap_or_clone(data.keys)).zip(metrics).collect())
}

/// All but the sets that allow no UNKNOWN, which mustn't hide the others and which nothing asks for its level. Their levels are
/// compared one by one.
fn lenient_steps(rules: &RuleSet) -> Vec<Step> {
    let strict = |step: &Step| matches!(step, Step::TierSet(set) if rules.tier_sets[set.0].unknown == Unknown::Error);
    rules.order.iter().copied().filter(|step| !strict(step)).collect()
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
        self.same_metrics(&entered_by(set), rows, 2)?;
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
