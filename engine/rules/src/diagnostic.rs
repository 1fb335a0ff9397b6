//! A mistake in a user's file, as data. The renderer is separate ([`Diagnostic::render`] and JSON).

use crate::fileset::{FileSet, Location};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rules load, but probably don't mean what their author wants.
    Warning,
    /// The rules don't load.
    Error,
}

/// A place with a few words about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub location: Location,
    /// What is there; may be empty.
    pub text: String,
}

/// One mistake: a stable code, a headline, where it is, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, kebab-case, such as `unknown-name`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One terse line, lower case, no full stop.
    pub headline: String,
    /// The place that it is about.
    pub primary: Label,
    /// Other places that help to understand it.
    pub others: Vec<Label>,
    /// The fix, in a sentence.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The file, line and column (both from 1; columns count characters) of the primary place.
    pub fn position<'a>(&self, files: &'a FileSet) -> (&'a str, usize, usize) {
        let file = files.file(self.primary.location.file);
        let before = &file.text[..self.primary.location.range.start.min(file.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (&file.path, line, column)
    }
}
