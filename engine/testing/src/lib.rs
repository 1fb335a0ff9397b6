//! Tests of rules: the cases of `*.test.toml` run with the evaluator itself, without a database.
//!
//! ```text
//! test files ─► load ─► cases ─► run: World (rows) ─► Given ─► evaluate ─► expectations compared ─► CaseResult
//!                                        ▲                        │
//!                                        └──────── Past ◄─────────┘   levels, rule states, open tasks: step by step
//! ```
//!
//! What a test sees is what a run would do: the same scan finds the metrics, the same functions decide levels and retention rules
//! and explain them. Only where the rows come from and where the state is kept is different.
//!
//! Nothing here touches a file or the clock; results are data ([`CaseResult`], [`Coverage`]), and [`junit`] writes them for other
//! programs.

mod acts;
mod compare;
pub mod coverage;
pub mod junit;
mod past;
mod results;
mod run;
mod same;
mod world;

use tierd_eval::movement::Reason;
use tierd_rules::{
    Diagnostic, FileSet, RuleSet,
    cases::{Case, Expected, LoadedTests, load_tests},
    code, nearest,
};

pub use coverage::Coverage;
pub use results::{CaseResult, Failure, FileResult};
pub use run::{Filters, run};

/// Checks test files against the rules that they test.
///
/// As [`load_tests`], which doesn't know the reasons for which levels move.
pub fn load(rules: &RuleSet, files: FileSet) -> LoadedTests {
    let mut loaded = load_tests(rules, files);
    let cases = loaded.tests.iter().flatten().flat_map(|file| &file.cases);
    let wrong: Vec<Diagnostic> = cases.flat_map(unknown_reasons).collect();
    if !wrong.is_empty() {
        loaded.tests = None;
        loaded.diagnostics.extend(wrong);
    }
    loaded
}

/// Expected reasons that no level ever moves for.
fn unknown_reasons(case: &Case) -> Vec<Diagnostic> {
    let expectations = case.steps.iter().flat_map(|step| &step.told).flat_map(|told| &told.expect);
    let wrong = expectations.filter_map(|expectation| match &expectation.what {
        Expected::Reason(_, reason) if Reason::ALL.iter().all(|known| known.name() != reason) => {
            Some((reason, &expectation.at))
        }
        _ => None,
    });
    let diagnostics = wrong.map(|(reason, at)| {
        let names = Reason::ALL.map(Reason::name);
        let help = match nearest(reason, names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("reasons are {}", names.join(", ")),
        };
        Diagnostic::error(code::UNKNOWN_VALUE, at, format!("no level moves because of `{reason}`")).help(help)
    });
    diagnostics.collect()
}
