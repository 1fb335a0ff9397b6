//! Who is graded, and which tables hold dated rows about them.

use rusqlite::Connection;
use tierd_model::{KeyType, Type};
use tierd_rules::{AmountEncoding, Encoding};

use super::{
    candidates::{Candidate, candidates},
    kind::{self, Kind},
    links::{Link, Strength},
    names, naming,
    tables::Table,
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

/// The subject and its facts, or `None` where no table looks like one.
pub(super) fn relate<'a>(
    connection: &Connection,
    tables: &'a [Table],
    notes: &mut Vec<String>,
) -> rusqlite::Result<Option<Found<'a>>> {
    let mut candidates = candidates(connection, tables)?.into_iter();
    let Some(best) = candidates.next() else { return Ok(None) };
    let rivals: Vec<String> = candidates.filter(|c| c.score >= 40).map(|c| format!("`{}`", c.table.name)).collect();
    if !rivals.is_empty() {
        let rivals = rivals.join(", ");
        notes.push(format!("`{}` is graded; {rivals} could be a second [subject.…] of its own", best.table.name));
    }
    // A column that is only named like one needs no word.
    for link in best.links.refuted.iter().filter(|link| link.strength > Strength::NamedLike) {
        let (table, column) = (&link.table.name, &link.table.columns[link.column].name);
        notes.push(format!(
            "`{table}.{column}` looks like a key of `{}`, but most of its values are none, or are stored as another type",
            best.table.name
        ));
    }
    Ok(Some(found(&best, notes)))
}

fn found<'a>(best: &Candidate<'a>, notes: &mut Vec<String>) -> Found<'a> {
    let mut facts = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for link in &best.links.good {
        if seen.contains(&link.table.name.as_str()) {
            continue;
        }
        seen.push(&link.table.name);
        let taken: Vec<String> = facts.iter().map(|f: &Facts<'_>| f.name.clone()).collect();
        facts.extend(facts_of(link, best, &taken, notes));
    }
    // Of equals the first by name, as the links are.
    facts.sort_by_key(|f| -weight(f));
    let subject = Subject {
        name: naming::table_name(&names::noun(&best.table.name), &[]),
        table: best.table,
        key: best.key,
        key_type: best.key_type,
        because: because(best, facts.len()),
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
    let other_links = best.links.good.iter().filter(|l| l.table.name == table.name && l.column != link.column);
    let mut others: Vec<String> =
        other_links.map(|l| format!("subject_column could also be `{}`", table.columns[l.column].name)).collect();
    others.extend(other_times.into_iter().map(|t| format!("time could also be `{}`", table.columns[t].name)));
    let name = naming::table_name(&names::plain(&table.name), taken);
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
