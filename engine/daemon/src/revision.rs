//! Revisions that the ledger has: rules that were in force once, as they were.

use tierd_ledger::{Reader, RevisionHash};
use tierd_rules::{File, FileSet, PluginFile, RuleSet};

use crate::{Project, serve::Problem};

/// The rules of a revision in the ledger, checked anew; or why they can't be used.
///
/// # Errors
/// Where the ledger can't be read.
pub(crate) fn rules_of(
    project: &Project,
    reader: &Reader,
    revision: RevisionHash,
) -> Result<Result<RuleSet, String>, tierd_ledger::Error> {
    let files = reader.revision_files(revision)?;
    let files: Vec<File> =
        files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() }).collect();
    let mut plugins = Vec::new();
    for (file, hash) in files.iter().filter_map(|file| Some((file, file.plugin()?))) {
        match reader.plugin(RevisionHash(hash.0))? {
            Some(bytes) => plugins.push(PluginFile::new(file.path.clone(), bytes)),
            None => return Ok(Err(format!("the ledger doesn't have {} of revision {revision}", file.path))),
        }
    }
    let files = FileSet::new(files).with_plugins(plugins);
    if files.revision().0 != revision.0 {
        return Ok(Err(format!("the files of revision {revision} in the ledger aren't those that it had")));
    }
    let loaded = project.check(files);
    let problems: Vec<String> = Problem::errors(&loaded).into_iter().map(|problem| problem.rendered).collect();
    Ok(loaded
        .rules
        .ok_or_else(|| format!("revision {revision} has errors for this version of tierd:\n{}", problems.join("\n"))))
}
