//! Who is graded, and which tables hold dated rows about them.

use rusqlite::{Connection, types::Value as SqlValue};
use tierd_model::{KeyType, Type};
use tierd_rules::{AmountEncoding, Encoding};

use super::{
    kind::{self, Kind},
    names, naming,
    schema::{Cell, Table, quote},
};

/// The tables of a proposal.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) subject: Subject<'a>,
    /// The one that customers are first graded by stands first.
    pub(super) facts: Vec<Facts<'a>>,
}

/// The table of those who are graded.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// Name in rules.
    pub(super) name: String,
    pub(super) table: &'a Table,
    /// Index of the key column.
    pub(super) key: usize,
    pub(super) key_type: KeyType,
    /// What speaks for it.
    pub(super) because: String,
    pub(super) columns: Vec<Described>,
}

/// A table of dated rows about the subject.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// Name in rules.
    pub(super) name: String,
    pub(super) table: &'a Table,
    /// Index of the column that holds the subject's key.
    pub(super) link: usize,
    /// Index of the column with the row's time.
    pub(super) time: usize,
    pub(super) because: String,
    /// Other columns that could be the link or the time.
    pub(super) others: Vec<String>,
    pub(super) columns: Vec<Described>,
}

/// A column and what it is taken for, or why it is left out.
#[derive(Debug)]
pub(super) struct Described {
    /// Name in rules.
    pub(super) name: String,
    /// Index in the table.
    pub(super) column: usize,
    pub(super) kind: Result<Kind, &'static str>,
    pub(super) personal: bool,
}

/// A table that may be graded, with the tables that refer to it.
struct Candidate<'a> {
    table: &'a Table,
    key: usize,
    key_type: KeyType,
    links: Vec<Link<'a>>,
    score: i32,
}

/// A column that refers to a candidate's key.
#[derive(Clone)]
struct Link<'a> {
    table: &'a Table,
    column: usize,
    strength: Strength,
}

/// How surely a column refers to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// `billing_customer_id`.
    NamedLike,
    /// `customer_id`.
    Named,
    Declared,
}

/// A candidate below this isn't proposed: something must refer to it, or its name must say it.
const LEAST_SCORE: i32 = 8;

/// The subject and its facts, or `None` where no table looks like one.
pub(super) fn relate<'a>(
    connection: &Connection,
    tables: &'a [Table],
    notes: &mut Vec<String>,
) -> rusqlite::Result<Option<Found<'a>>> {
    let mut candidates = Vec::new();
    for table in tables {
        candidates.extend(candidate(connection, table, tables)?);
    }
    candidates.retain(|c| c.score >= LEAST_SCORE);
    // Of equals the first by name: the sort is stable and the tables are in order.
    candidates.sort_by_key(|c| -c.score);
    let mut candidates = candidates.into_iter();
    let Some(best) = candidates.next() else { return Ok(None) };
    let rivals: Vec<String> = candidates.filter(|c| c.score >= 40).map(|c| format!("`{}`", c.table.name)).collect();
    if !rivals.is_empty() {
        let rivals = rivals.join(", ");
        notes.push(format!("`{}` is graded; {rivals} could be a second [subject.…] of its own", best.table.name));
    }
    Ok(Some(found(best, notes)))
}

// ── Candidates ───────────────────────────────────────────────────────────────────────────────────────

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
        if best.as_ref().is_none_or(|b| score > b.score) {
            best = Some(Candidate { table, key, key_type, links, score });
        }
    }
    Ok(best)
}

/// Declared keys, else a column that is named like one and holds no value twice.
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
    let (name, column) = (quote(&table.name), quote(&table.columns[column].name));
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

fn score(table: &Table, links: &[Link<'_>]) -> i32 {
    let noun = names::noun(&table.name);
    let personal = table.columns.iter().filter(|c| names::is_personal(&c.name, true)).count().min(3) as i32;
    let dated = links.iter().filter(|link| has_time(link.table)).count().min(5) as i32;
    let undated = links.len().min(5) as i32 - dated.min(links.len() as i32);
    let thing = if names::is_thing(&noun) { -40 } else { 0 };
    // A view over a table of the same name comes second.
    let view = if table.is_view { -5 } else { 0 };
    names::subject_score(&noun) + 4 * personal + 8 * dated + undated + thing + view
}

fn has_time(table: &Table) -> bool {
    (0..table.columns.len()).any(|i| kind::kind(&table.columns[i], &table.values(i)).is_ok_and(|kind| kind.is_time()))
}

// ── Links ────────────────────────────────────────────────────────────────────────────────────────────

/// Columns of other tables that hold this key, the surest of each table first.
fn links<'a>(
    connection: &Connection,
    subject: &Table,
    key: usize,
    tables: &'a [Table],
) -> rusqlite::Result<Vec<Link<'a>>> {
    let mut all = Vec::new();
    for table in tables.iter().filter(|t| t.name != subject.name) {
        let mut of_table = Vec::new();
        for column in 0..table.columns.len() {
            let Some(strength) = strength(table, column, subject, key) else { continue };
            if holds_keys(connection, table, column, subject, key)? {
                of_table.push(Link { table, column, strength });
            }
        }
        of_table.sort_by_key(|link| std::cmp::Reverse(link.strength));
        all.extend(of_table);
    }
    Ok(all)
}

