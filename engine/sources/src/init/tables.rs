//! Tables with what guesses rest on: the declaration ([`crate::schema`]), and a sample of rows.

use rusqlite::{Connection, types::ValueRef};

use crate::{
    reader::quoted,
    schema::{self, TableColumn, TableKind},
};

/// Rows sampled from each end of a table.
const SAMPLE: usize = 150;

/// A table or view.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) is_view: bool,
    pub(super) columns: Vec<Column>,
    /// Columns that alone are unique, by index; the primary key first.
    pub(super) keys: Vec<usize>,
    pub(super) references: Vec<Reference>,
    /// Sampled rows, each with one cell per column.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column as it is declared.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Upper case, as `VARCHAR(20)`; empty where there is none.
    pub(super) declared: String,
    /// Filled with the present time in UTC where no value is given.
    pub(super) defaults_to_now: bool,
}

/// A foreign key of one column.
#[derive(Debug)]
pub(super) struct Reference {
    /// Index of the column.
    pub(super) column: usize,
    pub(super) table: String,
    /// The column referred to; `None` means the primary key.
    pub(super) to: Option<String>,
}

/// A stored value. Of blobs only the fact matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob,
}

impl Table {
    /// The sampled values of a column that are there.
    pub(super) fn values(&self, column: usize) -> Vec<&Cell> {
        self.rows.iter().map(|row| &row[column]).filter(|cell| **cell != Cell::Null).collect()
    }
}

/// All tables and views in the order of their names, and notes on those that are passed over.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<(Vec<Table>, Vec<String>)> {
    let (mut tables, mut notes) = (Vec::new(), Vec::new());
    // Virtual tables hold what other tables hold, arranged for a search.
    for declared in schema::schema(connection)?.into_iter().filter(|t| t.kind != TableKind::Virtual) {
        let mut table = Table::new(declared);
        if table.columns.is_empty() {
            notes.push(format!("view `{}` refers to something that is gone: passed over", table.name));
            continue;
        }
        match add_rows(connection, &mut table) {
            Ok(()) => tables.push(table),
            // It may use a function that only the application has.
            Err(error) if table.is_view => {
                notes.push(format!("view `{}` cannot be read and is passed over: {error}", table.name));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((tables, notes))
}

impl Table {
    /// The table as it is declared, without rows.
    fn new(declared: schema::Table) -> Self {
        let index = |name: &str| declared.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
        let mut keys: Vec<usize> = Vec::new();
        for unique in declared.unique.iter().filter(|unique| unique.len() == 1) {
            keys.extend(index(&unique[0]).filter(|column| !keys.contains(column)));
        }
        keys.sort_by_key(|key| declared.columns[*key].primary_key.is_none());
        let references = declared.foreign_keys.iter().filter(|key| key.columns.len() == 1).filter_map(|key| {
            let to = key.references.first().cloned().flatten();
            Some(Reference { column: index(&key.columns[0])?, table: key.table.clone(), to })
        });
        Table {
            references: references.collect(),
            is_view: declared.kind == TableKind::View,
            keys,
            columns: declared.columns.into_iter().map(Column::from).collect(),
            name: declared.name,
            rows: Vec::new(),
        }
    }
}

impl From<TableColumn> for Column {
    fn from(declared: TableColumn) -> Self {
        Column {
            name: declared.name,
            declared: declared.declared.to_uppercase(),
            defaults_to_now: declared.default.is_some_and(|default| is_utc_now(&default)),
        }
    }
}

fn is_utc_now(default: &str) -> bool {
    let default = default.to_lowercase();
    default.contains("current_timestamp") || (default.contains("'now'") && !default.contains("'localtime'"))
}

/// Old and new rows differ: formats change over the years, so both ends of a table are looked at.
fn add_rows(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let name = quoted(&table.name);
    let first = format!("SELECT {} FROM {name} LIMIT {SAMPLE}", cells(table));
    sample(connection, &first, table)?;
    if table.is_view || table.rows.len() < SAMPLE {
        return Ok(());
    }
    let last = format!(
        "SELECT {} FROM {name} WHERE rowid NOT IN (SELECT rowid FROM {name} LIMIT {SAMPLE})
         ORDER BY rowid DESC LIMIT {SAMPLE}",
        cells(table)
    );
    // A table WITHOUT ROWID has no such end; its first rows must do.
    if connection.prepare(&last).is_ok() { sample(connection, &last, table) } else { Ok(()) }
}

/// The columns to select. A blob may be large, and its content says nothing here.
fn cells(table: &Table) -> String {
    let cell = |column: &Column| {
        let name = quoted(&column.name);
        format!("iif(typeof({name}) = 'blob', x'', {name})")
    };
    table.columns.iter().map(cell).collect::<Vec<_>>().join(", ")
}

fn sample(connection: &Connection, sql: &str, table: &mut Table) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cell = |column| row.get_ref(column).map(Cell::from);
        table.rows.push((0..table.columns.len()).map(cell).collect::<rusqlite::Result<_>>()?);
    }
    Ok(())
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(i) => Cell::Integer(i),
            ValueRef::Real(r) => Cell::Real(r),
            ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(_) => Cell::Blob,
        }
    }
}
