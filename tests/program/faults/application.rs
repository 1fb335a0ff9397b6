//! The company's application: this test program again, as a process of its own that writes the shop's database.

#![expect(clippy::print_stdout, reason = "what the process says to the test that started it")]

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;

/// Names the database.
const DATABASE: &str = "TIERD_TEST_DATABASE";
/// How long it waits for locks, in milliseconds.
const PATIENCE: &str = "TIERD_TEST_PATIENCE";
/// What it says first, last, and after each checkpoint.
const READY: &str = "application is ready";
const REPORT: &str = "application reports: ";

/// So many commits must have been made beside runs before a test says anything.
pub(super) const ENOUGH: u64 = 101;

/// An application that writes until it is told to end.
pub(super) struct Application {
    database: PathBuf,
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

/// What it has seen.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) commits: u64,
    pub(super) checkpoints: u64,
    /// The first commit that failed.
    pub(super) failure: Option<String>,
    /// For how long a checkpoint was refused at most.
    pub(super) longest_refused: Duration,
}

impl Application {
    /// Starts it, and waits until it has the database open.
    pub(super) fn start(database: &Path, patience: Duration) -> Self {
        Application::start_as(&mut Command::new(std::env::current_exe().unwrap()), database, patience)
    }

    /// Starts it by this command for this test program.
    pub(super) fn start_as(command: &mut Command, database: &Path, patience: Duration) -> Self {
        command.args(["--exact", "faults::application::write_until_told", "--ignored", "--nocapture"]);
        command.env(DATABASE, database).env(PATIENCE, patience.as_millis().to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().ends_with(READY)), "the application ended before it was ready");
        Application { database: database.to_owned(), process, said }
    }

    /// Whether it has made [`ENOUGH`] commits.
    pub(super) fn has_written_enough(&self) -> bool {
        enough(&self.database).exists()
    }

    /// Tells it to end.
    pub(super) fn end(mut self) -> Report {
        drop(self.process.stdin.take());
        let report = self.said.find_map(|line| Some(line.unwrap().split_once(REPORT)?.1.to_owned()));
        self.process.wait().unwrap();
        let report: Vec<String> = serde_json::from_str(&report.unwrap()).unwrap();
        Report {
            commits: report[0].parse().unwrap(),
            checkpoints: report[1].parse().unwrap(),
            longest_refused: Duration::from_millis(report[2].parse().unwrap()),
            failure: Some(report[3].clone()).filter(|failure| !failure.is_empty()),
        }
    }
}

/// The file by which it says that it has written enough.
fn enough(database: &Path) -> PathBuf {
    database.with_extension("enough")
}

impl Drop for Application {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In WAL mode it copies the WAL back every 20 commits, or as soon as it may.
#[test]
#[ignore = "a part for a child process"]
fn write_until_told() {
    let told = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            told.store(true, Ordering::Relaxed);
        });
        let report = write(&told);
        println!("{REPORT}{}", serde_json::to_string(&report).unwrap());
        // Also where a commit failed before the end.
        std::process::exit(0);
    });
}

fn write(told: &AtomicBool) -> [String; 4] {
    let patience = std::env::var(PATIENCE).unwrap().parse().unwrap();
    let database = PathBuf::from(std::env::var_os(DATABASE).unwrap());
    let shop = Connection::open(&database).unwrap();
    shop.busy_timeout(Duration::from_millis(patience)).unwrap();
    let mode: String = shop.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    println!("{READY}");
    let (mut commits, mut checkpoints, mut longest, mut failure) = (0u64, 0u64, Duration::ZERO, String::new());
    let mut refused: Option<Instant> = None;
    while !told.load(Ordering::Relaxed) && failure.is_empty() {
        // Amounts go to and fro, so that nobody's level depends on when one looks.
        let sql = "UPDATE orders SET amount = amount + ?1 WHERE id % 7 = ?2";
        let change = if commits / 7 % 2 == 0 { 1 } else { -1 };
        match shop.execute(sql, [change, (commits % 7) as i64]) {
            Ok(_) => commits += 1,
            Err(error) => failure = error.to_string(),
        }
        if mode == "wal" && (commits % 20 == 0 || refused.is_some()) {
            let busy: i64 = shop.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
            longest = longest.max(refused.map_or(Duration::ZERO, |since| since.elapsed()));
            refused = if busy == 0 { None } else { refused.or_else(|| Some(Instant::now())) };
            checkpoints += u64::from(busy == 0);
        }
        if commits == ENOUGH {
            fs::write(enough(&database), "").unwrap();
        }
        thread::sleep(Duration::from_millis(2));
    }
    [commits.to_string(), checkpoints.to_string(), longest.as_millis().to_string(), failure]
}
