//! A plugin that is exchanged under load: another file takes its place again and again, while runs are made and customers explained.
//!
//! Versions differ in a constant, which the rules find again in every customer's score: a run must be wholly of one version, the one that the
//! ledger says it had, and so must every explanation. No run may fail, every version must come into force, and memory and handles must
//! stay where they were.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::{
    Failure, http,
    idle::Taken,
    load::{by_third, median, times},
    print,
    process::{self, Process},
    random::Random,
    shop::{Folder, Shop},
};

const STANDING: &[u8] = include_bytes!("../../plugins/standing/standing.wasm");

/// What ten years of tenure give: in the file, and in what is made of it.
const TENURE_POINTS: f64 = 40.0;
const VERSIONS: [(f64, &str); 3] = [(TENURE_POINTS, "first"), (39.0, "second"), (38.0, "third")];

const RULES: &str = r#"
[metric.standing]
plugin   = "standing"
function = "score"
inputs   = { spend = "spend", tenure_days = "3650", late_payments = "0" }

[metric.of_tenure]
derived = "standing - 60 * least(cast(spend as real) / 10000, 1)"

[tiers.version]
level = [
  { name = "none" },
  { name = "third", when = "of_tenure between 37.999 and 38.001" },
  { name = "second", when = "of_tenure between 38.999 and 39.001" },
  { name = "first", when = "of_tenure between 39.999 and 40.001" },
]
"#;

const CUSTOMERS: i64 = 20_000;
/// A version is in force, and a run is made with it, within this time.
const WITHIN: Duration = Duration::from_secs(60);
/// Between explanations.
const EXPLAIN_EVERY: Duration = Duration::from_millis(10);
/// Memory may be so many MiB more in the last third than in the first; handles so many more: connections come and go, and 40 swaps that each
/// left one would leave more.
const MORE_MIB: u64 = 16;
const MORE_HANDLES: u64 = 16;

/// Exchanges the plugin so many times.
pub(crate) fn run(swaps: usize) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    Shop::make(&place.path().join("shop.db"), CUSTOMERS, 10)?;
    let folder = Folder::make(place.path().join("project"), "[http]\nlisten = \"off\"\n")?;
    let load = Load { folder, over: AtomicBool::new(false), seen: Mutex::default() };
    load.exchange(0)?;
    fs::write(load.folder.path.join("rules/standing.toml"), RULES)?;
    let process = process::serve(&load.folder)?;
    load.make_run()?;
    let taken = thread::scope(|scope| {
        let others = [scope.spawn(|| load.until_over(Load::make_run)), scope.spawn(|| load.explain_all())];
        let taken = load.until_over_or_done(|| load.swaps(swaps, &process));
        load.over.store(true, Ordering::Relaxed);
        for other in others {
            other.join().map_err(|_| "a thread of the load panicked")??;
        }
        taken
    })?;
    load.check_explanations()?;
    load.report(&taken)?;
    process.stop()?;
    // Runs leave the ledger little time for anything else; what waits is written at the end.
    load.check_reloads(swaps)
}

struct Load {
    folder: Folder,
    over: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The version of each file that was there, by its hash.
    versions: HashMap<String, usize>,
    /// The file that each run had.
    runs: HashMap<i64, String>,
    /// Run and version of each explanation, and microseconds that it took.
    explained: Vec<(i64, usize)>,
    explain_micros: Vec<u64>,
    /// Microseconds from the exchange of a file until it was in force.
    swap_micros: Vec<u64>,
}

impl Load {
    #[expect(clippy::expect_used, reason = "no thread panics while it holds the lock")]
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("a lock that nobody panicked with")
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Does it again and again; what goes wrong is the end for all.
    fn until_over(&self, work: impl Fn(&Self) -> Result<(), Failure>) -> Result<(), Failure> {
        while !self.is_over() {
            self.until_over_or_done(|| work(self))?;
        }
        Ok(())
    }

