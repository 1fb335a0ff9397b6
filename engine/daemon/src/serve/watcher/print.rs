//! Whether files may have changed, without reading them.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use tierd_model::{MICROS, Timestamp};

use crate::{
    Project,
    project::{CONFIG_FILE, counts},
};

/// Times of files step by some milliseconds: of a file that changed as recently as this, the next change may not show.
const FRESH_SECONDS: i64 = 2;

/// Size, times and place of every file that counts. Two that are equal mean files that haven't changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Print(Vec<(String, [i64; 7])>);

impl Print {
    /// Of the files as they are; `None` where they can't be listed, or have changed too recently to tell.
    pub(super) fn take(project: &Project, now: Timestamp) -> Option<Self> {
        let config = project.read_config().ok()?;
        let listing = project.list(&config).ok()?;
        let files = listing.files.into_iter().filter(|(shown, _)| counts(shown));
        let config = (CONFIG_FILE.to_owned(), project.folder().join(CONFIG_FILE));
        let mut prints = Vec::new();
        for (shown, path) in files.chain([config]) {
            let print = of(&path)?;
            if now.0.div_euclid(MICROS) - print[CHANGED] < FRESH_SECONDS {
                return None;
            }
            prints.push((shown, print));
        }
        prints.sort_unstable();
        Some(Print(prints))
    }
}

/// The seconds of the last change, in what [`of`] gives.
const CHANGED: usize = 3;

fn of(path: &Path) -> Option<[i64; 7]> {
    let meta = fs::metadata(path).ok()?;
    // Numbers of devices and files are only compared.
    let (device, inode, size) = (meta.dev() as i64, meta.ino() as i64, meta.size() as i64);
    Some([device, inode, size, meta.ctime(), meta.ctime_nsec(), meta.mtime(), meta.mtime_nsec()])
}
