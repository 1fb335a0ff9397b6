//! Tables that could hold who is graded, each with a score.

use rusqlite::Connection;
use tierd_model::KeyType;

use crate::reader::quoted;

use super::{
    kind,
    links::{Links, links},
    names,
    tables::{Cell, Table},
};

/// A table that may be graded, with the tables that refer to it.
pub(super) struct Candidate<'a> {
    pub(super) table: &'a Table,
    pub(super) key: usize,
    pub(super) key_type: KeyType,
    pub(super) links: Links<'a>,
    pub(super) score: i32,
}

/// A candidate below this isn't proposed: something dated must refer to it, or its name must say it.
const LEAST_SCORE: i32 = 8;

/// The candidates, the best first; of equals the first by name.
pub(super) fn candidates<'a>(connection: &Connection, tables: &'a [Table]) -> rusqlite::Result<Vec<Candidate<'a>>> {
    let mut found = Vec::new();
    for table in tables {
        found.extend(candidate(connection, table, tables)?);
    }
    found.retain(|candidate| candidate.score >= LEAST_SCORE);
    found.sort_by_key(|candidate| -candidate.score);
    Ok(found)
}

/// The table as a candidate, with the key that most others refer to.
fn candidate<'a>(
    connection: &Connection,
    table: &'a Table,
    tables: &'a [Table],
) -> rusqlite::Result<Option<Candidate<'a>>> {
    let mut best: Option<Candidate<'a>> = None;
    for key in keys(connection, table)? {
        let Some(key_type) = key_type(table, key) else { continue };
        let links = links(connection, table, key, tables)?;
        let score = score(table, &links);
        if best.as_ref().is_none_or(|best| score > best.score) {
            best = Some(Candidate { table, key, key_type, links, score });
        }
    }
    Ok(best)
}

/// Declared keys, else columns that are named like one and hold no value twice.
fn keys(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<usize>> {
    if !table.keys.is_empty() {
        return Ok(table.keys.clone());
    }
    let noun = names::noun(&table.name);
    let own = |name: &str| names::is_generic_key(name) || names::refers_to(name, &noun) == 2;
    let mut keys = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        if own(&column.name) && is_unique(connection, table, index)? {
            keys.push(index);
        }
    }
    Ok(keys)
}

fn is_unique(connection: &Connection, table: &Table, column: usize) -> rusqlite::Result<bool> {
    let (name, column) = (quoted(&table.name), quoted(&table.columns[column].name));
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {name} WHERE {column} IS NULL)
             OR EXISTS (SELECT 1 FROM {name} GROUP BY {column} HAVING count(*) > 1)"
    );
    connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).map(|twice| !twice)
}

/// The type of a key, where all sampled values are of one.
fn key_type(table: &Table, column: usize) -> Option<KeyType> {
    let values = table.values(column);
    if values.is_empty() {
        let declared = &table.columns[column].declared;
        return Some(if declared.contains("INT") { KeyType::Integer } else { KeyType::Text });
    }
    if values.iter().all(|cell| matches!(cell, Cell::Integer(_))) {
        return Some(KeyType::Integer);
    }
    values.iter().all(|cell| matches!(cell, Cell::Text(_))).then_some(KeyType::Text)
}

fn score(table: &Table, links: &Links<'_>) -> i32 {
    let noun = names::noun(&table.name);
    let personal = table.columns.iter().filter(|c| names::is_personal(&c.name, true)).count().min(3) as i32;
    let dated = links.good.iter().filter(|link| has_time(link.table)).count().min(5) as i32;
    let thing = if names::is_thing(&noun) { -40 } else { 0 };
    // A view over a table of the same name comes second.
    let view = if table.is_view { -5 } else { 0 };
    names::subject_score(&noun) + 4 * personal + 8 * dated + thing + view
}

fn has_time(table: &Table) -> bool {
    (0..table.columns.len()).any(|i| kind::kind(&table.columns[i], &table.values(i)).is_ok_and(|kind| kind.is_time()))
}
