//! Everything at once: edits, runs, requests, and an application that writes.
//!
//! No request may be answered with an error, no commit of the application may fail, its checkpoints must get through soon after each
//! run, and memory and handles must stay where they were.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::{
    Failure, http,
    idle::Taken,
    print,
    process::{self, Process},
    random::Random,
    shop::{Folder, Shop},
};

/// Requests a second, over all of these threads.
const RATE: u32 = 200;
const THREADS: u32 = 4;

/// Runs are asked for, rules saved and memory looked at so often.
const RUN_EVERY: Duration = Duration::from_secs(30);
const SAVE_EVERY: Duration = Duration::from_millis(1700);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A checkpoint must succeed this long after a run at the latest.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(2);

/// What all threads share.
struct Shared {
    folder: Folder,
    customers: i64,
    over: AtomicBool,
    /// The first thing that went wrong.
    wrong: Mutex<Option<String>>,
    commits: AtomicU64,
    checkpoints: AtomicU64,
    runs: AtomicU64,
    saves: AtomicI64,
    /// Microseconds of each request for an explanation, and of each other one.
    explained: Mutex<Vec<u64>>,
    others: Mutex<Vec<u64>>,
    /// When the last checkpoint got through.
    checkpoint: Mutex<Instant>,
}

/// Loads a daemon for so long.
pub(crate) fn run(minutes: u64, customers: i64) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let database = place.path().join("shop.db");
    Shop::make(&database, customers, 10)?;
    let folder = Folder::make(place.path().join("project"), "[http]\nlisten = \"off\"\n")?;
    let process = process::serve(&folder)?;
    make_run(&folder.socket(), 0)?;
    let shared = Arc::new(Shared {
        folder,
        customers,
        over: AtomicBool::new(false),
        wrong: Mutex::new(None),
        commits: AtomicU64::new(0),
        checkpoints: AtomicU64::new(0),
        runs: AtomicU64::new(0),
        saves: AtomicI64::new(0),
        explained: Mutex::new(Vec::new()),
        others: Mutex::new(Vec::new()),
        checkpoint: Mutex::new(Instant::now()),
    });
    let mut threads = vec![shared.spawn(runs), shared.spawn(saves)];
    threads.push(shared.spawn(move |shared| application(shared, &database)));
    threads.extend((0..THREADS).map(|thread| shared.spawn(move |shared| requests(shared, thread))));
    let seen = look(&shared, &process, Duration::from_secs(minutes * 60));
    shared.over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| "a thread of the load panicked")?;
    }
    if let Some(wrong) = shared.locked(&shared.wrong).take() {
        return Err(wrong.into());
    }
    report(&shared, &seen?, minutes);
    process.stop()
}

impl Shared {
    fn spawn(
        self: &Arc<Self>,
        work: impl FnOnce(&Shared) -> Result<(), Failure> + Send + 'static,
    ) -> std::thread::JoinHandle<()> {
        let shared = Arc::clone(self);
        std::thread::spawn(move || {
            if let Err(error) = work(&shared) {
                shared.locked(&shared.wrong).get_or_insert(error.to_string());
                shared.over.store(true, Ordering::Relaxed);
            }
        })
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits, or until it is over.
    fn wait(&self, duration: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < duration && !self.is_over() {
            std::thread::sleep(Duration::from_millis(20).min(duration));
        }
    }

    #[expect(clippy::expect_used, reason = "no thread panics while it holds the lock")]
    fn locked<'a, T>(&self, of: &'a Mutex<T>) -> std::sync::MutexGuard<'a, T> {
        of.lock().expect("a lock that nobody panicked with")
    }
}

fn make_run(socket: &Path, round: i64) -> Result<(), Failure> {
    let day = 2 + round % 27;
    let answer =
        http::post(socket, "/api/v1/runs", &json!({ "as_of": format!("2026-01-{day:02}T00:00:00Z"), "wait": 50 }))?;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("a run answered {status}: {}", answer.body).into()),
    }
}

