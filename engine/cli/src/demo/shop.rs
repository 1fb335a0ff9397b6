//! The shop's database: customers, their orders, and the contacts with them.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction};
use tierd_model::Date;

use super::{
    habits::{Habit, habit},
    people,
    random::Random,
};

/// What kind of shop to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShopOptions {
    /// Number of customers.
    pub(crate) customers: u32,
    /// Same seed, same shop.
    pub(crate) seed: u64,
    /// The day that the shop has reached: everything in it happened before this day began.
    pub(crate) today: Date,
}

/// What the shop holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShopStats {
    /// Rows of `customers`.
    pub(crate) customers: u64,
    /// Rows of `orders`.
    pub(crate) orders: u64,
    /// Rows of `contacts`.
    pub(crate) contacts: u64,
}

/// Why there is no shop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// Nothing is overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// Where the shop should go.
        path: PathBuf,
    },
    /// The database can't be written.
    #[error("cannot write the demo database {}", path.display())]
    Database {
        /// Where the shop should go.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Orders go back this many days, contacts that many.
const ORDER_DAYS: u32 = 800;
const CONTACT_DAYS: u32 = 400;
/// Progress is told every so many rows.
const STEP: u64 = 1 << 14;

const TABLES: &str = "
    CREATE TABLE customers (
        id         INTEGER PRIMARY KEY,
        name       TEXT NOT NULL,
        city       TEXT NOT NULL,
        joined_on  TEXT NOT NULL,
        newsletter INTEGER NOT NULL
    );
    CREATE TABLE orders (
        id           INTEGER PRIMARY KEY,
        customer_id  INTEGER NOT NULL REFERENCES customers (id),
        amount_cents INTEGER NOT NULL,
        status       TEXT NOT NULL,
        ordered_at   TEXT NOT NULL
    );
    CREATE TABLE contacts (
        id           INTEGER PRIMARY KEY,
        customer_id  INTEGER NOT NULL REFERENCES customers (id),
        channel      TEXT NOT NULL,
        contacted_at TEXT NOT NULL
    );
";

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    at: LocalSecond,
    customer: u32,
    cents: u32,
    status: &'static str,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    at: LocalSecond,
    customer: u32,
    channel: &'static str,
}

/// Seconds since 1970-01-01T00:00 on the shop's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LocalSecond(i64);

/// Writes a new shop to `path`, in one transaction. `progress` is told the number of rows written so far.
///
/// # Errors
/// [`DemoError`] where the file exists or can't be written.
pub(crate) fn write_shop(
    path: &Path,
    options: &ShopOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ShopStats, DemoError> {
    // `exists` looks at the folder; it opens no database.
    if path.exists() {
        return Err(DemoError::Exists { path: path.to_owned() });
    }
    write(path, options, progress).map_err(|source| DemoError::Database { path: path.to_owned(), source })
}

fn write(path: &Path, options: &ShopOptions, progress: &mut dyn FnMut(u64)) -> rusqlite::Result<ShopStats> {
    let mut connection = Connection::open(path)?;
    // A shop that is cut off is made anew, so that nothing needs to be safe against a crash.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    let stats = fill(&transaction, options, progress)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(stats)
}

fn fill(
    transaction: &Transaction<'_>,
    options: &ShopOptions,
    progress: &mut dyn FnMut(u64),
) -> rusqlite::Result<ShopStats> {
    let mut rows = Rows { written: 0, progress };
    let (mut orders, mut contacts) = (Vec::new(), Vec::new());
    write_customers(transaction, options, &mut rows, &mut orders, &mut contacts)?;
    // A shop's tables grow by the day, not by the customer.
    orders.sort_unstable();
    contacts.sort_unstable();
    write_orders(transaction, &orders, &mut rows)?;
    write_contacts(transaction, &contacts, &mut rows)?;
    Ok(ShopStats {
        customers: u64::from(options.customers),
        orders: orders.len() as u64,
        contacts: contacts.len() as u64,
    })
}

fn write_customers(
    transaction: &Transaction<'_>,
    options: &ShopOptions,
    rows: &mut Rows<'_>,
    orders: &mut Vec<Order>,
    contacts: &mut Vec<Contact>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO customers VALUES (?, ?, ?, ?, ?)")?;
    for id in 1..=options.customers {
        let mut random = Random::new(options.seed, u64::from(id));
        let habit = habit(&mut random);
        let (low, high) = habit.tenure_days;
        let tenure = random.between(low, high);
        let joined = Date(options.today.0 - tenure as i32).to_string();
        let newsletter = random.chance(400);
        insert.execute((id, people::name(&mut random), people::city(&mut random), joined, newsletter))?;
        rows.one();
        let customer = Customer { id, habit, tenure, today: options.today };
        customer.buy(&mut random, orders);
        customer.talk(&mut random, contacts);
    }
    Ok(())
}

fn write_orders(transaction: &Transaction<'_>, orders: &[Order], rows: &mut Rows<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?)")?;
    let mut text = String::new();
    for (id, order) in (1_i64..).zip(orders) {
        order.at.write(&mut text);
        insert.execute((id, order.customer, order.cents, order.status, &text))?;
        rows.one();
    }
    Ok(())
}

fn write_contacts(transaction: &Transaction<'_>, contacts: &[Contact], rows: &mut Rows<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO contacts VALUES (?, ?, ?, ?)")?;
    let mut text = String::new();
    for (id, contact) in (1_i64..).zip(contacts) {
        contact.at.write(&mut text);
        insert.execute((id, contact.customer, contact.channel, &text))?;
        rows.one();
    }
    Ok(())
}

/// Counts rows, and tells of them.
struct Rows<'a> {
    written: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Rows<'_> {
    fn one(&mut self) {
        self.written += 1;
        if self.written.is_multiple_of(STEP) {
            (self.progress)(self.written);
        }
    }
}

