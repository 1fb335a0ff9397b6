//! Test files, checked: cases that say what is so, when, and what is expected of the rules.
//!
//! Everything that a case names is looked up in the rules that it tests, so that running it can't fail but for an expectation.
//! Places refer to [`LoadedTests::files`], not to the files of the rules.

use tierd_model::{Date, Key, Timestamp, Value};

use crate::{
    checked::{FactsId, MetricId, RuleId, SubjectId, TierSetId},
    diagnostic::Diagnostic,
    fileset::{FileId, FileSet, Location},
};

pub use crate::check::load_tests;

/// What the name of a test file ends with. Such a file is never taken for rules.
pub const TEST_FILE_END: &str = ".test.toml";

/// What loading test files gave.
#[derive(Debug, Clone)]
pub struct LoadedTests {
    /// The cases; `None` where any file has an error.
    pub tests: Option<Vec<TestFile>>,
    /// Every mistake, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, for rendering the diagnostics and for naming lines.
    pub files: FileSet,
}

/// One test file.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// Which file of [`LoadedTests::files`].
    pub file: FileId,
    /// Its cases, in the order written.
    pub cases: Vec<Case>,
}

/// A case: one or more runs over the same few subjects.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// Metrics whose values are given in place of what would be computed, ascending.
    pub given: Vec<MetricId>,
    /// Overrides, in the order written.
    pub overrides: Vec<CaseOverride>,
    /// Runs, in the order of time; at least one.
    pub steps: Vec<CaseStep>,
    /// Its name in the file.
    pub at: Location,
}

/// One run of a case.
#[derive(Debug, Clone)]
pub struct CaseStep {
    /// Its time.
    pub as_of: Timestamp,
    /// What is new of each subject, and what is expected of it.
    pub told: Vec<Told>,
    /// Rules whose open tasks were done before the run.
    pub done: Vec<RuleId>,
    /// Tasks of the run that are expected: of all subjects, or of one.
    pub tasks: Vec<ActsOf<ExpectedTask>>,
    /// Events of the run that are expected.
    pub events: Vec<ActsOf<ExpectedEvent>>,
    /// Where it is written.
    pub at: Location,
}

/// A subject of a case, as the database would have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Who {
    /// Its kind.
    pub subject: SubjectId,
    /// Its key.
    pub key: Key,
}

/// What a step tells of a subject, and expects of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// Of whom.
    pub who: Who,
    /// Values of attributes, by index into the subject's attributes. What isn't told stays as it was, at first NULL.
    pub attributes: Vec<(usize, Option<Value>)>,
    /// Values given in place of computed ones.
    pub metrics: Vec<(MetricId, Option<Value>)>,
    /// Facts that exist from this step on.
    pub facts: Vec<Fact>,
    /// What is expected.
    pub expect: Vec<Expectation>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Of which kind.
    pub facts: FactsId,
    /// By column; those that aren't told are NULL.
    pub values: Vec<Option<Value>>,
}

/// One thing expected of a subject.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// What.
    pub what: Expected,
    /// Where it is written.
    pub at: Location,
}

/// What can be expected of a subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// Its level in a tier set; `None` for none.
    Level(TierSetId, Option<u16>),
    /// The value of a metric; `None` for NULL. An exact number may have fewer digits than the metric's type.
    Metric(MetricId, Option<Value>),
    /// That it moved in the run, from one level to another.
    Move(TierSetId, Option<u16>, Option<u16>),
    /// That it didn't move in the run.
    Stays(TierSetId),
    /// Why it moved in the run.
    Reason(TierSetId, String),
    /// A text of its explanation.
    Explain(String),
}

/// Tasks or events that are expected, all of them.
#[derive(Debug, Clone)]
pub struct ActsOf<T> {
    /// Of one subject; `None` for all of the case.
    pub who: Option<Who>,
    /// What is expected, in the order written.
    pub all: Vec<T>,
    /// Where it is written.
    pub at: Location,
}

/// A task that is expected. What is `None` isn't compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExpectedTask {
    /// Of which rule.
    pub rule: Option<RuleId>,
    /// Of whom.
    pub key: Option<Key>,
    /// What is to be done.
    pub title: Option<String>,
    /// By whom.
    pub owner: Option<String>,
    /// By which channel.
    pub channel: Option<String>,
    /// Details.
    pub text: Option<String>,
    /// By when; `Some(None)` for a task without such a day.
    pub due: Option<Option<Date>>,
    /// Whether it is an earlier task that passes to somebody else.
    pub escalated: Option<bool>,
}

/// An event that is expected. What is `None` isn't compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExpectedEvent {
    /// Of which rule.
    pub rule: Option<RuleId>,
    /// Of whom.
    pub key: Option<Key>,
    /// Its kind.
    pub event: Option<String>,
    /// What goes with it, as far as it is compared.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// An override that is in force for some time.
#[derive(Debug, Clone)]
pub struct CaseOverride {
    /// Whose.
    pub who: Who,
    /// In which tier set.
    pub set: TierSetId,
    /// What it does.
    pub kind: CaseOverrideKind,
    /// The level.
    pub level: u16,
    /// From when on; `None` for always.
    pub from: Option<Timestamp>,
    /// The first moment at which it isn't in force any more.
    pub until: Option<Timestamp>,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseOverrideKind {
    /// Exactly this level.
    Pin,
    /// At least this level.
    Floor,
    /// At most this level.
    Ceiling,
}
