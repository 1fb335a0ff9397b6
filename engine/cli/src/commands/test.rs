//! `tierd test`: the cases of `*.test.toml`, their failures, and what they leave untested.

mod show;

use std::{fs, path::Path};

use tierd_rules::{FileSet, RuleSet, cases::TestFile};
use tierd_testing::{Coverage, FileResult, Filters, junit};

use crate::{
    args::{Format, TestArgs},
    exit::{Code, Failure},
    output::Output,
    session::{self, Session},
};

/// Runs the cases that are meant. Fails if any fails, if there is none, or if too little is covered.
pub(crate) fn test(args: &TestArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let (tests, files) = load(&session, output)?;
    let wants_coverage = args.coverage || args.min_coverage.is_some();
    let mut coverage = wants_coverage.then(|| Coverage::new(&session.rules));
    let filters = Filters(args.filters.clone());
    let plugins = session.project.runner_of_tests(&session.rules);
    let results = tierd_testing::run(&session.rules, &*plugins, &tests, &files, &filters, coverage.as_mut());
    if results.is_empty() {
        return Err(nothing_to_run(args, &tests));
    }
    if let Some(path) = &args.junit {
        let failed = |error| Failure::new(Code::Failed, format!("cannot write {}: {error}", path.display()));
        fs::write(path, junit::xml(&results, &files)).map_err(failed)?;
    }
    report(args, &session.rules, &files, &results, coverage.as_ref(), output)?;
    verdict(args, &results, coverage.as_ref())
}

/// The cases of all test files, if every file is good.
fn load(session: &Session, output: Output) -> Result<(Vec<TestFile>, FileSet), Failure> {
    let loaded = session::load_tests(&session.project, &session.rules)?;
    session::print_diagnostics(&loaded.diagnostics, &loaded.files, output);
    let summary = || Failure::new(Code::Config, session::summary(&loaded.diagnostics));
    loaded.tests.ok_or_else(summary).map(|tests| (tests, loaded.files))
}

fn nothing_to_run(args: &TestArgs, tests: &[TestFile]) -> Failure {
    let cases: usize = tests.iter().map(|file| file.cases.len()).sum();
    Failure::new(
        Code::Failed,
        if cases == 0 {
            "there are no test cases; write some in a file such as rules/value.test.toml (docs/testing.md)".to_owned()
        } else {
            format!("none of the {cases} cases has {} in its file's path or its name", args.filters.join(" or "))
        },
    )
}

fn report(
    args: &TestArgs,
    rules: &RuleSet,
    files: &FileSet,
    results: &[FileResult],
    coverage: Option<&Coverage>,
    output: Output,
) -> Result<(), Failure> {
    let coverage = coverage.filter(|_| args.coverage || output.format == Format::Json);
    match output.format {
        Format::Json => output.json(&show::json(results, files, coverage, rules)),
        Format::Csv => output.table(&show::table(results, files), false),
        Format::Table => {
            show::failures(results, files, output)?;
            if let Some(coverage) = coverage {
                show::coverage(coverage, rules, output)?;
            }
            output.line(&show::summary(results))
        }
    }
}

fn verdict(args: &TestArgs, results: &[FileResult], coverage: Option<&Coverage>) -> Result<(), Failure> {
    if results.iter().flat_map(|file| &file.cases).any(|case| !case.failures.is_empty()) {
        return Err(Failure::silent(Code::Failed));
    }
    match (coverage, args.min_coverage) {
        (Some(coverage), Some(least)) if coverage.percent() < f64::from(least) => Err(Failure::new(
            Code::Failed,
            format!("{:.1} % of the conditions are covered, less than {least} %", coverage.percent()),
        )),
        _ => Ok(()),
    }
}
