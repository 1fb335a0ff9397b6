//! A first configuration for a database that nobody has described yet: what `tierd init` writes.
//!
//! ```text
//! schema + sampled rows ─► columns, links, subjects ─► subject, its facts ─► tierd.toml, rules/value.toml
//!      (tables)        (kind, links, candidates; names)     (relate)          (write_config, write_rules)
//! ```
//!
//! Everything here is a guess that a person reads next, so each guess says in a comment what it rests on and what else it
//! could be. Two things are no guess: the output loads without a diagnostic, and a run over it works. Where samples hold
//! values that a run would refuse, the proposal says so and allows them.
//!
//! The database is only read, in one read transaction: the schema, and a few hundred rows per table from both ends. No value
//! of a personal column gets into the output.

mod candidates;
mod kind;
mod links;
mod names;
mod naming;
mod newest;
mod relate;
mod tables;
mod toml_text;
mod write_attribute_rules;
mod write_config;
mod write_rules;

use rusqlite::Connection;

/// What the proposal can't find in the database.
#[derive(Debug, Clone, Copy)]
pub struct InitOptions<'a> {
    /// Path of the database as `tierd.toml` shall name it.
    pub database: &'a str,
    /// IANA name of the zone in which days begin.
    pub time_zone: &'a str,
}

/// Two files to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Text of `tierd.toml`.
    pub config: String,
    /// Path of the rule file, relative to the folder of `tierd.toml`.
    pub rules_file: String,
    /// Its text.
    pub rules: String,
    /// What a person should know or decide, a sentence each.
    pub notes: Vec<String>,
}

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The database can't be read.
    #[error("cannot read the schema of the database")]
    Database(#[from] rusqlite::Error),
    /// No table, no view.
    #[error("the database has no tables")]
    NoTables,
    /// Tables, but none that looks like customers.
    #[error(
        "no table looks like customers: none of {} has a unique key and a name such as customers, members or users, or is \
         referred to by dated rows",
        quoted(tables)
    )]
    NoSubject {
        /// The tables and views that there are.
        tables: Vec<String>,
    },
}

impl InitError {
    /// What to write by hand where nothing is recognised: a `tierd.toml` to fill in.
    pub fn template(&self, options: &InitOptions<'_>) -> Option<String> {
        match self {
            InitError::NoSubject { tables } => Some(write_config::template(options, tables)),
            InitError::Database(_) | InitError::NoTables => None,
        }
    }
}

/// Reads the schema and sampled rows behind `connection` and proposes a configuration and a first rule file.
///
/// # Errors
/// [`InitError`] where the database can't be read, or no table in it can be graded.
pub fn propose(connection: &Connection, options: &InitOptions<'_>) -> Result<Proposal, InitError> {
    // One transaction, so that schema and rows belong together; dropping it ends it.
    let snapshot = connection.unchecked_transaction()?;
    let (tables, mut notes) = tables::read(&snapshot)?;
    if tables.is_empty() {
        return Err(InitError::NoTables);
    }
    let Some(found) = relate::relate(&snapshot, &tables, &mut notes)? else {
        return Err(InitError::NoSubject { tables: tables.into_iter().map(|t| t.name).collect() });
    };
    let config = write_config::config(options, &found, &mut notes);
    let rules = write_rules::rules(options, &found, &mut notes);
    Ok(Proposal { config, rules_file: "rules/value.toml".to_owned(), rules, notes })
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
