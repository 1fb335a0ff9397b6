//! The rules in force.

use std::sync::Arc;

use tierd_model::Timestamp;
use tierd_rules::RuleSet;

/// The rules in force, and how they stand to the files.
#[derive(Debug, Clone)]
pub struct Active {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Since when they are in force.
    pub since: Timestamp,
    /// Where they come from.
    pub origin: Origin,
    /// Why the files on disk aren't in force, where they aren't.
    pub refused: Option<Refused>,
}

/// Where the rules in force come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the files as they are, or were before they were refused.
    Files,
    /// From the ledger: the files were refused when the daemon started.
    LastGood,
    /// From the ledger: somebody rolled back, and the files haven't changed since.
    RolledBack,
}

impl Origin {
    /// In words, for logs and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Files => "files",
            Origin::LastGood => "last_good",
            Origin::RolledBack => "rolled_back",
        }
    }
}

/// Files on disk that aren't in force.
#[derive(Debug, Clone)]
pub struct Refused {
    /// When they were first refused.
    pub since: Timestamp,
    /// Hash over the files as they are on disk, in hexadecimal; empty where they can't be read.
    pub files: String,
    /// Every reason.
    pub problems: Vec<Problem>,
}

/// Why files are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code of a diagnostic; `settings` for one that needs a restart, `files` for files that can't be read.
    pub code: String,
    /// File, from the project's folder.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// All of it as a person reads it in a terminal, without colours.
    pub rendered: String,
}
