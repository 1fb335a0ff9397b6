//! `tierd.toml` as text, each guess with its reason.

use tierd_model::KeyType;

use super::{
    InitOptions, names,
    relate::{Described, Facts, Found, Subject},
    tables::{Cell, Table},
    toml_text::{column, comment, key, string},
};

/// The configuration for what was found.
pub(super) fn config(options: &InitOptions<'_>, found: &Found<'_>, notes: &mut Vec<String>) -> String {
    let bad = bad_columns(found);
    if !bad.is_empty() {
        notes.push(format!(
            "sampled values don't fit in {}: such values count as NULL, and any number is allowed",
            bad.join(", ")
        ));
    }
    let mut out = head(options, &bad);
    out.push_str(&subject(&found.subject));
    for facts in &found.facts {
        out.push_str(&self::facts(facts, &found.subject));
        notes.extend(time_note(facts));
    }
    out
}

/// A configuration to fill in, where nothing is recognised.
pub(super) fn template(options: &InitOptions<'_>, tables: &[String]) -> String {
    let tables = tables.iter().map(|t| comment(t)).collect::<Vec<_>>().join(", ");
    let head = head(options, &[]);
    format!(
        r#"{head}
# The database has: {tables}.

[subject.customer]
table = ""              # the table or view with one row per customer
key   = ""              # its unique column; for text: {{ column = "…", type = "text" }}

[subject.customer.attributes]
# city = "text"

[facts.orders]
table          = ""     # the table or view with dated rows about customers
subject        = "customer"
subject_column = ""     # its column with the customer's key
time           = "ordered_at"

[facts.orders.columns]
ordered_at = {{ type = "timestamp", encoding = "iso8601" }}
# amount   = {{ type = "decimal(2)", encoding = "real" }}
"#
    )
}

fn head(options: &InitOptions<'_>, bad: &[String]) -> String {
    let (zone, database) = (string(options.time_zone), string(options.database));
    let (limit, remark) = match bad {
        [] => ("0", "how many values may not fit their type before a run fails: 10, \"0.1%\", \"any\"".to_owned()),
        bad => {
            ("\"any\"", format!("samples don't fit in {}; better a limit such as \"0.1%\"", comment(&bad.join(", "))))
        }
    };
    let width = zone.len();
    let mut out = format!(
        r#"#:schema .tierd/tierd.schema.json
#
# Proposed by `tierd init` from the schema and some rows of the database. Read it through: comments say what a guess rests
# on and what else it could be. tierd only reads the database.

time_zone = {zone}   # where days begin, and where times without offset are read
rules     = {rules:width$}   # the folder of rule files

"#,
        rules = "\"rules\"",
    );
    let width = database.chars().count().max(5);
    out.push_str(&format!(
        r#"[database]
sqlite           = {database:width$}   # only read, never written
bad_values       = {limit:width$}   # {remark}
unknown_subjects = {any:width$}   # how many rows may refer to nobody

[ledger]
path = "tierd.ledger"   # tierd's own memory

[schedule.default]      # when `tierd serve` decides what names no schedule of its own
every = "daily at 02:15"
"#,
        any = "\"any\"",
    ));
    out
}

fn subject(subject: &Subject<'_>) -> String {
    let table = subject.table;
    let key_column = &table.columns[subject.key].name;
    let key_text = match subject.key_type {
        KeyType::Integer => string(key_column),
        KeyType::Text => format!("{{ column = {}, type = \"text\" }}", string(key_column)),
    };
    let warning = if names::is_personal(key_column, true) {
        "\n# The key looks personal, and keys are stored and logged: better one that says nothing of the person."
    } else {
        ""
    };
    let name = key(&subject.name);
    format!(
        "\n# Who is graded, recognised by {because}.{warning}\n[subject.{name}]\ntable = {table_name}\nkey   = {key_text}\n{columns}",
        because = comment(&subject.because),
        table_name = string(&table.name),
        columns = columns(&format!("subject.{name}.attributes"), table, &subject.columns),
    )
}

