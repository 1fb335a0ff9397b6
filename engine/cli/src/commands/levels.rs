use std::path::Path;

use tierd_ledger::{Reader, Run};

use crate::{
    args::LevelsArgs,
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session::{self, Session},
};

/// Prints how many subjects each level has, as the last run left it.
pub(crate) fn levels(args: &LevelsArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    let path = session.project.ledger(&session.rules.config);
    let ledger = Reader::open(&path).map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    let run = last_run(&ledger)?;
    let sets = session.tier_sets(args.set.as_deref())?;
    let mut table = distribution_table();
    for set in sets {
        let counts = ledger.distribution(&set.name).map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
        if counts.is_empty() {
            output.remark(&format!("tier set `{}` hasn't been run yet", set.name));
        }
        let titles = |name: &str| set.levels.iter().find(|l| l.name == name).and_then(|l| l.title.clone());
        // Highest first, as people read a ranking; subjects without a level last.
        let (with, without): (Vec<_>, Vec<_>) = counts.iter().partition(|count| count.level.is_some());
        let total = counts.iter().map(|count| count.subjects).sum();
        for count in with.into_iter().rev().chain(without.into_iter().filter(|count| count.subjects > 0)) {
            let name = count.level.as_deref();
            push_level(&mut table, &set.name, name, name.and_then(titles), count.subjects, total);
        }
    }
    output.remark(&format!("run {} as of {}", run.id.0, session::local_time(run.as_of, &session.rules.config.zone)));
    output.table(&table, false)
}

/// The last run that decided levels.
pub(crate) fn last_run(ledger: &Reader) -> Result<Run, Failure> {
    match ledger.last_applied_run() {
        Ok(Some(run)) => Ok(run),
        Ok(None) => Err(Failure::new(Code::Failed, "nothing has been graded yet; `tierd run` does it")),
        Err(error) => Err(Failure::from_error(Code::Unreachable, &error)),
    }
}

/// An empty table of a distribution.
pub(crate) fn distribution_table() -> Table {
    Table::new(["set", "level", "title", "customers", "share"])
}

/// Adds one level to a table of a distribution.
pub(crate) fn push_level(
    table: &mut Table,
    set: &str,
    level: Option<&str>,
    title: Option<String>,
    subjects: u64,
    total: u64,
) {
    let share = if total == 0 { 0.0 } else { subjects as f64 * 100.0 / total as f64 };
    table.push(vec![
        Cell::text(set),
        Cell::optional(level),
        Cell::optional(title),
        Cell::number(subjects),
        Cell::Number(format!("{share:.1} %")),
    ]);
}
