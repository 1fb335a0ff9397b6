//! How the command line asks for the database to be read, and what it says when that fails.

use tierd_daemon::{evaluate::EvaluateError, run::RunError};
use tierd_sources::{ReadOptions, Reader as SourceReader};

use crate::{
    args::{Reader, Reading},
    exit::{Code, Failure},
};

/// Reading options as the arguments say.
pub(crate) fn options<'a>(args: &Reading, progress: &'a (dyn Fn(u64) + Sync)) -> ReadOptions<'a> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ReadOptions {
        reader: match args.reader {
            Reader::Auto => SourceReader::Auto,
            Reader::Step => SourceReader::Step,
        },
        threads: args.threads.map_or(processors.min(2), usize::from),
        progress: Some(progress),
    }
}

/// Exit code and message of a run that failed.
pub(crate) fn failure(error: &RunError) -> Failure {
    let code = match error {
        RunError::Ledger(_) => Code::Unreachable,
        RunError::LedgerIsDatabase(_) => Code::Config,
        RunError::Evaluate(EvaluateError::Source(_)) => Code::Unreachable,
        RunError::Evaluate(_) => Code::Failed,
    };
    Failure::from_error(code, error)
}
