//! A project folder: `tierd.toml`, its rule files, its database and its ledger.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tierd_rules::{Config, Diagnostic, File, FileSet, PluginFile, RuleSet, cases::TEST_FILE_END, fileset::is_plugin};

use crate::plugins::Plugins;

/// The name of the configuration file in a project folder.
pub const CONFIG_FILE: &str = "tierd.toml";

/// No configuration, rule file or plugin may be larger; such a file is none.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Deeper folders are taken for a loop of links.
const MAX_DEPTH: usize = 16;

/// A folder with a `tierd.toml`.
#[derive(Debug, Clone)]
pub struct Project {
    folder: PathBuf,
    pub(crate) plugins: Plugins,
}

/// What reading and checking a project gave.
#[derive(Debug)]
pub struct Loaded {
    /// All files, for quoting them.
    pub files: FileSet,
    /// The rules, where no file has an error.
    pub rules: Option<RuleSet>,
    /// Every error and warning, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why the files of a project can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The folder has no configuration.
    #[error("no {CONFIG_FILE} in {}; `tierd init --database FILE` writes one, `tierd demo` makes an example", .0.display())]
    NoConfig(PathBuf),
    /// A file or folder can't be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no UTF-8 text.
    #[error("{} is not UTF-8 text (first bad byte at {offset}); save it as UTF-8", path.display())]
    NotUtf8 {
        /// Which.
        path: PathBuf,
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// A file is far too large.
    #[error("{} has {bytes} bytes; a rule file or plugin has at most {MAX_FILE_BYTES}", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How large.
        bytes: u64,
    },
}

impl Project {
    /// The project in this folder.
    ///
    /// # Errors
    /// [`ProjectError::NoConfig`] where the folder has no `tierd.toml`.
    pub fn open(folder: &Path) -> Result<Self, ProjectError> {
        if !folder.join(CONFIG_FILE).exists() {
            return Err(ProjectError::NoConfig(folder.to_owned()));
        }
        Ok(Project { folder: folder.to_owned(), plugins: Plugins::default() })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the company's database is.
    pub fn database(&self, config: &Config) -> PathBuf {
        self.folder.join(&config.database)
    }

    /// Where tierd keeps its own state.
    pub fn ledger(&self, config: &Config) -> PathBuf {
        self.folder.join(&config.ledger)
    }

    /// Reads and checks all files.
    ///
    /// # Errors
    /// [`ProjectError`] where a file can't be read. Mistakes in files are no error here but [`Loaded::diagnostics`].
    pub fn load(&self) -> Result<Loaded, ProjectError> {
        Ok(self.check(self.read()?))
    }

    /// Where tierd keeps its own state, as far as `tierd.toml` says so, broken as it may be; else the usual place.
    pub fn ledger_as_written(&self) -> PathBuf {
        self.folder.join(tierd_rules::ledger_path(&self.read_config().unwrap_or_default()))
    }

    /// Where a daemon answers, as [`Project::ledger_as_written`]; `None` where it has no socket.
    pub fn socket_as_written(&self) -> Option<PathBuf> {
        Some(self.folder.join(tierd_rules::socket_path(&self.read_config().unwrap_or_default())?))
    }

    /// Where a daemon under this configuration answers; `None` where it has no socket.
    pub fn socket(&self, config: &Config) -> Option<PathBuf> {
        config.http.socket.as_ref().map(|socket| self.folder.join(socket))
    }

    /// The configuration, every `*.toml` below the rules folder, but for tests (`*.test.toml`), and every plugin (`*.wasm`) there; no hidden files.
    ///
    /// # Errors
    /// [`ProjectError`] where a file can't be read.
    pub fn read(&self) -> Result<FileSet, ProjectError> {
        let config = self.read_config()?;
        let listing = self.list(&config)?;
        let plugins = listing.plugins()?;
        let mut files = listing.read(is_rules)?;
        files.push(File { path: CONFIG_FILE.into(), text: config.into() });
        Ok(FileSet::new(files).with_plugins(plugins))
    }

    /// Every test file (`*.test.toml`) below the rules folder, but for hidden ones.
    ///
    /// # Errors
    /// [`ProjectError`] where a file can't be read.
    pub fn test_files(&self) -> Result<FileSet, ProjectError> {
        self.list(&self.read_config()?)?.read(|name| name.ends_with(TEST_FILE_END)).map(FileSet::new)
    }

    /// The text of `tierd.toml`.
    pub(crate) fn read_config(&self) -> Result<String, ProjectError> {
        read_text(&self.folder.join(CONFIG_FILE))
    }

    /// What is below the rules folder that this configuration names.
    pub(crate) fn list(&self, config: &str) -> Result<Listing, ProjectError> {
        let rules = tierd_rules::rules_folder(config);
        let folder = self.folder.join(&rules);
        let mut listing = Listing::default();
        if folder.exists() {
            listing.add(&folder, rules.trim_end_matches('/'), 0)?;
        }
        Ok(listing)
    }
}

/// A file that belongs to a revision, by its name: rules or a plugin.
pub(crate) fn counts(name: &str) -> bool {
    is_rules(name) || is_plugin(name)
}

/// A file that holds rules, by its name.
fn is_rules(name: &str) -> bool {
    name.ends_with(".toml") && !name.ends_with(TEST_FILE_END)
}

/// Folders and files below the rules folder, but for hidden ones.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The rules folder, if it is there, and every folder in it.
    pub(crate) folders: Vec<PathBuf>,
    /// Every file, with its path from the project's folder, with `/`.
    pub(crate) files: Vec<(String, PathBuf)>,
}

