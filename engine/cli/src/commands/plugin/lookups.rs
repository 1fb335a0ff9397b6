//! Tables for plugins to look things up in, from CSV files.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray, new_empty_array};
use tierd_eval::columns::arrow_type;
use tierd_host::{LookupData, LookupProblem};
use tierd_model::{Type, Zone};
use tierd_rules::plugin::LookupTable;

use super::cells::{Csv, line};
use crate::{
    args::LookupFile,
    exit::{Code, Failure},
    output::Output,
    session::unknown,
};

/// The column of a file that holds the keys, where it isn't the first.
const KEY: &str = "key";

/// Every table that a plugin says it looks things up in, in that order. Those that aren't given are there, with nothing in them, which
/// is remarked.
pub(super) fn tables(
    wanted: &[LookupTable],
    given: &[LookupFile],
    zone: &Zone,
    output: Output,
) -> Result<Vec<Option<Arc<LookupData>>>, Failure> {
    let names = || wanted.iter().map(|table| table.name.as_str());
    if let Some(other) = given.iter().find(|given| names().all(|name| name != given.name)) {
        return Err(match wanted {
            [] => Failure::new(Code::Failed, "the plugin looks nothing up; leave --lookup out"),
            _ => unknown("the plugin has no look-up table", &other.name, names()),
        });
    }
    let table = |table: &LookupTable| {
        let mut of = given.iter().filter(|given| given.name == table.name);
        let data = match (of.next(), of.next()) {
            (Some(_), Some(_)) => {
                return Err(Failure::new(Code::Usage, format!("--lookup {} is given twice", table.name)));
            }
            (Some(given), None) => read(table, given, zone)?,
            (None, _) => {
                output
                    .remark(&format!("nothing is in look-up table `{0}`: --lookup {0}=FILE.csv gives it", table.name));
                empty(table)?
            }
        };
        Ok(Some(Arc::new(data)))
    };
    wanted.iter().map(table).collect()
}

/// The columns that the plugin needs, typed as it says. Rows without a key are never found.
fn read(table: &LookupTable, given: &LookupFile, zone: &Zone) -> Result<LookupData, Failure> {
    let file = Csv::read(&given.file)?;
    // A file has at least one column.
    let keys = file.cells_at(file.place(KEY).unwrap_or(0));
    let keys: StringArray = keys.iter().map(|key| Some(key.trim()).filter(|key| !key.is_empty())).collect();
    let column = |(name, ty): &(String, Type)| Ok((name.clone(), *ty, file.column(name, *ty, zone)?));
    let columns = table.columns.iter().map(column).collect::<Result<Vec<(String, Type, ArrayRef)>, Failure>>()?;
    LookupData::new(&*table.name, &keys, columns).map_err(|problem| match problem {
        LookupProblem::Twice { first, second, .. } => {
            let (key, first, second) = (keys.value(second), line(first), line(second));
            Failure::new(Code::Failed, format!("{}:{second}: key `{key}` stands in line {first} already", file.name))
        }
        other => Failure::new(Code::Failed, other),
    })
}

fn empty(table: &LookupTable) -> Result<LookupData, Failure> {
    let columns = table.columns.iter().map(|(name, ty)| (name.clone(), *ty, new_empty_array(&arrow_type(*ty))));
    let data = LookupData::new(&*table.name, &StringArray::new_null(0), columns.collect());
    data.map_err(|problem| Failure::new(Code::Failed, problem))
}
