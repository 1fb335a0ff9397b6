//! What the tests of this crate share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use tierd_rules::{File, FileSet, Loaded, load};

/// A good configuration with all types: two subjects would be needed for some rules, so there is only one here.
pub(crate) const CONFIG: &str = include_str!("../../../../tests/corpus/tierd.toml");

pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into() }
}

pub(crate) fn load_files(files: &[(&str, &str)]) -> Loaded {
    load(FileSet::new(files.iter().map(|(path, text)| file(path, text)).collect()))
}

pub(crate) fn load_with(config: &str, rules: &str) -> Loaded {
    load_files(&[("tierd.toml", config), ("rules/test.toml", rules)])
}
