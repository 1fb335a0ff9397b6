//! One random case: the files of a project folder, and statements that make its database.

use std::fmt::Write;

use proptest::{collection::vec, prelude::*};
use rusqlite::{Connection, params_from_iter, types::Value as Stored};
use tierd_model::Type;

use crate::{
    cells::{cell, key},
    choices::Choices,
    expression::Writer,
    rules::{Rules, quoted},
    schema::{Layout, MOST_ROWS, Schema, Table},
};

/// Random words: every part of a case has its own, so that each can shrink and vanish by itself.
#[derive(Clone)]
pub(crate) struct Words {
    schema: Vec<u32>,
    filters: Vec<u32>,
    /// Customers, then accounts.
    subjects: [Vec<Vec<u32>>; 2],
    facts: [Vec<Vec<u32>>; 2],
    points: Vec<u32>,
    metrics: Vec<Vec<u32>>,
    tier_sets: Vec<Vec<u32>>,
}

/// Words say nothing to a person; the report of a difference shows what was made of them.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the case above")
    }
}

/// All cases.
pub(crate) fn words() -> impl Strategy<Value = Words> {
    let row = || vec(any::<u32>(), 32);
    let long = || vec(any::<u32>(), 100);
    // Most cases have rows enough that subjects differ; a few have none, or next to none.
    let rows = |most: usize| prop_oneof![1 => vec(row(), 0..3), 9 => vec(row(), most / 2..most)];
    let few = |most: usize| prop_oneof![1 => vec(row(), 0..3), 9 => vec(row(), most / 3..most)];
    let tables = ([few(14), few(6)], [rows(MOST_ROWS).boxed(), rows(MOST_ROWS / 2).boxed()]);
    let rules = (long(), vec(long(), 1..9), vec(long(), 0..3));
    (vec(any::<u32>(), 120), long(), tables, rules).prop_map(
        |(schema, filters, (subjects, facts), (points, metrics, tier_sets))| Words {
            schema,
            filters,
            subjects,
            facts,
            points,
            metrics,
            tier_sets,
        },
    )
}

/// A project folder with its database.
pub(crate) struct Case {
    pub(crate) schema: Schema,
    pub(crate) config: String,
    pub(crate) rules: String,
    tables: Vec<Rows>,
}

/// A table and what it holds.
struct Rows {
    create: String,
    /// With a `?` for each value, which is [`Rows::places`].
    insert: String,
    places: String,
    rows: Vec<Vec<Stored>>,
}

impl Case {
    pub(crate) fn new(words: &Words) -> Self {
        let schema = Schema::random(&mut Choices::new(&words.schema));
        let counts = words.subjects.iter().map(Vec::len);
        let keys: Vec<Vec<Stored>> = counts.zip(&schema.text_keys).map(|(count, text)| keys(*text, count)).collect();
        let mut tables: Vec<Rows> = Vec::new();
        for (table, words) in schema.subjects.iter().zip(&words.subjects) {
            tables.push(rows(&schema, &keys, table, words, |row, _| keys[table.kind][row].clone()));
        }
        for (table, words) in schema.facts.iter().zip(&words.facts) {
            let (text, keys_of) = (schema.text_keys[table.kind], &keys[table.kind]);
            tables.push(rows(&schema, &keys, table, words, |_, choices| key(choices, text, keys_of, 12)));
        }
        let rules = rules(&schema, words);
        let config = config(&schema, &mut Choices::new(&words.filters));
        Case { schema, config, rules, tables }
    }

    /// What makes the database, as SQL.
    pub(crate) fn statements(&self) -> String {
        let mut out = String::new();
        for table in &self.tables {
            let _ = writeln!(out, "{}", table.create);
            for row in &table.rows {
                let values: Vec<String> = row.iter().map(written).collect();
                let _ = writeln!(out, "{};", table.insert.replace(&table.places, &values.join(", ")));
            }
        }
        out
    }

