//! What happens to databases in the field: each gives a clear error, or the right answer, and never a panic.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]
#![allow(clippy::disallowed_methods, reason = "tests damage files and compare their bytes")]

mod support;

use std::{
    error::Error,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use support::{Shop, clock, config, rules, values};
use tierd_rules::{RuleSet, SubjectId};
use tierd_sources::{Database, DatabaseError, Progress, ReadError, ReadOptions, Snapshot, read};

const TABLES: &str = "CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT);
     CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id, at, v);
     INSERT INTO customers VALUES (1, NULL), (2, NULL);
     INSERT INTO orders (customer_id, at, v) VALUES (1, '2026-01-01', 5), (2, '2026-01-02', 7);";

fn sums() -> RuleSet {
    let sum = "[metric.sum]\nfrom = 'orders'\naggregate = 'sum(v)'\nwindow = 'lifetime'\nempty = 0\n";
    rules(&config("at = { type = 'date', encoding = 'iso8601' }\nv = 'integer'"), sum)
}

fn open(path: &Path) -> Result<Database, DatabaseError> {
    Database::open(path, Duration::from_millis(200))
}

/// The error and its causes, as the program prints them.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[test]
fn what_is_no_database_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let said = |path: &Path| chain(&open(path).unwrap_err()).replace(&folder.path().display().to_string(), "FOLDER");
    assert_eq!(said(&path), "no database at FOLDER/shop.db");
    assert_eq!(said(folder.path()), "FOLDER is not a file");
    fs::write(&path, "id,name\n1,王\n".repeat(100)).unwrap();
    assert_eq!(said(&path), "FOLDER/shop.db is not an SQLite database");
    fs::write(&path, "short").unwrap();
    assert_eq!(said(&path), "FOLDER/shop.db is not an SQLite database");
    assert!(!path.with_file_name("shop.db-wal").exists());
}

#[test]
fn an_empty_file_is_a_database_without_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    fs::write(&path, "").unwrap();
    let rules = sums();
    let failed =
        read(&open(&path).unwrap(), &rules, SubjectId(0), &clock(&rules), ReadOptions::default(), &Progress::default());
    assert_eq!(
        failed.unwrap_err().to_string(),
        "no table `customers` in the database; no table `orders` in the database"
    );
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn missing_tables_and_columns_are_named_with_what_was_meant() {
    let rules = sums();
    let said = |sql: &str| Shop::new(sql).read(&rules).unwrap_err().to_string();
    assert_eq!(
        said("CREATE TABLE customers (id, city); CREATE TABLE order_s (customer_id, at, v)"),
        "no table `orders` in the database; did you mean `order_s`?"
    );
    assert_eq!(
        said("CREATE TABLE customers (id, citi); CREATE TABLE orders (custmer_id, at)"),
        "table `customers` has no column `city`; did you mean `citi`?; \
         table `orders` has no column `customer_id`; did you mean `custmer_id`?; table `orders` has no column `v`"
    );
    assert_eq!(
        said("CREATE TABLE customers (id, city); CREATE VIEW orders AS SELECT * FROM gone"),
        "view `orders` refers to something that is gone"
    );
}

#[test]
fn tables_changed_between_opening_and_reading_are_noticed() {
    let (shop, rules) = (Shop::new(TABLES), sums());
    let database = shop.database();
    let run = || read(&database, &rules, SubjectId(0), &clock(&rules), ReadOptions::default(), &Progress::default());
    assert_eq!(values(&run().unwrap(), &rules, "sum"), ["5", "7"]);
    shop.connection().execute_batch("ALTER TABLE orders RENAME COLUMN v TO w").unwrap();
    assert_eq!(run().unwrap_err().to_string(), "table `orders` has no column `v`");
    shop.connection().execute_batch("ALTER TABLE orders ADD COLUMN v DEFAULT 1").unwrap();
    assert_eq!(values(&run().unwrap(), &rules, "sum"), ["1", "1"]);
    shop.connection().execute_batch("DROP TABLE customers").unwrap();
    assert_eq!(run().unwrap_err().to_string(), "no table `customers` in the database");
}

