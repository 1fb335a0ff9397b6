//! The ledger: what tierd itself has to remember, in one SQLite file of its own.
//!
//! It holds the revisions that were in force with all their files, the runs and how each ended, the level that each subject
//! holds, and every change of level with the metrics that decided it. [`Ledger`] is the only thing that writes it, one
//! process at a time; [`Reader`] answers questions while it does. Other systems may read the file by SQL: `docs/ledger.md`
//! names the tables and views that they can count on.
//!
//! What the rest of tierd relies on:
//! - A run is one transaction: its row, its changes of level and what is held from then on are there together or not at all,
//!   whatever kills the process or fills the disk.
//! - A run whose decisions are those of the run before leaves nothing but its row. It is recognised by a digest over keys
//!   and levels, without reading what is held.
//! - A subject that leaves the data keeps its level untouched: a table that comes up empty demotes no one.
//! - A file that isn't a ledger is never touched, nor one that a newer program wrote.
//!
//! Having no level is NULL in the file and `None` here, and a subject that the ledger doesn't know has none: so the first
//! level of a subject is a change from none, and a new subject without a level is no change.
//!
//! What this crate doesn't do: it knows no rules, evaluates nothing and opens no other database. Its inputs are plain data:
//! keys in ascending order, a level for each, and the words to store.
//!
//! ```
//! use tierd_ledger::{Cause, Keys, Ledger, Reader, RevisionHash, RevisionRecord, RunRecord, RunStart, SetDecisions};
//! use tierd_model::{Date, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("tierd.ledger");
//! let mut ledger = Ledger::open(&path, "an example")?;
//! let revision = RevisionHash([1; 32]);
//! ledger.record_revision(&RevisionRecord { hash: revision, loaded: Timestamp(0), files: &[("rules/value.toml", "")], plugins: &[] })?;
//!
//! let run = ledger.begin_run(RunStart { cause: Cause::Hand, schedules: None, as_of: Timestamp(0), today: Date(0), started: Timestamp(0), revision });
//! let decisions = SetDecisions {
//!     name: "value",
//!     family: "value",
//!     category: None,
//!     subject: "customer",
//!     levels: &["C", "B", "A"],
//!     keys: Keys::Integer(&[17, 42]),
//!     assigned: &[0, 2],
//!     metrics: &|subject, json| json.push_str(["{\"spend\":10}", "{\"spend\":9000}"][subject]),
//!     reason: &|_| "first level",
//!     states: None,
//! };
//! let summary = run.apply(&RunRecord::default(), &[decisions], &[])?;
//! assert_eq!(summary.transitions, 2);
//!
//! let held = Reader::open(&path)?.held("value", tierd_ledger::KeyRef::Integer(42))?;
//! assert_eq!(held.and_then(|held| held.level).as_deref(), Some("A"));
//! # Ok(())
//! # }
//! ```

mod actions;
mod apply;
mod backup;
mod changes;
mod compare;
mod decisions;
mod dictionary;
mod digest;
mod error;
mod file;
mod hold;
mod key;
mod lock;
mod movement;
mod outbox;
mod overrides;
mod reader;
mod reload;
mod retention;
mod revision;
mod run;
mod schedule;
mod schema;
mod tasks;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

pub use apply::{Move, SetSummary};
pub use backup::{BackupDone, backup};
pub use decisions::{ChangeReason, DecidingMetrics, NO_LEVEL, SetDecisions, StateRow};
pub use error::{Error, ErrorKind, Result};
pub use hold::{HoldDigest, HoldState, NewHold, Verdict};
pub use key::{KeyRef, Keys, TextKeys};
pub use overrides::{End, NewOverride, OverrideId, OverrideKind};
pub use reader::{
    Action, Activation, Done, Event, Gap, GapState, Held, HeldLevel, HeldPage, HeldRow, Hold, LEVEL_CHANGED,
    LevelCount, Numbers, Override, OverrideFilter, Reader, Reload, Revision, Run, RunSet, Standing, Task, TaskFilter,
    Transition,
};
pub use reload::{NewReload, ReloadOutcome};
pub use retention::{ActKind, ActRow, NewTask, Outgoing, RuleDecisions, RuleState, RuleStateRow};
pub use revision::{RevisionHash, RevisionRecord};
pub use run::{Cause, Outcome, RunId, RunRecord, RunStart, RunSummary, RunWriter};
pub use schedule::{FollowedSchedule, GapId, GapReason, NewGap};

use error::At;
use tierd_model::{Date, Timestamp};

/// The ledger, open for writing. There is one writer at a time; readers don't wait for it, nor it for them.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    // Closed before the lock below is given up: fields are dropped in order.
    conn: Connection,
    _lock: lock::WriterLock,
}

