use std::path::Path;

use serde_json::json;
use tierd_daemon::Loaded;
use tierd_rules::{RuleSet, Severity, cases::LoadedTests};

use crate::{
    args::{CheckArgs, Format},
    exit::{Code, Failure},
    output::{Output, counted},
    session,
};

/// Checks files and, unless told otherwise, the tables that they name.
pub(crate) fn check(args: &CheckArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let mut loaded = session::load(&project)?;
    if let Some(rules) = &loaded.rules {
        let clock = session::clock_now(rules);
        loaded.diagnostics.extend(tierd_eval::lint::lints(rules, &clock));
        if !args.offline {
            let problems = tierd_daemon::verify::against_database(&project, rules, &clock)
                .map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
            loaded.diagnostics.extend(problems);
        }
    }
    let tests = loaded.rules.as_ref().map(|rules| session::load_tests(&project, rules)).transpose()?;
    report(&loaded, tests.as_ref(), output)?;
    match (has_errors(&loaded, tests.as_ref()), loaded.diagnostics.is_empty()) {
        (true, _) => Err(Failure::silent(Code::Failed)),
        (false, false) if args.deny_warnings => Err(Failure::silent(Code::Warnings)),
        _ => Ok(()),
    }
}

/// Whether rules or tests have an error. Test files have no warnings.
fn has_errors(loaded: &Loaded, tests: Option<&LoadedTests>) -> bool {
    let of_tests = tests.iter().flat_map(|tests| &tests.diagnostics);
    loaded.diagnostics.iter().chain(of_tests).any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn report(loaded: &Loaded, tests: Option<&LoadedTests>, output: Output) -> Result<(), Failure> {
    if output.format == Format::Json {
        let of_rules = loaded.diagnostics.iter().map(|d| d.to_json(&loaded.files));
        let of_tests = tests.iter().flat_map(|tests| tests.diagnostics.iter().map(|d| d.to_json(&tests.files)));
        let all: Vec<_> = of_rules.chain(of_tests).collect();
        return output.json(&json!({ "diagnostics": all, "revision": loaded.files.revision().to_string() }));
    }
    session::print_diagnostics(&loaded.diagnostics, &loaded.files, output);
    if let Some(tests) = tests {
        session::print_diagnostics(&tests.diagnostics, &tests.files, output);
    }
    let Some(rules) = loaded.rules.as_ref().filter(|_| !has_errors(loaded, tests)) else {
        let of_tests = tests.iter().flat_map(|tests| tests.diagnostics.clone());
        let all: Vec<_> = loaded.diagnostics.iter().cloned().chain(of_tests).collect();
        eprintln!("tierd: {}", session::summary(&all));
        return Ok(());
    };
    output.remark(&format!(
        "ok: {}, revision {}{}",
        contents(loaded, rules),
        rules.revision.short(),
        if loaded.diagnostics.is_empty() {
            String::new()
        } else {
            format!(" ({})", session::summary(&loaded.diagnostics))
        },
    ));
    Ok(())
}

/// `3 files, 12 metrics, 1 tier set with 4 levels, 2 retention rules`; what there isn't isn't named.
fn contents(loaded: &Loaded, rules: &RuleSet) -> String {
    let metrics = rules.metrics.iter().filter(|m| !m.implicit).count();
    let levels: usize = rules.tier_sets.iter().map(|set| set.levels.len()).sum();
    let counts = [
        (loaded.files.iter().count(), "file"),
        (metrics, "metric"),
        (rules.tier_sets.len(), "tier set"),
        (rules.points.len(), "points program"),
        (rules.retention.len(), "retention rule"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| {
        let levels =
            if what == "tier set" { format!(" with {}", counted(levels as u64, "level")) } else { String::new() };
        format!("{}{levels}", counted(count as u64, what))
    });
    counts.collect::<Vec<_>>().join(", ")
}
