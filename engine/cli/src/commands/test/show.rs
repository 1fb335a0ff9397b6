//! Results of tests for people and programs.

use serde_json::{Value as Json, json};
use tierd_rules::{FileSet, RuleSet};
use tierd_testing::{Coverage, Failure as Unexpected, FileResult, coverage::Condition};

use crate::{
    exit::Failure,
    output::{Cell, Output, Table},
};

/// Everything that failed, with its place and what explains it.
pub(crate) fn failures(results: &[FileResult], files: &FileSet, output: Output) -> Result<(), Failure> {
    for case in results.iter().flat_map(|file| &file.cases).filter(|case| !case.failures.is_empty()) {
        let (path, line, _) = files.position(&case.at);
        output.line(&format!("FAILED {path}:{line}  {}", case.name))?;
        for unexpected in &case.failures {
            failure(unexpected, files, output)?;
        }
        output.line("")?;
    }
    Ok(())
}

fn failure(unexpected: &Unexpected, files: &FileSet, output: Output) -> Result<(), Failure> {
    let (path, line, _) = files.position(&unexpected.at);
    let who = unexpected.who.as_ref().map(|who| format!(", {who}")).unwrap_or_default();
    output.line(&format!("  {path}:{line}, as of {}{who}", unexpected.as_of))?;
    output.line(&format!("    {}: expected {}, found {}", unexpected.what, unexpected.expected, unexpected.found))?;
    for line in &unexpected.detail {
        output.line(&format!("      {line}"))?;
    }
    Ok(())
}

/// `12 cases in 2 files: 11 passed, 1 failed`.
pub(crate) fn summary(results: &[FileResult]) -> String {
    let (cases, failed) = counts(results);
    let files = results.len();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let passed = cases - failed;
    format!("{cases} case{} in {files} file{}: {passed} passed, {failed} failed", plural(cases), plural(files))
}

fn counts(results: &[FileResult]) -> (usize, usize) {
    let cases = || results.iter().flat_map(|file| &file.cases);
    (cases().count(), cases().filter(|case| !case.failures.is_empty()).count())
}

/// One row per case.
pub(crate) fn table(results: &[FileResult], files: &FileSet) -> Table {
    let mut table = Table::new(["file", "line", "case", "result", "failures"]);
    for case in results.iter().flat_map(|file| &file.cases) {
        let (path, line, _) = files.position(&case.at);
        let failures = case.failures.len();
        let result = if failures == 0 { "passed" } else { "failed" };
        table.push(vec![
            Cell::text(path),
            Cell::number(line),
            Cell::text(&case.name),
            Cell::text(result),
            Cell::number(failures),
        ]);
    }
    table
}

/// The conditions that weren't seen both ways, and the share of those that were.
pub(crate) fn coverage(coverage: &Coverage, rules: &RuleSet, output: Output) -> Result<(), Failure> {
    let mut table = Table::new(["not seen both ways", "condition", "where", "true", "false", "unknown"]);
    for condition in coverage.conditions.iter().filter(|condition| !condition.is_covered()) {
        let (path, line, _) = rules.files.position(&condition.at);
        table.push(vec![
            Cell::text(&condition.of),
            Cell::text(&condition.text),
            Cell::text(format!("{path}:{line}")),
            Cell::number(condition.seen_true),
            Cell::number(condition.seen_false),
            Cell::number(condition.seen_unknown),
        ]);
    }
    let (covered, all) = (coverage.covered(), coverage.conditions.len());
    if covered < all {
        output.table(&table, false)?;
    }
    let percent = coverage.percent();
    output.line(&format!("{covered} of {all} conditions were seen both true and false ({percent:.1} %)"))
}

/// Everything, for programs.
pub(crate) fn json(results: &[FileResult], files: &FileSet, coverage: Option<&Coverage>, rules: &RuleSet) -> Json {
    let (cases, failed) = counts(results);
    let all = results.iter().flat_map(|file| &file.cases).map(|case| {
        let (path, line, _) = files.position(&case.at);
        let failures: Vec<Json> = case.failures.iter().map(|failure| failure_json(failure, files)).collect();
        json!({ "file": path, "line": line, "name": case.name, "passed": failures.is_empty(), "failures": failures })
    });
    let coverage = coverage.map(|coverage| {
        let conditions: Vec<Json> = coverage.conditions.iter().map(|of| condition_json(of, rules)).collect();
        json!({ "covered": coverage.covered(), "percent": coverage.percent(), "conditions": conditions })
    });
    let all: Vec<Json> = all.collect();
    let mut document = json!({ "cases": cases, "passed": cases - failed, "failed": failed, "results": all });
    if let (Some(coverage), Some(document)) = (coverage, document.as_object_mut()) {
        document.insert("coverage".to_owned(), coverage);
    }
    document
}

fn failure_json(failure: &Unexpected, files: &FileSet) -> Json {
    json!({
        "line": files.position(&failure.at).1,
        "as_of": failure.as_of,
        "who": failure.who,
        "what": failure.what,
        "expected": failure.expected,
        "found": failure.found,
        "detail": failure.detail,
    })
}

fn condition_json(condition: &Condition, rules: &RuleSet) -> Json {
    let (path, line, column) = rules.files.position(&condition.at);
    json!({
        "of": condition.of,
        "condition": condition.text,
        "part": condition.part,
        "file": path,
        "line": line,
        "column": column,
        "true": condition.seen_true,
        "false": condition.seen_false,
        "unknown": condition.seen_unknown,
        "covered": condition.is_covered(),
    })
}