impl Ledger {
    /// How long a command or a daemon waits for another one that writes: longer than most runs take.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// Opens the ledger for writing; makes it where there is no file, or an empty one. `program` is what a second writer
    /// is told of this one, such as `tierd serve`. Another writer is not waited for.
    ///
    /// # Errors
    /// [`ErrorKind`], above all: `Locked` by another writer, `NotALedger` for any other file, `Newer` for a ledger of a
    /// newer program. None of them changes the file.
    pub fn open(path: &Path, program: &str) -> Result<Self> {
        Ledger::open_waiting(path, program, Duration::ZERO)
    }

    /// As [`Ledger::open`], and waits for another writer as long as `patience` lasts: [`Ledger::PATIENCE`] for whoever has nothing better to
    /// do.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_waiting(path: &Path, program: &str, patience: Duration) -> Result<Self> {
        let (path, conn, lock) = file::open_writer(path, program, patience)?;
        Ok(Ledger { path, conn, _lock: lock })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records a valid revision with all its files, and that it is in force from now on. Returns whether that is news.
    /// Contents are stored once however many revisions share them.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn record_revision(&mut self, record: &RevisionRecord<'_>) -> Result<bool> {
        revision::record(&mut self.conn, record).at(&self.path)
    }

    /// Records a valid revision with all its files, for a run that has it while perhaps another one is in force.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn keep_revision(&mut self, record: &RevisionRecord<'_>) -> Result<()> {
        revision::keep(&mut self.conn, record).at(&self.path)
    }

    /// Records what became of a change of the files, with the revision that is in force from then on and all its files, in one
    /// transaction.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn record_reload(&mut self, reload: &NewReload<'_>) -> Result<()> {
        reload::record(&mut self.conn, reload).at(&self.path)
    }

    /// Records a person's decision that overrules the rules for a while, and returns its number.
    ///
    /// # Errors
    /// [`ErrorKind::Override`] where something is missing or the times are the wrong way round.
    pub fn add_override(&mut self, new: &NewOverride<'_>) -> Result<OverrideId> {
        overrides::add(&self.conn, new).at(&self.path)
    }

    /// Ends an override before it expires. It stays in the ledger.
    ///
    /// # Errors
    /// [`ErrorKind::NoOverride`], [`ErrorKind::OverrideEnded`], and [`ErrorKind::Override`] without a reason or a name.
    pub fn end_override(&mut self, id: OverrideId, end: &End<'_>) -> Result<()> {
        overrides::end(&mut self.conn, id, end).at(&self.path)
    }

    /// Marks a task as done by somebody, and returns its whole id. `id` is what it begins with, at least 4 characters.
    ///
    /// # Errors
    /// [`ErrorKind::NoTask`], [`ErrorKind::AmbiguousTask`], [`ErrorKind::TaskDone`], [`ErrorKind::Nobody`].
    pub fn finish_task(&mut self, id: &str, at: Timestamp, by: &str, note: Option<&str>) -> Result<String> {
        tasks::finish(&mut self.conn, id, at, by, note).at(&self.path)
    }

    /// Puts a task off until a day: before it, the task isn't listed as open or overdue, and isn't escalated. Returns its
    /// whole id.
    ///
    /// # Errors
    /// As [`Ledger::finish_task`].
    pub fn snooze_task(&mut self, id: &str, until: Date, by: &str) -> Result<String> {
        tasks::snooze(&mut self.conn, id, until, by).at(&self.path)
    }

    /// A person's word that a held run is never to be applied.
    ///
    /// # Errors
    /// [`ErrorKind::NoHold`], [`ErrorKind::HoldOver`]; [`ErrorKind::Nobody`] and [`ErrorKind::NoReason`] where something is missing.
    pub fn reject_hold(&mut self, hold: RunId, verdict: &Verdict<'_>) -> Result<()> {
        hold::reject(&mut self.conn, hold, verdict).at(&self.path)
    }

    /// Follows these schedules (name, and its recurrence and zone as text) and no others from now on. One that is new, or comes at
    /// other times than it did, counts from `now` on; of the others what has been taken care of stays. Those that are no longer
    /// among them are forgotten, their gaps stay.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn follow_schedules(&mut self, schedules: &[(&str, String)], now: Timestamp) -> Result<()> {
        schedule::follow(&mut self.conn, schedules, now).at(&self.path)
    }

    /// Notes slots for which there will be no run, and that they have been taken care of by that. A gap that goes on where the
    /// last one of its schedule ended, for the same reason, becomes part of it.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn note_gaps(&mut self, gaps: &[NewGap<'_>], noted: Timestamp) -> Result<()> {
        schedule::note_gaps(&mut self.conn, gaps, noted).at(&self.path)
    }

    /// Whether a hold still waits for this verdict: whoever holds the ledger may rely on that until something is written.
    ///
    /// # Errors
    /// As [`Ledger::reject_hold`].
    pub fn check_verdict(&self, hold: RunId, verdict: &Verdict<'_>) -> Result<()> {
        hold::check(&self.conn, hold, verdict).at(&self.path)
    }

    /// Begins a run. Nothing is written before it ends.
    pub fn begin_run<'a>(&'a mut self, start: RunStart<'a>) -> RunWriter<'a> {
        RunWriter::new(self, start)
    }
}