/// What declaration and name say of a column as a reference to the key.
fn strength(table: &Table, column: usize, subject: &Table, key: usize) -> Option<Strength> {
    let key_name = &subject.columns[key].name;
    let to_key = |to: &Option<String>| match to {
        Some(to) => to.eq_ignore_ascii_case(key_name),
        None => subject.keys.first() == Some(&key),
    };
    let declared = |r: &super::schema::Reference| {
        r.column == column && r.table.eq_ignore_ascii_case(&subject.name) && to_key(&r.to)
    };
    if table.references.iter().any(declared) {
        return Some(Strength::Declared);
    }
    let name = &table.columns[column].name;
    if name.eq_ignore_ascii_case(key_name) && !names::is_generic_key(key_name) {
        return Some(Strength::Named);
    }
    match names::refers_to(name, &names::noun(&subject.name)) {
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
    let (name, key) = (quote(&subject.name), quote(&subject.columns[key].name));
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

// ── The proposal's tables ────────────────────────────────────────────────────────────────────────────

fn found<'a>(best: Candidate<'a>, notes: &mut Vec<String>) -> Found<'a> {
    let mut facts = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for link in &best.links {
        if seen.contains(&link.table.name.as_str()) {
            continue;
        }
        seen.push(&link.table.name);
        let taken: Vec<String> = facts.iter().map(|f: &Facts<'_>| f.name.clone()).collect();
        facts.extend(facts_of(link, &best, &taken, notes));
    }
    // Of equals the first by name, as the links are.
    facts.sort_by_key(|f| -weight(f));
    let subject = Subject {
        name: naming::table_name(&names::noun(&best.table.name).join("_"), &[]),
        table: best.table,
        key: best.key,
        key_type: best.key_type,
        because: because(&best, facts.len()),
        columns: describe(best.table, best.key, true),
    };
    Found { subject, facts }
}

fn facts_of<'a>(link: &Link<'a>, best: &Candidate<'a>, taken: &[String], notes: &mut Vec<String>) -> Option<Facts<'a>> {
    let (table, subject) = (link.table, &best.table.name);
    if table.keys.contains(&link.column) {
        notes.push(format!(
            "`{}` has one row per row of `{subject}`: a view that joins the two would make its columns attributes",
            table.name
        ));
        return None;
    }
    let columns = describe(table, link.column, false);
    let Some((time, other_times)) = time(table, &columns) else {
        notes
            .push(format!("`{}` refers to `{subject}` but has no date or time that tierd reads: left out", table.name));
        return None;
    };
    let column = &table.columns[link.column].name;
    let because = match link.strength {
        Strength::Declared => format!("its foreign key `{column}` refers to `{subject}`"),
        Strength::Named | Strength::NamedLike if table.rows.is_empty() => {
            format!("`{column}` is named like a key of `{subject}`")
        }
        Strength::Named | Strength::NamedLike => format!("`{column}` holds keys of `{subject}`"),
    };
    let other_links = best.links.iter().filter(|l| l.table.name == table.name && l.column != link.column);
    let mut others: Vec<String> =
        other_links.map(|l| format!("subject_column could also be `{}`", table.columns[l.column].name)).collect();
    others.extend(other_times.into_iter().map(|t| format!("time could also be `{}`", table.columns[t].name)));
    let name = naming::table_name(&table.name, taken);
    Some(Facts { name, table, link: link.column, time, because, others, columns })
}

/// The column that says when a row happened, and the others that could.
fn time(table: &Table, columns: &[Described]) -> Option<(usize, Vec<usize>)> {
    let noun = names::noun(&table.name);
    let rank = |column: usize| {
        let filled = table.values(column).len();
        // A time that is often missing belongs to something that comes later, or not at all.
        let missing = (20 * (table.rows.len() - filled)).checked_div(table.rows.len()).unwrap_or(0);
        names::event_rank(&table.columns[column].name, &noun) - missing as i32
    };
    let is_time = |d: &&Described| !d.personal && d.kind.as_ref().is_ok_and(Kind::is_time);
    let mut times: Vec<usize> = columns.iter().filter(is_time).map(|d| d.column).collect();
    times.sort_by_key(|column| -rank(*column));
    let (best, others) = times.split_first()?;
    Some((*best, others.to_vec()))
}

fn weight(facts: &Facts<'_>) -> i32 {
    let deal = if names::is_deal(&names::noun(&facts.table.name)) { 20 } else { 0 };
    let money = facts.columns.iter().filter_map(|d| names::money_rank(&facts.table.columns[d.column].name)).max();
    deal + 2 * i32::from(money.unwrap_or(0)) - if facts.table.rows.is_empty() { 30 } else { 0 }
}

fn because(best: &Candidate<'_>, facts: usize) -> String {
    let key = if best.table.keys.contains(&best.key) { "its unique key" } else { "a column without duplicates" };
    let name = if names::subject_score(&names::noun(&best.table.name)) > 0 { "its name, " } else { "" };
    match facts {
        0 => format!("{name}{key}"),
        1 => format!("{name}{key}, and one table of dated rows that refers to it"),
        n => format!("{name}{key}, and {n} tables of dated rows that refer to it"),
    }
}

/// All columns but the key.
fn describe(table: &Table, key: usize, of_people: bool) -> Vec<Described> {
    let noun = names::noun(&table.name);
    let mut taken: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
    let mut out = Vec::new();
    for (index, column) in table.columns.iter().enumerate().filter(|(index, _)| *index != key) {
        let kind = kind::kind(column, &table.values(index));
        let minor_units = kind.as_ref().is_ok_and(|k| k.encoding == Encoding::Amount(AmountEncoding::MinorUnits));
        let flag = kind.as_ref().is_ok_and(|k| k.ty == Type::Bool);
        taken.retain(|name| *name != column.name);
        let name = naming::column_name(&column.name, minor_units, &noun, &taken);
        taken.push(name.clone());
        let personal = !flag && names::is_personal(&column.name, of_people);
        out.push(Described { name, column: index, kind, personal });
    }
    out
}
