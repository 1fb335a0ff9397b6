//! Tables for tests, in place of those that tierd grants.

use std::{cell::RefCell, collections::BTreeMap};

use super::values;
use crate::{Column, Date, Decimal, Failure, Item, Output, Parameter, Texts, Timestamp, Values};

/// Rows by key, of a table.
struct Table {
    keys: Vec<String>,
    columns: Vec<Column>,
}

thread_local! {
    static TABLES: RefCell<BTreeMap<String, Table>> = const { RefCell::new(BTreeMap::new()) };
}

/// Grants a table with these keys and columns to the functions that this thread calls.
pub fn grant<const N: usize>(table: &str, keys: [&str; N], columns: Vec<Column>) {
    let table_of = Table { keys: keys.map(str::to_owned).to_vec(), columns };
    TABLES.with_borrow_mut(|tables| tables.insert(table.to_owned(), table_of));
}

/// What the host's import gives.
pub(crate) fn find(table: &str, keys: &Texts) -> Result<Vec<Column>, Failure> {
    TABLES.with_borrow(|tables| {
        let table = tables.get(table).ok_or_else(|| Failure::from(format!("the table {table} isn't granted")))?;
        let texts = Column { values: Values::Texts(keys.clone()), valid: None };
        let wanted = values::<String>(&texts)?;
        let rows: Vec<_> =
            wanted.iter().map(|key| table.keys.iter().position(|known| Some(known) == key.as_ref())).collect();
        table.columns.iter().map(|column| picked(column, &rows)).collect()
    })
}

/// The rows of a column, by index.
fn picked(column: &Column, rows: &[Option<usize>]) -> Result<Column, Failure> {
    fn pick<T>(column: &Column, rows: &[Option<usize>]) -> Result<Column, Failure>
    where
        for<'a> Option<T>: Parameter<'a>,
        Option<T>: Output<Item = T>,
        T: Item + Clone,
    {
        let all = values::<T>(column)?;
        crate::column(rows.iter().map(|row| row.and_then(|row| all[row].clone())))
    }
    match &column.values {
        Values::Integers(_) => pick::<i64>(column, rows),
        // The digits after the point are no part of the values.
        Values::Decimals(_) => pick::<Decimal<0>>(column, rows),
        Values::Reals(_) => pick::<f64>(column, rows),
        Values::Booleans(_) => pick::<bool>(column, rows),
        Values::Texts(_) => pick::<String>(column, rows),
        Values::Dates(_) => pick::<Date>(column, rows),
        Values::Timestamps(_) => pick::<Timestamp>(column, rows),
    }
}
