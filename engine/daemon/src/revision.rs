//! Revisions that the ledger has: rules that were in force once, as they were.

use tierd_ledger::{Reader, RevisionHash};
use tierd_rules::{File, FileSet, RuleSet};

use crate::{Loaded, serve::Problem};

/// The rules of a revision in the ledger, checked anew; or why they can't be used.
///
/// # Errors
/// Where the ledger can't be read.
pub(crate) fn rules_of(
    reader: &Reader,
    revision: RevisionHash,
) -> Result<Result<RuleSet, String>, tierd_ledger::Error> {
    let files = reader.revision_files(revision)?;
    let files = files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() });
    let files = FileSet::new(files.collect());
    if files.revision().0 != revision.0 {
        return Ok(Err(format!("the files of revision {revision} in the ledger aren't those that it had")));
    }
    let loaded = Loaded::check(files);
    let problems: Vec<String> = Problem::errors(&loaded).into_iter().map(|problem| problem.rendered).collect();
    Ok(loaded
        .rules
        .ok_or_else(|| format!("revision {revision} has errors for this version of tierd:\n{}", problems.join("\n"))))
}
