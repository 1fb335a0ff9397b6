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
    /// Stable, kebab-case, such as `unknown-name`: one of [`crate::code::ALL`].
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
    /// An error at a place.
    pub fn error(code: &'static str, at: &Location, headline: impl Into<String>) -> Self {
        let primary = Label { location: at.clone(), text: String::new() };
        let headline = headline.into();
        Diagnostic { code, severity: Severity::Error, headline, primary, others: vec![], help: None }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, at: &Location, headline: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, at, headline) }
    }

    /// With words at the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// With another place.
    #[must_use]
    pub fn other(mut self, at: &Location, text: impl Into<String>) -> Self {
        self.others.push(Label { location: at.clone(), text: text.into() });
        self
    }

    /// With a fix.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// With a fix, where there is one.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// The file, line and column (both from 1; columns count characters) of the primary place.
    pub fn position<'a>(&self, files: &'a FileSet) -> (&'a str, usize, usize) {
        files.position(&self.primary.location)
    }
}
