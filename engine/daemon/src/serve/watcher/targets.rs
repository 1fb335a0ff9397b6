//! Which folders have to be watched so that no change goes unseen, and which names in them count.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use crate::{Project, project::CONFIG_FILE};

/// Longer chains of links are a circle.
const MAX_LINKS: usize = 40;

/// What to watch. Every path is real: no link leads to it.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Folders of rules: everything in them counts.
    below: BTreeSet<PathBuf>,
    /// Files, folders and links that count, wherever they are.
    names: BTreeSet<PathBuf>,
}

/// A folder told from another one that takes its place.
pub(super) type Identity = (u64, u64);

impl Targets {
    /// Those of a project as it is on disk now.
    pub(super) fn of(project: &Project) -> Self {
        let mut targets = Targets::default();
        targets.follow(&project.folder().join(CONFIG_FILE));
        // Where it can't be read, rules are looked for at the usual place.
        let config = project.read_config().unwrap_or_default();
        targets.follow(&project.folder().join(tierd_rules::rules_folder(&config)));
        let listing = project.list(&config).unwrap_or_default();
        for folder in listing.folders {
            let real = targets.follow(&folder);
            targets.below.insert(real);
        }
        for (_, file) in listing.files {
            if file.is_symlink() {
                targets.follow(&file);
            }
        }
        targets
    }

    /// The folders to watch, as far as they are there.
    pub(super) fn folders(&self) -> BTreeMap<PathBuf, Identity> {
        let around = self.names.iter().filter_map(|name| name.parent()).map(Path::to_owned);
        let folders: BTreeSet<PathBuf> = self.below.iter().cloned().chain(around).collect();
        let identity = |folder: PathBuf| {
            let meta = fs::metadata(&folder).ok().filter(fs::Metadata::is_dir)?;
            Some((folder, (meta.dev(), meta.ino())))
        };
        folders.into_iter().filter_map(identity).collect()
    }

    /// Whether a change there may change the rules.
    pub(super) fn counts(&self, path: &Path) -> bool {
        let inside = path.parent().is_some_and(|folder| self.below.contains(folder));
        inside || self.below.contains(path) || self.names.contains(path)
    }

    /// Adds every link on the way to `path`, and what is at its end or is missing there. Returns the real path.
    fn follow(&mut self, path: &Path) -> PathBuf {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut rest: Vec<OsString> = names(&path).rev().collect();
        let (mut real, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = rest.pop() {
            if name == ".." {
                real.pop();
                continue;
            }
            real.push(name);
            let Ok(target) = fs::read_link(&real) else { continue };
            links += 1;
            if links > MAX_LINKS {
                break;
            }
            self.names.insert(real.clone());
            real.pop();
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            rest.extend(names(&target).rev());
        }
        self.names.insert(real.clone());
        real
    }
}

/// The steps of a path, `..` among them.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|step| match step {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::{io, os::unix::fs::symlink};

    use super::*;

    /// As Kubernetes mounts a config map: every file is a link through `..data`, which is a link to a dated folder.
    #[test]
    fn folders_behind_links_are_watched_and_so_are_the_links() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().canonicalize()?;
        fs::create_dir_all(root.join("project/rules/..2026"))?;
        fs::create_dir_all(root.join("elsewhere"))?;
        fs::write(root.join("project/rules/..2026/value.toml"), "")?;
        fs::write(root.join("elsewhere/tierd.toml"), "")?;
        symlink("..2026", root.join("project/rules/..data"))?;
        symlink("..data/value.toml", root.join("project/rules/value.toml"))?;
        symlink("../elsewhere/tierd.toml", root.join("project/tierd.toml"))?;
        let project = Project::open(&root.join("project")).map_err(io::Error::other)?;
        let targets = Targets::of(&project);
        let folders: Vec<PathBuf> = targets.folders().into_keys().collect();
        let expected = ["elsewhere", "project", "project/rules", "project/rules/..2026"].map(|path| root.join(path));
        assert_eq!(folders, expected);
        let counts = |path: &str| targets.counts(&root.join(path));
        assert!(
            ["project/rules/..data", "elsewhere/tierd.toml", "project/rules", "project/rules/new"].map(counts)
                == [true; 4]
        );
        assert!(["project/shop.db-wal", "elsewhere/other", "project/rules/..2026/x"].map(counts) == [false; 3]);
        Ok(())
    }
}
