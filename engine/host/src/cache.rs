//! Compiled plugins in a folder, by content.
//!
//! Compiled code is trusted as our own is: whoever can write such a file can have us run anything. So the folder must be ours and
//! closed to others (mode 0700), files appear in it whole (written beside, then renamed), and each carries a checksum, so that one that a disk
//! damaged is compiled again. Whether it fits this program is in its name, and is checked by the engine too.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};
use tierd_rules::plugin::PluginHash;

/// Files kept at most; beyond that the oldest go.
const FILES: usize = 64;
/// How the names of its files end.
const FILE_END: &str = ".compiled";
/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 32;

pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A cache in this folder, which is made where it doesn't exist.
    ///
    /// # Errors
    /// In a sentence, if it can't be made, is another user's or open to others.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let meta = fs::symlink_metadata(&folder).map_err(failed)?;
        let us = rustix::process::geteuid().as_raw();
        if !meta.is_dir() || meta.uid() != us || meta.mode() & 0o077 != 0 {
            return Err(format!(
                "{} isn't a folder of user {us} that is closed to others (chmod 700): compiled plugins aren't kept",
                folder.display()
            ));
        }
        Ok(Cache { folder })
    }

    fn path(&self, hash: PluginHash, compatibility: &str) -> PathBuf {
        self.folder.join(format!("{hash}-{compatibility}{FILE_END}"))
    }

    /// The whole and undamaged file of this plugin, if there is one. It ends in a checksum, which the engine doesn't look at.
    pub(crate) fn find(&self, hash: PluginHash, compatibility: &str) -> Option<PathBuf> {
        let path = self.path(hash, compatibility);
        let bytes = fs::read(&path).ok()?;
        let (compiled, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        (Sha256::digest(compiled)[..] == *checksum).then_some(path)
    }

    /// Keeps a compiled plugin, and says where.
    pub(crate) fn keep(&self, hash: PluginHash, compatibility: &str, compiled: &[u8]) -> io::Result<PathBuf> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let beside = self.folder.join(format!("{hash}.{}-{}.part", unique.0, unique.1));
        let path = self.path(hash, compatibility);
        let kept = write_whole(&beside, compiled).and_then(|()| fs::rename(&beside, &path));
        if let Err(error) = kept {
            // What is left of a failed write is of no use; that it can't be removed either is no news.
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
        self.forget_oldest();
        Ok(path)
    }

    /// Another process may do the same: what is already gone is gone.
    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        if files.len() > FILES {
            files.sort();
            for (_, path) in &files[..files.len() - FILES] {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn write_whole(path: &Path, compiled: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(compiled)?;
    file.write_all(&Sha256::digest(compiled))?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn gives_back_what_was_kept_and_nothing_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("compiled")).unwrap();
        let hash = PluginHash::of(b"a plugin");
        assert_eq!(cache.find(hash, "v1"), None);

        let path = cache.keep(hash, "v1", b"compiled code").unwrap();
        assert_eq!(cache.find(hash, "v1"), Some(path.clone()));
        assert_eq!(cache.find(hash, "v2"), None);

        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.find(hash, "v1"), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.find(hash, "v1"), None, "cut at {at}");
        }
    }

    #[test]
    fn a_folder_that_others_may_enter_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compiled");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Cache::open(path).is_err());
    }

    #[test]
    fn keeps_no_more_than_a_bounded_number_of_files() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("compiled")).unwrap();
        for n in 0..(FILES + 10) as u32 {
            cache.keep(PluginHash::of(&n.to_le_bytes()), "v1", b"code").unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join("compiled")).unwrap().count(), FILES);
    }
}
