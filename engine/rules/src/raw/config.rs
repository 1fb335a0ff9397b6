//! `tierd.toml` as written.

use super::{
    forms::{LimitText, Parsed, SpanText, TypeName},
    plugin::{LookupTable, PluginTable},
    read::Named,
    schedule::{HttpTable, ScheduleTable},
    table::{table, words},
    values::{ColumnEntry, KeyEntry},
};

table! {
    /// Where the data is and what its columns mean.
    ConfigFile = "tierd.toml" {
        /// Time zone in which windows begin and in which local times are read: an IANA name such as `Asia/Shanghai` or `UTC`.
        required time_zone: String,
        /// Folder of rule files, from the folder of this file. Default: `rules`.
        optional rules: String,
        /// The company's database. tierd only reads it.
        required database: DatabaseTable,
        /// tierd's own state.
        optional ledger: LedgerTable,
        /// Who is graded: one table for each kind of subject, such as `[subject.customer]`.
        required subject: Named<SubjectTable>,
        /// Dated rows about subjects, such as `[facts.orders]`.
        optional facts: Named<FactsTable>,
        /// What plugins may take, look up and propose: `[plugin.NAME]` for the file `NAME.wasm` beside the rules.
        optional plugin: Named<PluginTable>,
        /// Tables that plugins may be granted to look things up in, such as `[lookup.regions]`.
        optional lookup: Named<LookupTable>,
        /// When tier sets and retention rules are decided by a daemon: `[schedule.default]` for those that name none, `[schedule.NAME]` for others.
        optional schedule: Named<ScheduleTable>,
        /// How a daemon is reached.
        optional http: HttpTable,
    }
}

table! {
    /// The company's database.
    DatabaseTable = "`[database]`" {
        /// Path of the SQLite file, from the folder of this file.
        required sqlite: String,
        /// How many values may not fit their column's type before a run fails: a number of rows, a share such as `"0.1%"`, or `"any"`. Default: 0.
        optional bad_values: Parsed<LimitText>,
        /// How many fact rows may name no known subject before a run fails: a number of rows, a share such as `"0.1%"`, or `"any"`. Default: `"any"`.
        optional unknown_subjects: Parsed<LimitText>,
    }
}

table! {
    /// tierd's own state: levels, runs, transitions.
    LedgerTable = "`[ledger]`" {
        /// Path of the ledger, from the folder of this file. Default: `tierd.ledger`.
        optional path: String,
    }
}

table! {
    /// A table or view with one row for each subject.
    SubjectTable = "a subject" {
        /// Table or view.
        required table: String,
        /// Its key column, unique; an integer unless it says `{ column = "…", type = "text" }`.
        required key: KeyEntry,
        /// Which rows are graded: a condition over the attributes.
        optional filter: String,
        /// Columns that rules may use: a name for each, with its type.
        optional attributes: Named<ColumnEntry>,
        /// The group that it belongs to: `{ subject = "account", column = "account_id" }`.
        optional parent: ParentTable,
    }
}

table! {
    /// The group that a subject belongs to.
    ParentTable = "`parent`" {
        /// Which kind of subject the group is: the NAME of another `[subject.NAME]`.
        required subject: String,
        /// The attribute that holds the group's key.
        required column: String,
    }
}

table! {
    /// A key column.
    KeyTable = "a key" {
        /// Column of the table.
        required column: String,
        /// What it holds. Default: integer.
        optional r#type: KeyTypeName,
    }
}

words! {
    /// What a key column holds.
    KeyTypeName {
        /// Whole numbers.
        Integer = "integer",
        /// Text, compared byte by byte.
        Text = "text",
    }
}

table! {
    /// A table or view with dated rows about subjects.
    FactsTable = "a table of facts" {
        /// Table or view.
        required table: String,
        /// The subject that the rows are about: the NAME of a `[subject.NAME]`.
        required subject: String,
        /// Column of the table that holds the subject's key.
        required subject_column: String,
        /// The column, one of `columns`, that says when it happened: a date or timestamp.
        required time: String,
        /// Which rows count: a condition over the columns.
        optional filter: String,
        /// How old the newest row may be, such as `"2 days"`.
        optional fresh: Parsed<SpanText>,
        /// Whether a table without any row is no mistake; otherwise a run refuses it, so that an emptied table demotes no one. Default: false.
        optional may_be_empty: bool,
        /// Columns that rules may use: a name for each, with its type.
        required columns: Named<ColumnEntry>,
    }
}

table! {
    /// A column with its type.
    ColumnTable = "a column" {
        /// Type that rules see.
        required r#type: Parsed<TypeName>,
        /// Name in the table, where it differs from the name in rules.
        optional column: String,
        /// How it is stored: `minor_units`, `real` or `text` for decimals; `iso8601`, `unix_seconds`, `unix_milliseconds`, `yyyymmdd` or `julian_day` for dates and timestamps.
        optional encoding: EncodingName,
        /// Holds personal data: never logged, exported only masked.
        optional personal: bool,
    }
}

words! {
    /// How a column is stored.
    EncodingName {
        /// A whole number of the smallest unit: 1999 is 19.99 in decimal(2).
        MinorUnits = "minor_units",
        /// A floating-point number in whole units: 19.99.
        Real = "real",
        /// Text such as `19.99`.
        Text = "text",
        /// Text, `YYYY-MM-DD` with or without time and offset.
        Iso8601 = "iso8601",
        /// Seconds since 1970.
        UnixSeconds = "unix_seconds",
        /// Milliseconds since 1970.
        UnixMilliseconds = "unix_milliseconds",
        /// 20260331, as number or text.
        Yyyymmdd = "yyyymmdd",
        /// Julian day.
        JulianDay = "julian_day",
    }
}
