//! This test program again, as another process with a part to play.

use std::{
    io::{BufRead, BufReader, Lines, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use tierd_ledger::{
    ActRow, Cause, ErrorKind, Keys, Ledger, RuleState, RuleStateRow, RunRecord, RunStart, RunSummary, SetDecisions,
    StateRow,
};

use crate::common::{act, apply, apply_with_rules, decisions, hold, open, query, run, start, task, verdict, win_back};

/// Names the ledger that the child works on.
const LEDGER: &str = "TIERD_TEST_LEDGER";
/// What the child says once it has done the first part.
const READY: &str = "the child is ready";

/// Changes of level in each of the child's runs; as many rows are held.
pub(crate) const SUBJECTS: i64 = 30_000;

/// A part that is being played.
pub(crate) struct Part {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts this part, and waits until it says that it is ready.
    pub(crate) fn start(name: &str, ledger: &Path) -> Self {
        Part::start_as(Command::new(std::env::current_exe().unwrap()), name, ledger)
    }

    /// As [`Part::start`], with a shell command before the program.
    pub(crate) fn start_after(shell: &str, name: &str, ledger: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
        Part::start_as(command, name, ledger)
    }

    fn start_as(mut command: Command, name: &str, ledger: &Path) -> Self {
        command.args(["--exact", &format!("child::{name}"), "--ignored", "--nocapture"]).env(LEDGER, ledger);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut part = Part { process, said };
        part.await_ready();
        part
    }

    /// Waits until the child says (again) that it is ready.
    pub(crate) fn await_ready(&mut self) {
        assert!(self.said.any(|line| line.unwrap().ends_with(READY)), "the child ended before it was ready");
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Lets the part come to its end, which has to be a good one.
    pub(crate) fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.said.all(|line| line.is_ok()) && self.process.wait().unwrap().success());
    }
}

fn ledger_path() -> PathBuf {
    std::env::var_os(LEDGER).expect("started by a test, never by hand").into()
}

/// Actions in each of the child's runs; as many tasks and states.
pub(crate) const ACTS: u32 = 2_000;

/// One run that moves every subject to another level than run `round - 1` did, and acts on some.
pub(crate) fn churn(ledger: &mut Ledger, round: i64) -> RunSummary {
    let (keys, assigned): (Vec<i64>, _) = ((0..SUBJECTS).collect(), churned(round));
    let day = start(round).today;
    let remembered =
        |subject| StateRow { subject, policy: 0, below_since: Some(day), locked_until: None, decided: None };
    let policy: Vec<StateRow> = (0..ACTS).map(remembered).collect();
    let set =
        SetDecisions { metrics: &long_metrics, states: Some(&policy), ..decisions(Keys::Integer(&keys), &assigned) };
    let state = RuleState { last_acted: Some(start(round).as_of), ..RuleState::default() };
    let states: Vec<RuleStateRow> = (0..ACTS).map(|subject| RuleStateRow { subject, state }).collect();
    // Due at once: the next run escalates them all.
    let acts: Vec<ActRow> = (0..ACTS).map(|subject| act(subject, task("call", round))).collect();
    apply_with_rules(ledger, round, &[set], &[win_back(&keys, &states, &acts)]).unwrap()
}

/// So long that a run is larger than the writer's cache: it goes to the disk in the middle as well as at the end.
fn long_metrics(subject: usize, json: &mut String) {
    json.push_str(&format!("{{\"n\":{subject},\"text\":\"{:150}\"}}", ""));
}

/// The levels that run `round` gives.
pub(crate) fn churned(round: i64) -> Vec<u16> {
    (0..SUBJECTS).map(|key| ((key + round) % 3) as u16).collect()
}

#[test]
#[ignore = "a part for a child process"]
fn hold_the_lock() {
    let _ledger = Ledger::open(&ledger_path(), "tierd serve").unwrap();
    println!("{READY}");
    // Until the parent closes its end, or kills.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Says that it is ready before the first run and after each.
#[test]
#[ignore = "a part for a child process"]
fn write_until_killed() {
    println!("{READY}");
    let mut ledger = open(&ledger_path());
    let last: i64 = query(ledger.path(), "SELECT coalesce(max(id), 0) FROM run");
    for round in last + 1.. {
        churn(&mut ledger, round);
        println!("{READY}");
    }
}

/// Holds a run and applies it by an approval, again and again; now and then rejects one. Says that it is ready before the first run and
/// after each.
#[test]
#[ignore = "a part for a child process"]
fn hold_and_approve_until_killed() {
    println!("{READY}");
    let mut ledger = open(&ledger_path());
    let (keys, last): (Vec<i64>, i64) =
        ((0..SUBJECTS).collect(), query(ledger.path(), "SELECT coalesce(max(id), 0) FROM run"));
    for round in last + 1.. {
        let held = hold(&mut ledger, round, None);
        println!("{READY}");
        if round % 5 == 0 {
            ledger.reject_hold(held, &verdict("Bob")).unwrap();
            continue;
        }
        let assigned = churned(held.0 + 1);
        let set = SetDecisions { metrics: &long_metrics, ..decisions(Keys::Integer(&keys), &assigned) };
        let start = RunStart { cause: Cause::Approval, ..start(round) };
        let approving = ledger.begin_run(start).approving(held, verdict("Ada"));
        approving.apply(&RunRecord::default(), &[set], &[]).unwrap();
        println!("{READY}");
    }
}

/// Under a limit on the size of files, as on a full disk.
#[test]
#[ignore = "a part for a child process"]
fn write_beyond_the_limit() {
    let mut ledger = open(&ledger_path());
    let (keys, assigned): (Vec<i64>, _) = ((0..SUBJECTS).collect(), churned(0));
    let set = SetDecisions { metrics: &long_metrics, ..decisions(Keys::Integer(&keys), &assigned) };
    let failure = apply(&mut ledger, 0, &[set]).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::Disk(_) | ErrorKind::DiskFull(_)), "{failure:?}");
    assert_eq!(run(&mut ledger, 1, &[1, 2], &[0, 1]).transitions, 2, "a run that fits is written");
    println!("{READY}");
}
