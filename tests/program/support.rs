//! A project folder in a temporary place, and the program run in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use rusqlite::Connection;
use tempfile::TempDir;

/// The configuration that most tests use.
pub(crate) const CONFIG: &str = r#"
time_zone = "UTC"
[database]
sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
[subject.customer.attributes]
name = { type = "text", personal = true }
city = "text"
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
status = "text"
"#;

/// Three levels by the spend of 12 months.
pub(crate) const RULES: &str = r#"
[metric.annual_spend]
title = "年消费额"
from = "orders"
aggregate = "sum(amount)"
where = "status = 'paid'"
window = { last = "12 months" }
empty = 0

[tiers.value]
title = "客户价值等级"
[[tiers.value.level]]
name = "C"
strategy = { touch = "automated mail" }
[[tiers.value.level]]
name = "B"
when = "annual_spend >= 5000"
strategy = { touch = "quarterly offer", every = "3 months", owner = "inside-sales" }
[[tiers.value.level]]
name = "A"
when = "annual_spend >= 10000"
strategy = { touch = "visit", every = "1 month", owner = "key-accounts" }
"#;

/// Customers 1 (12,000.00), 2 (7,500.00) and 3 (3,200.00, and a refunded 9,000.00), as of [`AS_OF`].
pub(crate) const TABLES: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, amount INTEGER, status TEXT, ordered_at TEXT);
INSERT INTO customers VALUES (1, '王小明', '武汉'), (2, '李雷', '上海'), (3, '=HYPERLINK(1)', NULL);
INSERT INTO orders VALUES
  (1, 1, 700000, 'paid', '2026-01-05 10:00:00'), (2, 1, 500000, 'paid', '2026-03-01 09:30:00'),
  (3, 2, 750000, 'paid', '2025-12-24'), (4, 3, 320000, 'paid', '2026-02-02 00:00:00'),
  (5, 3, 900000, 'refunded', '2026-02-03 00:00:00'), (6, 2, 9900000, 'paid', '2024-01-01 00:00:00');
";

/// The time that tests evaluate.
pub(crate) const AS_OF: &str = "2026-04-01";

/// A project folder.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// The shop of [`CONFIG`], [`RULES`] and [`TABLES`].
    pub(crate) fn shop() -> Self {
        let project = Project::empty();
        project.write("tierd.toml", CONFIG);
        project.write("rules/value.toml", RULES);
        project.sql(TABLES);
        project
    }

    pub(crate) fn empty() -> Self {
        Project { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file beside its place and moves it there: a daemon sees it whole, however slow this machine is.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_file_name(".new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    /// Replaces text in a file that has it.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, &text.replace(from, to));
    }

    /// Runs SQL in the company's database.
    pub(crate) fn sql(&self, sql: &str) {
        Connection::open(self.path("shop.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// Runs the program in the folder and gives what came of it.
    pub(crate) fn tierd(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
        command.current_dir(self.folder()).env_remove("NO_COLOR").args(args);
        Ran::new(args, command.output().unwrap())
    }

    /// `tierd run` at [`AS_OF`], which must succeed.
    pub(crate) fn run(&self) -> Ran {
        self.tierd(&["run", "--as-of", AS_OF]).ok()
    }

    /// Every level in the ledger: `1=A 2=B 3=C`.
    pub(crate) fn held(&self, set: &str) -> String {
        let ledger = Connection::open(self.path("tierd.ledger")).unwrap();
        let sql =
            "SELECT group_concat(subject || '=' || coalesce(level, '-'), ' ' ORDER BY subject) FROM current_levels
                   WHERE tier_set = ?1";
        ledger.query_row(sql, [set], |row| row.get::<_, Option<String>>(0)).unwrap().unwrap_or_default()
    }

    /// A single number from the ledger.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        Connection::open(self.path("tierd.ledger")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// What a command did.
pub(crate) struct Ran {
    what: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn new(args: &[&str], output: Output) -> Self {
        Ran {
            what: format!("tierd {}", args.join(" ")),
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}\n{}", self.what, self.out, self.err);
        self
    }

    /// Standard error has each of these.
    pub(crate) fn says(self, all: &[&str]) -> Self {
        for part in all {
            assert!(self.err.contains(part), "{}: no {part:?} in\n{}", self.what, self.err);
        }
        self
    }

    /// Standard output has each of these.
    pub(crate) fn prints(self, all: &[&str]) -> Self {
        for part in all {
            assert!(self.out.contains(part), "{}: no {part:?} in\n{}", self.what, self.out);
        }
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}
