//! Files as they were read, and places in them.

use std::{fmt, ops::Range, sync::Arc};

use sha2::{Digest, Sha256};

use crate::plugin::{PLUGIN_FILE_END, PluginDescription, PluginFile, PluginHash, PluginProblem};

/// What the text of a file begins with that stands for a plugin; its hash follows.
const PLUGIN_TEXT: &str = "sha256:";

/// The content hash of a whole file set: SHA-256 over names and contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(pub [u8; 32]);

impl Revision {
    /// The first 12 hexadecimal digits: enough to name a revision to a person.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One file: its path relative to the project folder, with `/`, and its text.
#[derive(Debug, Clone)]
pub struct File {
    /// Such as `rules/value.toml`.
    pub path: Arc<str>,
    /// UTF-8 text.
    pub text: Arc<str>,
}

impl File {
    /// The hash of the plugin that this file stands for; `None` for rules and configuration.
    pub fn plugin(&self) -> Option<PluginHash> {
        let digits = self.text.trim_end().strip_prefix(PLUGIN_TEXT).filter(|_| is_plugin(&self.path))?;
        PluginHash::parse(digits)
    }
}

/// The name in rules of the plugin at a path: the file's without folders and ending.
pub(crate) fn plugin_name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(PLUGIN_FILE_END).unwrap_or(file)
}

/// Whether a path is that of a plugin, by its ending.
pub fn is_plugin(path: &str) -> bool {
    path.ends_with(PLUGIN_FILE_END)
}

/// Index of a file in its [`FileSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A stretch of bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// Which file.
    pub file: FileId,
    /// Byte range in its text.
    pub range: Range<usize>,
}

impl Location {
    /// Line and column of a byte of a text, both from 1; columns count characters.
    pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        (line, column)
    }
}

/// The configuration and all rule files of one revision, in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct FileSet {
    files: Vec<File>,
    plugins: Vec<PluginFile>,
}

impl FileSet {
    /// A set of these files, sorted by path so that the hash doesn't depend on the order of a directory listing.
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        FileSet { files, plugins: Vec::new() }
    }

    /// The same with these plugins. Each also stands among the files, by its hash in place of a text, so that the revision, what is
    /// compared and what is kept of a revision know it like any other file.
    #[must_use]
    pub fn with_plugins(self, mut plugins: Vec<PluginFile>) -> Self {
        plugins.sort_by(|a, b| a.path.cmp(&b.path));
        let texts = self.files.into_iter().filter(|file| !is_plugin(&file.path));
        let stands_for = |plugin: &PluginFile| File {
            path: plugin.path.clone(),
            text: format!("{PLUGIN_TEXT}{}\n", plugin.hash).into(),
        };
        let mut files: Vec<File> = texts.chain(plugins.iter().map(stands_for)).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        FileSet { files, plugins }
    }

    /// The plugins, in the order of their paths.
    pub fn plugins(&self) -> &[PluginFile] {
        &self.plugins
    }

    /// The same, with each plugin that nobody has asked yet described by `describe`.
    #[must_use]
    pub fn described(
        mut self,
        mut describe: impl FnMut(&PluginFile) -> Result<Arc<PluginDescription>, PluginProblem>,
    ) -> Self {
        for plugin in self.plugins.iter_mut().filter(|plugin| plugin.described.is_none()) {
            plugin.described = Some(describe(plugin));
        }
        self
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.files.iter().enumerate().map(|(i, file)| (FileId(i as u32), file))
    }

    /// The file of this id (ids come from this set).
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    /// Path, line and column (both from 1; columns count characters) of a place in this set.
    pub fn position(&self, at: &Location) -> (&str, usize, usize) {
        let file = self.file(at.file);
        let (line, column) = Location::line_and_column(&file.text, at.range.start);
        (&file.path, line, column)
    }

    /// The content hash over all paths and texts.
    pub fn revision(&self) -> Revision {
        let mut hash = Sha256::new();
        for file in &self.files {
            // Lengths first, so that no two different sets give the same bytes.
            hash.update((file.path.len() as u64).to_le_bytes());
            hash.update(file.path.as_bytes());
            hash.update((file.text.len() as u64).to_le_bytes());
            hash.update(file.text.as_bytes());
        }
        Revision(hash.finalize().into())
    }
}
