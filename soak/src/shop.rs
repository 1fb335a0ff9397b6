//! The company: a database that an application writes, and projects of tierd that read it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{Failure, random::Random};

/// The first day: later ones are counted from it.
const FIRST_DAY: &str = "2026-01-01";

/// Rules with everything that is remembered from run to run: grace, steps, waits, cool-downs, tasks with escalation, events. The limits are
/// beyond what few customers reach: a run that is made again after its commit would act on those whom a limit left over.
const RULES: &str = r#"
[metric.spend]
from      = "orders"
aggregate = "sum(amount)"
window    = { last = "60 days" }
empty     = 0

[metric.idle]
from      = "orders"
aggregate = "days_since(ordered_on)"
window    = "lifetime"
empty     = 999

[tiers.value]
downgrade = { after = "10 days", steps = 1 }
level = [
  { name = "C" },
  { name = "B", when = "spend >= 300" },
  { name = "A", when = "spend >= THRESHOLD", keep = "spend >= 600" },
]

[retention.win_back]
when     = "tier.value in ('A', 'B') and idle >= 5"
for      = "2 days"
limit    = { per_run = 1000, exceed = "defer" }
cooldown = "20 days"
action   = { task = "call {key}", owner = "sales", due = "3 days", escalate = { after = "2 days", to = "head of sales" } }

[retention.thanks]
moved   = { set = "value", direction = "up" }
limit   = { per_run = 1000, exceed = "defer" }
action  = { event = "coupon", data = { level = "{tier.value}", spend = "{spend}" } }
"#;

/// A database with an application's tables.
pub(crate) struct Shop {
    pub(crate) conn: Connection,
    customers: i64,
}

impl Shop {
    /// Makes the database, in WAL mode, with this many customers and `orders` of each.
    pub(crate) fn make(path: &Path, customers: i64, orders: i64) -> Result<Self, Failure> {
        let conn = Connection::open(path)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "OFF")?;
        conn.execute_batch(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, ordered_on TEXT NOT NULL, amount INTEGER NOT NULL);",
        )?;
        let fill = "
            INSERT INTO customers (id, name, city)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            SELECT i, 'Customer ' || i, CASE i % 3 WHEN 0 THEN 'Wuhan' WHEN 1 THEN 'Lyon' ELSE 'Lagos' END FROM n";
        conn.execute(fill, [customers])?;
        let fill = "
            INSERT INTO orders (customer_id, ordered_on, amount)
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 * ?2 - 1)
            SELECT i % ?1 + 1, date(?3, '-' || (i * 7919 % 90) || ' days'), 100 + i * 104729 % 30000 FROM n";
        conn.execute(fill, rusqlite::params![customers, orders, FIRST_DAY])?;
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Shop { conn, customers })
    }

    /// The application's day: some customers order, a new one comes.
    pub(crate) fn day(&mut self, day: i64, random: &mut Random) -> Result<(), Failure> {
        let tx = self.conn.transaction()?;
        for _ in 0..self.customers / 20 {
            let (customer, amount) = (1 + random.below(self.customers), 500 + random.below(60_000));
            tx.execute(
                "INSERT INTO orders (customer_id, ordered_on, amount) VALUES (?1, date(?2, '+' || ?3 || ' days'), ?4)",
                rusqlite::params![customer, FIRST_DAY, day, amount],
            )?;
        }
        self.customers += 1;
        tx.execute("INSERT INTO customers (id, name) VALUES (?1, 'new')", [self.customers])?;
        tx.commit()?;
        Ok(())
    }
}

/// The local time of a day's run.
pub(crate) fn as_of(day: i64) -> Result<String, Failure> {
    let conn = Connection::open_in_memory()?;
    let sql = "SELECT date(?1, '+' || ?2 || ' days') || 'T23:00:00Z'";
    Ok(conn.query_row(sql, rusqlite::params![FIRST_DAY, day], |row| row.get(0))?)
}

/// A project folder beside the database.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    /// Makes it; `more` is added to `tierd.toml`.
    pub(crate) fn make(path: PathBuf, more: &str) -> Result<Self, Failure> {
        fs::create_dir_all(path.join("rules"))?;
        let config = format!(
            r#"
time_zone = "UTC"
database.sqlite = "../shop.db"

[subject.customer]
table      = "customers"
key        = "id"
attributes = {{ name = {{ type = "text", personal = true }}, city = "text" }}

[facts.orders]
table          = "orders"
subject        = "customer"
subject_column = "customer_id"
time           = "ordered_on"
columns        = {{ ordered_on = {{ type = "date", encoding = "iso8601" }}, amount = {{ type = "decimal(2)", encoding = "minor_units" }} }}

{more}
"#
        );
        fs::write(path.join("tierd.toml"), config)?;
        let folder = Folder { path };
        folder.threshold(900)?;
        Ok(folder)
    }

    /// Edits the rules as an editor does: a new file in the place of the old one.
    pub(crate) fn threshold(&self, threshold: i64) -> Result<(), Failure> {
        self.write(&RULES.replace("THRESHOLD", &threshold.to_string()))
    }

    /// Saves rules that have an error.
    pub(crate) fn break_rules(&self) -> Result<(), Failure> {
        self.write(&RULES.replace("THRESHOLD", "spent"))
    }

    fn write(&self, rules: &str) -> Result<(), Failure> {
        let (file, beside) = (self.path.join("rules/value.toml"), self.path.join("rules/.value.toml.new"));
        fs::write(&beside, rules)?;
        fs::rename(beside, file)?;
        Ok(())
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("tierd.ledger")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join("tierd.sock")
    }
}
