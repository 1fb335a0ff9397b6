//! `tierd export`: the decision table.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    path::Path,
};

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json};
use tierd_daemon::{
    evaluate::{Evaluation, Evaluator, SetResult},
    run::evaluate_with_held,
};
use tierd_eval::columns::value_at;
use tierd_ledger::{NO_LEVEL, Reader};
use tierd_model::{CalendarSpan, Clock, Date, Key, Timestamp, Type, Value};
use tierd_rules::{Level, TierSet};

use crate::{
    args::{ExportArgs, Format},
    commands::levels::last_run,
    exit::{Code, Failure},
    mask::mask,
    output::{Cell, Output, Table, write_stdout},
    progress::Progress,
    reading,
    session::Session,
};

/// Evaluates as of the last run, and prints who has which level.
///
/// The levels are those that the ledger holds; the metrics beside them are those of the data as it is now, as of the last run. Where
/// the two no longer agree, a remark says for how many.
pub(crate) fn export(args: &ExportArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let set = session.tier_set(args.set.as_deref())?;
    let ledger = Reader::open(&session.project.ledger(&session.rules.config));
    let ledger = ledger.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    last_run(&ledger)?;
    let columns = Columns::asked_for(args, &session, set)?;
    let clock = session.clock_of_last_run(None)?;
    let evaluation = evaluate(args, &session, &clock, output)?;
    let decisions = Decisions::read(&session, &ledger, &evaluation, set, &clock)?;
    let table = columns.table(args, &session, &evaluation, &decisions)?;
    decisions.remark_on_changes(output);
    write(args, &table, output)
}

fn evaluate(args: &ExportArgs, session: &Session, clock: &Clock, output: Output) -> Result<Evaluation, Failure> {
    let progress = Progress::new(output.quiet, "reading");
    let rows = |rows| progress.rows(rows);
    let evaluator = Evaluator { clock, read: reading::options(&args.reading, &rows) };
    evaluate_with_held(&session.project, &session.rules, &evaluator).map_err(|error| reading::failure(&error))
}
