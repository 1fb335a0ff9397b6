use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, named_params};
use tierd_model::{Date, Timestamp};

use crate::{
    Ledger, actions,
    apply::{self, SetSummary},
    decisions::SetDecisions,
    error::{At, ErrorKind, KindResult, Result},
    hold::{self, NewHold, Verdict},
    outbox::{self, Occasion, Outbox},
    retention::RuleDecisions,
    revision::{self, RevisionHash},
    schedule, tasks,
};

/// The number of a run. Later runs have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// Why a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Somebody asked for it.
    Hand,
    /// Its schedules came.
    Schedule,
    /// The data changed.
    Change,
    /// A missed slot is made good.
    Fill,
    /// Somebody approved a held run.
    Approval,
}

impl Cause {
    const ALL: [Cause; 5] = [Cause::Hand, Cause::Schedule, Cause::Change, Cause::Fill, Cause::Approval];

    /// As in the column `run.cause`.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Hand => "hand",
            Cause::Schedule => "schedule",
            Cause::Change => "change",
            Cause::Fill => "fill",
            Cause::Approval => "approval",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Cause::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// How a run begins.
#[derive(Debug, Clone, Copy)]
pub struct RunStart<'a> {
    /// Why it is made.
    pub cause: Cause,
    /// The schedules that it decides; `None` for everything.
    pub schedules: Option<&'a [String]>,
    /// The time that it evaluates.
    pub as_of: Timestamp,
    /// The local day of that time: tasks that were to be done by then become somebody else's.
    pub today: Date,
    /// The time on the clock. The ledger itself only measures how long things take.
    pub started: Timestamp,
    /// Its rules, recorded before.
    pub revision: RevisionHash,
}

/// What a run has seen. A failed run gives what it knows; the rest stays zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunRecord<'a> {
    /// What identifies the state of the data, as the reader of the source writes it.
    pub data_version: &'a str,
    /// Subjects read.
    pub subjects: u64,
    /// Fact rows read.
    pub fact_rows: u64,
    /// Stored values that didn't fit their declared types.
    pub bad_values: u64,
    /// Fact rows whose subject is unknown.
    pub unknown_subjects: u64,
    /// How long reading took.
    pub read: Duration,
    /// How long evaluating took.
    pub evaluate: Duration,
    /// Cut points of the ranks, as JSON.
    pub cut_points: Option<&'a str>,
    /// Rows of each table that it read, as a JSON object.
    pub table_rows: Option<&'a str>,
    /// Metrics that are NULL because a plugin gave nothing, as a JSON array; `None` for none.
    pub plugin_failures: Option<&'a str>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Levels changed, rules acted or tasks were escalated, and all of it is written.
    Applied,
    /// Every level is as it was, and nobody is told anything.
    Unchanged,
    /// It exceeds a guard and waits for a person; nothing has changed. The message says which guard.
    Held(String),
    /// Nothing was decided; the message says why.
    Failed(String),
}

impl Outcome {
    /// As in the column `run.outcome`.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Unchanged => "unchanged",
            Outcome::Held(_) => "held",
            Outcome::Failed(_) => "failed",
        }
    }
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// Levels changed, over all sets.
    pub transitions: u64,
    /// Each tier set, in the order given.
    pub sets: Vec<SetSummary>,
    /// Actions of retention rules, also held out and watched ones. Those that an earlier run has written aren't counted.
    pub actions: u64,
    /// Tasks that have become somebody else's.
    pub escalated: u64,
    /// How long comparing and writing took, with the commit.
    pub write: Duration,
}

/// A run that has begun. Dropped without [`RunWriter::apply`], [`RunWriter::hold`] or [`RunWriter::fail`] it leaves no trace.
#[must_use = "a run is recorded by `apply`, `hold` or `fail`"]
#[derive(Debug)]
pub struct RunWriter<'a> {
    ledger: &'a mut Ledger,
    start: RunStart<'a>,
    approves: Option<(RunId, Verdict<'a>)>,
    begun: Instant,
}

impl<'a> RunWriter<'a> {
    pub(crate) fn new(ledger: &'a mut Ledger, start: RunStart<'a>) -> Self {
        RunWriter { ledger, start, approves: None, begun: Instant::now() }
    }

    /// By this run a person approves a hold: [`RunWriter::apply`] marks it as approved in the same transaction, and writes nothing where it no
    /// longer waits.
    pub fn approving(self, hold: RunId, verdict: Verdict<'a>) -> Self {
        RunWriter { approves: Some((hold, verdict)), ..self }
    }