    fn until_over_or_done<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        work().inspect_err(|_| self.over.store(true, Ordering::Relaxed))
    }

    /// Puts another file in the plugin's place, as a build does. Returns its hash.
    fn exchange(&self, swap: usize) -> Result<String, Failure> {
        let bytes = file(swap)?;
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.seen().versions.insert(hash.clone(), swap % VERSIONS.len());
        let rules = self.folder.path.join("rules");
        fs::write(rules.join(".standing.new"), bytes)?;
        fs::rename(rules.join(".standing.new"), rules.join("standing.wasm"))?;
        Ok(hash)
    }

    /// Exchanges the file so many times, each after a run of the one before. Returns what the daemon had taken after each.
    fn swaps(&self, swaps: usize, process: &Process) -> Result<Vec<Taken>, Failure> {
        let mut taken = Vec::new();
        for swap in 1..=swaps {
            let begun = Instant::now();
            let hash = self.exchange(swap)?;
            self.wait(begun, "in force", || Ok(self.hash_in_force()? == hash))?;
            self.seen().swap_micros.push(begun.elapsed().as_micros() as u64);
            self.wait(begun, "in a run", || Ok(self.seen().runs.values().any(|of_run| *of_run == hash)))?;
            taken.push(Taken::now(process)?);
        }
        Ok(taken)
    }

    fn wait(
        &self,
        begun: Instant,
        what: &str,
        mut there: impl FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        while !there()? {
            if self.is_over() || begun.elapsed() > WITHIN {
                return Err(format!("a file was not {what} within {} s", WITHIN.as_secs()).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Json, Failure> {
        let answer = http::get(&self.folder.socket(), path)?;
        if answer.status != 200 {
            return Err(format!("GET {path} answered {}: {}", answer.status, answer.body).into());
        }
        Ok(serde_json::from_str(&answer.body)?)
    }

    fn hash_in_force(&self) -> Result<String, Failure> {
        let status = self.get("/api/v1/status")?;
        if !status["refused"].is_null() {
            return Err(format!("the files are refused: {}", status["refused"]).into());
        }
        Ok(status["plugins"][0]["sha256"].as_str().unwrap_or_default().to_owned())
    }

    /// A run: all its customers must be of the version that it had.
    fn make_run(&self) -> Result<(), Failure> {
        let body = json!({ "as_of": "2026-01-02T00:00:00Z", "wait": 50 });
        let answer = http::post(&self.folder.socket(), "/api/v1/runs", &body)?;
        let run: Json = serde_json::from_str(&answer.body)?;
        if answer.status != 200 || !matches!(run["outcome"].as_str(), Some("applied" | "unchanged")) {
            return Err(format!("a run answered {}: {run}", answer.status).into());
        }
        let number = run["run"].as_i64().ok_or("a run without a number")?;
        let hash: String = self.ledger()?.query_row(
            "SELECT sha256 FROM run_plugins WHERE run = ?1 AND path = 'rules/standing.wasm'",
            [number],
            |row| row.get(0),
        )?;
        let version = *self.seen().versions.get(&hash).ok_or("a run of a file that was never there")?;
        let levels = &of(&run["sets"], "set", "version")["levels"];
        let held = of(levels, "level", VERSIONS[version].1)["customers"].as_i64();
        if held != Some(CUSTOMERS) {
            return Err(format!("run {number} isn't wholly of version {version}: {levels}").into());
        }
        self.seen().runs.insert(number, hash);
        Ok(())
    }

    /// Explains one customer after the other.
    fn explain_all(&self) -> Result<(), Failure> {
        let random = Mutex::new(Random::new(17));
        self.until_over(|load| {
            thread::sleep(EXPLAIN_EVERY);
            let customer = random.lock().map_or(1, |mut random| 1 + random.below(CUSTOMERS));
            load.explain(customer)
        })
    }

    /// An explanation: score and level must be of one version.
    fn explain(&self, customer: i64) -> Result<(), Failure> {
        let begun = Instant::now();
        let story = self.get(&format!("/api/v1/customers/{customer}/explain"))?;
        let micros = begun.elapsed().as_micros() as u64;
        let set = of(&story["sets"], "set", "version");
        let value = &of(&set["metrics"], "metric", "of_tenure")["value"];
        let points = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let version = VERSIONS.iter().position(|(_, level)| set["level"] == **level);
        let (Some(points), Some(version), Some(run)) = (points, version, story["run"].as_i64()) else {
            return Err(format!("customer {customer} is explained by no version: {set}").into());
        };
        if (points - VERSIONS[version].0).abs() > 1e-6 {
            return Err(format!("customer {customer} has {points} points and is {}", VERSIONS[version].1).into());
        }
        let mut seen = self.seen();
        seen.explained.push((run, version));
        seen.explain_micros.push(micros);
        Ok(())
    }

    /// Whether each was of the version of its run.
    fn check_explanations(&self) -> Result<(), Failure> {
        let seen = self.seen();
        for (run, version) in &seen.explained {
            // The last run may have ended without being looked at.
            let of_run = seen.runs.get(run).map(|hash| seen.versions[hash]);
            if of_run.is_some_and(|of_run| of_run != *version) {
                return Err(format!("run {run} is explained by version {version}, and had another").into());
            }
        }
        Ok(())
    }

    /// Whether the daemon took up every file, and refused none.
    fn check_reloads(&self, swaps: usize) -> Result<(), Failure> {
        let count = |outcome: &str| -> Result<i64, Failure> {
            let sql = "SELECT count(*) FROM reloads WHERE outcome = ?1";
            Ok(self.ledger()?.query_row(sql, [outcome], |row| row.get(0))?)
        };
        let (activated, refused) = (count("activated")?, count("refused")?);
        if activated < swaps as i64 || refused > 0 {
            return Err(format!("of {swaps} files {activated} came into force, and {refused} were refused").into());
        }
        Ok(())
    }

    fn ledger(&self) -> Result<Connection, Failure> {
        let conn = Connection::open_with_flags(self.folder.ledger(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.busy_timeout(Duration::from_secs(10))?;
        Ok(conn)
    }

    fn report(&self, taken: &[Taken]) -> Result<(), Failure> {
        let seen = self.seen();
        let anonymous = by_third(taken, |taken| taken.anonymous as u64);
        let handles = by_third(taken, |taken| taken.handles as u64);
        print(&json!({
            "swaps": seen.swap_micros.len(),
            "swap_ms": median(seen.swap_micros.clone()) as f64 / 1000.0,
            "customers": CUSTOMERS,
            "runs": seen.runs.len(),
            "explain": times(seen.explain_micros.clone()),
            "anonymous_mib_by_third": anonymous,
            "handles_by_third": handles,
        }));
        let grown = anonymous[2] > anonymous[0] + MORE_MIB || handles[2] > handles[0] + MORE_HANDLES;
        if grown { Err("the daemon takes more and more".into()) } else { Ok(()) }
    }
}

/// The plugin with the constant of this swap's version, and with a section that no other has.
fn file(swap: usize) -> Result<Vec<u8>, Failure> {
    // `f64.const`
    let constant = |points: f64| [&[0x44][..], &points.to_le_bytes()].concat();
    let (old, new) = (constant(TENURE_POINTS), constant(VERSIONS[swap % VERSIONS.len()].0));
    // Compilers may write a loop several times.
    let places: Vec<usize> = (0..STANDING.len()).filter(|place| STANDING[*place..].starts_with(&old)).collect();
    if places.is_empty() {
        return Err("standing.wasm hasn't the constant".into());
    }
    let mut bytes = STANDING.to_vec();
    places.into_iter().for_each(|place| bytes[place..place + new.len()].copy_from_slice(&new));
    let name = format!("swap {swap}");
    bytes.extend([0, name.len() as u8 + 1, name.len() as u8]);
    bytes.extend_from_slice(name.as_bytes());
    Ok(bytes)
}

/// The item of a list that has this value under this key.
fn of<'a>(list: &'a Json, key: &str, value: &str) -> &'a Json {
    list.as_array().into_iter().flatten().find(|item| item[key] == value).unwrap_or(&Json::Null)
}