fn runs(shared: &Shared) -> Result<(), Failure> {
    let mut round = 0;
    while !shared.is_over() {
        round += 1;
        make_run(&shared.folder.socket(), round)?;
        shared.runs.fetch_add(1, Ordering::Relaxed);
        let done = Instant::now();
        while *shared.locked(&shared.checkpoint) < done && !shared.is_over() {
            if done.elapsed() > CHECKPOINT_WITHIN {
                return Err("no checkpoint of the application within 2 s of a run's end".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        shared.wait(RUN_EVERY);
    }
    Ok(())
}

/// Saves rules; now and then ones with an error.
fn saves(shared: &Shared) -> Result<(), Failure> {
    let mut saves = 0;
    while !shared.is_over() {
        saves = shared.saves.fetch_add(1, Ordering::Relaxed) + 1;
        match saves % 7 {
            0 => shared.folder.break_rules()?,
            turn => shared.folder.threshold(800 + turn)?,
        }
        shared.wait(SAVE_EVERY);
    }
    shared.folder.threshold(5000 + saves)?;
    Ok(())
}

/// Writes without ever waiting for a lock: a commit that fails is our fault.
fn application(shared: &Shared, database: &Path) -> Result<(), Failure> {
    let conn = Connection::open(database)?;
    conn.busy_timeout(Duration::ZERO)?;
    let mut random = Random::new(7);
    while !shared.is_over() {
        for _ in 0..20 {
            let customer = 1 + random.below(shared.customers);
            let sql = "INSERT INTO orders (customer_id, ordered_on, amount) VALUES (?1, '2026-01-01', ?2)";
            conn.execute(sql, rusqlite::params![customer, 100 + random.below(5000)])
                .map_err(|error| format!("a commit of the application failed: {error}"))?;
            shared.commits.fetch_add(1, Ordering::Relaxed);
        }
        let begun = Instant::now();
        let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            shared.checkpoints.fetch_add(1, Ordering::Relaxed);
            *shared.locked(&shared.checkpoint) = begun;
        }
        shared.wait(Duration::from_millis(100));
    }
    Ok(())
}

/// One thread's part of the requests, each at its own time.
fn requests(shared: &Shared, thread: u32) -> Result<(), Failure> {
    let socket = shared.folder.socket();
    let mut random = Random::new(u64::from(thread) + 11);
    let between = Duration::from_secs(1) * THREADS / RATE;
    let mut next = Instant::now() + between * thread / THREADS;
    while !shared.is_over() {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        // Requests that a slow answer has delayed come at once, and count from the time when they were due.
        let (path, is_explain) = path(shared, &mut random);
        let answer = http::get(&socket, &path).map_err(|error| format!("GET {path}: {error}"))?;
        if answer.status != 200 {
            return Err(format!("GET {path} answered {}: {}", answer.status, answer.body).into());
        }
        let times = if is_explain { &shared.explained } else { &shared.others };
        shared.locked(times).push(next.elapsed().as_micros() as u64);
        next += between;
    }
    Ok(())
}

fn path(shared: &Shared, random: &mut Random) -> (String, bool) {
    let customer = 1 + random.below(shared.customers);
    match random.below(10) {
        0 => ("/api/v1/status".to_owned(), false),
        1 => ("/api/v1/levels".to_owned(), false),
        2 => (format!("/api/v1/customers/{customer}"), false),
        3 => ("/metrics".to_owned(), false),
        _ => (format!("/api/v1/customers/{customer}/explain"), true),
    }
}

/// Looks at the daemon until the time is over or something is wrong.
fn look(shared: &Shared, process: &Process, duration: Duration) -> Result<Vec<Taken>, Failure> {
    let begun = Instant::now();
    let mut seen = Vec::new();
    while begun.elapsed() < duration && !shared.is_over() {
        shared.wait(LOOK_EVERY);
        seen.push(Taken::now(process)?);
    }
    Ok(seen)
}

fn report(shared: &Shared, seen: &[Taken], minutes: u64) {
    print(&json!({
        "minutes": minutes,
        "customers": shared.customers,
        "runs": shared.runs.load(Ordering::Relaxed),
        "saves": shared.saves.load(Ordering::Relaxed),
        "commits": shared.commits.load(Ordering::Relaxed),
        "checkpoints": shared.checkpoints.load(Ordering::Relaxed),
        "explain": times(shared.locked(&shared.explained).clone()),
        "other_requests": times(shared.locked(&shared.others).clone()),
        "anonymous_mib_by_third": by_third(seen, |taken| taken.anonymous as u64),
        "handles_by_third": by_third(seen, |taken| taken.handles as u64),
    }));
}

/// The medians of the first, the second and the last third.
pub(crate) fn by_third(seen: &[Taken], of: impl Fn(&Taken) -> u64) -> [u64; 3] {
    [0, 1, 2].map(|part| median(seen[seen.len() * part / 3..seen.len() * (part + 1) / 3].iter().map(&of).collect()))
}

pub(crate) fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

pub(crate) fn times(mut micros: Vec<u64>) -> Json {
    micros.sort_unstable();
    let at = |share: f64| {
        let place = (micros.len() as f64 * share) as usize;
        micros.get(place.min(micros.len().saturating_sub(1))).map(|&micros| micros as f64 / 1000.0)
    };
    json!({ "requests": micros.len(), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0) })
}
