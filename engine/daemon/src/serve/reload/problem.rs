//! Why files are refused, as data that outlives the daemon.

use serde_json::{Value, json};
use tierd_rules::{Diagnostic, FileSet, Severity};

use crate::{Loaded, ProjectError, serve::Problem};

/// The code of a setting that needs a restart.
pub(crate) const SETTINGS: &str = "settings";
/// The code of files that can't be read.
pub(crate) const FILES: &str = "files";

impl Problem {
    /// Every error of these files. Warnings refuse nothing, so they are no problems.
    pub(crate) fn errors(loaded: &Loaded) -> Vec<Problem> {
        let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.map(|diagnostic| Problem::of(diagnostic, &loaded.files)).collect()
    }

    fn of(diagnostic: &Diagnostic, files: &FileSet) -> Problem {
        let (file, line, column) = diagnostic.position(files);
        Problem {
            code: diagnostic.code.to_owned(),
            file: Some(file.to_owned()),
            line: Some(line),
            column: Some(column),
            message: diagnostic.headline.clone(),
            rendered: diagnostic.render(files, false),
        }
    }

    /// Files that can't be read.
    pub(super) fn unreadable(error: &ProjectError) -> Problem {
        Problem::plain(FILES, chain(error))
    }

    /// A problem without a place.
    pub(super) fn plain(code: &str, message: String) -> Problem {
        let rendered = format!("error[{code}]: {message}");
        Problem { code: code.to_owned(), file: None, line: None, column: None, message, rendered }
    }

    fn to_json(&self) -> Value {
        let Problem { code, file, line, column, message, rendered } = self;
        json!({ "code": code, "file": file, "line": line, "column": column, "message": message, "rendered": rendered })
    }
}

/// Problems as the ledger keeps them: an array of objects with the fields of [`Problem`].
pub(super) fn to_json(problems: &[Problem]) -> String {
    Value::Array(problems.iter().map(Problem::to_json).collect()).to_string()
}

/// `error: cause: cause`.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
