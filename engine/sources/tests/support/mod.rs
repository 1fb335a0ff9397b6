//! Small shops in real files, and rules over them.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use arrow_array::Array;
use rusqlite::Connection;
use tempfile::TempDir;
use tierd_eval::columns::value_at;
use tierd_model::{Clock, Value, parse_timestamp};
use tierd_rules::{File, FileSet, RuleSet, SubjectId, load};
use tierd_sources::{Database, Progress, ReadError, ReadOptions, ReaderKind, SourceData, read};

/// A database file in a folder that goes with it.
pub struct Shop {
    folder: TempDir,
}

impl Shop {
    /// A database made by this SQL.
    pub fn new(sql: &str) -> Self {
        let shop = Shop { folder: tempfile::tempdir().unwrap() };
        let connection = shop.connection();
        // No test pulls the plug.
        connection.pragma_update(None, "synchronous", "off").unwrap();
        connection.execute_batch(sql).unwrap();
        shop
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    /// A connection such as the application has.
    pub fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub fn database(&self) -> Database {
        Database::open(self.path(), Duration::from_secs(20)).unwrap()
    }

    /// Everything that the rules ask for, at noon on 2026-03-31.
    pub fn read(&self, rules: &RuleSet) -> Result<SourceData, ReadError> {
        self.read_by(rules, ReaderKind::Auto)
    }

    pub fn read_by(&self, rules: &RuleSet, reader: ReaderKind) -> Result<SourceData, ReadError> {
        let options = ReadOptions { threads: 2, reader };
        read(&self.database(), rules, SubjectId(0), &clock(rules), options, &Progress::default())
    }
}

pub fn clock(rules: &RuleSet) -> Clock {
    let zone = Arc::clone(&rules.config.zone);
    Clock::new(parse_timestamp(b"2026-03-31 12:00").unwrap().instant(&zone), zone)
}

/// Rules over a configuration; both must be good.
pub fn rules(config: &str, rules: &str) -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", config), file("rules/test.toml", rules)]));
    assert!(loaded.rules.is_some(), "{:#?}", loaded.diagnostics);
    loaded.rules.unwrap()
}

/// A configuration of customers with an integer key and orders with these columns (the time column is `at`).
pub fn config(columns: &str) -> String {
    format!(
        r#"
        time_zone = "Asia/Shanghai"
        [database]
        sqlite = "shop.db"
        [subject.customer]
        table = "customers"
        key = "id"
        [subject.customer.attributes]
        city = "text"
        [facts.orders]
        table = "orders"
        subject = "customer"
        subject_column = "customer_id"
        time = "at"
        [facts.orders.columns]
        {columns}
        "#
    )
}

/// `count(*)`, and `last(column)` of each column, as metrics of these names.
pub fn last_of(columns: &[&str]) -> String {
    let last = |column: &&str| {
        format!(
            "[metric.last_{column}]\nfrom = 'orders'\naggregate = 'last({column})'\nwindow = 'lifetime'\nempty = 'null'\n"
        )
    };
    let count = "[metric.orders]\nfrom = 'orders'\naggregate = 'count(*)'\nwindow = 'lifetime'\nempty = 0\n";
    count.to_owned() + &columns.iter().map(last).collect::<String>()
}

/// The values of a metric, subject by subject, as they are written.
pub fn values(data: &SourceData, rules: &RuleSet, metric: &str) -> Vec<String> {
    let (id, metric) = rules.metric(metric).unwrap();
    let column = data.given[id.0].as_ref().unwrap();
    let text = |value: Option<Value>| value.map_or("NULL".to_owned(), |value| value.to_string());
    (0..column.len()).map(|subject| text(value_at(column, metric.ty, subject))).collect()
}
