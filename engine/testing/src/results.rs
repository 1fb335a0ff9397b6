//! What came of running cases.

use tierd_rules::{FileId, Location};

/// The cases of one file that were run.
#[derive(Debug, Clone, PartialEq)]
pub struct FileResult {
    /// Which file of the tests' file set.
    pub file: FileId,
    /// In the order written.
    pub cases: Vec<CaseResult>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub at: Location,
    /// Everything that isn't as expected; the case passes if there is nothing.
    pub failures: Vec<Failure>,
}

/// Something that isn't as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where the expectation is written.
    pub at: Location,
    /// The time of the step, local: `2026-06-30 09:00`.
    pub as_of: String,
    /// Of whom, where the case has several subjects: `customer 2`.
    pub who: Option<String>,
    /// What was looked at: `level in value`.
    pub what: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// Lines that help to see why: the explanation of a level, the differences of tasks.
    pub detail: Vec<String>,
}
