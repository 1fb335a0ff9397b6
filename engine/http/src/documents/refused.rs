use serde::{Deserialize, Serialize};
use tierd_daemon::serve;
use utoipa::ToSchema;

/// Files on disk that aren't in force
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// When they were first refused
    pub since: String,
    /// A hash over the files as they are on disk; empty where they can't be read
    pub files: String,
    /// Every reason
    pub problems: Vec<Problem>,
}

/// Why files are refused
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FileProblem)]
pub struct Problem {
    /// The stable code of a diagnostic; `settings` for one that needs a restart, `files` for files that can't be read
    pub code: String,
    /// The file, from the project's folder
    pub file: Option<String>,
    /// The line, from 1
    pub line: Option<usize>,
    /// The column, from 1
    pub column: Option<usize>,
    /// What is wrong, in one line
    pub message: String,
    /// All of it, as a person reads it in a terminal
    pub rendered: String,
}

impl Refused {
    /// As the ledger keeps it.
    pub(super) fn of_ledger(reload: tierd_ledger::Reload) -> Self {
        let problems = reload.problems.and_then(|problems| serde_json::from_str(&problems).ok());
        Refused { since: reload.at.to_string(), files: reload.files, problems: problems.unwrap_or_default() }
    }
}

impl From<&serve::Refused> for Refused {
    fn from(refused: &serve::Refused) -> Self {
        Refused {
            since: refused.since.to_string(),
            files: refused.files.clone(),
            problems: refused.problems.iter().map(Problem::from).collect(),
        }
    }
}

impl From<&serve::Problem> for Problem {
    fn from(problem: &serve::Problem) -> Self {
        Problem {
            code: problem.code.clone(),
            file: problem.file.clone(),
            line: problem.line,
            column: problem.column,
            message: problem.message.clone(),
            rendered: problem.rendered.clone(),
        }
    }
}
