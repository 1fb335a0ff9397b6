//! DuckDB over its own imported copy, where the machine has it (`pip install duckdb`): for comparison only.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{Failure, outcome::Outcome, sql};

const SCRIPT: &str = include_str!("duckdb.py");

/// Whether Python has it.
pub(crate) fn is_installed() -> bool {
    let import = Command::new("python3").args(["-c", "import duckdb"]).stderr(Stdio::null()).status();
    import.is_ok_and(|status| status.success())
}

/// One run; the first imports the data.
pub(crate) fn run(database: &Path) -> Result<Outcome, Failure> {
    let query = sql::grouped("date_diff('day', CAST(last AS DATE), DATE '2026-07-01')");
    let output =
        Command::new("python3").args(["-c", SCRIPT]).arg(database).arg(query).stderr(Stdio::inherit()).output()?;
    Outcome::from_json(str::from_utf8(&output.stdout)?)
}
