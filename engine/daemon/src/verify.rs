//! A configuration held against the database that it describes.

use tierd_rules::{Diagnostic, RuleSet, code};
use tierd_sources::{DatabaseError, Missing, SchemaProblem, Snapshot, schema::schema};

use crate::{Project, evaluate};

/// Tables and columns that the configuration names and the database doesn't have, each at its place.
///
/// # Errors
/// [`DatabaseError`] where the database can't be opened or read.
pub fn against_database(project: &Project, rules: &RuleSet) -> Result<Vec<Diagnostic>, DatabaseError> {
    let database = evaluate::open(project.database(&rules.config))?;
    let snapshot = Snapshot::open(&database, 1)?;
    let tables = schema(snapshot.connection()).map_err(|source| database.error(source))?;
    Ok(tierd_sources::verify(&rules.config, &tables).iter().map(diagnostic).collect())
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
