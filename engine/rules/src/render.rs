//! Diagnostics for people and for machines: the text with the quoted line and carets, and JSON.

use std::{borrow::Cow, ops::Range};

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::{
    diagnostic::{Diagnostic, Label, Severity},
    fileset::{FileId, FileSet, Location, is_plugin},
};

/// How many bytes of a line are looked at after what is shown: a file may be one line of a megabyte.
const MOST_AFTER: usize = 1 << 10;

impl Diagnostic {
    /// The diagnostic as text of several lines, without a line end: headline, place, the quoted lines with carets, and the fix.
    /// `files` is the set that it was reported for. In colour it has ANSI escapes.
    ///
    /// ```
    /// # use tierd_rules::{File, FileSet, load};
    /// let loaded = load(FileSet::new(vec![File { path: "tierd.toml".into(), text: "time_zone = 1".into() }]));
    /// let text = loaded.diagnostics[2].render(&loaded.files, false);
    /// assert!(text.starts_with("error[wrong-value-type]: expected a string in quotes, found a whole number\n --> tierd.toml:1:13"));
    /// ```
    pub fn render(&self, files: &FileSet, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(printable(&self.headline)).id(self.code);
        let group = title.elements(self.snippets(files));
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(printable(help))),
            None => group,
        };
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// One snippet for each file, the one with the primary place first; of a plugin only its path, as there is nothing to quote.
    fn snippets<'a>(&'a self, files: &'a FileSet) -> Vec<Element<'a>> {
        let mut in_order: Vec<FileId> = vec![self.primary.location.file];
        for other in &self.others {
            if !in_order.contains(&other.location.file) {
                in_order.push(other.location.file);
            }
        }
        let element = |file: FileId| match is_plugin(&files.file(file).path) {
            true => Origin::path(&*files.file(file).path).into(),
            false => self.snippet(file, files).into(),
        };
        in_order.into_iter().map(element).collect()
    }

    fn snippet<'a>(&'a self, file: FileId, files: &'a FileSet) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let text = &files.file(file).text;
        let primary = std::iter::once((AnnotationKind::Primary, &self.primary));
        let labels = primary.chain(self.others.iter().map(|label| (AnnotationKind::Context, label)));
        let labels: Vec<_> = labels
            .filter(|(_, label)| label.location.file == file)
            .map(|(kind, label)| (kind, label, one_line(text, &label.location.range)))
            .collect();
        // Only the lines in question: the renderer looks at all that it is given.
        let first = labels.iter().map(|(_, _, range)| range.start).min().unwrap_or(0);
        let last = labels.iter().map(|(_, _, range)| range.end).max().unwrap_or(0);
        let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
        let end = text[last..].find(['\r', '\n']).map_or(text.len(), |at| last + at);
        let end = floor(text, end.min(last + MOST_AFTER));
        let line = text[..start].matches('\n').count() + 1;
        let annotations = labels.into_iter().map(|(kind, label, range)| {
            let annotation = kind.span(range.start - start..range.end - start);
            if label.text.is_empty() { annotation } else { annotation.label(printable(&label.text)) }
        });
        Snippet::source(quotable(&text[start..end]))
            .line_start(line)
            .path(&*files.file(file).path)
            .annotations(annotations)
    }

    /// The diagnostic as JSON: `code`, `severity`, `headline`, `help`, `places` (the first is the primary one) with `file`, `line`,
    /// `column`, `end_line`, `end_column` (from 1, columns counting characters, the end exclusive) and `label`.
    pub fn to_json(&self, files: &FileSet) -> Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let places: Vec<Value> = std::iter::once(&self.primary).chain(&self.others).map(|l| place(l, files)).collect();
        json!({
            "code": self.code,
            "severity": severity,
            "headline": self.headline,
            "help": self.help,
            "places": places,
        })
    }
}

fn place(label: &Label, files: &FileSet) -> Value {
    let file = files.file(label.location.file);
    let range = in_text(&file.text, &label.location.range);
    let (line, column) = Location::line_and_column(&file.text, range.start);
    let (end_line, end_column) = Location::line_and_column(&file.text, range.end);
    json!({
        "file": &*file.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "label": label.text,
    })
}

/// The range cut to the text and to whole characters.
fn in_text(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = floor(text, range.start);
    start..floor(text, range.end).max(start)
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// As much of the range as is on its first line.
fn one_line(text: &str, range: &Range<usize>) -> Range<usize> {
    let range = in_text(text, range);
    match text[range.clone()].find('\n') {
        Some(at) => range.start..range.start + at,
        None => range,
    }
}

/// The renderer shows the control characters of ASCII as signs; those of Latin-1 are replaced here, byte for byte.
fn quotable(text: &str) -> Cow<'_, str> {
    let latin = |char: char| ('\u{80}'..='\u{9f}').contains(&char);
    match text.contains(latin) {
        true => Cow::Owned(text.replace(latin, "·")),
        false => Cow::Borrowed(text),
    }
}

/// Names come from files, and a terminal obeys control characters.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escape = |char: char| match char.is_control() {
        true => char.escape_default().to_string(),
        false => char.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}