#[test]
fn a_row_that_exists_only_in_the_wal_is_seen() {
    let (shop, rules) = (Shop::new(&format!("PRAGMA journal_mode = WAL; {TABLES}")), sums());
    let application = shop.connection();
    application
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE orders SET v = v * 10 WHERE customer_id = 1")
        .unwrap();
    assert_eq!(values(&shop.read(&rules).unwrap(), &rules, "sum"), ["50", "7"]);
    // Reading leaves the log as it is, and the application can go on.
    assert!(fs::metadata(shop.path().with_file_name("shop.db-wal")).unwrap().len() > 0);
    application.execute_batch("UPDATE orders SET v = 1; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(values(&shop.read(&rules).unwrap(), &rules, "sum"), ["1", "1"]);
}

#[test]
fn a_locked_database_is_waited_for_and_then_given_up() {
    let (shop, rules) = (Shop::new(TABLES), sums());
    let writer = shop.connection();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let database = open(&shop.path()).unwrap();
    let run = |database: &Database| {
        read(database, &rules, SubjectId(0), &clock(&rules), ReadOptions::default(), &Progress::default())
    };
    let started = Instant::now();
    let error = run(&database).unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    let ReadError::Database(error) = error else { panic!("{error:?}") };
    assert!(error.is_temporary());
    assert!(error.to_string().ends_with("shop.db stayed locked by another process for 200 ms"), "{error}");

    // Once the writer is through, a patient reader gets on.
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| run(&shop.database()));
        writer.execute_batch("UPDATE orders SET v = 3; COMMIT").unwrap();
        assert_eq!(values(&reader.join().unwrap().unwrap(), &rules, "sum"), ["3", "3"]);
    });
}

#[test]
fn reading_writes_nothing() {
    let (shop, rules) = (Shop::new(TABLES), sums());
    let before = fs::read(shop.path()).unwrap();
    shop.read(&rules).unwrap();
    assert_eq!(fs::read(shop.path()).unwrap(), before);
    assert_eq!(fs::read_dir(shop.path().parent().unwrap()).unwrap().count(), 1);
    let connection = shop.database().connect().unwrap();
    assert!(connection.execute("DELETE FROM orders", []).is_err());
    assert!(connection.execute("CREATE TEMP TABLE t (a)", []).is_err());
}

