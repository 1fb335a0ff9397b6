//! `tierd.toml`, checked: where the data is and what its columns mean.

use std::{net::SocketAddr, sync::Arc};

use tierd_model::{CalendarSpan, KeyType, Type, Zone};

use crate::{checked::SubjectId, expr::Expr, fileset::Location};

/// The configuration of one project folder.
#[derive(Debug, Clone)]
pub struct Config {
    /// Path of the SQLite database, as written (relative to the folder of `tierd.toml`).
    pub database: String,
    /// Path of tierd's own state, as written.
    pub ledger: String,
    /// Folder of rule files, as written.
    pub rules: String,
    /// Zone in which windows begin and local times without offset are read.
    pub zone: Arc<Zone>,
    /// How many bad values a run may meet.
    pub bad_values: Limit,
    /// How many fact rows may name no known subject.
    pub unknown_subjects: Limit,
    /// How a daemon is reached.
    pub http: Http,
    /// Who is graded.
    pub subjects: Vec<Subject>,
    /// What is known of them, with dates.
    pub facts: Vec<Facts>,
    /// Tables that plugins may be granted to look things up in.
    pub lookups: Vec<Lookup>,
}

/// A table or view in which plugins look things up by key: `[lookup.NAME]`.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Name in grants.
    pub name: String,
    /// Table or view.
    pub table: String,
    /// Its key column, unique.
    pub key: String,
    /// What the key column holds.
    pub key_type: KeyType,
    /// Whether a table without any row is no mistake.
    pub may_be_empty: bool,
    /// Columns that plugins may see.
    pub columns: Vec<Column>,
    /// Where it is written.
    pub at: Location,
}

/// How a daemon is reached: `[http]`. A change of these needs a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Address and port; `None` (`listen = "off"`) for no TCP at all. Default: 127.0.0.1:7411.
    pub listen: Option<SocketAddr>,
    /// Path of the Unix socket, as written (from the folder of `tierd.toml`); `None` (`"off"`) for none. Default: `tierd.sock`.
    pub socket: Option<String>,
    /// Path of a file with the token that changes need over TCP, as written; without one, changes go over the socket alone.
    pub token_file: Option<String>,
    /// Names, with port where it isn't the default one, under which others reach it: allowed in `Host` besides loopback names.
    pub hosts: Vec<String>,
    /// Web pages that may ask from a browser: allowed in `Origin` besides its own.
    pub origins: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 7411))),
            socket: Some("tierd.sock".to_owned()),
            token_file: None,
            hosts: Vec::new(),
            origins: Vec::new(),
        }
    }
}

/// A limit of rows: a number, or a share of the rows read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// At most this many.
    Rows(u64),
    /// At most this share, in parts per million.
    PartsPerMillion(u32),
    /// Any number.
    Unlimited,
}

impl Limit {
    /// Whether `count` of `total` rows is more than allowed.
    pub fn exceeded(self, count: u64, total: u64) -> bool {
        match self {
            Limit::Rows(most) => count > most,
            Limit::PartsPerMillion(ppm) => u128::from(count) * 1_000_000 > u128::from(total) * u128::from(ppm),
            Limit::Unlimited => false,
        }
    }
}

/// A table or view with one row per subject.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Name in rules.
    pub name: String,
    /// Table or view.
    pub table: String,
    /// Key column of the table.
    pub key: String,
    /// Its type.
    pub key_type: KeyType,
    /// Which rows count, over `attributes`.
    pub filter: Option<Expr>,
    /// Columns that rules may use.
    pub attributes: Vec<Column>,
    /// The group that a subject belongs to.
    pub parent: Option<Parent>,
    /// Where it is written.
    pub at: Location,
}

/// The group that a subject belongs to: another kind of subject, by its key. Groups of groups are possible, circles aren't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Which kind of subject.
    pub subject: SubjectId,
    /// The attribute (index into [`Subject::attributes`], of the type of the parent's key) that holds the parent's key.
    pub attribute: usize,
}

/// A table or view with dated rows about a subject.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Name in rules.
    pub name: String,
    /// Table or view.
    pub table: String,
    /// Whose facts these are.
    pub subject: SubjectId,
    /// Column of the table that holds the subject's key.
    pub subject_column: String,
    /// Index into `columns` of the row's time: a date or timestamp.
    pub time: usize,
    /// Which rows count, over `columns`.
    pub filter: Option<Expr>,
    /// The newest row may be at most this old at `as_of`.
    pub fresh: Option<CalendarSpan>,
    /// Whether a table without any row is no mistake.
    pub may_be_empty: bool,
    /// Columns that rules may use; the time column among them.
    pub columns: Vec<Column>,
    /// Where it is written.
    pub at: Location,
}

/// A column of a table, with the type that rules see and the way it is stored.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in rules.
    pub name: String,
    /// Name in the table.
    pub column: String,
    /// Type in rules.
    pub ty: Type,
    /// How it is stored.
    pub encoding: Encoding,
    /// Holds personal data: never logged, exported only masked.
    pub personal: bool,
    /// Where it is written.
    pub at: Location,
}

/// How a column is stored in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As SQLite's own type: TEXT for text, INTEGER for integer, REAL or INTEGER for real, INTEGER 0/1 for bool.
    Plain,
    /// A decimal.
    Amount(AmountEncoding),
    /// A date or timestamp.
    Time(TimeEncoding),
}

/// How a decimal is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AmountEncoding {
    /// INTEGER counting the smallest unit: 1999 is 19.99 at scale 2.
    MinorUnits,
    /// REAL (or INTEGER) in whole units: 19.99. Must lie within 1/10,000 of the smallest unit of a decimal of the scale.
    Real,
    /// TEXT such as `19.99` (or INTEGER in whole units), with at most `scale` digits after the point but for zeros.
    Text,
}

/// How a date or timestamp is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeEncoding {
    /// TEXT, `YYYY-MM-DD` with or without time and offset; without offset in the zone of the configuration.
    /// For a date only `YYYY-MM-DD`.
    Iso8601,
    /// INTEGER seconds since 1970 (for a date: the local day of that instant).
    UnixSeconds,
    /// INTEGER milliseconds since 1970 (likewise).
    UnixMilliseconds,
    /// INTEGER or TEXT, 20260331: local midnight, for a timestamp.
    Yyyymmdd,
    /// REAL or INTEGER Julian day (UTC), to the millisecond (for a date: the local day of that instant).
    JulianDay,
}
