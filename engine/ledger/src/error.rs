use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::hold::HoldState;

/// What went wrong with a ledger, and with which.
#[derive(Debug)]
pub struct Error {
    /// The ledger file.
    pub path: PathBuf,
    /// What went wrong. No kind leaves half a run behind.
    pub kind: ErrorKind,
}

/// What can go wrong with a ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another process writes this ledger.
    #[error("in use by {holder}; only one process may write a ledger")]
    Locked {
        /// What the holder says of itself: program, process id, host, since when.
        holder: String,
    },
    /// A reader found no file. A writer makes one.
    #[error("there is no such file yet; the first `tierd run` makes it")]
    Missing,
    /// Some other file, perhaps the company's own database.
    #[error("not a ledger of tierd, so it is left alone; give the ledger a path of its own")]
    NotALedger,
    /// Written by a newer program than this one.
    #[error("has version {found}, and this program knows versions up to {known}; use the newer tierd that wrote it")]
    Newer {
        /// `user_version` of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Written by an older program; a writer brings it up to date, a reader can't.
    #[error("has version {found}, and readers need version {known}; one `tierd run` brings it up to date")]
    Older {
        /// `user_version` of the file.
        found: i64,
        /// The version that readers need.
        known: i64,
    },
    /// A file beside the ledger, or its folder, can't be used.
    #[error("can't {action} {}", file.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The disk is full, or the file has reached its allowed size.
    #[error("no space left on its disk; nothing of this change was written")]
    DiskFull(#[source] rusqlite::Error),
    /// The file or its disk can't be written.
    #[error("can't be written: the file, its folder or its disk is read-only")]
    ReadOnly(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error("the file is damaged; restore it from a backup")]
    Corrupt(#[source] rusqlite::Error),
    /// Something else holds SQLite's lock on the file.
    #[error("another program keeps it locked")]
    Busy(#[source] rusqlite::Error),
    /// The file can't be opened.
    #[error("can't be opened; a reader needs to be allowed to write its folder, unless a writer is running")]
    CannotOpen(#[source] rusqlite::Error),
    /// The disk failed.
    #[error("reading or writing the disk failed")]
    Disk(#[source] rusqlite::Error),
    /// Any other failure of SQLite.
    #[error("SQLite failed")]
    Sqlite(#[source] rusqlite::Error),
    /// A value in the file that tierd doesn't write.
    #[error("the file holds {0}, which tierd doesn't write; restore it from a backup")]
    Unreadable(&'static str),
    /// A run names a revision that was never recorded.
    #[error("revision {0} isn't recorded")]
    UnknownRevision(crate::RevisionHash),
    /// A tier set or retention rule is about someone else than it was before.
    #[error("{what} {kept} so far, and is now about {given}; give it another name")]
    OtherSubjects {
        /// Which, and what it did so far.
        what: String,
        /// Subject and type of key, as recorded.
        kept: String,
        /// Subject and type of key, as given.
        given: String,
    },
    /// The decisions of a tier set contradict themselves: a mistake in the calling program.
    #[error("decisions of tier set `{set}` are refused: {problem}")]
    Decisions {
        /// The tier set.
        set: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// What a run says of a retention rule contradicts itself: a mistake in the calling program.
    #[error("decisions of retention rule `{rule}` are refused: {problem}")]
    Rule {
        /// The rule.
        rule: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// An override lacks something.
    #[error("the override is refused: {0}")]
    Override(&'static str),
    /// There is no override of this number.
    #[error("there is no override {0}")]
    NoOverride(i64),
    /// An override has been ended already.
    #[error("override {id} was ended already, by {by}")]
    OverrideEnded {
        /// The override.
        id: i64,
        /// Who ended it.
        by: String,
    },
    /// No task has an id that begins so.
    #[error("there is no task `{0}`")]
    NoTask(String),
    /// Several tasks have ids that begin so, or it is too short to tell.
    #[error("`{prefix}` could be more than one task; give more of its id")]
    AmbiguousTask {
        /// What was given of the id.
        prefix: String,
    },
    /// A task has been done already.
    #[error("task `{id}` was done already, by {by}")]
    TaskDone {
        /// The task.
        id: String,
        /// Who did it.
        by: String,
    },
    /// A backup would replace a file.
    #[error("there is a file already; --force replaces an earlier backup")]
    BackupExists,
    /// A backup would replace the ledger that it is of.
    #[error("that is the ledger itself; give the backup another name")]
    BackupOfItself,
    /// Who does something to a task, an override or a hold has to be named.
    #[error("say who does it")]
    Nobody,
    /// A hold isn't decided without a reason.
    #[error("say why")]
    NoReason,
    /// This run was never held.
    #[error("run {0} isn't held; `tierd holds` lists those that are")]
    NoHold(i64),
    /// A hold no longer waits.
    #[error("run {run} no longer waits: {}", over(*state, by.as_deref(), *followed))]
    HoldOver {
        /// The held run.
        run: i64,
        /// What became of it.
        state: HoldState,
        /// Who decided, where somebody did.
        by: Option<String>,
        /// The run that applied it or took its place.
        followed: Option<i64>,
    },
}

/// `approved by Ada, applied by run 7`
fn over(state: HoldState, by: Option<&str>, followed: Option<i64>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let followed = match (state, followed) {
        (HoldState::Approved, Some(run)) => format!(", applied by run {run}"),
        (_, Some(run)) => format!(" by run {run}, which decided the same"),
        (_, None) => String::new(),
    };
    format!("{}{by}{followed}", state.name())
}

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

/// Inside the crate the path is added last, where it is known.
pub(crate) type KindResult<T> = std::result::Result<T, ErrorKind>;

/// Adds the path of the ledger to a failure.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T, E: Into<ErrorKind>> At<T> for std::result::Result<T, E> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|kind| Error { path: path.to_owned(), kind: kind.into() })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger {}: {}", self.path.display(), self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` already says the kind.
        std::error::Error::source(&self.kind)
    }
}

impl From<rusqlite::Error> for ErrorKind {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        // The index of the WAL can't grow: that is what a full disk stops first.
        if error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return ErrorKind::DiskFull(error);
        }
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => ErrorKind::DiskFull(error),
            Some(Code::ReadOnly | Code::PermissionDenied) => ErrorKind::ReadOnly(error),
            Some(Code::DatabaseCorrupt) => ErrorKind::Corrupt(error),
            Some(Code::NotADatabase) => ErrorKind::NotALedger,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => ErrorKind::Busy(error),
            Some(Code::CannotOpen) => ErrorKind::CannotOpen(error),
            Some(Code::SystemIoFailure) => ErrorKind::Disk(error),
            _ => ErrorKind::Sqlite(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn failures_of_sqlite_have_kinds() {
        let check = |code, expected: fn(&ErrorKind) -> bool| {
            let kind = ErrorKind::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert!(expected(&kind), "{code}: {kind:?}");
        };
        check(ffi::SQLITE_FULL, |kind| matches!(kind, ErrorKind::DiskFull(_)));
        check(ffi::SQLITE_IOERR_SHMSIZE, |kind| matches!(kind, ErrorKind::DiskFull(_)));
        check(ffi::SQLITE_READONLY, |kind| matches!(kind, ErrorKind::ReadOnly(_)));
        check(ffi::SQLITE_READONLY_DBMOVED, |kind| matches!(kind, ErrorKind::ReadOnly(_)));
        check(ffi::SQLITE_CORRUPT, |kind| matches!(kind, ErrorKind::Corrupt(_)));
        check(ffi::SQLITE_NOTADB, |kind| matches!(kind, ErrorKind::NotALedger));
        check(ffi::SQLITE_BUSY, |kind| matches!(kind, ErrorKind::Busy(_)));
        check(ffi::SQLITE_CANTOPEN, |kind| matches!(kind, ErrorKind::CannotOpen(_)));
        check(ffi::SQLITE_IOERR_FSYNC, |kind| matches!(kind, ErrorKind::Disk(_)));
        check(ffi::SQLITE_CONSTRAINT, |kind| matches!(kind, ErrorKind::Sqlite(_)));
    }

    #[test]
    fn message_names_the_file_and_the_cause_comes_after_it() {
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        let error = Err::<(), _>(full).at(Path::new("/srv/tierd.ledger")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ledger /srv/tierd.ledger: no space left on its disk; nothing of this change was written"
        );
        let source = std::error::Error::source(&error).unwrap();
        assert!(source.to_string().ends_with("database or disk is full"), "{source}");
        let silent = Err::<(), _>(ErrorKind::Missing).at(Path::new("x")).unwrap_err();
        assert!(std::error::Error::source(&silent).is_none());
    }
}
