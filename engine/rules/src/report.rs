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
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() { self.left_out += 1 } else { self.kept.push(diagnostic) }
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether no more is kept, so that nothing needs to be said in detail.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() == MOST
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.kept.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
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
            let more = Diagnostic::error(code::TOO_MANY, &last.primary.location, headline);
            self.kept.push(more.help("mend these first"));
        }
        self.kept
    }
}
