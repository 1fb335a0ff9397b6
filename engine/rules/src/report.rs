//! Where diagnostics go while files are read and checked.

use crate::{
    code,
    diagnostic::{Diagnostic, Severity},
};

/// The most that anyone reads. Files that are wrong in every line would else fill the memory.
const MOST: usize = 1_000;

/// Diagnostics in the order found, the first [`MOST`] of them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    kept: Vec<Diagnostic>,
    left_out: usize,
    has_errors: bool,
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.has_errors |= diagnostic.severity == Severity::Error;
        if self.is_full() { self.left_out += 1 } else { self.kept.push(diagnostic) }
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether no more is kept, so that nothing needs to be said in detail.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() == MOST
    }

    /// Whether there was any error, kept or not.
    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All of them by file and place, those of one place in the order found, each once; at the end how many were left out.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|diagnostic| {
            let at = &diagnostic.primary.location;
            (at.file, at.range.start, at.range.end)
        });
        self.kept.dedup();
        if let (Some(last), true) = (self.kept.last(), self.left_out > 0) {
            let headline = format!("{} more mistakes aren't shown", self.left_out);
            let severity = if self.has_errors { Severity::Error } else { Severity::Warning };
            let more = Diagnostic { severity, ..Diagnostic::error(code::TOO_MANY, &last.primary.location, headline) };
            self.kept.push(more.help("mend these first"));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fileset::{FileId, Location};

    fn diagnostic(severity: Severity, at: usize) -> Diagnostic {
        let at = Location { file: FileId(0), range: at..at };
        Diagnostic { severity, ..Diagnostic::error(code::UNKNOWN_KEY, &at, "") }
    }

    #[test]
    fn an_error_after_many_warnings_is_not_forgotten() {
        let mut report = Report::default();
        report.extend((0..MOST + 5).map(|at| diagnostic(Severity::Warning, at)));
        assert!(!report.has_errors());
        report.push(diagnostic(Severity::Error, 0));
        assert!(report.has_errors());
        let last = report.sorted().pop().map(|last| (last.severity, last.headline));
        assert_eq!(last, Some((Severity::Error, "6 more mistakes aren't shown".to_owned())));
    }

    #[test]
    fn places_are_in_order_and_the_same_thing_is_said_once() {
        let mut report = Report::default();
        report.extend([3, 1, 3].map(|at| diagnostic(Severity::Error, at)));
        let starts: Vec<usize> = report.sorted().iter().map(|kept| kept.primary.location.range.start).collect();
        assert_eq!(starts, [1, 3]);
    }
}
