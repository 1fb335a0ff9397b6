//! What the database says of itself: tables, columns, keys, references, and a sample of rows.

use rusqlite::{Connection, types::ValueRef};

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

    /// Index of the column of this name; SQLite ignores the case.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))
    }
}

/// All tables and views in the order of their names, and notes on those that can't be read.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<(Vec<Table>, Vec<String>)> {
    let (mut tables, mut notes) = (Vec::new(), Vec::new());
    for (name, is_view) in names(connection)? {
        match table(connection, &name, is_view) {
            Ok(table) => tables.push(table),
            // A view over a table that is gone: the rest of the database may be fine.
            Err(error) if is_view => notes.push(format!("view `{name}` cannot be read and is passed over: {error}")),
            Err(error) => return Err(error),
        }
    }
    Ok((tables, notes))
}

/// `"name"`, for SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn names(connection: &Connection) -> rusqlite::Result<Vec<(String, bool)>> {
    let sql = "SELECT name, type = 'view' FROM sqlite_schema
               WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 AND coalesce(sql, '') NOT LIKE 'CREATE VIRTUAL%'
               ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn table(connection: &Connection, name: &str, is_view: bool) -> rusqlite::Result<Table> {
    let (columns, primary) = columns(connection, name)?;
    let mut table = Table {
        name: name.to_owned(),
        is_view,
        columns,
        keys: primary.into_iter().collect(),
        references: Vec::new(),
        rows: Vec::new(),
    };
    add_unique_columns(connection, &mut table)?;
    add_references(connection, &mut table)?;
    add_rows(connection, &mut table)?;
    Ok(table)
}

/// Columns, and the index of the primary key where it is one column.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<Column>, Option<usize>)> {
    // Hidden columns of kind 1 belong to virtual tables; 2 and 3 are generated ones.
    let sql = "SELECT name, type, dflt_value, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let (mut columns, mut primary) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(3)? > 0 {
            primary.push(columns.len());
        }
        columns.push(Column {
            name: row.get(0)?,
            declared: row.get::<_, Option<String>>(1)?.unwrap_or_default().to_uppercase(),
            defaults_to_now: row.get::<_, Option<String>>(2)?.is_some_and(|default| is_utc_now(&default)),
        });
    }
    let primary = if let [one] = primary[..] { Some(one) } else { None };
    Ok((columns, primary))
}

fn is_utc_now(default: &str) -> bool {
    let default = default.to_lowercase();
    default.contains("current_timestamp") || (default.contains("'now'") && !default.contains("'localtime'"))
}

fn add_unique_columns(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let sql = "SELECT min(info.name) FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
               WHERE list.\"unique\" AND NOT list.partial
               GROUP BY list.seq HAVING count(*) = 1 AND count(info.name) = 1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([&table.name])?;
    while let Some(row) = rows.next()? {
        let found = table.column(&row.get::<_, String>(0)?);
        table.keys.extend(found.filter(|column| !table.keys.contains(column)));
    }
    Ok(())
}

fn add_references(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let sql = "SELECT min(\"from\"), \"table\", min(\"to\") FROM pragma_foreign_key_list(?)
               GROUP BY id, \"table\" HAVING count(*) = 1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([&table.name])?;
    while let Some(row) = rows.next()? {
        if let Some(column) = table.column(&row.get::<_, String>(0)?) {
            table.references.push(Reference { column, table: row.get(1)?, to: row.get(2)? });
        }
    }
    Ok(())
}

/// Old and new rows differ: formats change over the years, so both ends of a table are looked at.
fn add_rows(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let name = quote(&table.name);
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
        let name = quote(&column.name);
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
