//! Columns of one table that hold the keys of another.

use rusqlite::{Connection, types::Value as SqlValue};

use crate::reader::quoted;

use super::{
    names,
    tables::{Cell, Reference, Table},
};

/// A column that refers to a key.
pub(super) struct Link<'a> {
    pub(super) table: &'a Table,
    pub(super) column: usize,
    pub(super) strength: Strength,
}

/// How surely a column refers to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// `billing_customer_id`.
    NamedLike,
    /// `customer_id`.
    Named,
    /// By a foreign key.
    Declared,
}

/// Links to one key, the surest of each table first.
#[derive(Default)]
pub(super) struct Links<'a> {
    pub(super) good: Vec<Link<'a>>,
    /// Declared or named like links, but their values say otherwise.
    pub(super) refuted: Vec<Link<'a>>,
}

/// Columns of the other tables that refer to this key.
pub(super) fn links<'a>(
    connection: &Connection,
    subject: &Table,
    key: usize,
    tables: &'a [Table],
) -> rusqlite::Result<Links<'a>> {
    let mut links = Links::default();
    let noun = names::noun(&subject.name);
    for table in tables.iter().filter(|t| t.name != subject.name) {
        let mut of_table = Vec::new();
        for column in 0..table.columns.len() {
            let Some(strength) = strength(table, column, subject, key, &noun) else { continue };
            let link = Link { table, column, strength };
            let good = holds_keys(connection, table, column, subject, key)?;
            if good { of_table.push(link) } else { links.refuted.push(link) }
        }
        of_table.sort_by_key(|link| std::cmp::Reverse(link.strength));
        links.good.extend(of_table);
    }
    Ok(links)
}

/// What declaration and name say of a column as a reference to the key.
fn strength(table: &Table, column: usize, subject: &Table, key: usize, noun: &[String]) -> Option<Strength> {
    let key_name = &subject.columns[key].name;
    let to_key = |reference: &Reference| match &reference.to {
        Some(to) => to.eq_ignore_ascii_case(key_name),
        None => subject.keys.first() == Some(&key),
    };
    let to_subject = |r: &Reference| r.column == column && r.table.eq_ignore_ascii_case(&subject.name);
    if table.references.iter().any(|reference| to_subject(reference) && to_key(reference)) {
        return Some(Strength::Declared);
    }
    let name = &table.columns[column].name;
    if name.eq_ignore_ascii_case(key_name) && !names::is_generic_key(key_name) {
        return Some(Strength::Named);
    }
    match names::refers_to(name, noun) {
        2 => Some(Strength::Named),
        1 => Some(Strength::NamedLike),
        _ => None,
    }
}

/// Whether at least half of the column's sampled values are keys of the subject, stored as the same type. An empty column, or
/// an empty subject table, says nothing against it.
fn holds_keys(
    connection: &Connection,
    table: &Table,
    column: usize,
    subject: &Table,
    key: usize,
) -> rusqlite::Result<bool> {
    let mut values = table.values(column);
    values.truncate(50);
    if values.is_empty() || subject.rows.is_empty() {
        return Ok(true);
    }
    let (name, key) = (quoted(&subject.name), quoted(&subject.columns[key].name));
    // The comparison may convert, so the type is compared beside it.
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {key} = ?1 AND typeof({key}) = typeof(?1))");
    let mut statement = connection.prepare(&sql)?;
    let mut found = 0;
    for value in &values {
        let value = match value {
            Cell::Integer(i) => SqlValue::Integer(*i),
            Cell::Text(t) => SqlValue::Text(t.clone()),
            Cell::Real(_) | Cell::Null | Cell::Blob => continue,
        };
        found += usize::from(statement.query_row([value], |row| row.get::<_, bool>(0))?);
    }
    Ok(found * 2 >= values.len())
}