struct Customer {
    id: u32,
    habit: &'static Habit,
    /// Days since joining.
    tenure: u32,
    today: Date,
}

impl Customer {
    fn buy(&self, random: &mut Random, orders: &mut Vec<Order>) {
        let (low, high) = self.habit.silent_days;
        let silent = random.between(low, high);
        let (low, high) = self.habit.orders_per_year;
        let per_year = random.skewed(low, high);
        // Who spends much once tends to spend much again: a customer's tickets lie around a figure of its own.
        let (low, high) = self.habit.ticket_cents;
        let usual = random.skewed(low, high);
        self.days(random, silent, per_year, ORDER_DAYS, |random, at| {
            let cents = random.between(usual / 2, usual + usual / 2);
            orders.push(Order { at, customer: self.id, cents, status: status(random) });
        });
    }

    fn talk(&self, random: &mut Random, contacts: &mut Vec<Contact>) {
        let (low, high) = self.habit.contacts_per_year;
        let per_year = random.between(low, high);
        self.days(random, 0, per_year, CONTACT_DAYS, |random, at| {
            let channel = random.pick(&["phone", "phone", "email", "online", "online", "online", "store"]);
            contacts.push(Contact { at, customer: self.id, channel });
        });
    }

    /// Calls `event` some `per_year` times a year, from `silent` days ago back to the day of joining, at most `most` days back.
    fn days(
        &self,
        random: &mut Random,
        silent: u32,
        per_year: u32,
        most: u32,
        mut event: impl FnMut(&mut Random, LocalSecond),
    ) {
        const YEAR: u32 = 365 * 86_400;
        let Some(gap) = YEAR.checked_div(per_year) else { return };
        let first = i64::from(self.tenure.min(most)) * 86_400;
        let mut ago = i64::from(silent) * 86_400 + i64::from(random.between(0, gap));
        while ago < first {
            let at = self.opening_time(random, ago);
            event(random, at);
            ago += i64::from(random.between(gap / 4, gap + gap / 4 * 3));
        }
    }

    /// A time between 8 and 23 o'clock on a day before today, `ago` seconds back.
    fn opening_time(&self, random: &mut Random, ago: i64) -> LocalSecond {
        let day = i64::from(self.today.0) - 1 - ago / 86_400;
        LocalSecond(day * 86_400 + i64::from(random.between(8 * 3600, 23 * 3600 - 1)))
    }
}

fn status(random: &mut Random) -> &'static str {
    match random.between(0, 99) {
        0..=2 => "cancelled",
        3..=6 => "refunded",
        _ => "paid",
    }
}

