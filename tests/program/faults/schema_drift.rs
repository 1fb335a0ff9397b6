//! Tables of the application change between runs and during them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::world::{FOLLOWS_CHANGES, HELD, assert_sound, run, run_fails, run_succeeds, shop, until};
use crate::living::process::Daemon;

/// What an update of the application may do, what it is called by, and what undoes it.
const CHANGES: &[(&str, &[&str], &str)] = &[
    (
        "ALTER TABLE orders RENAME COLUMN amount TO total",
        &["orders", "amount"],
        "ALTER TABLE orders RENAME COLUMN total TO amount",
    ),
    ("ALTER TABLE orders RENAME TO sales", &["no table", "orders"], "ALTER TABLE sales RENAME TO orders"),
    (
        "CREATE TABLE kept AS SELECT * FROM orders; DROP TABLE orders",
        &["no table", "orders"],
        "ALTER TABLE kept RENAME TO orders",
    ),
    (
        "CREATE TABLE was AS SELECT id, status FROM orders; ALTER TABLE orders DROP COLUMN status",
        &["orders", "status"],
        "ALTER TABLE orders ADD COLUMN status TEXT;
         UPDATE orders SET status = (SELECT w.status FROM was AS w WHERE w.id = orders.id); DROP TABLE was",
    ),
    ("ALTER TABLE customers RENAME TO clients", &["no table", "customers"], "ALTER TABLE clients RENAME TO customers"),
];

#[test]
fn run_names_what_is_gone_and_nobody_moves() {
    let project = shop("");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    for (number, (change, named, back)) in CHANGES.iter().enumerate() {
        project.sql(change);
        run_fails(&daemon, &[&["run-failed"], *named].concat());
        let failed = "SELECT count(*) FROM run WHERE outcome = 'failed'";
        assert_eq!(project.count(failed), number as i64 + 1, "{change}");
        assert_eq!(project.held("value"), HELD, "{change}");
        project.sql(back);
        assert_eq!(run_succeeds(&daemon), "unchanged", "{back}");
    }
    project.sql("ALTER TABLE orders ADD COLUMN note TEXT");
    assert_eq!(run_succeeds(&daemon), "unchanged", "a column that no rule reads is nobody's business");
}

#[test]
fn run_follows_by_itself_when_the_column_is_back() {
    let project = shop(FOLLOWS_CHANGES);
    let daemon = Daemon::start(project.folder(), &[]);
    until("the first run", &daemon, || project.path("tierd.ledger").exists() && project.held("value") == HELD);
    let runs = |outcome| project.count(&format!("SELECT count(*) FROM run WHERE outcome = '{outcome}'"));
    project.sql("ALTER TABLE orders RENAME COLUMN amount TO total");
    until("a failed run", &daemon, || runs("failed") > 0);
    let before = runs("unchanged");
    project.sql("ALTER TABLE orders RENAME COLUMN total TO amount");
    until("a run after the repair", &daemon, || runs("unchanged") > before);
    assert_eq!(project.held("value"), HELD);
}

/// Whatever a run meets, it sees the tables of one moment.
#[test]
fn tables_that_change_during_runs_move_nobody() {
    let project = shop("");
    let orders = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                  INSERT INTO orders SELECT i + 100, i % 3 + 1, 1, 'paid', '2020-01-01' FROM n;";
    project.sql(&format!("PRAGMA journal_mode = WAL; {orders}"));
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    let (began, done) = (Instant::now(), AtomicBool::new(false));
    let is_over = |seconds| began.elapsed() > Duration::from_secs(seconds);
    let (mut good, mut failed, mut moved) = (0, 0, None);
    thread::scope(|scope| {
        scope.spawn(|| {
            let shop = Connection::open(project.path("shop.db")).unwrap();
            while !done.load(Ordering::Relaxed) && !is_over(120) {
                for (change, _, back) in CHANGES {
                    for sql in [change, back] {
                        shop.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; COMMIT")).unwrap();
                        thread::sleep(Duration::from_millis(7));
                    }
                }
            }
        });
        let short_of = |good, failed| good == 0 || failed == 0;
        // Longer on a busy machine, until both have happened.
        while !is_over(6) || short_of(good, failed) && !is_over(60) {
            match run(&daemon) {
                Ok(run) => good += i32::from(run["outcome"] == "unchanged"),
                Err(_) => failed += 1,
            }
            if project.held("value") != HELD {
                moved = Some(project.held("value"));
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(moved, None);
    assert!(good > 0 && failed > 0, "{good} runs met the tables as they should be, {failed} didn't");
    assert_eq!(run_succeeds(&daemon), "unchanged");
    assert_sound(&project.path("tierd.ledger"));
}
