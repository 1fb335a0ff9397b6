//! A configuration against the tables that are really there.

use std::fmt;

use tierd_rules::{Config, Facts, Location, Lookup, Subject, nearest};

use crate::schema::{Table, TableKind};

/// Something that the configuration names and the database doesn't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaProblem {
    /// What is missing.
    pub missing: Missing,
    /// The name that was probably meant.
    pub suggestion: Option<String>,
    /// Where the configuration names it.
    pub at: Location,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A table or view.
    Table(String),
    /// A column of a table that is there.
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// All columns of a view that refers to something that is gone.
    BrokenView(String),
}

impl SchemaProblem {
    /// `no table `odrers` in the database`
    pub fn headline(&self) -> String {
        match &self.missing {
            Missing::Table(table) => format!("no table `{table}` in the database"),
            Missing::Column { table, column } => format!("table `{table}` has no column `{column}`"),
            Missing::BrokenView(view) => format!("view `{view}` refers to something that is gone"),
        }
    }
}

/// The headline, and the suggestion if there is one.
impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        match &self.suggestion {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

/// Everything that is missing for any table of the configuration.
pub fn verify(config: &Config, schema: &[Table]) -> Vec<SchemaProblem> {
    let subjects = config.subjects.iter().flat_map(|subject| verify_subject(subject, schema));
    let facts = config.facts.iter().flat_map(|facts| verify_facts(facts, schema));
    let lookups = config.lookups.iter().flat_map(|lookup| verify_lookup(lookup, schema));
    subjects.chain(facts).chain(lookups).collect()
}

/// What is missing for one kind of subject.
pub fn verify_subject(subject: &Subject, schema: &[Table]) -> Vec<SchemaProblem> {
    let attributes = subject.attributes.iter().map(|column| (column.column.as_str(), &column.at));
    let columns = std::iter::once((subject.key.as_str(), &subject.at)).chain(attributes);
    verify_table(&subject.table, &subject.at, columns, schema)
}

/// What is missing for one kind of facts.
pub fn verify_facts(facts: &Facts, schema: &[Table]) -> Vec<SchemaProblem> {
    let columns = facts.columns.iter().map(|column| (column.column.as_str(), &column.at));
    let columns = std::iter::once((facts.subject_column.as_str(), &facts.at)).chain(columns);
    verify_table(&facts.table, &facts.at, columns, schema)
}

/// What is missing for one table that plugins look things up in.
pub fn verify_lookup(lookup: &Lookup, schema: &[Table]) -> Vec<SchemaProblem> {
    let columns = lookup.columns.iter().map(|column| (column.column.as_str(), &column.at));
    let columns = std::iter::once((lookup.key.as_str(), &lookup.at)).chain(columns);
    verify_table(&lookup.table, &lookup.at, columns, schema)
}

fn verify_table<'a>(
    name: &str,
    at: &Location,
    columns: impl Iterator<Item = (&'a str, &'a Location)>,
    schema: &[Table],
) -> Vec<SchemaProblem> {
    let problem = |missing, suggestion: Option<&str>, at: &Location| SchemaProblem {
        missing,
        suggestion: suggestion.map(str::to_owned),
        at: at.clone(),
    };
    let Some(table) = find_table(schema, name) else {
        let known = schema.iter().map(|table| table.name.as_str());
        return vec![problem(Missing::Table(name.to_owned()), nearest(name, known), at)];
    };
    if table.kind == TableKind::View && table.columns.is_empty() {
        return vec![problem(Missing::BrokenView(name.to_owned()), None, at)];
    }
    let absent = columns.filter(|(column, _)| table.column(column).is_none());
    absent
        .map(|(column, at)| {
            let known = table.columns.iter().map(|column| column.name.as_str());
            let missing = Missing::Column { table: table.name.clone(), column: column.to_owned() };
            problem(missing, nearest(column, known), at)
        })
        .collect()
}

/// The table of this name, as SQLite compares names.
pub(crate) fn find_table<'a>(schema: &'a [Table], name: &str) -> Option<&'a Table> {
    schema.iter().find(|table| table.name.eq_ignore_ascii_case(name))
}
