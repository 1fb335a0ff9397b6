//! The database that is measured: seeded, so that every machine has the same, and kept under `target/bench`.

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use tierd_model::{DAY_MICROS, MICROS, civil_from_days, parse_timestamp};

use crate::{AS_OF, Failure};

/// Counts up when the data changes, so that an old file isn't taken for it.
const VERSION: u32 = 3;
/// Orders begin so many days before `as_of`, and a few come after it.
const DAYS: u64 = 3 * 365;
const STATUSES: [&str; 8] = ["paid", "paid", "paid", "paid", "paid", "shipped", "refunded", "cancelled"];

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) customers: u64,
    pub(crate) orders: u64,
    /// The size that the bars are for.
    pub(crate) full: bool,
}

impl Size {
    pub(crate) const FULL: Size = Size { customers: 1_000_000, orders: 10_000_000, full: true };
    pub(crate) const QUICK: Size = Size { customers: 50_000, orders: 500_000, full: false };
}

/// The database of this size, made if it isn't there.
pub(crate) fn database(size: Size) -> Result<PathBuf, Failure> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("v{VERSION}-{}x{}.db", size.customers, size.orders));
    if !path.exists() {
        eprintln!("making {} customers and {} orders in {} …", size.customers, size.orders, path.display());
        let unfinished = path.with_extension("unfinished");
        let _ = fs::remove_file(&unfinished);
        fill(&unfinished, size)?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

fn fill(path: &PathBuf, size: Size) -> Result<(), Failure> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, joined_on TEXT NOT NULL,
             birthday TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, ordered_at TEXT NOT NULL,
             status TEXT NOT NULL, amount_cents INTEGER NOT NULL, points INTEGER NOT NULL, kind TEXT NOT NULL);
         CREATE TABLE gifts (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, taken_at TEXT NOT NULL,
             points INTEGER NOT NULL);
         BEGIN",
    )?;
    let mut random = Random(0x7469_6572_6400_0001);
    customers(&connection, size, &mut random)?;
    orders(&connection, size, &mut random)?;
    gifts(&connection, size, &mut random)?;
    connection.execute_batch("COMMIT; ANALYZE")?;
    Ok(())
}

fn customers(connection: &Connection, size: Size, random: &mut Random) -> Result<(), Failure> {
    let mut insert = connection.prepare("INSERT INTO customers VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for id in 1..=size.customers {
        let city = ["北京", "上海", "广州", "武汉", "成都"][random.below(5) as usize];
        let joined = timestamp(random.below(6 * 365), 0);
        let born = timestamp(6_000 + random.below(20_000), 0);
        let birthday = (random.below(10) > 0).then_some(&born[..10]);
        insert.execute((id as i64, format!("客户 {id}"), city, &joined[..10], birthday))?;
    }
    Ok(())
}

/// In the order of time, as a shop's table grows; a few customers have most of the orders, and some have none.
fn orders(connection: &Connection, size: Size, random: &mut Random) -> Result<(), Failure> {
    let mut insert = connection.prepare("INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for order in 0..size.orders {
        let place = random.unit().powi(2) * size.customers as f64;
        // A multiplication by a prime scatters the frequent ones over all ids.
        let customer = (place as u64).wrapping_mul(611_953) % size.customers + 1;
        let age = DAYS * 86_400 * (size.orders - order) / size.orders;
        let ordered_at = timestamp(0, age.saturating_sub(random.below(86_400)));
        let status = STATUSES[random.below(8) as usize];
        let amount = 100 + (random.unit().powi(3) * 200_000.0) as i64;
        let kind = if status == "refunded" { "return" } else { "sale" };
        insert.execute((order as i64 + 1, customer as i64, ordered_at, status, amount, amount / 100, kind))?;
    }
    Ok(())
}

/// One customer in five has exchanged points for something.
fn gifts(connection: &Connection, size: Size, random: &mut Random) -> Result<(), Failure> {
    let mut insert = connection.prepare("INSERT INTO gifts VALUES (?1, ?2, ?3, ?4)")?;
    for gift in 0..size.customers / 5 {
        let customer = random.below(size.customers) + 1;
        let taken_at = timestamp(random.below(DAYS), random.below(86_400));
        insert.execute((gift as i64 + 1, customer as i64, taken_at, 100 * (1 + random.below(20)) as i64))?;
    }
    Ok(())
}

/// Local time so many days and seconds before `as_of`.
fn timestamp(days: u64, seconds: u64) -> String {
    let Some(tierd_model::CivilText::Local(as_of)) = parse_timestamp(AS_OF.as_bytes()) else {
        unreachable!("`as_of` is written as local time")
    };
    let at = as_of - days as i64 * DAY_MICROS - seconds as i64 * MICROS;
    let (year, month, day) = civil_from_days(at.div_euclid(DAY_MICROS));
    let second = at.rem_euclid(DAY_MICROS) / MICROS;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
