//! kill -9, again and again: no transition, task or event may be lost or doubled.
//!
//! Two projects grade the same database day by day. One is killed at a random moment of each day's run (in a daemon, in a command, while
//! the rules are being reloaded) and then makes the run again; the other is left in peace. Every few days both ledgers must say the
//! same, line by line, of all days so far: what was lost once stays lost.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    Failure, compare, http, print,
    process::{self, Process},
    random::Random,
    shop::{Folder, Shop, as_of},
};

const CUSTOMERS: i64 = 400;
const ORDERS_EACH: i64 = 6;

/// Ledgers are compared after so many days; once there have been [`MANY`], more seldom, as a comparison reads all of both.
const COMPARE_EVERY: i64 = 10;
const MANY: i64 = 300;
const COMPARE_MANY_EVERY: i64 = 250;

/// Kills so many times.
pub(crate) fn run(rounds: i64, seed: u64) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let mut random = Random::new(seed);
    let mut shop = Shop::make(&place.path().join("shop.db"), CUSTOMERS, ORDERS_EACH)?;
    let http = "[http]\nlisten = \"off\"\n";
    let killed = Folder::make(place.path().join("killed"), http)?;
    let reference = Folder::make(place.path().join("reference"), http)?;
    let begun = Instant::now();
    let mut world = World { killed, reference, longest: Duration::from_millis(60), cut_short: 0 };
    let mut counts = Vec::new();
    for day in 1..=rounds {
        shop.day(day, &mut random)?;
        let said = |error| format!("round {day} of seed {seed}: {error}");
        world.round(day, &mut random).map_err(said)?;
        let every = if day <= MANY { COMPARE_EVERY } else { COMPARE_MANY_EVERY };
        if day % every == 0 || day == rounds {
            counts = compare::same(&world.killed.ledger(), &world.reference.ledger()).map_err(said)?;
        }
    }
    compare::notices_a_lost_event(&world.killed.ledger(), &world.reference.ledger())?;
    print(&json!({
        "rounds": rounds,
        "seed": seed,
        "killed_before_the_end": world.cut_short,
        "seconds": begun.elapsed().as_secs_f64(),
        "compared": counts.into_iter().map(|(what, lines)| (what.to_owned(), json!(lines))).collect::<serde_json::Map<_, _>>(),
    }));
    Ok(())
}

struct World {
    killed: Folder,
    reference: Folder,
    /// How long a run has taken at most.
    longest: Duration,
    /// Kills that came before the run was stored.
    cut_short: u64,
}

impl World {
    fn round(&mut self, day: i64, random: &mut Random) -> Result<(), Failure> {
        let as_of = as_of(day)?;
        if random.below(5) == 0 {
            self.edit(random)?;
        }
        let before = self.runs();
        match random.below(3) {
            0 => self.kill_daemon(&as_of, random)?,
            1 => self.kill_reloading(&as_of, random)?,
            _ => self.kill_command(&as_of, random)?,
        }
        if self.runs() == before {
            self.cut_short += 1;
        }
        let run = ["run", "--as-of", &as_of, "--quiet"];
        process::done(&self.killed.path, &run)?;
        let begun = Instant::now();
        process::done(&self.reference.path, &run)?;
        self.longest = self.longest.max(begun.elapsed());
        if random.below(8) == 0 {
            self.overrule(day, random)?;
        }
        Ok(())
    }

    /// The same edit of the rules, in both.
    fn edit(&self, random: &mut Random) -> Result<(), Failure> {
        let threshold = 700 + 50 * random.below(8);
        self.killed.threshold(threshold)?;
        self.reference.threshold(threshold)
    }

    /// A person's decision, in both.
    fn overrule(&self, day: i64, random: &mut Random) -> Result<(), Failure> {
        let (key, from, until) = (random.below(CUSTOMERS).to_string(), as_of(day)?, as_of(day + 9)?);
        for folder in [&self.killed, &self.reference] {
            let words = ["override", "add", "value", &key, "--pin", "A", "--reason", "soak", "--approver", "soak"];
            process::done(&folder.path, &[&words[..], &["--from", &from[..10], "--until", &until[..10]]].concat())?;
        }
        Ok(())
    }

    fn kill_command(&self, as_of: &str, random: &mut Random) -> Result<(), Failure> {
        let process = process::start(&self.killed.path, &["run", "--as-of", as_of])?;
        self.end(process, random)
    }

    /// Kills a daemon that makes a run.
    fn kill_daemon(&self, as_of: &str, random: &mut Random) -> Result<(), Failure> {
        let process = process::serve(&self.killed)?;
        let (socket, body) = (self.killed.socket(), json!({ "as_of": as_of }));
        let asked = std::thread::spawn(move || http::post(&socket, "/api/v1/runs", &body));
        self.end(process, random)?;
        // Whether it was answered is up to the moment of the kill.
        let _ = asked.join();
        Ok(())
    }

    /// Kills a daemon that reloads edited rules and makes a run.
    fn kill_reloading(&self, as_of: &str, random: &mut Random) -> Result<(), Failure> {
        let process = process::serve(&self.killed)?;
        self.edit(random)?;
        let (socket, body) = (self.killed.socket(), json!({ "as_of": as_of }));
        let asked = std::thread::spawn(move || {
            let _ = http::post(&socket, "/-/reload", &json!({}));
            let _ = http::post(&socket, "/api/v1/runs", &body);
        });
        self.end(process, random)?;
        let _ = asked.join();
        Ok(())
    }

    /// Kills it at a random moment of about the time that a run takes; more often early, as most runs are quicker than the slowest.
    fn end(&self, process: Process, random: &mut Random) -> Result<(), Failure> {
        let longest = self.longest.as_micros() as i64;
        let within = if random.below(4) == 0 { longest } else { longest / 4 };
        let micros = random.below(within);
        std::thread::sleep(Duration::from_micros(micros.unsigned_abs()));
        process.kill()
    }

    /// Runs stored so far; 0 before the first.
    fn runs(&self) -> i64 {
        let conn =
            rusqlite::Connection::open_with_flags(self.killed.ledger(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        conn.and_then(|conn| conn.query_row("SELECT count(*) FROM run", [], |row| row.get(0))).unwrap_or(0)
    }
}