    /// Makes the tables in an empty database.
    pub(crate) fn fill(&self, database: &Connection) -> rusqlite::Result<()> {
        for table in &self.tables {
            database.execute_batch(&table.create)?;
            let mut insert = database.prepare(&table.insert)?;
            for row in &table.rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        Ok(())
    }
}

/// Metrics that no level is asked for, a tier set, metrics that may ask for its level, more sets.
fn rules(schema: &Schema, words: &Words) -> String {
    let mut rules = Rules::new(schema);
    rules.program(&mut Choices::new(&words.points));
    let (before, after) = words.metrics.split_at(words.metrics.len() / 2);
    before.iter().for_each(|words| rules.metric(&mut Choices::new(words)));
    let mut sets = words.tier_sets.iter().zip(["value", "长期"]);
    sets.by_ref().take(1).for_each(|(words, name)| rules.tier_set(&mut Choices::new(words), name));
    after.iter().for_each(|words| rules.metric(&mut Choices::new(words)));
    sets.for_each(|(words, name)| rules.tier_set(&mut Choices::new(words), name));
    rules.text
}

/// Keys that sort differently as numbers, as text and without regard to case.
fn keys(text: bool, count: usize) -> Vec<Stored> {
    let texts = ["b", "B", "a", "客户1", "Ab", "ab", "", "10", "9", "it's", "é", "z z", "_", "\u{1F600}"];
    let numbers = [10, 9, -5, 0, 1, 1 << 40, i64::MAX, i64::MIN, 2, 3, 4, 100, 7, 8];
    match text {
        true => texts.iter().take(count).map(|text| Stored::Text((*text).to_owned())).collect(),
        false => numbers.iter().take(count).map(|number| Stored::Integer(*number)).collect(),
    }
}

fn rows(
    schema: &Schema,
    keys: &[Vec<Stored>],
    table: &Table,
    words: &[Vec<u32>],
    own_key: impl Fn(usize, &mut Choices<'_>) -> Stored,
) -> Rows {
    let name = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut columns = format!("{} {}", name(table.key), table.key_declared);
    for column in &table.columns {
        let _ = write!(columns, ", {} {}", name(&column.stored), column.declared);
    }
    let stored = if table.layout == Layout::View { format!("{} base", table.table) } else { table.table.to_owned() };
    let mut create = match table.layout {
        Layout::WithoutRowids => {
            format!("CREATE TABLE {} (\"nr\" INTEGER PRIMARY KEY, {columns}) WITHOUT ROWID;", name(&stored))
        }
        _ => format!("CREATE TABLE {} (\"nr\" INTEGER PRIMARY KEY, {columns});", name(&stored)),
    };
    if table.layout == Layout::View {
        let _ = write!(create, "CREATE VIEW {} AS SELECT * FROM {};", name(table.table), name(&stored));
    }
    let places = vec!["?"; table.columns.len() + 2].join(", ");
    let rows = words.iter().enumerate().map(|(i, words)| {
        let choices = &mut Choices::new(words);
        let mut row = vec![Stored::Integer(i as i64), own_key(i, choices)];
        row.extend(table.columns.iter().map(|column| match column.is_parent {
            true => key(choices, column.ty == Type::Text, &keys[1], 15),
            false => cell(choices, schema, column),
        }));
        row
    });
    Rows { insert: format!("INSERT INTO {} VALUES ({places})", name(&stored)), places, rows: rows.collect(), create }
}

/// A stored value as an SQL literal.
fn written(value: &Stored) -> String {
    match value {
        Stored::Null => "NULL".to_owned(),
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) if number.is_infinite() => format!("{}9e999", if *number < 0.0 { "-" } else { "" }),
        Stored::Real(number) => format!("{number:?}"),
        Stored::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Stored::Blob(bytes) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

fn config(schema: &Schema, choices: &mut Choices<'_>) -> String {
    let mut out =
        format!("time_zone = \"{}\"\n[database]\nsqlite = \"shop.db\"\nbad_values = \"any\"\n", schema.zone().name());
    for (subject, text) in schema.subjects.iter().zip(&schema.text_keys) {
        let key_type = if *text { "text" } else { "integer" };
        let key = format!("key = {{ column = {}, type = \"{key_type}\" }}", quoted(subject.key));
        out += &format!("[subject.{}]\ntable = {}\n{key}\n", subject.name, quoted(subject.table));
        if let Some(column) = subject.columns.iter().find(|column| column.is_parent) {
            out += &format!("parent = {{ subject = \"account\", column = \"{}\" }}\n", column.name);
        }
        out += &filter(schema, subject, choices);
        out += &columns(&format!("subject.{}.attributes", subject.name), subject);
    }
    for facts in &schema.facts {
        let subject = schema.subjects[facts.kind].name;
        out += &format!("[facts.{}]\ntable = {}\nsubject = \"{subject}\"\n", facts.name, quoted(facts.table));
        out += &format!("subject_column = {}\ntime = \"happened_at\"\n", quoted(facts.key));
        out += &filter(schema, facts, choices);
        out += &columns(&format!("facts.{}.columns", facts.name), facts);
    }
    out
}

fn filter(schema: &Schema, table: &Table, choices: &mut Choices<'_>) -> String {
    if table.columns.is_empty() || !choices.chance(15) {
        return String::new();
    }
    let scope: Vec<_> = table.columns.iter().map(|column| column.item()).collect();
    let condition = Writer { scope: &scope, levels: &[], choices, clock: &schema.clock }.condition(2);
    format!("filter = {}\n", quoted(&condition))
}

fn columns(heading: &str, table: &Table) -> String {
    let mut out = format!("[{heading}]\n");
    for column in &table.columns {
        let encoding = column.encoding.map_or(String::new(), |encoding| format!(", encoding = \"{encoding}\""));
        let stored = quoted(&column.stored);
        let (name, ty): (_, Type) = (&column.name, column.ty);
        let _ = writeln!(out, "{name} = {{ type = \"{ty}\", column = {stored}{encoding} }}");
    }
    out
}
