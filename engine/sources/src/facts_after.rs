//! When certain subjects had certain facts: for questions that no metric answers, such as whether somebody came back.
//!
//! The tables are read as in a run: one pass, the same decoders, filters and readers, on one snapshot. Deliberately absent: a
//! count of bad values. A row whose time, key or filter can't be read counts for nobody, as in a run, and it is the run that
//! says so.

use rusqlite::Connection;
use tierd_eval::scan::{FactPlan, FactTime};
use tierd_model::{Clock, Timestamp};
use tierd_rules::{Expr, FactsId, RuleSet};

use crate::{
    database::Database,
    facts::FactQuery,
    index::SubjectIndex,
    keys::Keys,
    progress::Progress,
    read::{ReadError, ReadOptions},
    schema::{Table, schema},
    snapshot::Snapshot,
    verify::{find_table, verify_facts},
};

/// Which facts are asked for.
#[derive(Debug, Clone, Copy)]
pub struct FactsAfter<'a> {
    /// Which table.
    pub facts: FactsId,
    /// Whose. Facts of others are passed over.
    pub keys: &'a Keys,
    /// What a fact must fulfil, over its columns.
    pub filter: Option<&'a Expr>,
    /// Only facts after this instant, and up to the clock's `as_of`. A date counts as its local midnight.
    pub after: Timestamp,
}

/// The times of the facts that each question asks for, in any order: all from one snapshot, which is closed on return. A
/// subject's index is its place among the keys of the question.
///
/// # Errors
/// [`ReadError`], above all where a table or column isn't there.
pub fn facts_after(
    database: &Database,
    rules: &RuleSet,
    questions: &[FactsAfter<'_>],
    clock: &Clock,
    options: ReadOptions,
    progress: &Progress,
) -> Result<Vec<Vec<FactTime>>, ReadError> {
    let mut snapshot = Snapshot::open(database, options.threads)?;
    let tables = schema(snapshot.connection()).map_err(|source| database.error(source))?;
    let problems = questions.iter().flat_map(|asked| verify_facts(&rules.config.facts[asked.facts.0], &tables));
    let problems: Vec<_> = problems.collect();
    if !problems.is_empty() {
        return Err(ReadError::Schema(problems));
    }
    let asking = Asking { rules, tables: &tables, clock, options, progress };
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        let found = asking.answer(question, snapshot.connections()).map_err(|source| database.error(source));
        if progress.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        answers.push(found?);
    }
    Ok(answers)
}

/// What all questions have in common.
struct Asking<'a> {
    rules: &'a RuleSet,
    tables: &'a [Table],
    clock: &'a Clock,
    options: ReadOptions,
    progress: &'a Progress,
}

impl Asking<'_> {
    fn answer(&self, asked: &FactsAfter<'_>, connections: &mut [Connection]) -> rusqlite::Result<Vec<FactTime>> {
        let facts = &self.rules.config.facts[asked.facts.0];
        #[expect(clippy::expect_used, reason = "`verify_facts` has found every table that is asked about")]
        let table = find_table(self.tables, &facts.table).expect("a table of the schema");
        let plan = FactPlan::of_times(facts, asked.filter, asked.after, self.clock);
        let index = SubjectIndex::new(asked.keys);
        let query = FactQuery {
            rules: self.rules,
            facts,
            table,
            plan: &plan,
            index: &index,
            clock: self.clock,
            kind: self.options.reader,
        };
        Ok(query.scan(connections, self.progress)?.finish().times)
    }
}