impl Listing {
    fn add(&mut self, folder: &Path, shown: &str, depth: usize) -> Result<(), ProjectError> {
        let unreadable = |source| ProjectError::Unreadable { path: folder.to_owned(), source };
        if depth > MAX_DEPTH {
            return Err(unreadable(io::Error::other("folders nest too deeply; a link may lead back up")));
        }
        self.folders.push(folder.to_owned());
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            let path = entry.path();
            let shown = format!("{shown}/{name}");
            // Links are followed: Kubernetes mounts every file as one.
            if path.is_dir() {
                self.add(&path, &shown, depth + 1)?;
            } else {
                self.files.push((shown, path));
            }
        }
        Ok(())
    }

    fn plugins(&self) -> Result<Vec<PluginFile>, ProjectError> {
        let plugins = self.files.iter().filter(|(shown, _)| is_plugin(shown));
        plugins.map(|(shown, path)| Ok(PluginFile::new(shown.as_str(), read_bytes(path)?))).collect()
    }

    fn read(self, wanted: fn(&str) -> bool) -> Result<Vec<File>, ProjectError> {
        let wanted = self.files.into_iter().filter(|(shown, _)| wanted(shown));
        wanted.map(|(shown, path)| Ok(File { path: shown.into(), text: Arc::from(read_text(&path)?) })).collect()
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ProjectError> {
    let unreadable = |source| ProjectError::Unreadable { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(ProjectError::TooLarge { path: path.to_owned(), bytes });
    }
    fs::read(path).map_err(unreadable)
}

fn read_text(path: &Path) -> Result<String, ProjectError> {
    let bytes = read_bytes(path)?;
    // Some editors begin UTF-8 files with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    String::from_utf8(bytes)
        .map_err(|error| ProjectError::NotUtf8 { path: path.to_owned(), offset: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_no_rules() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("rules/deeper"))?;
        for (path, text) in [
            ("tierd.toml", "rules = 'rules'"),
            ("rules/value.toml", ""),
            ("rules/value.test.toml", "[[case]]"),
            ("rules/deeper/other.test.toml", "[[case]]"),
            ("rules/.hidden.test.toml", ""),
            ("rules/notes.md", ""),
        ] {
            fs::write(folder.path().join(path), text)?;
        }
        let names = |files: Result<FileSet, ProjectError>| -> Vec<String> {
            let files = files.map_err(|error| error.to_string());
            files
                .map_or_else(|error| vec![error], |files| files.iter().map(|(_, file)| file.path.to_string()).collect())
        };
        let project = Project { folder: folder.path().to_owned(), plugins: Plugins::default() };
        assert_eq!(names(project.read()), ["rules/value.toml", "tierd.toml"]);
        assert_eq!(names(project.test_files()), ["rules/deeper/other.test.toml", "rules/value.test.toml"]);
        Ok(())
    }
}
