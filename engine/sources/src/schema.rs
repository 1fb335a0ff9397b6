//! What tables the database has: for `tierd init`, and to check a configuration against it.

use rusqlite::{Connection, Row};

/// A table or view of the main schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// In the order of the declaration. Empty for a view that SQLite can't make sense of.
    pub columns: Vec<TableColumn>,
    /// References to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Sets of columns that are unique together, the primary key among them.
    pub unique: Vec<Vec<String>>,
}

/// Kinds of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// A table whose rows have a 64-bit row id.
    RowId,
    /// A table without row ids.
    WithoutRowId,
    /// A view.
    View,
    /// A virtual table.
    Virtual,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// The type as declared: any words, or none.
    pub declared: String,
    /// Declared NOT NULL.
    pub not_null: bool,
    /// Its place in the primary key, from 1 on.
    pub primary_key: Option<usize>,
    /// The default as declared: an SQL expression.
    pub default: Option<String>,
}

/// A reference to another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The other table.
    pub table: String,
    /// Columns there; `None` stands for its primary key.
    pub references: Vec<Option<String>>,
}

impl Table {
    /// The column of this name, as SQLite compares names: without regard to the case of ASCII letters.
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// A name under which SQLite knows the row id; `None` where there is no row id or columns have taken all its names.
    pub fn row_id(&self) -> Option<&'static str> {
        if self.kind != TableKind::RowId {
            return None;
        }
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| self.column(name).is_none())
    }
}

/// All tables and views, by name. SQLite's own are left out.
///
/// # Errors
/// What SQLite reports while reading.
pub fn schema(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let query = "SELECT name, type, wr FROM pragma_table_list \
                 WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND type <> 'shadow' ORDER BY name";
    let mut statement = connection.prepare(query)?;
    let kinds = statement.query_map([], |row| Ok((row.get(0)?, kind(row)?)))?.collect::<rusqlite::Result<Vec<_>>>()?;
    kinds.into_iter().map(|(name, kind)| table(connection, name, kind)).collect()
}

fn kind(row: &Row) -> rusqlite::Result<TableKind> {
    let (kind, without_rowid): (String, bool) = (row.get(1)?, row.get(2)?);
    Ok(match kind.as_str() {
        "view" => TableKind::View,
        "virtual" => TableKind::Virtual,
        _ if without_rowid => TableKind::WithoutRowId,
        _ => TableKind::RowId,
    })
}

fn table(connection: &Connection, name: String, kind: TableKind) -> rusqlite::Result<Table> {
    let columns = match columns(connection, &name) {
        // A view over a table that is gone: SQLite can't say what its columns are.
        Err(_) if kind == TableKind::View => Vec::new(),
        columns => columns?,
    };
    let foreign_keys = foreign_keys(connection, &name)?;
    let mut unique = unique(connection, &name)?;
    let mut key: Vec<&TableColumn> = columns.iter().filter(|column| column.primary_key.is_some()).collect();
    key.sort_by_key(|column| column.primary_key);
    let key: Vec<String> = key.into_iter().map(|column| column.name.clone()).collect();
    // An INTEGER PRIMARY KEY is unique without an index.
    if !key.is_empty() && !unique.contains(&key) {
        unique.insert(0, key);
    }
    Ok(Table { name, kind, columns, foreign_keys, unique })
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<TableColumn>> {
    // Hidden columns of virtual tables (1) are no data; generated ones (2, 3) are.
    let query =
        "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
    connection
        .prepare(query)?
        .query_map([table], |row| {
            let place: i64 = row.get(3)?;
            Ok(TableColumn {
                name: row.get(0)?,
                declared: row.get(1)?,
                not_null: row.get(2)?,
                primary_key: (place > 0).then_some(place as usize),
                default: row.get(4)?,
            })
        })?
        .collect()
}

fn foreign_keys(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let query = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([table])?;
    let mut out: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if out.last().is_none_or(|(last, _)| *last != id) {
            out.push((id, ForeignKey { columns: Vec::new(), table: row.get(1)?, references: Vec::new() }));
        }
        if let Some((_, key)) = out.last_mut() {
            key.columns.push(row.get(2)?);
            key.references.push(row.get(3)?);
        }
    }
    Ok(out.into_iter().map(|(_, key)| key).collect())
}

/// Unique indexes over whole columns and all rows.
fn unique(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let query = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial ORDER BY seq DESC";
    let mut statement = connection.prepare(query)?;
    let indexes = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut columns = connection.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
    let mut out = Vec::new();
    for index in indexes {
        // The parts of an index over an expression have no name.
        let names = columns.query_map([index], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Option<String>>>>()?;
        out.extend(names.into_iter().collect::<Option<Vec<String>>>());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_views_keys_and_references_are_seen() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE customers (id INTEGER PRIMARY KEY, phone TEXT NOT NULL UNIQUE, rowid TEXT, _rowid_, oid);
                 CREATE TABLE orders (customer_id INTEGER REFERENCES customers, sku TEXT, amount,
                     cents INTEGER AS (amount * 100), FOREIGN KEY (sku) REFERENCES goods (code));
                 CREATE TABLE pairs (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID;
                 CREATE VIEW paid AS SELECT * FROM orders WHERE amount > 0;
                 CREATE VIEW broken AS SELECT * FROM gone;",
            )
            .unwrap();
        let tables = schema(&connection).unwrap();
        let named = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["broken", "customers", "orders", "paid", "pairs"]);
        assert_eq!(named("customers").unique, [vec!["id".to_owned()], vec!["phone".to_owned()]]);
        assert_eq!(named("customers").row_id(), None);
        assert_eq!(named("customers").columns[0].primary_key, Some(1));
        assert!(named("customers").column("PHONE").unwrap().not_null);
        let orders = named("orders");
        assert_eq!(orders.row_id(), Some("rowid"));
        assert_eq!(
            orders.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            ["customer_id", "sku", "amount", "cents"]
        );
        let references: Vec<_> =
            orders.foreign_keys.iter().map(|key| (key.table.as_str(), &key.references[..])).collect();
        assert_eq!(references, [("goods", &[Some("code".to_owned())][..]), ("customers", &[None][..])]);
        assert_eq!((named("paid").kind, named("paid").columns.len()), (TableKind::View, 4));
        assert_eq!((named("broken").kind, named("broken").columns.len()), (TableKind::View, 0));
        assert_eq!(named("pairs").kind, TableKind::WithoutRowId);
        assert_eq!(named("pairs").unique, [vec!["b".to_owned(), "a".to_owned()]]);
    }
}