impl LocalSecond {
    /// Writes `2026-03-31 18:05:00` over `text`.
    fn write(self, text: &mut String) {
        let (day, second) = (Date(self.0.div_euclid(86_400) as i32), self.0.rem_euclid(86_400));
        text.clear();
        // Writing to a String doesn't fail.
        let _ = write!(text, "{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(customers: u32, seed: u64) -> ShopOptions {
        ShopOptions { customers, seed, today: Date::from_ymd(2026, 4, 1).unwrap() }
    }

    fn shop(options: &ShopOptions) -> (tempfile::TempDir, Connection, ShopStats) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let stats = write_shop(&path, options, &mut |_| ()).unwrap();
        let connection = Connection::open(&path).unwrap();
        (folder, connection, stats)
    }

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn dump(connection: &Connection) -> Vec<String> {
        let all = "SELECT 'c' || id || name || city || joined_on || newsletter FROM customers
             UNION ALL SELECT 'o' || id || ',' || customer_id || ',' || amount_cents || status || ordered_at FROM orders
             UNION ALL SELECT 't' || id || ',' || customer_id || channel || contacted_at FROM contacts";
        let mut statement = connection.prepare(all).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn same_seed_and_day_give_the_same_rows() {
        let (_a, one, stats) = shop(&options(300, 1));
        let (_b, two, again) = shop(&options(300, 1));
        let (_c, other, _) = shop(&options(300, 2));
        assert_eq!(stats, again);
        assert_eq!(dump(&one), dump(&two));
        assert_ne!(dump(&one), dump(&other));
    }

    #[test]
    fn counts_are_those_of_the_tables() {
        let (_folder, connection, stats) = shop(&options(200, 3));
        assert_eq!(number(&connection, "SELECT count(*) FROM customers"), stats.customers as i64);
        assert_eq!(number(&connection, "SELECT count(*) FROM orders"), stats.orders as i64);
        assert_eq!(number(&connection, "SELECT count(*) FROM contacts"), stats.contacts as i64);
        assert!(stats.orders > 0 && stats.contacts > 0);
    }

    #[test]
    fn everything_happens_between_joining_and_today() {
        let (_folder, connection, _) = shop(&options(500, 4));
        for table in ["orders WHERE ordered_at", "contacts WHERE contacted_at"] {
            let late = format!("SELECT count(*) FROM {table} >= '2026-04-01'");
            assert_eq!(number(&connection, &late), 0, "{table}");
        }
        let early = "SELECT count(*) FROM orders o JOIN customers c ON c.id = customer_id WHERE ordered_at < joined_on";
        assert_eq!(number(&connection, early), 0);
    }

    #[test]
    fn rows_are_in_the_order_of_time() {
        let (_folder, connection, _) = shop(&options(100, 5));
        let back = "SELECT count(*) FROM orders a JOIN orders b ON b.id = a.id + 1 WHERE b.ordered_at < a.ordered_at";
        assert_eq!(number(&connection, back), 0);
    }

    #[test]
    fn every_level_of_the_value_grading_has_members() {
        let (_folder, connection, _) = shop(&options(2000, 6));
        let graded = "
            WITH spend AS (SELECT customer_id AS id, sum(amount_cents) AS cents FROM orders
                           WHERE status = 'paid' AND ordered_at >= '2025-04-01' GROUP BY customer_id),
                 talk AS (SELECT customer_id AS id, count(*) AS times FROM contacts
                          WHERE channel <> 'store' AND contacted_at >= '2025-04-01' GROUP BY customer_id)
            SELECT count(*) FROM customers LEFT JOIN spend USING (id) LEFT JOIN talk USING (id)
            WHERE coalesce(cents, 0) BETWEEN ? AND ? AND coalesce(times, 0) BETWEEN ? AND ?";
        for (name, range) in [
            ("A", [1_000_000, i64::MAX, 60, i64::MAX]),
            ("B", [500_000, 999_999, 24, i64::MAX]),
            ("spends much, never spoken to", [1_000_000, i64::MAX, 0, 23]),
            ("spends little, spoken to often", [0, 499_999, 24, i64::MAX]),
            ("C", [0, 499_999, 0, 23]),
        ] {
            let found: i64 = connection.query_row(graded, range, |row| row.get(0)).unwrap();
            assert!(found >= 10, "{name}: {found}");
        }
    }

    #[test]
    fn an_existing_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        write_shop(&path, &options(3, 1), &mut |_| ()).unwrap();
        let error = write_shop(&path, &options(5, 1), &mut |_| ()).unwrap_err();
        assert!(matches!(error, DemoError::Exists { .. }));
        assert_eq!(number(&Connection::open(&path).unwrap(), "SELECT count(*) FROM customers"), 3);
    }

    #[test]
    fn progress_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Vec::new();
        write_shop(&folder.path().join("shop.db"), &options(3000, 1), &mut |rows| told.push(rows)).unwrap();
        assert!(told.len() > 1 && told.is_sorted());
    }
}
