//! The operating system's watcher, kept pointed at the folders that count.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

use super::{
    Watching,
    targets::{Identity, Targets},
};
use crate::Project;

/// A watcher, and what it watches.
#[derive(Debug)]
pub(super) struct Eyes {
    changed: Arc<Notify>,
    targets: Arc<ArcSwap<Targets>>,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, Identity>,
}

impl Eyes {
    /// Tells `changed` of every event that counts. Watches nothing yet.
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Eyes { changed, targets: Arc::default(), watcher: None, watched: BTreeMap::new() }
    }

    /// Watches the folders that the project has now. Where that fails, it is tried anew the next time.
    pub(super) fn aim(&mut self, project: &Project) -> Watching {
        let targets = Targets::of(project);
        let folders = targets.folders();
        self.targets.store(Arc::new(targets));
        match self.watch(&folders) {
            Ok(()) => Watching::Events { folders: folders.len() },
            Err(error) => {
                // Begun afresh the next time: half a watch would look like a whole one.
                self.watcher = None;
                self.watched.clear();
                Watching::PollOnly { reason: error.to_string() }
            }
        }
    }

    fn watch(&mut self, folders: &BTreeMap<PathBuf, Identity>) -> notify::Result<()> {
        let gone: Vec<PathBuf> =
            self.watched.iter().filter(|(path, id)| folders.get(*path) != Some(id)).map(first).collect();
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            none => none.insert(watcher(&self.changed, &self.targets)?),
        };
        for path in gone {
            // The system may have dropped it already, with the folder.
            let _ = watcher.unwatch(&path);
            self.watched.remove(&path);
        }
        for (path, identity) in folders {
            if !self.watched.contains_key(path) {
                add(watcher, path)?;
                self.watched.insert(path.clone(), *identity);
            }
        }
        Ok(())
    }
}

fn first((path, _): (&PathBuf, &Identity)) -> PathBuf {
    path.clone()
}

/// A folder that has gone meanwhile is no failure: its parent tells of it.
fn add(watcher: &mut RecommendedWatcher, folder: &Path) -> notify::Result<()> {
    match watcher.watch(folder, RecursiveMode::NonRecursive) {
        Err(error) if folder.exists() => Err(error),
        _ => Ok(()),
    }
}

fn watcher(changed: &Arc<Notify>, targets: &Arc<ArcSwap<Targets>>) -> notify::Result<RecommendedWatcher> {
    let (changed, targets) = (Arc::clone(changed), Arc::clone(targets));
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error may stand for events that were lost.
        if event.map_or(true, |event| counts(&event, &targets.load())) {
            changed.notify_one();
        }
    })
}

fn counts(event: &Event, targets: &Targets) -> bool {
    // Reading is no change; looking itself would else make for the next look.
    let read = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    event.need_rescan() || (!read && event.paths.iter().any(|path| targets.counts(path)))
}
