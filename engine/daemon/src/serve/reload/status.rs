//! How reloading goes, for status and metrics.

use tierd_model::Timestamp;

use super::ReloadCause;

/// How reloading has gone so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadStatus {
    /// When the last change of the files, or rollback, was decided; the start of the daemon is the first one.
    pub at: Timestamp,
    /// Why the files were looked at then.
    pub cause: ReloadCause,
    /// Whether the files were good, or a rollback succeeded.
    pub successful: bool,
    /// Changes that came into force since the daemon began, rollbacks among them.
    pub activated: u64,
    /// Changes that were refused since the daemon began.
    pub refused: u64,
    /// Each file, on disk or in force, in the order of paths; where the files can't be read, only those in force.
    pub files: Vec<FileInfo>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// From the project's folder.
    pub path: String,
    /// Of its text on disk, or else in force; hexadecimal.
    pub sha256: String,
    /// How it stands to the rules in force.
    pub state: FileState,
}

impl FileInfo {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        // SHA-256 of no bytes.
        self.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    }
}

/// How a file on disk stands to the rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    /// In force as it is on disk.
    Active,
    /// It has an error.
    Broken,
    /// Good by itself and not in force: another file is broken, or somebody rolled back.
    Waiting,
    /// In force, and no longer on disk, or not readable.
    Missing,
}

impl FileState {
    /// In one word, for labels and JSON.
    pub fn name(self) -> &'static str {
        match self {
            FileState::Active => "active",
            FileState::Broken => "broken",
            FileState::Waiting => "waiting",
            FileState::Missing => "missing",
        }
    }
}
