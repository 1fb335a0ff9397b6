//! The same as hand-written SQL, the fastest that we know of, run by the SQLite library that tierd uses.
//!
//! One pass over the orders, all aggregates as conditional sums, texts of dates compared as they stand, and SQLite given all the
//! memory that it asks for. Window functions give the quintiles. There are two ways to bring the orders of a customer together,
//! and which is faster depends on the machine: [`Way`].

use std::{collections::BTreeMap, fmt::Write, path::Path, time::Instant};

use rusqlite::{Connection, OpenFlags};

use crate::{
    Failure,
    memory::{Peak, processor_seconds, warm},
    outcome::{FACTORS, MODULUS, Outcome},
};

/// How the orders of a customer come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// GROUP BY, for which SQLite sorts.
    Group,
    /// Each order is added to its customer's row of a table in memory.
    Upsert,
}

/// The aggregates, for GROUP BY. The times are those of the rules at [`crate::AS_OF`].
const GROUPED: &str = "
  SELECT customer_id,
    sum(CASE WHEN ordered_at >= '2025-07-01' AND status = 'paid' THEN amount_cents ELSE 0 END) AS spend_12m,
    sum(ordered_at >= '2026-04-02') AS orders_90d,
    sum(ordered_at >= '2025-07-01') AS orders_12m,
    sum(ordered_at >= '2025-07-01' AND status = 'refunded') AS refunds_12m,
    sum(CASE WHEN ordered_at >= '2026-01-01' THEN points ELSE 0 END) AS points_year,
    max(ordered_at) AS last
  FROM orders WHERE ordered_at < '2026-07-01 10:00:00' GROUP BY customer_id";

/// The same, row by row.
const UPSERTED: &str = "
CREATE TEMP TABLE sums (
  customer_id INTEGER PRIMARY KEY, spend_12m, orders_90d, orders_12m, refunds_12m, points_year, last);
INSERT INTO sums
  SELECT customer_id,
    CASE WHEN ordered_at >= '2025-07-01' AND status = 'paid' THEN amount_cents ELSE 0 END,
    ordered_at >= '2026-04-02',
    ordered_at >= '2025-07-01',
    ordered_at >= '2025-07-01' AND status = 'refunded',
    CASE WHEN ordered_at >= '2026-01-01' THEN points ELSE 0 END,
    ordered_at
  FROM orders WHERE ordered_at < '2026-07-01 10:00:00'
  ON CONFLICT DO UPDATE SET
    spend_12m = spend_12m + excluded.spend_12m,
    orders_90d = orders_90d + excluded.orders_90d,
    orders_12m = orders_12m + excluded.orders_12m,
    refunds_12m = refunds_12m + excluded.refunds_12m,
    points_year = points_year + excluded.points_year,
    last = max(last, excluded.last)";

/// Metrics and levels of everyone. NULL days are not ranked.
const GRADED: &str = "
WITH facts AS (FACTS
), metrics AS (
  SELECT id, coalesce(spend_12m, 0) AS spend_12m, coalesce(orders_90d, 0) AS orders_90d,
    coalesce(orders_12m, 0) AS orders_12m, coalesce(refunds_12m, 0) AS refunds_12m,
    coalesce(points_year, 0) AS points_year, DATEDIFF AS days_idle
  FROM customers LEFT JOIN facts ON customer_id = id
), ranked AS (
  SELECT *,
    CASE WHEN days_idle IS NOT NULL
      THEN ntile(5) OVER (PARTITION BY days_idle IS NULL ORDER BY days_idle DESC, id) END AS recency,
    ntile(5) OVER (ORDER BY orders_12m, id) AS frequency,
    ntile(5) OVER (ORDER BY spend_12m, id) AS monetary
  FROM metrics
), graded AS (
  SELECT *, CASE
    WHEN spend_12m >= 300000 AND monetary = 5 AND frequency >= 4 AND (orders_90d >= 2 OR points_year >= 2000) THEN 'A'
    WHEN spend_12m >= 100000 AND recency >= 2 AND refunds_12m * 4 <= orders_12m THEN 'B'
    WHEN orders_12m >= 1 AND days_idle <= 300 THEN 'C'
    ELSE 'D' END AS level
  FROM ranked
)
SELECT level, count(*), sum((id % MODULUS) * ((CHECKSUM) % MODULUS)) FROM graded GROUP BY level";

/// The query by GROUP BY, with what differs between dialects filled in.
pub(crate) fn grouped(days: &str) -> String {
    query(GROUPED, days)
}

fn query(facts: &str, days: &str) -> String {
    let mut checksum = String::from("0");
    for (metric, factor) in FACTORS {
        let _ = write!(checksum, " + {factor} * coalesce({metric}, -1)");
    }
    GRADED
        .replace("CHECKSUM", &checksum)
        .replace("MODULUS", &MODULUS.to_string())
        .replace("DATEDIFF", days)
        .replace("FACTS", facts)
}

/// Runs it.
pub(crate) fn run(database: &Path, way: Way) -> Result<Outcome, Failure> {
    warm(database)?;
    let (peak, processor) = (Peak::watch(), processor_seconds());
    let started = Instant::now();
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1000000; PRAGMA mmap_size = 4000000000; PRAGMA threads = 2",
    )?;
    if way == Way::Upsert {
        connection.execute_batch(UPSERTED)?;
    }
    let facts = if way == Way::Upsert { "SELECT * FROM sums" } else { GROUPED };
    let sql = query(facts, "CAST(julianday('2026-07-01') - julianday(substr(last, 1, 10)) AS INTEGER)");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)))?;
    let (mut levels, mut checksum) = (BTreeMap::new(), 0);
    for row in rows {
        let (level, count, sum) = row?;
        levels.insert(level, count);
        checksum += sum;
    }
    let seconds = started.elapsed().as_secs_f64();
    let processor_seconds = processor_seconds() - processor;
    Ok(Outcome { seconds, processor_seconds, phases: BTreeMap::new(), peak_mib: peak.end(), levels, checksum })
}
