//! Results as JUnit XML, which build servers show: one test suite per file, one test case per case.
//!
//! The few elements are written by hand; what they hold is escaped here and nowhere else. Times are left out: what is run is far
//! quicker than what such files are made for.

use std::fmt::Write;

use tierd_rules::FileSet;

use crate::{CaseResult, Failure, FileResult};

/// The document. `files` are those of the tests.
pub fn xml(results: &[FileResult], files: &FileSet) -> String {
    let (tests, failures) = counts(results.iter().flat_map(|file| &file.cases));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String never fails; the same goes for the functions below.
    let _ = writeln!(out, "<testsuites name=\"tierd test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">");
    for file in results {
        suite(&mut out, file, files);
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts<'a>(cases: impl Iterator<Item = &'a CaseResult>) -> (usize, usize) {
    cases.fold((0, 0), |(all, failed), case| (all + 1, failed + usize::from(!case.failures.is_empty())))
}

fn suite(out: &mut String, file: &FileResult, files: &FileSet) {
    let path = escaped(&files.file(file.file).path);
    let (tests, failures) = counts(file.cases.iter());
    let _ = writeln!(
        out,
        "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"
    );
    for case in &file.cases {
        let line = files.position(&case.at).1;
        let name = escaped(&case.name);
        let _ = write!(out, "    <testcase name=\"{name}\" classname=\"{path}\" file=\"{path}\" line=\"{line}\"");
        if case.failures.is_empty() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        case.failures.iter().for_each(|of| failure(out, of, files));
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}

fn failure(out: &mut String, failure: &Failure, files: &FileSet) {
    let (path, line, _) = files.position(&failure.at);
    let message = format!("{}: expected {}, found {}", failure.what, failure.expected, failure.found);
    let who = failure.who.as_ref().map(|who| format!(", {who}")).unwrap_or_default();
    let mut text = format!("{path}:{line}, as of {}{who}\n", failure.as_of);
    failure.detail.iter().for_each(|line| text.extend([line, "\n"]));
    let (message, text) = (escaped(&message), escaped(&text));
    let _ = writeln!(out, "      <failure type=\"expectation\" message=\"{message}\">{text}</failure>");
}

/// Text for an element or an attribute. Characters that XML can't hold at all become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\0'..'\x20' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_in_a_name_can_end_its_element() {
        assert_eq!(escaped("a<b> & \"c\" 'd'\n年"), "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;年");
        assert_eq!(escaped("\u{1}\u{8}\u{ffff}"), "\u{fffd}\u{fffd}\u{fffd}");
    }
}
