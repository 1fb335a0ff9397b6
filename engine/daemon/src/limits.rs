//! Whether what was read is fit to grade anybody by: bad values, unknown subjects, staleness, emptiness.
//!
//! A run that is refused here changes nothing. That is the point: a half-loaded or drifted table must demote no one.

use tierd_model::{CalendarSpan, Clock, Timestamp};
use tierd_rules::{Limit, Lookup, RuleSet};
use tierd_sources::{BadValues, SourceData, TableRead};

/// Why data must not decide anything.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// More bad values than allowed.
    #[error(
        "{rows} rows hold values that don't fit their declared types, and `bad_values` in tierd.toml allows {allowed}; mend the data, \
         the declared type, or the limit:\n{}", details.join("\n")
    )]
    BadValues {
        /// How many rows.
        rows: u64,
        /// How many are allowed, as configured.
        allowed: String,
        /// In which columns, each with its table.
        columns: Vec<String>,
        /// A line for each column, with the first few rows.
        details: Vec<String>,
    },
    /// More facts of unknown subjects than allowed.
    #[error("{rows} rows of {} name no known subject, and `unknown_subjects` in tierd.toml allows {allowed}", facts.join(", "))]
    UnknownSubjects {
        /// How many rows.
        rows: u64,
        /// How many are allowed, as configured.
        allowed: String,
        /// In which facts.
        facts: Vec<String>,
    },
    /// Nobody to grade.
    #[error("table `{table}` has no rows that could be graded; nothing was changed")]
    NoSubjects {
        /// The subject table.
        table: String,
    },
    /// A fact table without rows.
    #[error(
        "table `{table}` of facts `{facts}` has no rows, so that everybody would seem idle; nothing was changed. If that is right, \
         write `may_be_empty = true` under [facts.{facts}]"
    )]
    NoFacts {
        /// The facts.
        facts: String,
        /// Their table.
        table: String,
    },
    /// A table without rows that plugins look things up in.
    #[error(
        "table `{table}` of look-up table `{lookup}` has no rows, so that plugins would find nothing in it; nothing was changed. If that \
         is right, write `may_be_empty = true` under [lookup.{lookup}]"
    )]
    NoLookup {
        /// The look-up table.
        lookup: String,
        /// The table in the database.
        table: String,
    },
    /// The newest fact is too old.
    #[error(
        "the newest row of `{facts}` is of {newest}, and [facts.{facts}] says `fresh = \"{fresh}\"`: the data hasn't arrived; nothing was \
         changed"
    )]
    Stale {
        /// The facts.
        facts: String,
        /// Time of the newest row.
        newest: Timestamp,
        /// How old it may be.
        fresh: CalendarSpan,
    },
}

impl LimitError {
    /// What a log may say: as the message, but without keys and values from the database.
    pub(crate) fn without_values(&self) -> String {
        match self {
            LimitError::BadValues { rows, allowed, columns, .. } => format!(
                "{rows} rows hold values that don't fit their declared types, in {}, and `bad_values` in tierd.toml allows {allowed}",
                columns.join(", ")
            ),
            other => other.to_string(),
        }
    }
}

/// Checks everything that the configuration limits. `lookup`: which table that plugins look things up in this is, if it is one.
///
/// # Errors
/// The first [`LimitError`], the most basic ones first.
pub(crate) fn check(
    rules: &RuleSet,
    source: &SourceData,
    lookup: Option<&Lookup>,
    clock: &Clock,
) -> Result<(), LimitError> {
    match lookup {
        Some(lookup) => check_finds(lookup, source)?,
        None => source.tables.iter().try_for_each(|table| check_not_empty(rules, source, table))?,
    }
    check_bad_values(rules, source)?;
    check_unknown_subjects(rules, source)?;
    source.tables.iter().try_for_each(|table| check_fresh(rules, table, clock))
}

fn check_not_empty(rules: &RuleSet, source: &SourceData, table: &TableRead) -> Result<(), LimitError> {
    let Some(facts) = table.facts.map(|facts| &rules.config.facts[facts.0]) else {
        let empty = source.keys.is_empty();
        return if empty { Err(LimitError::NoSubjects { table: table.table.clone() }) } else { Ok(()) };
    };
    match table.rows {
        0 if !facts.may_be_empty => Err(LimitError::NoFacts { facts: facts.name.clone(), table: table.table.clone() }),
        _ => Ok(()),
    }
}

fn check_finds(lookup: &Lookup, source: &SourceData) -> Result<(), LimitError> {
    match source.keys.is_empty() && !lookup.may_be_empty {
        true => Err(LimitError::NoLookup { lookup: lookup.name.clone(), table: lookup.table.clone() }),
        false => Ok(()),
    }
}

fn check_bad_values(rules: &RuleSet, source: &SourceData) -> Result<(), LimitError> {
    let limit = rules.config.bad_values;
    let (bad, rows) = source.bad_rows();
    if !limit.exceeded(bad, rows) {
        return Ok(());
    }
    let details = source.bad_values.iter().map(|values| format!("  {}", bad_values(values))).collect();
    let columns = source.bad_values.iter().map(|values| format!("{}.{}", values.table, values.column)).collect();
    Err(LimitError::BadValues { rows: bad, allowed: allowed(limit), columns, details })
}

fn check_unknown_subjects(rules: &RuleSet, source: &SourceData) -> Result<(), LimitError> {
    let limit = rules.config.unknown_subjects;
    let (unknown, rows) = source.unknown_subjects();
    if !limit.exceeded(unknown, rows) {
        return Ok(());
    }
    let facts = source.tables.iter().filter(|table| table.unknown_subjects > 0).filter_map(|table| table.facts);
    let facts = facts.map(|facts| rules.config.facts[facts.0].name.clone()).collect();
    Err(LimitError::UnknownSubjects { rows: unknown, allowed: allowed(limit), facts })
}

fn check_fresh(rules: &RuleSet, table: &TableRead, clock: &Clock) -> Result<(), LimitError> {
    let Some(facts) = table.facts.map(|facts| &rules.config.facts[facts.0]) else { return Ok(()) };
    let (Some(fresh), Some(newest)) = (facts.fresh, table.newest) else { return Ok(()) };
    match newest < clock.as_of_plus(fresh.negate()) {
        true => Err(LimitError::Stale { facts: facts.name.clone(), newest, fresh }),
        false => Ok(()),
    }
}

/// `orders.amount: 2 values are no decimal(2): row 17 of subject 4: TEXT "n/a"; …`
pub(crate) fn bad_values(values: &BadValues) -> String {
    let BadValues { table, column, expected, count, examples } = values;
    let examples: Vec<String> = examples.iter().map(ToString::to_string).collect();
    let more = if *count > examples.len() as u64 { "; …" } else { "" };
    format!("{table}.{column}: {count} not {expected}: {}{more}", examples.join("; "))
}

fn allowed(limit: Limit) -> String {
    match limit {
        Limit::Rows(0) => "none".to_owned(),
        Limit::Rows(rows) => rows.to_string(),
        Limit::PartsPerMillion(ppm) => format!("{} %", f64::from(ppm) / 10_000.0),
        Limit::Unlimited => "any number".to_owned(),
    }
}
