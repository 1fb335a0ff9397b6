//! What is on disk, and what is to be done about it. Reads files, changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use tierd_rules::{File, FileSet, RuleSet};

use super::{
    problem::FILES,
    settings::Settings,
    status::{FileInfo, FileState},
};
use crate::{
    Project,
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
    /// They are being changed, and are these now.
    Restless(Mark),
}

/// What a look goes by.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) project: Project,
    /// Those that may not change; none at the start.
    pub(super) settings: Option<Settings>,
    /// The state that was decided on last.
    pub(super) known: Option<Mark>,
    /// The files that were there then, and not empty.
    pub(super) files: Vec<PathBuf>,
    /// Whether somebody says that the files are complete.
    pub(super) complete: bool,
}

impl Look {
    /// The first one of a daemon, which knows nothing yet.
    pub(super) fn first(project: &Project) -> Self {
        Look { project: project.clone(), settings: None, known: None, files: Vec::new(), complete: false }
    }

    /// Reads the files, checks them, and reads them again as late as possible: what is decided on is what is there. Unless they
    /// are complete, none of them may be younger than [`SETTLE`], because a file that is being written is empty first; and none
    /// may have gone or become empty within [`SETTLE`], because some programs delete a file and then write it, and because file systems may
    /// show a file that is being cut with its new length and its old time. `before` is what the attempt before has seen, that long ago.
    pub(super) fn attempt(&self, before: Option<&Mark>) -> Attempt {
        let seen = Seen::read(&self.project);
        if self.known.as_ref() == Some(&seen.mark) {
            return Attempt::Known;
        }
        let checked = seen.check(&self.project, self.settings.as_ref());
        let quiet = self.complete || self.is_quiet(before == Some(&checked.mark));
        let now = Seen::read(&self.project).mark;
        match quiet && now == checked.mark {
            true => Attempt::Decided(Box::new(checked)),
            false => Attempt::Restless(now),
        }
    }

    /// Whether no file that counts has changed within [`SETTLE`], by the clock of this machine; times ahead of it say nothing. A file
    /// that is gone has no time, and that of one that has become empty may be from before (ext4 sets a file's length, frees its blocks, and then
    /// sets the time): with these it counts how long this has been `seen`.
    fn is_quiet(&self, seen: bool) -> bool {
        let config = self.project.read_config().unwrap_or_default();
        let listing = self.project.list(&config).unwrap_or_default();
        let rules = listing.files.into_iter().filter(|(shown, _)| counts(shown)).map(|(_, path)| path);
        let there: Vec<PathBuf> = rules.chain([self.project.folder().join(CONFIG_FILE)]).collect();
        // A first look knows of no file that could be missing; folders tell that something has been.
        let folders = if self.known.is_none() { listing.folders } else { Vec::new() };
        let had_something = if self.known.is_none() { &there } else { &self.files };
        let lost = had_something.iter().any(|path| !has_something(path));
        (seen || !lost) && !there.iter().chain(&folders).any(|path| is_young(path).unwrap_or(false))
    }
}

fn has_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

fn is_young(path: &Path) -> Option<bool> {
    let meta = fs::metadata(path).ok()?;
    // Only then: a change that comes between would seem to be ahead.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let changed = Duration::new(u64::try_from(meta.ctime()).ok()?, u32::try_from(meta.ctime_nsec()).ok()?);
    Some(now.checked_sub(changed)? < SETTLE)
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
        if loaded.files.iter().filter(|(_, file)| file.plugin().is_none()).count() < 2 {
            problems.push(Problem::plain(FILES, "there is no rule file in the rules folder".to_owned()));
        }
        if let (Some(settings), Some(rules)) = (settings, &loaded.rules) {
            problems.extend(settings.changed(&rules.config));
        }
        let files = loaded.files.iter().map(|(_, file)| FileOnDisk::new(file, &problems));
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
    fn new(file: &File, problems: &[Problem]) -> Self {
        let broken = problems.iter().any(|problem| problem.file.as_deref() == Some(&*file.path));
        FileOnDisk { path: file.path.to_string(), sha256: hash(file), broken }
    }
}

impl OnDisk {
    /// Each file beside the rules in force, in the order of paths.
    pub(super) fn beside(&self, active: &RuleSet) -> Vec<FileInfo> {
        let active: BTreeMap<&str, String> = active.files.iter().map(|(_, file)| (&*file.path, hash(file))).collect();
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

/// Of its text, or of the plugin that it stands for.
fn hash(file: &File) -> String {
    let of_text = || Sha256::digest(file.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    file.plugin().map_or_else(of_text, |plugin| plugin.to_string())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_file_that_is_empty_at_once_is_seen_twice_however_old_it_says_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let value = folder.path().join("rules/value.toml");
        let config = "time_zone = \"UTC\"\ndatabase.sqlite = \"shop.db\"\nsubject.customer = { table = \"customers\", key = \"id\" }\n";
        fs::create_dir(folder.path().join("rules")).unwrap();
        fs::write(folder.path().join(CONFIG_FILE), config).unwrap();
        fs::write(&value, "[tiers.value]\nlevel = [{ name = \"C\" }]\n").unwrap();
        let project = Project::open(folder.path()).unwrap();
        let known = Some(Seen::read(&project).mark);
        let look = Look { known, files: vec![value.clone()], ..Look::first(&project) };
        assert!(matches!(look.attempt(None), Attempt::Known));

        fs::write(&value, "").unwrap();
        // As a file system shows it that sets the length before the time.
        thread::sleep(SETTLE + Duration::from_millis(50));
        let Attempt::Restless(seen) = look.attempt(None) else { panic!("it may be being written") };
        assert!(matches!(look.attempt(Some(&seen)), Attempt::Decided(_)), "nobody has written it since");
        let first = Look::first(&project);
        let Attempt::Restless(seen) = first.attempt(None) else { panic!("it may be being written") };
        assert!(matches!(first.attempt(Some(&seen)), Attempt::Decided(_)));
        let complete = Look { complete: true, ..look.clone() };
        assert!(matches!(complete.attempt(None), Attempt::Decided(_)), "somebody says that it is to be so");
        // Where it was empty before, nothing about it is new.
        let look = Look { files: Vec::new(), ..look };
        assert!(matches!(look.attempt(None), Attempt::Decided(_)));
    }
}