    /// Writes the run, every change of level, what is held and remembered from now on, every action, and what goes out by
    /// it: all of it or nothing. Tasks that weren't done in time become somebody else's in the same transaction, and waiting holds that
    /// share a schedule with this run are superseded.
    ///
    /// A set whose decisions equal those of the run before it isn't compared subject by subject.
    ///
    /// # Errors
    /// [`crate::ErrorKind`]; nothing is written then, unless the disk failed in the commit itself: then the run may turn out
    /// to be there. Doing it again is harmless, because decisions that are already held change nothing.
    pub fn apply(
        self,
        record: &RunRecord<'_>,
        sets: &[SetDecisions<'_>],
        rules: &[RuleDecisions<'_>],
    ) -> Result<RunSummary> {
        let writing = Instant::now();
        let timing = Timing { start: self.start, begun: self.begun, writing };
        let decisions = Decisions { sets, rules, approves: self.approves };
        apply_run(&mut self.ledger.conn, timing, record, &decisions).at(&self.ledger.path)
    }

    /// Records that the run exceeds a guard and waits for a person. Nobody's level changes. It takes the place of holds that share a
    /// schedule with it.
    ///
    /// # Errors
    /// [`crate::ErrorKind`]; nothing is written then.
    pub fn hold(self, record: &RunRecord<'_>, new: &NewHold<'_>) -> Result<RunId> {
        let timing = Timing { start: self.start, begun: self.begun, writing: Instant::now() };
        let outcome = Outcome::Held(new.message.to_owned());
        idle_run(&mut self.ledger.conn, timing, record, &outcome, Some(new)).at(&self.ledger.path)
    }

    /// Records that the run failed, and why. Nobody's level changes.
    ///
    /// # Errors
    /// [`crate::ErrorKind`]; nothing is written then.
    pub fn fail(self, record: &RunRecord<'_>, message: &str) -> Result<RunId> {
        let timing = Timing { start: self.start, begun: self.begun, writing: Instant::now() };
        let outcome = Outcome::Failed(message.to_owned());
        idle_run(&mut self.ledger.conn, timing, record, &outcome, None).at(&self.ledger.path)
    }
}

/// When a run began, and when its writing did.
#[derive(Clone, Copy)]
struct Timing<'a> {
    start: RunStart<'a>,
    begun: Instant,
    writing: Instant,
}

/// What a run decided, and the hold that it applies.
struct Decisions<'a> {
    sets: &'a [SetDecisions<'a>],
    rules: &'a [RuleDecisions<'a>],
    approves: Option<(RunId, Verdict<'a>)>,
}

fn apply_run(
    conn: &mut Connection,
    timing: Timing<'_>,
    record: &RunRecord<'_>,
    decisions: &Decisions<'_>,
) -> KindResult<RunSummary> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let run = next_run(&tx)?;
    if let Some((hold, verdict)) = &decisions.approves {
        hold::approve(&tx, *hold, verdict, run)?;
    }
    hold::supersede(&tx, run, timing.start.schedules, timing.start.started)?;
    let first = outbox::next_number(&tx)?;
    let sets = decisions.sets.iter().map(|set| apply::apply_set(&tx, run, set)).collect::<KindResult<Vec<_>>>()?;
    let transitions = sets.iter().map(|set| set.transitions).sum();
    let (actions, escalated) = apply_rules(&tx, run, timing.start, decisions.rules)?;
    let is_changed = transitions + actions + escalated > 0;
    let outcome = if is_changed { Outcome::Applied } else { Outcome::Unchanged };
    let first_transition = (transitions > 0).then_some(first);
    insert_run(&tx, run, timing, record, &End { outcome: &outcome, transitions, first_transition, actions })?;
    tx.commit()?;
    Ok(RunSummary { run, outcome, transitions, sets, actions, escalated, write: timing.writing.elapsed() })
}

/// Returns how many actions are new, and how many tasks were escalated.
fn apply_rules(
    conn: &Connection,
    run: RunId,
    start: RunStart<'_>,
    rules: &[RuleDecisions<'_>],
) -> KindResult<(u64, u64)> {
    let mut outbox = Outbox::new(conn, Occasion { at: start.as_of.0, run: Some(run.0) })?;
    let escalated = tasks::escalate(conn, start.as_of, start.today, &mut outbox)?;
    let mut written = 0;
    for rule in rules {
        written += actions::apply_rule(conn, run, start.as_of, rule, &mut outbox)?;
    }
    Ok((written, escalated))
}

/// Records a run that changes nothing.
fn idle_run(
    conn: &mut Connection,
    timing: Timing<'_>,
    record: &RunRecord<'_>,
    outcome: &Outcome,
    hold: Option<&NewHold<'_>>,
) -> KindResult<RunId> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let run = next_run(&tx)?;
    insert_run(&tx, run, timing, record, &End { outcome, transitions: 0, first_transition: None, actions: 0 })?;
    if let Some(new) = hold {
        hold::supersede(&tx, run, timing.start.schedules, timing.start.started)?;
        hold::insert(&tx, run, new)?;
    }
    tx.commit()?;
    Ok(run)
}

/// The only writer is this process, inside a transaction: nobody else takes the same number.
fn next_run(conn: &Connection) -> rusqlite::Result<RunId> {
    conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM run", [], |row| row.get(0)).map(RunId)
}

/// How a run ended, for its row.
struct End<'a> {
    outcome: &'a Outcome,
    transitions: u64,
    first_transition: Option<i64>,
    actions: u64,
}

