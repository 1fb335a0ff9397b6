//! Arguments of `tierd plugin`.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand, ValueEnum};
use tierd_rules::plugin::PluginLimits;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a folder with the sources of a plugin, ready to be built
    New(PluginNewArgs),
    /// Load a plugin as the daemon would: what it offers, what it takes, whether its functions work on made-up rows
    Check(PluginCheckArgs),
    /// Call a function for the rows of a CSV file
    Run(PluginRunArgs),
    /// Time a function on made-up rows
    Bench(PluginBenchArgs),
}

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust, by the crate `tierd-plugin`
    Rust,
    /// JavaScript
    Js,
    /// Python
    Python,
    /// C
    C,
}

#[derive(Debug, Args)]
pub(crate) struct PluginNewArgs {
    /// In which language
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub(crate) lang: Language,
    /// Its name in rules, which is also that of the folder: lower-case letters, digits and `_`
    pub(crate) name: String,
}

/// A plugin's file, and what it may take.
#[derive(Debug, Args)]
pub(crate) struct PluginFile {
    /// The plugin: a WebAssembly component, or a module with the section `component-type`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Memory that it may take, from 64KiB to 4GiB
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = memory)]
    pub(crate) memory: u64,
    /// Time that each call may take, from 1ms to 600s
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub(crate) time: u64,
    /// Units of fuel that each call may take. Default: any number
    #[arg(long, value_name = "UNITS")]
    pub(crate) fuel: Option<u64>,
}

/// Bytes.
fn memory(text: &str) -> Result<u64, &'static str> {
    PluginLimits::memory_of(text).ok_or("write such as 64MiB: from 64KiB to 4GiB")
}

/// Milliseconds.
fn time(text: &str) -> Result<u64, &'static str> {
    PluginLimits::time_of(text).ok_or("write such as 2s or 500ms: from 1ms to 600s")
}

/// A table for a plugin to look things up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LookupFile {
    /// As the plugin names it.
    pub(crate) name: String,
    /// A CSV file.
    pub(crate) file: PathBuf,
}

impl FromStr for LookupFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(LookupFile { name: name.to_owned(), file: file.into() })
            }
            _ => Err("write NAME=FILE.csv, such as regions=regions.csv"),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PluginCheckArgs {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// Settings of every function, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) config: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PluginRunArgs {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// Which function; may be left out where there is only one
    #[arg(short, long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// A CSV file with a column for each input, by name; empty cells are NULL. An aggregator also needs `subject` and `time`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Settings of the function, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) config: Option<String>,
    /// A table that the plugin looks things up in, from a CSV file whose key is the column `key`, or the first; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) lookup: Vec<LookupFile>,
    /// The time that the call speaks of. Default: now
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PluginBenchArgs {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// Which function; may be left out where there is only one
    #[arg(short, long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// How many rows
    #[arg(long, default_value_t = 100_000)]
    pub(crate) rows: usize,
    /// A table that the plugin looks things up in, from a CSV file whose key is the column `key`, or the first; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) lookup: Vec<LookupFile>,
    /// Settings of the function, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) config: Option<String>,
}