/// One flipped byte per page and place: a clear error, or an answer, but no panic and no hang.
#[test]
fn a_damaged_file_gives_an_error_or_an_answer() {
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)";
    let shop = Shop::new(&format!(
        "PRAGMA page_size = 1024; {TABLES} CREATE INDEX by_customer ON orders (customer_id);
         INSERT INTO customers {rows} SELECT i + 2, 'x' FROM n;
         INSERT INTO orders (customer_id, at, v) {rows} SELECT i, '2026-01-01', i FROM n"
    ));
    let whole = fs::read(shop.path()).unwrap();
    let (rules, mut errors, mut answers) = (sums(), 0, 0);
    let folder = tempfile::tempdir().unwrap();
    for page in 0..whole.len() / 1024 {
        for (place, mask) in [(0, 0xff), (3, 0x55), (5, 0xff), (9, 0x80), (40, 0xff), (700, 0x81), (1020, 0xff)] {
            // A file of its own for each: what SQLite remembers of one must not serve for the next.
            let path = folder.path().join(format!("{page}-{place}.db"));
            let mut damaged = whole.clone();
            damaged[page * 1024 + place] ^= mask;
            fs::write(&path, damaged).unwrap();
            let result = open(&path).map_err(ReadError::from).and_then(|database| {
                read(&database, &rules, SubjectId(0), &clock(&rules), ReadOptions::default(), &Progress::default())
            });
            match result {
                Ok(_) => answers += 1,
                Err(error) => {
                    errors += 1;
                    assert!(!chain(&error).is_empty());
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }
    assert!(errors > 50 && answers > 50, "{errors} errors, {answers} answers");
}

#[test]
fn a_truncated_file_is_damaged() {
    let rows = "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
    let shop = Shop::new(&format!("{TABLES} INSERT INTO customers {rows} SELECT i, 'x' FROM n"));
    let whole = fs::read(shop.path()).unwrap();
    fs::write(shop.path(), &whole[..whole.len() / 2]).unwrap();
    let error = shop.read(&sums()).unwrap_err();
    assert!(matches!(error, ReadError::Database(DatabaseError::Corrupt { .. })), "{error:?}");
}

/// Every commit moves one unit from one account to another; only a mixture of two states has another sum.
#[test]
fn all_connections_see_one_state_while_a_writer_commits() {
    for mode in ["WAL", "DELETE"] {
        let shop = Shop::new(&format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE accounts (id INTEGER PRIMARY KEY, units);
             INSERT INTO accounts VALUES (1, 1000), (2, 1000), (3, 0)"
        ));
        let database = shop.database();
        let done = Arc::new(AtomicBool::new(false));
        let writer = {
            let (connection, done) = (shop.connection(), Arc::clone(&done));
            // In rollback mode a writer that never pauses lets no reader in at all.
            let pause = Duration::from_micros(if mode == "WAL" { 0 } else { 500 });
            std::thread::spawn(move || move_units(&connection, pause, &done))
        };
        let mut states = std::collections::BTreeSet::new();
        let started = Instant::now();
        while states.len() < 20 && started.elapsed() < Duration::from_secs(20) {
            let mut snapshot = Snapshot::open(&database, 3).unwrap();
            let accounts: Vec<[i64; 3]> = snapshot.connections().iter().map(units).collect();
            assert!(accounts.iter().all(|seen| *seen == accounts[0]), "{mode}: {accounts:?}");
            assert_eq!(accounts[0][0] + accounts[0][1], 2000, "{mode}");
            states.insert(accounts[0][2]);
        }
        done.store(true, Ordering::Relaxed);
        let commits = writer.join().unwrap();
        assert!(states.len() > 3, "{mode}: {} states of {commits} commits seen", states.len());
    }
}

fn move_units(connection: &Connection, pause: Duration, done: &AtomicBool) -> u32 {
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection.pragma_update(None, "synchronous", "off").unwrap();
    let mut commits = 0;
    while !done.load(Ordering::Relaxed) {
        let moved = "BEGIN IMMEDIATE; UPDATE accounts SET units = units - 1 WHERE id = 1;
                     UPDATE accounts SET units = units + 1 WHERE id > 1; COMMIT";
        connection.execute_batch(moved).unwrap();
        commits += 1;
        std::thread::sleep(pause);
    }
    commits
}

fn units(connection: &Connection) -> [i64; 3] {
    [1, 2, 3]
        .map(|id| connection.query_row("SELECT units FROM accounts WHERE id = ?1", [id], |row| row.get(0)).unwrap())
}

#[test]
fn a_name_that_looks_like_a_uri_is_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:shop.db?immutable=1");
    Connection::open_with_flags(
        &path,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_CREATE,
    )
    .unwrap()
    .execute_batch(TABLES)
    .unwrap();
    let tables = tierd_sources::schema::schema(&open(&path).unwrap().connect().unwrap()).unwrap();
    assert_eq!(tables.len(), 2);
}

/// The preflight with real files and a real other user, where the tests run as root.
#[cfg(unix)]
#[test]
fn another_users_wal_database_is_refused_and_left_usable() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    const OTHER: u32 = 65_534;
    const DATABASE: &str = "TIERD_TEST_DATABASE";
    if let Ok(path) = std::env::var(DATABASE) {
        // Here we are the other user.
        let error = open(Path::new(&path)).unwrap_err();
        assert!(matches!(error, DatabaseError::Unsafe(_)), "{error:?}");
        return;
    }
    let shop = Shop::new(&format!("PRAGMA journal_mode = WAL; {TABLES}"));
    let folder = shop.path().parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let program = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(program);
    child
        .args(["--exact", "another_users_wal_database_is_refused_and_left_usable"])
        .env(DATABASE, shop.path())
        .uid(OTHER);
    match child.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{said}");
        }
        // Only root can become someone else.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{error}"),
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    shop.connection().execute_batch("UPDATE orders SET v = 9").unwrap();

    // A link in a folder of one's own leads to the same files.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(shop.path(), &link).unwrap();
    child.env(DATABASE, &link);
    if let Ok(output) = child.output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
