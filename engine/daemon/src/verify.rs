//! A configuration held against the database that it describes.

use std::{collections::HashSet, time::Duration};

use tierd_model::{Clock, Timestamp, Window};
use tierd_rules::{BookingKind, Diagnostic, FactsId, Metric, MetricKind, PointsMeasure, RuleSet, code};
use tierd_sources::{Database, DatabaseError, Missing, SchemaProblem, Snapshot, oldest, schema::schema};

use crate::{Project, evaluate};

/// How long a look for the oldest fact of a table may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Tables and columns that the configuration names and the database doesn't have, each at its place; where they are all there,
/// windows that begin before the data does.
///
/// # Errors
/// [`DatabaseError`] where the database can't be opened or read.
pub fn against_database(project: &Project, rules: &RuleSet, clock: &Clock) -> Result<Vec<Diagnostic>, DatabaseError> {
    let database = evaluate::open(project.database(&rules.config))?;
    let mut snapshot = Snapshot::open(&database, 1)?;
    let tables = schema(snapshot.connection()).map_err(|source| database.error(source))?;
    let missing: Vec<Diagnostic> = tierd_sources::verify(&rules.config, &tables).iter().map(diagnostic).collect();
    if missing.is_empty() { beyond_data(&database, &mut snapshot, rules, clock) } else { Ok(missing) }
}

/// Metrics whose windows the data can't fill yet.
fn beyond_data(
    database: &Database,
    snapshot: &mut Snapshot,
    rules: &RuleSet,
    clock: &Clock,
) -> Result<Vec<Diagnostic>, DatabaseError> {
    let mut found = Vec::new();
    for (id, facts) in rules.config.facts.iter().enumerate() {
        let metrics: Vec<(&Metric, Window)> = windowed(rules, FactsId(id)).collect();
        if metrics.is_empty() {
            continue;
        }
        let zone = clock.zone();
        let [connection, ..] = snapshot.connections() else { break };
        let begin = oldest(connection, facts, zone, PATIENCE).map_err(|source| database.error(source))?;
        let lints = begin.into_iter().flat_map(|begin| {
            metrics.iter().filter_map(move |(metric, window)| unfilled(metric, window, &facts.name, begin, clock))
        });
        found.extend(lints);
    }
    // Categories, and the window before that a trend looks at, are written in one place.
    let mut seen = HashSet::new();
    found.retain(|lint| seen.insert(lint.primary.location.clone()));
    Ok(found)
}

/// Metrics over these facts whose windows begin at a time that is the same for all, and that don't say it is meant.
fn windowed(rules: &RuleSet, facts: FactsId) -> impl Iterator<Item = (&Metric, Window)> {
    let is_allowed = |metric: &Metric| metric.allow.iter().any(|code| code == code::WINDOW_BEYOND_DATA);
    rules.metrics.iter().filter(move |metric| !is_allowed(metric)).filter_map(move |metric| {
        let window = window_over(rules, &metric.kind, facts).filter(|window| window.anchor().is_none())?;
        Some((metric, window))
    })
}

/// The window in which a metric counts these facts, by itself or as what books points.
fn window_over(rules: &RuleSet, kind: &MetricKind, facts: FactsId) -> Option<Window> {
    match kind {
        MetricKind::Aggregate(aggregate) => (aggregate.facts == facts).then_some(aggregate.window),
        MetricKind::Points { program, measure } => {
            let (window, counted) = match measure {
                PointsMeasure::Earned(window) | PointsMeasure::Expired(window) => (*window, BookingKind::Earn),
                PointsMeasure::Spent(window) => (*window, BookingKind::Spend),
                PointsMeasure::Balance | PointsMeasure::Expiring(_) | PointsMeasure::NextExpiry => return None,
            };
            let bookings = &rules.points[program.0].bookings;
            bookings.iter().any(|booking| booking.kind == counted && booking.facts == facts).then_some(window)
        }
        _ => None,
    }
}

/// A window of which the data leaves more than a twentieth empty.
fn unfilled(metric: &Metric, window: &Window, facts: &str, begin: Timestamp, clock: &Clock) -> Option<Diagnostic> {
    let window = window.resolve(clock);
    if window.start.0 == i64::MIN || begin.0.saturating_sub(window.start.0) <= (window.end.0 - window.start.0) / 20 {
        return None;
    }
    let (from, first) = (clock.zone().date_of(window.start), clock.zone().date_of(begin));
    let who = match metric.name.strip_suffix("[before]").filter(|_| metric.implicit) {
        Some(name) => format!("the trend of `{name}`"),
        None => format!("`{}`", metric.name),
    };
    let headline = format!("{who} looks back to {from}, and `{facts}` begin on {first}");
    let help = "until the data reaches back that far, it counts less than it says; keep it in mind for its thresholds";
    Some(Diagnostic::warning(code::WINDOW_BEYOND_DATA, &metric.at, headline).help(help))
}

/// One problem as a diagnostic.
pub fn diagnostic(problem: &SchemaProblem) -> Diagnostic {
    let code = match problem.missing {
        Missing::Column { .. } => code::MISSING_COLUMN,
        Missing::Table(_) | Missing::BrokenView(_) => code::MISSING_TABLE,
    };
    let diagnostic = Diagnostic::error(code, &problem.at, problem.headline());
    match &problem.suggestion {
        Some(suggestion) => diagnostic.help(format!("did you mean `{suggestion}`?")),
        None => diagnostic
            .help("a migration may have renamed or dropped it; `tierd init --database FILE` shows what is there now"),
    }
}
