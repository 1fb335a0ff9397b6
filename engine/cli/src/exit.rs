//! How a command ends when it doesn't end well.

use std::{error::Error, fmt};

/// Exit codes that scripts and service managers may rely on (the high ones are those of sysexits.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Errors were found, or the command failed.
    Failed = 1,
    /// Warnings, under `--deny-warnings`.
    Warnings = 3,
    /// A run exceeds a guard, and waits for a person.
    Held = 4,
    /// The command line can't be understood.
    Usage = 64,
    /// The database or the ledger can't be reached.
    Unreachable = 69,
    /// Configuration or rules are bad.
    Config = 78,
}

/// A failed command: its exit code and what to print to standard error (nothing, where diagnostics said it all).
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Self {
        Failure { code, message: Some(message.to_string()) }
    }

    /// Everything has been said already.
    pub(crate) fn silent(code: Code) -> Self {
        Failure { code, message: None }
    }

    /// The whole chain of causes, on one line.
    pub(crate) fn from_error(code: Code, error: &dyn Error) -> Self {
        Failure::new(code, chain(error))
    }
}

/// `error: cause: cause`, leaving out a cause that its error has quoted already.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
