use std::path::Path;

use serde_json::json;
use tierd_daemon::Loaded;
use tierd_rules::Severity;

use crate::{
    args::{CheckArgs, Format},
    exit::{Code, Failure},
    output::Output,
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
    report(&loaded, output)?;
    let errors = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
    match (errors, loaded.diagnostics.is_empty()) {
        (true, _) => Err(Failure::silent(Code::Failed)),
        (false, false) if args.deny_warnings => Err(Failure::silent(Code::Warnings)),
        _ => Ok(()),
    }
}

fn report(loaded: &Loaded, output: Output) -> Result<(), Failure> {
    if output.format == Format::Json {
        let all: Vec<_> = loaded.diagnostics.iter().map(|d| d.to_json(&loaded.files)).collect();
        return output.json(&json!({ "diagnostics": all, "revision": loaded.files.revision().to_string() }));
    }
    session::print_diagnostics(&loaded.diagnostics, &loaded.files, output);
    let Some(rules) =
        loaded.rules.as_ref().filter(|_| !loaded.diagnostics.iter().any(|d| d.severity == Severity::Error))
    else {
        eprintln!("tierd: {}", session::summary(&loaded.diagnostics));
        return Ok(());
    };
    let metrics = rules.metrics.iter().filter(|m| !m.implicit).count();
    let levels: usize = rules.tier_sets.iter().map(|set| set.levels.len()).sum();
    output.remark(&format!(
        "ok: {} files, {metrics} metrics, {} tier sets with {levels} levels, revision {}{}",
        loaded.files.iter().count(),
        rules.tier_sets.len(),
        rules.revision.short(),
        if loaded.diagnostics.is_empty() {
            String::new()
        } else {
            format!(" ({})", session::summary(&loaded.diagnostics))
        },
    ));
    Ok(())
}
