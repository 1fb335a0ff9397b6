//! How the command line asks for the database to be read, and what it says when that fails.

use tierd_daemon::{
    evaluate::{EvaluateError, Evaluation, Evaluator},
    run::{RunError, evaluate_with_held},
    verify,
};
use tierd_eval::due::Due;
use tierd_model::Clock;
use tierd_rules::RuleSet;
use tierd_sources::{ReadError, ReadOptions, ReaderKind};

use crate::{
    args::{Reader, Reading},
    exit::{Code, Failure},
    output::Output,
    progress::ShownProgress,
    session::{self, Session},
};

/// Reading options as the arguments say.
pub(crate) fn options(args: &Reading) -> ReadOptions {
    let defaults = ReadOptions::default();
    ReadOptions {
        reader: match args.reader {
            Reader::Auto => ReaderKind::Auto,
            Reader::Step => ReaderKind::Step,
        },
        threads: args.threads.map_or(defaults.threads, usize::from),
    }
}

/// Carries out `work` with an evaluator whose progress is shown.
pub(crate) fn with_progress<T>(
    args: &Reading,
    session: &Session,
    clock: &Clock,
    output: Output,
    work: impl FnOnce(&Evaluator<'_>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    deciding(&Due::ALL, args, session, clock, output, work)
}

/// As [`with_progress`], with an evaluator that decides only what is due.
pub(crate) fn deciding<T>(
    due: &Due,
    args: &Reading,
    session: &Session,
    clock: &Clock,
    output: Output,
    work: impl FnOnce(&Evaluator<'_>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let shown = ShownProgress::new(output.quiet);
    let result = work(&Evaluator { clock, due, options: options(args), progress: shown.progress() });
    drop(shown);
    result.map_err(|error| failure(&error, &session.rules, output))
}

/// Evaluates everything, storing nothing.
pub(crate) fn evaluate(
    args: &Reading,
    session: &Session,
    clock: &Clock,
    output: Output,
) -> Result<Evaluation, Failure> {
    with_progress(args, session, clock, output, |evaluator| {
        evaluate_with_held(&session.project, &session.rules, evaluator)
    })
}

/// Exit code and message of a run that failed.
pub(crate) fn failure(error: &RunError, rules: &RuleSet, output: Output) -> Failure {
    let code = match error {
        RunError::Ledger(_) => Code::Unreachable,
        RunError::Panicked => Code::Failed,
        RunError::LedgerIsDatabase(_) => Code::Config,
        RunError::Evaluate(error) => return evaluate_failure(error, rules, output),
    };
    Failure::from_error(code, error)
}

/// Exit code and message of an evaluation that failed. What the configuration names and the database lacks is shown at its place.
pub(crate) fn evaluate_failure(error: &EvaluateError, rules: &RuleSet, output: Output) -> Failure {
    match error {
        EvaluateError::Read(ReadError::Schema(problems)) => {
            let diagnostics: Vec<_> = problems.iter().map(verify::diagnostic).collect();
            session::print_diagnostics(&diagnostics, &rules.files, output);
            Failure::new(Code::Failed, format!("{}; nothing was changed", session::summary(&diagnostics)))
        }
        EvaluateError::Database(_) | EvaluateError::Ledger(_) | EvaluateError::Read(ReadError::Cancelled) => {
            Failure::from_error(Code::Unreachable, error)
        }
        EvaluateError::Read(_) | EvaluateError::Limit(_) | EvaluateError::Lookup(_) | EvaluateError::Unknown { .. } => {
            Failure::from_error(Code::Failed, error)
        }
    }
}
