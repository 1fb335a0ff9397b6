//! Whatever ends a writer, a run is there as a whole or not at all.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tierd_ledger::{Keys, Reader};

use crate::{
    child::{ACTS, Part, SUBJECTS, churn, churned},
    common::*,
};

const ROUNDS: u32 = 32;

/// Keeps the test short where the disk is slow.
const LONGEST_LIFE: Duration = Duration::from_millis(400);

/// Kills a writer at random moments: while it makes the file, while it writes, commits and copies the WAL back.
#[test]
fn killed_writer_leaves_whole_runs() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    println!("seed {seed}");
    let mut random = u64::from(seed) | 1;
    let longest = one_life().mul_f64(1.5).min(LONGEST_LIFE).as_micros() as u64;
    let mut place = place();
    for round in 0..ROUNDS {
        // Some rounds begin without a ledger, the others go on with what the round before left.
        if round % 4 == 0 {
            place = crate::common::place();
        }
        let child = Part::start("write_until_killed", &place.path);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % longest));
        child.kill();
        whole_runs(&place.path);
    }
}

/// A hold is approved together with what it changes, or still waits; whatever kills the writer in between.
#[test]
fn killed_writer_leaves_holds_waiting_or_decided_as_a_whole() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    println!("seed {seed}");
    let mut random = u64::from(seed) | 1;
    let place = place();
    let mut first = Part::start("hold_and_approve_until_killed", &place.path);
    // A hold, and its approval: what is looked at below is there.
    first.await_ready();
    first.await_ready();
    first.kill();
    for _ in 0..ROUNDS {
        let child = Part::start("hold_and_approve_until_killed", &place.path);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % LONGEST_LIFE.as_micros() as u64));
        child.kill();
        drop(open(&place.path));
        assert_sound(&place.path);
        whole_holds(&place.path);
    }
}

fn whole_holds(path: &Path) {
    let count = |sql: &str| query::<i64>(path, sql);
    let approvals = "SELECT count(*) FROM run WHERE cause = 'approval'";
    let approved = "SELECT count(*) FROM hold AS h JOIN run AS r ON r.id = h.followed
                    WHERE h.state = 'approved' AND r.cause = 'approval' AND r.id = h.run + 1";
    assert!(count(approvals) > 0);
    assert_eq!(count(approvals), count(approved), "each approval has one hold, and each hold one approval");
    assert!(
        count("SELECT count(*) FROM hold WHERE state = 'waiting'") <= 1,
        "a later run takes the place of one that waits"
    );
    let reader = Reader::open(path).unwrap();
    if let Some(last) = reader.last_applied_run().unwrap() {
        let keys: Vec<i64> = (0..SUBJECTS).collect();
        let held = reader.held_levels("value", Keys::Integer(&keys), LEVELS).unwrap();
        assert!(held == churned(last.id.0), "what is held is what run {} decided", last.id.0);
    }
}

/// How long a child takes to make the ledger and finish its first run.
fn one_life() -> Duration {
    let place = place();
    let mut child = Part::start("write_until_killed", &place.path);
    let begun = Instant::now();
    child.await_ready();
    let took = begun.elapsed();
    child.kill();
    assert!(whole_runs(&place.path) > 0, "the child said that it had finished a run");
    took
}

/// Opens what a killed writer left, and returns how many runs it holds.
fn whole_runs(path: &Path) -> i64 {
    if path.exists() {
        // A reader comes by before anyone restarts the writer.
        Reader::open(path).unwrap().runs(1).unwrap();
    }
    // Opening is what a restart does: it makes the file where the child died before that.
    drop(open(path));
    assert_sound(path);
    let reader = Reader::open(path).unwrap();
    let keys: Vec<i64> = (0..SUBJECTS).collect();
    let held = reader.held_levels("value", Keys::Integer(&keys), LEVELS).unwrap();
    match reader.last_applied_run().unwrap() {
        Some(last) => {
            assert_eq!(last.transitions, SUBJECTS as u64);
            assert!(held == churned(last.id.0), "what is held is what run {} decided", last.id.0);
            whole_rules(path, &reader, last.id.0);
            last.id.0
        }
        None => {
            assert!(held.iter().all(|&level| level == NONE), "nothing is held before the first run");
            0
        }
    }
}

/// Actions, tasks, events and what is remembered are those of the same run.
fn whole_rules(path: &Path, reader: &Reader, run: i64) {
    let keys: Vec<i64> = (0..SUBJECTS).collect();
    let states = reader.rule_states("win_back", false, Keys::Integer(&keys)).unwrap();
    let last = Some(start(run).as_of);
    assert!(
        states.len() == ACTS as usize && states.iter().all(|row| row.state.last_acted == last),
        "states of run {run}"
    );
    let standings = reader.standings("value", Keys::Integer(&keys), LEVELS).unwrap();
    let below = standings.iter().filter(|standing| standing.below_since == Some(start(run).today)).count();
    assert_eq!(below, ACTS as usize, "movement of run {run}");
    let acts = i64::from(ACTS);
    let count = |sql: &str| query::<i64>(path, sql);
    assert_eq!(count("SELECT count(*) FROM task"), acts * run);
    assert_eq!(count("SELECT count(*) FROM outbox WHERE kind = 'task.created'"), acts * run);
    assert_eq!(count("SELECT count(*) FROM outbox WHERE kind = 'task.escalated'"), acts * (run - 1));
    assert_eq!(count("SELECT count(*) FROM events"), SUBJECTS * run + acts * (2 * run - 1));
}

#[test]
fn full_disk_leaves_no_part_of_a_run() {
    let place = place();
    // Blocks of 512 bytes or of 1024, as the shell counts. Without the signal a write beyond it is an error, as on a full disk.
    let child = Part::start_after("trap '' XFSZ; ulimit -f 4096", "write_beyond_the_limit", &place.path);
    child.end();
    assert_sound(&place.path);
    let mut ledger = open(&place.path);
    assert_eq!(query::<String>(&place.path, "SELECT group_concat(id || outcome) FROM run"), "1applied");
    let summary = churn(&mut ledger, 2);
    assert!(summary.transitions > SUBJECTS as u64 - 3, "with room again, the run is written");
    assert_sound(&place.path);
}