fn insert_run(
    conn: &Connection,
    run: RunId,
    timing: Timing<'_>,
    record: &RunRecord<'_>,
    end: &End<'_>,
) -> KindResult<()> {
    let took = i64::try_from(timing.begun.elapsed().as_micros()).unwrap_or(i64::MAX);
    let message = match end.outcome {
        Outcome::Held(message) | Outcome::Failed(message) => Some(message.as_str()),
        _ => None,
    };
    conn.execute(
        INSERT_RUN,
        named_params! {
            ":id": run.0,
            ":as_of": timing.start.as_of.0,
            ":started": timing.start.started.0,
            ":finished": timing.start.started.0.saturating_add(took),
            ":revision": revision::find(conn, timing.start.revision)?,
            ":data_version": record.data_version,
            ":subjects": stored(record.subjects),
            ":fact_rows": stored(record.fact_rows),
            ":bad_values": stored(record.bad_values),
            ":unknown_subjects": stored(record.unknown_subjects),
            ":transitions": stored(end.transitions),
            ":first_transition": end.first_transition,
            ":actions": stored(end.actions),
            ":read_ms": millis(record.read),
            ":evaluate_ms": millis(record.evaluate),
            ":write_ms": millis(timing.writing.elapsed()),
            ":outcome": end.outcome.name(),
            ":message": message,
            ":cut_points": record.cut_points,
            ":cause": timing.start.cause.name(),
            ":schedules": timing.start.schedules.map(|names| serde_json::json!(names).to_string()),
            ":table_rows": record.table_rows,
            ":plugin_failures": record.plugin_failures,
        },
    )?;
    match end.outcome {
        Outcome::Failed(_) => Ok(()),
        // Together with the run: a crash finds its slot taken care of, or no run.
        _ => schedule::taken_care_of(conn, run, timing.start),
    }
}

const INSERT_RUN: &str = "INSERT INTO run (id, as_of, started, finished, revision, data_version, subjects, fact_rows,
    bad_values, unknown_subjects, transitions, first_transition, read_ms, evaluate_ms, write_ms, outcome, message, cut_points,
    actions, cause, schedules, table_rows, plugin_failures)
VALUES (:id, :as_of, :started, :finished, :revision, :data_version, :subjects, :fact_rows,
    :bad_values, :unknown_subjects, :transitions, :first_transition, :read_ms, :evaluate_ms, :write_ms, :outcome, :message,
    :cut_points, :actions, :cause, :schedules, :table_rows, :plugin_failures)";

/// Names of schedules as [`insert_run`] writes them.
pub(crate) fn parse_schedules(names: Option<String>) -> KindResult<Option<Vec<String>>> {
    let parsed = names.map(|names| serde_json::from_str(&names)).transpose();
    parsed.map_err(|_| ErrorKind::Unreadable("a run with unknown schedules"))
}

/// A count as SQLite stores it.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as it was stored.
pub(crate) fn restored(count: i64) -> KindResult<u64> {
    u64::try_from(count).map_err(|_| ErrorKind::Unreadable("a negative count"))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keys, Reader, RevisionRecord};

    /// The allowed number of pages is the nearest that a test comes to a disk of a given size.
    #[test]
    fn full_disk_writes_nothing_and_the_next_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tierd.ledger");
        let mut ledger = Ledger::open(&path, "a test").unwrap();
        let hash = RevisionHash([1; 32]);
        ledger.record_revision(&RevisionRecord { hash, loaded: Timestamp(0), files: &[], plugins: &[] }).unwrap();
        let start = RunStart {
            cause: Cause::Hand,
            schedules: None,
            as_of: Timestamp(0),
            today: Date(0),
            started: Timestamp(0),
            revision: hash,
        };
        let (keys, assigned) = ((0..20_000).collect::<Vec<i64>>(), vec![0; 20_000]);
        let set = SetDecisions {
            name: "value",
            family: "value",
            category: None,
            subject: "customer",
            levels: &["C"],
            keys: Keys::Integer(&keys),
            assigned: &assigned,
            metrics: &|_, json| json.push_str("{}"),
            reason: &|_| "first level",
            states: None,
        };

        ledger.conn.pragma_update(None, "max_page_count", 60).unwrap();
        let failure = ledger.begin_run(start).apply(&RunRecord::default(), &[set], &[]).unwrap_err();
        assert!(matches!(failure.kind, ErrorKind::DiskFull(_)), "{failure:?}");
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.runs(1).unwrap(), []);
        assert_eq!(reader.distribution("value").unwrap(), []);

        ledger.begin_run(start).fail(&RunRecord::default(), "no space left").unwrap();
        ledger.conn.pragma_update(None, "max_page_count", 10_000).unwrap();
        let summary = ledger.begin_run(start).apply(&RunRecord::default(), &[set], &[]).unwrap();
        assert_eq!((summary.run, summary.transitions), (RunId(2), 20_000));
    }
}
