//! Lints that a table does without.

use crate::raw::{At, forms::Parsed, policy::LintCode};

/// The codes in an `allow`. Where it can't be read there are none, and there will be no rules either.
pub(super) fn allowed(written: Option<&At<Vec<Parsed<LintCode>>>>) -> Vec<String> {
    let codes = written.and_then(|written| written.value.as_ref()).into_iter().flatten();
    codes.map(|code| code.0.to_owned()).collect()
}

/// Whether a lint isn't to be given.
pub(super) fn allows(allow: &[String], lint: &str) -> bool {
    allow.iter().any(|code| code == lint)
}
