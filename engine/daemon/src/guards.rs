//! What guards have to know of a run, besides its outcome: the tables that it read, and how many rows they had when the same was decided
//! last.

use serde_json::{Map, Value as Json, json};
use tierd_eval::guard::{self, Guarded, Seen, SeenTable, Table, Violation};
use tierd_ledger::Reader;
use tierd_model::Clock;
use tierd_rules::{RuleSet, ScheduleId, retention::Trigger};
use tierd_sources::TableRead;

use crate::evaluate::Evaluation;

/// Every guard that an evaluation breaks. Without a ledger there was no run before.
///
/// # Errors
/// [`tierd_ledger::ErrorKind`].
pub(crate) fn check(
    rules: &RuleSet,
    evaluation: &Evaluation,
    ledger: Option<&Reader>,
    clock: &Clock,
) -> Result<Vec<Violation>, tierd_ledger::Error> {
    let tables: Vec<SeenTable> = tables(evaluation).map(|(table, read)| seen(table, read)).collect();
    let before = RowsBefore::read(rules, evaluation, ledger)?;
    let rows_before = |of: Guarded, table: Table| before.rows(rules, of, table);
    Ok(guard::check(rules, &evaluation.outcome, &Seen { tables: &tables, rows_before: &rows_before, clock }))
}

/// Rows of each table that was read, for the runs to come: `{"subjects": {"customers": 1000}, "facts": {"orders": 9876}}`, by the
/// names of the subjects' tables and of the facts.
pub(crate) fn table_rows(rules: &RuleSet, evaluation: &Evaluation) -> Json {
    let (mut subjects, mut facts) = (Map::new(), Map::new());
    for (table, read) in tables(evaluation) {
        let kind = if kind(table) == SUBJECTS { &mut subjects } else { &mut facts };
        kind.insert(name(rules, table).to_owned(), read.rows.into());
    }
    json!({ SUBJECTS: subjects, FACTS: facts })
}

const SUBJECTS: &str = "subjects";
const FACTS: &str = "facts";

fn kind(table: Table) -> &'static str {
    match table {
        Table::Subject(_) => SUBJECTS,
        Table::Facts(_) => FACTS,
    }
}

fn name(rules: &RuleSet, table: Table) -> &str {
    match table {
        Table::Subject(subject) => &rules.config.subjects[subject.0].table,
        Table::Facts(facts) => &rules.config.facts[facts.0].name,
    }
}

fn tables(evaluation: &Evaluation) -> impl Iterator<Item = (Table, &TableRead)> {
    evaluation.sources.iter().flat_map(|source| {
        source.tables.iter().map(|read| (read.facts.map_or(Table::Subject(source.subject), Table::Facts), read))
    })
}

fn seen(table: Table, read: &TableRead) -> SeenTable {
    SeenTable { table, rows: read.rows, bad_rows: read.bad_rows, newest: read.newest }
}

/// Rows of each table when the same schedules were last decided, as [`table_rows`] wrote them.
struct RowsBefore(Vec<(Option<ScheduleId>, Json)>);

impl RowsBefore {
    /// Asks the ledger for no more than guards ask.
    fn read(rules: &RuleSet, evaluation: &Evaluation, ledger: Option<&Reader>) -> Result<Self, tierd_ledger::Error> {
        let mut before: Vec<(Option<ScheduleId>, Json)> = Vec::new();
        let Some(ledger) = ledger else { return Ok(RowsBefore(before)) };
        let outcome = &evaluation.outcome;
        let sets = outcome.sets_due().map(|of| (Guarded::Set(of.set), rules.tier_sets[of.set.0].guard.as_ref()));
        let others = outcome.rules_due().map(|of| (Guarded::Rule(of.rule), rules.retention[of.rule.0].guard.as_ref()));
        for (of, guard) in sets.chain(others) {
            let schedule = schedule(rules, of);
            let asks = guard.is_some_and(|guard| guard.shrunk.is_some());
            if !asks || before.iter().any(|(known, _)| *known == schedule) {
                continue;
            }
            let name = schedule.map(|id| rules.schedules[id.0].name.as_str());
            let rows = ledger.last_table_rows(name)?;
            before.push((schedule, rows.and_then(|rows| serde_json::from_str(&rows).ok()).unwrap_or_default()));
        }
        Ok(RowsBefore(before))
    }

    fn rows(&self, rules: &RuleSet, of: Guarded, table: Table) -> Option<u64> {
        let schedule = schedule(rules, of);
        let (_, rows) = self.0.iter().find(|(known, _)| *known == schedule)?;
        rows[kind(table)][name(rules, table)].as_u64()
    }
}

/// What decides when a set or rule is due. A rule on moves goes with its tier set.
fn schedule(rules: &RuleSet, of: Guarded) -> Option<ScheduleId> {
    match of {
        Guarded::Set(set) => rules.tier_sets[set.0].schedule,
        Guarded::Rule(rule) => match rules.retention[rule.0].trigger {
            Trigger::Moved { set, .. } => rules.tier_sets[set.0].schedule,
            _ => rules.retention[rule.0].schedule,
        },
    }
}
