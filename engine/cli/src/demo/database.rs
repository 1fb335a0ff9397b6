//! Writes an example database as its profile describes it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, params_from_iter};
use tierd_model::Date;

use super::{
    cells::{Row, Weights},
    events,
    profile::{Make, Profile, Table},
    random::Random,
    subjects::Subjects,
};

/// Which database to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Number of customers.
    pub(crate) customers: u32,
    /// Same seed, same database.
    pub(crate) seed: u64,
    /// The day that it has reached: everything in it happened before this day began.
    pub(crate) today: Date,
}

/// Names of tables and how many rows they have.
pub(crate) type Stats = Vec<(String, u64)>;

/// Why there is no example database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// Nothing is overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// Where it should go.
        path: PathBuf,
    },
    /// The database can't be written.
    #[error("cannot write the demo database {}", path.display())]
    Database {
        /// Where it should go.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Progress is told every so many rows.
const STEP: u64 = 1 << 14;

/// Writes a new database to `path`, in one transaction. `progress` is told the number of rows written so far.
///
/// # Errors
/// [`DemoError`] where the file exists or can't be written.
pub(crate) fn write_database(
    path: &Path,
    profile: &Profile,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Stats, DemoError> {
    // `exists` looks at the folder; it opens no database.
    if path.exists() {
        return Err(DemoError::Exists { path: path.to_owned() });
    }
    write(path, profile, options, progress).map_err(|source| DemoError::Database { path: path.to_owned(), source })
}

fn write(path: &Path, profile: &Profile, options: &Options, progress: &mut dyn FnMut(u64)) -> rusqlite::Result<Stats> {
    let mut connection = Connection::open(path)?;
    // A database that is cut off is made anew, so that nothing needs to be safe against a crash.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let transaction = connection.transaction()?;
    let mut writer = Writer { transaction: &transaction, options, written: 0, progress };
    let stats = writer.tables(profile)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(stats)
}

struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    options: &'a Options,
    written: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Writer<'_> {
    fn tables(&mut self, profile: &Profile) -> rusqlite::Result<Stats> {
        let mut known: Vec<Subjects<'_>> = Vec::new();
        let mut stats = Stats::new();
        for (i, table) in profile.tables.iter().enumerate() {
            self.transaction.execute_batch(&create(table))?;
            // Tables draw from parts of the seed that don't touch.
            let seed = self.options.seed.wrapping_add((i as u64 + 1) << 40);
            let before = self.written;
            match &table.about {
                None => known.push(self.own_rows(table, &known, seed)?),
                Some(name) => {
                    if let Some(subjects) = known.iter().find(|subjects| &subjects.table.name == name) {
                        self.dated_rows(table, subjects, seed)?;
                    }
                }
            }
            stats.push((table.name.clone(), self.written - before));
        }
        Ok(stats)
    }

    fn own_rows<'t>(&mut self, table: &'t Table, known: &[Subjects<'_>], seed: u64) -> rusqlite::Result<Subjects<'t>> {
        let count = u64::from(self.options.customers) * u64::from(table.per_thousand) / 1000;
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let subjects = Subjects::draw(table, seed, count);
        let weights = weights(table, known);
        let mut insert = self.transaction.prepare(&insert(table))?;
        for (id, subject) in (1..).zip(&subjects.all) {
            let row =
                Row { id, subjects: &subjects, subject, event: None, today: self.options.today, weights: &weights };
            let mut random = Random::new(seed + 1, u64::from(id));
            insert.execute(params_from_iter(table.columns.iter().map(|column| row.cell(column, &mut random))))?;
            self.one();
        }
        Ok(subjects)
    }

    fn dated_rows(&mut self, table: &Table, subjects: &Subjects<'_>, seed: u64) -> rusqlite::Result<()> {
        let Some(when) = &table.events else { return Ok(()) };
        let (today, weights) = (self.options.today, Weights::new());
        let mut insert = self.transaction.prepare(&insert(table))?;
        for (id, event) in (1..).zip(events::draw(when, subjects, seed, today)) {
            let subject = subjects.get(event.subject);
            let row = Row { id, subjects, subject, event: Some(event), today, weights: &weights };
            let mut random = Random::new(seed + 1, u64::from(event.subject) << 32 | u64::from(event.nth));
            insert.execute(params_from_iter(table.columns.iter().map(|column| row.cell(column, &mut random))))?;
            self.one();
        }
        Ok(())
    }

    fn one(&mut self) {
        self.written += 1;
        if self.written.is_multiple_of(STEP) {
            (self.progress)(self.written);
        }
    }
}

fn create(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|c| format!("    {} {}", quoted(&c.name), c.sql)).collect();
    format!("CREATE TABLE {} (\n{}\n)", quoted(&table.name), columns.join(",\n"))
}

fn insert(table: &Table) -> String {
    let places = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT INTO {} VALUES ({places})", quoted(&table.name))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The running totals that this table's columns choose groups by.
fn weights(table: &Table, known: &[Subjects<'_>]) -> Weights {
    let mut weights = Weights::new();
    for column in &table.columns {
        if let Make::Member { of, weight } = &column.make
            && let Some(groups) = known.iter().find(|subjects| &subjects.table.name == of)
        {
            weights.insert((of.clone(), weight.clone()), groups.running_total(weight));
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"
        title = { en = "Test", zh = "测试" }
        systems = []
        explain = "value"
        [[table]]
        name = "accounts"
        per_thousand = 50
        figures = { members = { skewed = [1, 100] } }
        kind = [{ name = "all", share = 1 }]
        columns = [{ name = "id", sql = "INTEGER PRIMARY KEY", make = "id" },
                   { name = "name", sql = "TEXT", make = { company = ["有限公司"] } }]
        [[table]]
        name = "customers"
        figures = { orders = [2, 6], silent = [0, 30], tenure = [30, 900], ticket = [1000, 5000] }
        columns = [{ name = "id", sql = "INTEGER PRIMARY KEY", make = "id" },
                   { name = "account_id", sql = "INTEGER", null = 50, make = { member = { of = "accounts", weight = "members" } } },
                   { name = "joined_on", sql = "TEXT", make = { days_ago = "tenure" } },
                   { name = "class", sql = "TEXT", make = { by_kind = { big = { choice = { gold = 1 } }, else = { choice = { none = 1 } } } } },
                   { name = "birthday", sql = "TEXT", null = 10, make = { born = [18, 70] } }]
        [[table.kind]]
        name = "usual"
        share = 9
        [[table.kind]]
        name = "big"
        share = 1
        figures = { orders = [20, 40], ticket = [50000, 90000] }
        [[table]]
        name = "orders"
        about = "customers"
        events = { per_year = "orders", tenure = "tenure", silent = "silent", most = 800 }
        columns = [{ name = "id", sql = "INTEGER PRIMARY KEY", make = "id" },
                   { name = "customer_id", sql = "INTEGER", make = "about" },
                   { name = "cents", sql = "INTEGER", make = { number = { around = "ticket", percent = 50 } } },
                   { name = "ordered_at", sql = "TEXT", make = "time" }]
        [[table]]
        name = "bills"
        about = "customers"
        events = { monthly = 5, tenure = "tenure", most = 400 }
        columns = [{ name = "customer_id", sql = "INTEGER", make = "about" },
                   { name = "billed_on", sql = "INTEGER", make = "yyyymmdd" }]
    "#;

    fn options(customers: u32, seed: u64) -> Options {
        Options { customers, seed, today: Date::from_ymd(2026, 4, 1).unwrap() }
    }

    fn made(options: &Options) -> (tempfile::TempDir, Connection, Stats) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let profile = Profile::parse("test", PROFILE).unwrap();
        let stats = write_database(&path, &profile, options, &mut |_| ()).unwrap();
        let connection = Connection::open(&path).unwrap();
        (folder, connection, stats)
    }

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn dump(connection: &Connection) -> Vec<String> {
        let all = "SELECT 'a' || id || name FROM accounts
             UNION ALL SELECT 'c' || id || ',' || coalesce(account_id, '') || joined_on || class || coalesce(birthday, '') FROM customers
             UNION ALL SELECT 'o' || id || ',' || customer_id || ',' || cents || ordered_at FROM orders
             UNION ALL SELECT 'b' || customer_id || ',' || billed_on FROM bills";
        let mut statement = connection.prepare(all).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn same_seed_and_day_give_the_same_rows() {
        let (_a, one, stats) = made(&options(300, 1));
        let (_b, two, again) = made(&options(300, 1));
        let (_c, other, _) = made(&options(300, 2));
        assert_eq!(stats, again);
        assert_eq!(dump(&one), dump(&two));
        assert_ne!(dump(&one), dump(&other));
    }

    #[test]
    fn counts_are_those_of_the_tables() {
        let (_folder, connection, stats) = made(&options(200, 3));
        assert_eq!(stats[0], ("accounts".to_owned(), 10));
        assert_eq!(stats[1], ("customers".to_owned(), 200));
        for (table, rows) in &stats {
            assert_eq!(number(&connection, &format!("SELECT count(*) FROM {table}")), *rows as i64, "{table}");
            assert!(*rows > 0, "{table}");
        }
    }

    #[test]
    fn everything_happens_between_joining_and_today_and_in_order() {
        let (_folder, connection, _) = made(&options(500, 4));
        for (what, none) in [
            ("after the last day", "orders WHERE ordered_at >= '2026-04-01'"),
            ("before joining", "orders JOIN customers c ON c.id = customer_id WHERE ordered_at < joined_on"),
            ("out of order", "orders a JOIN orders b ON b.id = a.id + 1 WHERE b.ordered_at < a.ordered_at"),
            ("bills on other days", "bills WHERE billed_on % 100 <> 5"),
            ("born in the future", "customers WHERE birthday > '2008-04-01'"),
            ("members of nothing", "customers WHERE account_id NOT IN (SELECT id FROM accounts)"),
        ] {
            assert_eq!(number(&connection, &format!("SELECT count(*) FROM {none}")), 0, "{what}");
        }
    }

    #[test]
    fn kinds_differ_as_they_say() {
        let (_folder, connection, _) = made(&options(1000, 5));
        let big = number(&connection, "SELECT count(*) FROM customers WHERE class = 'gold'");
        assert!((60..140).contains(&big), "{big}");
        let mean = |class: &str| {
            let sql =
                format!("SELECT avg(cents) FROM orders JOIN customers c ON c.id = customer_id WHERE class = '{class}'");
            number(&connection, &format!("SELECT cast(({sql}) AS INTEGER)"))
        };
        assert!(mean("gold") > 10 * mean("none"));
        let without = number(&connection, "SELECT count(*) FROM customers WHERE account_id IS NULL");
        assert!((420..580).contains(&without), "{without}");
    }

    #[test]
    fn an_existing_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let profile = Profile::parse("test", PROFILE).unwrap();
        write_database(&path, &profile, &options(3, 1), &mut |_| ()).unwrap();
        let error = write_database(&path, &profile, &options(5, 1), &mut |_| ()).unwrap_err();
        assert!(matches!(error, DemoError::Exists { .. }));
        assert_eq!(number(&Connection::open(&path).unwrap(), "SELECT count(*) FROM customers"), 3);
    }

    #[test]
    fn progress_grows() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::parse("test", PROFILE).unwrap();
        let mut told = Vec::new();
        write_database(&folder.path().join("t.db"), &profile, &options(3000, 1), &mut |rows| told.push(rows)).unwrap();
        assert!(told.len() > 1 && told.is_sorted());
    }
}