fn facts(facts: &Facts<'_>, subject: &Subject<'_>) -> String {
    let table = facts.table;
    let name = key(&facts.name);
    let others: String = facts.others.iter().map(|other| format!("# {}.\n", comment(other))).collect();
    let time = facts.columns.iter().find(|d| d.column == facts.time).map_or("", |d| &d.name);
    format!(
        "\n# Dated rows: {because}.\n{others}[facts.{name}]\ntable          = {table_name}\nsubject        = {subject}\n\
         subject_column = {link}\ntime           = {time}\n{columns}",
        because = comment(&facts.because),
        table_name = string(&table.name),
        subject = string(&subject.name),
        link = string(&table.columns[facts.link].name),
        time = string(time),
        columns = columns(&format!("facts.{name}.columns"), table, &facts.columns),
    )
}

/// What is to be known of the time of the rows: it decides which rows a window holds.
fn time_note(facts: &Facts<'_>) -> Option<String> {
    let time = facts.columns.iter().find(|d| d.column == facts.time)?;
    let comment = time.kind.as_ref().ok()?.comment.as_ref()?;
    Some(format!("`{}.{}`: {comment}", facts.table.name, facts.table.columns[facts.time].name))
}

/// The table of columns, aligned.
fn columns(header: &str, table: &Table, columns: &[Described]) -> String {
    let keys: Vec<String> = columns.iter().filter(|d| d.kind.is_ok()).map(|d| key(&d.name)).collect();
    if columns.is_empty() {
        return String::new();
    }
    let columns_wide = keys.iter().map(|k| width(k)).max().unwrap_or(0);
    let mut out = format!("\n[{header}]\n");
    for described in columns {
        let stored = &table.columns[described.column].name;
        match &described.kind {
            Ok(kind) => {
                let renamed = (described.name != *stored).then_some(stored.as_str());
                let declaration = column(kind.ty, kind.encoding, described.personal, renamed);
                let remark = remark(table, described, kind.comment.as_deref());
                let key = key(&described.name);
                let blanks = " ".repeat(columns_wide - width(&key));
                out.push_str(&format!("{key}{blanks} = {declaration}{remark}\n"));
            }
            Err(why) => out.push_str(&format!("# {} is left out: {why}\n", comment(stored))),
        }
    }
    out
}

/// Columns of a terminal: Chinese, Japanese and Korean signs take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' { 2 } else { 1 }).sum()
}

fn remark(table: &Table, described: &Described, said: Option<&str>) -> String {
    let seen = seen(table, described).map(|values| format!("seen: {}", values.join(", ")));
    match said.map(str::to_owned).or(seen) {
        Some(text) => format!("   # {}", comment(&text)),
        None => String::new(),
    }
}

/// The sampled values of a column that holds one of a few kinds, and nothing personal.
pub(super) fn seen(table: &Table, described: &Described) -> Option<Vec<String>> {
    if described.personal || !names::is_category(&table.columns[described.column].name) {
        return None;
    }
    let mut values: Vec<String> = Vec::new();
    for cell in table.values(described.column) {
        let Cell::Text(text) = cell else { return None };
        if !values.contains(text) {
            values.push(text.clone());
        }
    }
    values.sort();
    (1..=12).contains(&values.len()).then_some(values)
}

/// Columns with sampled values that don't fit, as `table.column`.
fn bad_columns(found: &Found<'_>) -> Vec<String> {
    let of = |table: &Table, columns: &[Described]| -> Vec<String> {
        let bad = columns.iter().filter(|d| d.kind.as_ref().is_ok_and(|kind| kind.bad > 0));
        bad.map(|d| format!("{}.{}", table.name, table.columns[d.column].name)).collect()
    };
    let mut bad = of(found.subject.table, &found.subject.columns);
    found.facts.iter().for_each(|facts| bad.extend(of(facts.table, &facts.columns)));
    bad
}
