//! What is on disk, and what is to be done about it. Reads files, changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use tierd_rules::{FileSet, RuleSet};

use super::{
    problem::FILES,
    settings::Settings,
    status::{FileInfo, FileState},
};
use crate::{
    Loaded, Project,
    project::{CONFIG_FILE, counts},
    serve::{Problem, watcher::SETTLE},
};

/// By what one state of the files is told from another: their hash, or why they can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// The content hash over all files, in hexadecimal.
    Hash(String),
    /// They can't be read, for this reason.
    Unreadable(String),
}

impl Mark {
    /// As in [`crate::serve::Refused::files`] and in the ledger: empty where the files can't be read.
    pub(super) fn hash(&self) -> &str {
        match self {
            Mark::Hash(hash) => hash,
            Mark::Unreadable(_) => "",
        }
    }
}

/// What one look at the files gives.
#[derive(Debug)]
pub(super) enum Attempt {
    /// They are as they were when they were last decided on.
    Known,
    /// They are these, and have been for a while.
    Decided(Box<Checked>),
    /// They are being changed.
    Restless,
}

/// Reads the files, checks them, and reads them again as late as possible: what is decided on is what is there. Unless somebody
/// says that the files are `complete`, none of them may be younger than [`SETTLE`]: a file that is being written is empty first.
pub(super) fn attempt(project: &Project, settings: Option<&Settings>, known: Option<&Mark>, complete: bool) -> Attempt {
    let seen = Seen::read(project);
    if known == Some(&seen.mark) {
        return Attempt::Known;
    }
    let checked = seen.check(project, settings);
    if (complete || is_quiet(project)) && Seen::read(project).mark == checked.mark {
        return Attempt::Decided(Box::new(checked));
    }
    Attempt::Restless
}

/// Whether no file that counts has changed within [`SETTLE`], by the clock of this machine. Times ahead of it say nothing.
fn is_quiet(project: &Project) -> bool {
    let config = project.read_config().unwrap_or_default();
    let listing = project.list(&config).unwrap_or_default();
    let rules = listing.files.into_iter().filter(|(shown, _)| counts(shown)).map(|(_, path)| path);
    let is_young = |path: PathBuf| {
        let meta = fs::metadata(path).ok()?;
        // Only then: a change that comes between would seem to be ahead.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::new(u64::try_from(meta.ctime()).ok()?, u32::try_from(meta.ctime_nsec()).ok()?);
        Some(now.checked_sub(changed)? < SETTLE)
    };
    !rules.chain([project.folder().join(CONFIG_FILE)]).any(|path| is_young(path).unwrap_or(false))
}

/// The files as they are on disk.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) mark: Mark,
    files: Result<FileSet, Problem>,
}

impl Seen {
    /// Reads them all.
    pub(super) fn read(project: &Project) -> Self {
        match project.read() {
            Ok(files) => Seen { mark: Mark::Hash(files.revision().to_string()), files: Ok(files) },
            Err(error) => {
                let problem = Problem::unreadable(&error);
                Seen { mark: Mark::Unreadable(problem.message.clone()), files: Err(problem) }
            }
        }
    }

    /// Checks them. `settings` are those that may not change; none at the start.
    pub(super) fn check(self, project: &Project, settings: Option<&Settings>) -> Checked {
        let files = match self.files {
            Ok(files) => files,
            Err(problem) => return Checked { mark: self.mark, files: OnDisk::default(), rules: Err(vec![problem]) },
        };
        let loaded = project.check(files);
        let mut problems = Problem::errors(&loaded);
        // A folder that is swapped or mounted is empty for a moment; no rules at all is no wish.
        if loaded.files.iter().count() < 2 {
            problems.push(Problem::plain(FILES, "there is no rule file in the rules folder".to_owned()));
        }
        if let (Some(settings), Some(rules)) = (settings, &loaded.rules) {
            problems.extend(settings.changed(&rules.config));
        }
        let files = loaded.files.iter().map(|(_, file)| FileOnDisk::new(&file.path, &file.text, &problems));
        let files = OnDisk(files.collect());
        let rules = loaded.rules.filter(|_| problems.is_empty()).ok_or(problems);
        Checked { mark: self.mark, files, rules }
    }
}

/// The files as they are on disk, with the rules that they are or every reason why not.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) mark: Mark,
    pub(super) files: OnDisk,
    pub(super) rules: Result<RuleSet, Vec<Problem>>,
}

/// Each file on disk; none where they can't be read.
#[derive(Debug, Default)]
pub(super) struct OnDisk(Vec<FileOnDisk>);

/// One file, without its text.
#[derive(Debug)]
struct FileOnDisk {
    path: String,
    sha256: String,
    broken: bool,
}

impl FileOnDisk {
    fn new(path: &str, text: &str, problems: &[Problem]) -> Self {
        let broken = problems.iter().any(|problem| problem.file.as_deref() == Some(path));
        FileOnDisk { path: path.to_owned(), sha256: hash(text), broken }
    }
}

impl OnDisk {
    /// Each file beside the rules in force, in the order of paths.
    pub(super) fn beside(&self, active: &RuleSet) -> Vec<FileInfo> {
        let active: BTreeMap<&str, String> =
            active.files.iter().map(|(_, file)| (&*file.path, hash(&file.text))).collect();
        let on_disk = self.0.iter().map(|file| {
            let same = active.get(&*file.path) == Some(&file.sha256);
            let state = match (file.broken, same) {
                (true, _) => FileState::Broken,
                (false, true) => FileState::Active,
                (false, false) => FileState::Waiting,
            };
            FileInfo { path: file.path.clone(), sha256: file.sha256.clone(), state }
        });
        let gone = active.iter().filter(|(path, _)| self.0.iter().all(|file| file.path != **path));
        let gone = gone.map(|(path, sha256)| FileInfo {
            path: (*path).to_owned(),
            sha256: sha256.clone(),
            state: FileState::Missing,
        });
        let mut all: Vec<FileInfo> = on_disk.chain(gone).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
