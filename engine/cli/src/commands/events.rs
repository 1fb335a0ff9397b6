//! `tierd events`: the one stream of everything that other systems may want to be told.

use std::path::Path;

use tierd_http::documents;
use tierd_ledger::{Event, Reader};

use super::overrides::key_cell;
use crate::{
    args::{EventsArgs, Format},
    exit::Failure,
    output::{Cell, Output, Table, write_stdout},
    session::{Session, ledger_failure},
};

/// Events read at once: a million of them don't have to be in memory.
const PAGE: u32 = 10_000;

/// Prints events; JSON as one document for each line.
pub(crate) fn events(args: &EventsArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    let ledger = session.reader()?;
    match output.format {
        Format::Json => each_page(args, &ledger, |page| {
            write_stdout(|out| {
                page.iter().cloned().try_for_each(|event| {
                    serde_json::to_writer(&mut *out, &documents::Event::from(event))?;
                    writeln!(out)
                })
            })
        }),
        Format::Table | Format::Csv => {
            let names = ["cursor", "as_of", "kind", "subject", "key", "set", "rule", "data", "event"];
            let mut table = Table::new(names);
            each_page(args, &ledger, |page| {
                page.iter().for_each(|event| table.push(row(event)));
                Ok(())
            })?;
            output.table(&table, false)
        }
    }
}

fn each_page(
    args: &EventsArgs,
    ledger: &Reader,
    mut each: impl FnMut(&[Event]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let kinds: Vec<&str> = args.kinds.iter().map(String::as_str).collect();
    let (mut after, mut left) = (args.after, args.limit.unwrap_or(u32::MAX));
    while left > 0 {
        let page = ledger.events(after, left.min(PAGE), &kinds).map_err(|error| ledger_failure(&error))?;
        let Some(last) = page.last() else { break };
        after = last.cursor;
        left -= page.len() as u32;
        each(&page)?;
    }
    Ok(())
}

fn row(event: &Event) -> Vec<Cell> {
    vec![
        Cell::number(event.cursor),
        Cell::text(&event.as_of),
        Cell::text(&event.kind),
        Cell::text(&event.subject),
        key_cell(&event.key),
        Cell::optional(event.set.as_deref()),
        Cell::optional(event.rule.as_deref()),
        Cell::text(&event.data),
        Cell::text(&event.id),
    ]
}
