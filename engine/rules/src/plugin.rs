//! Plugins: what their files are, what they say of themselves, and what rules ask of them. Plain data; who runs them is for others to know.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use tierd_model::{Type, Value, Window};

use crate::{
    checked::{FactsId, MetricId},
    expr::Expr,
    fileset::{Location, plugin_name},
    raw,
};

/// How the name of a plugin's file ends; what stands before is the plugin's name in rules.
pub const PLUGIN_FILE_END: &str = ".wasm";

/// The content hash of a plugin's file: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginHash(pub [u8; 32]);

impl PluginHash {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        PluginHash(Sha256::digest(bytes).into())
    }

    /// From 64 hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(PluginHash(hash))
    }

    /// The first 12 hexadecimal digits: enough to name it to a person.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for PluginHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PluginHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A plugin's file in a [`crate::FileSet`].
#[derive(Clone)]
pub struct PluginFile {
    /// Such as `rules/credit.wasm`.
    pub path: Arc<str>,
    /// What is in it.
    pub bytes: Arc<[u8]>,
    /// Its hash.
    pub hash: PluginHash,
    /// What it says of itself, or why it can't be loaded; `None` until somebody has asked it. Rules that have such a file are refused.
    pub described: Option<Result<Arc<PluginDescription>, PluginProblem>>,
}

impl PluginFile {
    /// A file that nobody has asked yet.
    pub fn new(path: impl Into<Arc<str>>, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        PluginFile { path: path.into(), hash: PluginHash::of(&bytes), bytes, described: None }
    }

    /// Its name in rules: the file's without folders and ending.
    pub fn name(&self) -> &str {
        plugin_name(&self.path)
    }
}

impl fmt::Debug for PluginFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginFile").field("path", &self.path).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Why a plugin can't be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginProblem {
    /// One terse line, lower case, no full stop: the headline of the diagnostic.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginDescription {
    /// Name for people; rules go by the name of the file.
    pub name: String,
    /// Its version.
    pub version: String,
    /// For people.
    pub doc: String,
    /// What rules may call.
    pub functions: Vec<PluginFunction>,
    /// Tables that it looks things up in.
    pub lookups: Vec<LookupTable>,
}

impl PluginDescription {
    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&PluginFunction> {
        self.functions.iter().find(|function| function.name == name)
    }
}

/// A function that rules may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFunction {
    /// Name in rules.
    pub name: String,
    /// What it makes of what.
    pub kind: PluginKind,
    /// In the order in which it is given them.
    pub inputs: Vec<PluginInput>,
    /// The type of its values; `None` for planners alone.
    pub output: Option<Type>,
    /// What `config` may hold.
    pub settings: Vec<PluginSetting>,
    /// For people.
    pub doc: String,
}

impl PluginFunction {
    /// The type of a metric that it finds; `None` for planners.
    pub fn metric_type(&self) -> Option<Type> {
        match self.kind {
            PluginKind::Segmenter => Some(Type::Text),
            PluginKind::Planner => None,
            _ => self.output,
        }
    }
}

/// What a function makes of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginKind {
    /// Of a subject's columns, a value.
    Scorer,
    /// Of a subject's columns, a label.
    Segmenter,
    /// As a scorer, by a model fitted to all subjects before.
    Model,
    /// Of a subject's facts, a value.
    Aggregator,
    /// Of subjects for whom a rule acts, proposals of what to do.
    Planner,
}

impl PluginKind {
    /// As in the interface that has it.
    pub fn name(self) -> &'static str {
        match self {
            PluginKind::Scorer => "scorer",
            PluginKind::Segmenter => "segmenter",
            PluginKind::Model => "model",
            PluginKind::Aggregator => "aggregator",
            PluginKind::Planner => "planner",
        }
    }
}

/// A column that a function is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInput {
    /// Name in rules.
    pub name: String,
    /// What it takes.
    pub accepts: Accepts,
    /// Whether rows without a value are given too; otherwise their result is NULL.
    pub nullable: bool,
    /// For people.
    pub doc: String,
}

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accepts {
    /// Values of this type.
    Exactly(Type),
    /// Integers, decimals and reals; given as reals.
    Number,
}

impl Accepts {
    /// Whether it takes values of this type.
    pub fn takes(self, ty: Type) -> bool {
        match self {
            Accepts::Exactly(wanted) => wanted == ty,
            Accepts::Number => ty.is_numeric(),
        }
    }

    /// The type as which values are given.
    pub fn given_as(self) -> Type {
        match self {
            Accepts::Exactly(ty) => ty,
            Accepts::Number => Type::Real,
        }
    }
}

impl fmt::Display for Accepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Accepts::Exactly(ty) => fmt::Display::fmt(ty, f),
            Accepts::Number => f.write_str("number"),
        }
    }
}

/// A setting of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSetting {
    /// Its key in `config`.
    pub name: String,
    /// What it takes.
    pub ty: SettingType,
    /// Whether every rule must give it.
    pub required: bool,
    /// For people.
    pub doc: String,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingType {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
    /// Anything.
    Any,
}

/// A table that a plugin looks things up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// Its name in grants.
    pub name: String,
    /// The columns that are needed of it, by name and type, in the order in which they are given.
    pub columns: Vec<(String, Type)>,
}

/// Index into [`crate::RuleSet::plugins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(pub usize);

/// A plugin of a rule set: its file, what it says, and what an operator lets it have.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Name in rules.
    pub name: String,
    /// Where it is, and what is in it.
    pub file: PluginFile,
    /// What it says of itself.
    pub description: Arc<PluginDescription>,
    /// What it may take.
    pub limits: PluginLimits,
    /// What it may look up and propose.
    pub grants: PluginGrants,
}

/// What a plugin may take: `[plugin.NAME]` of `tierd.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PluginLimits {
    /// Bytes of all its memories together. Default: 64 MiB.
    pub memory_bytes: u64,
    /// Milliseconds for each call. Default: 2000.
    pub time_ms: u64,
    /// Units of fuel for each call; `None` for no limit but time. A budget of fuel is the same on every machine, and costs a third more.
    pub fuel: Option<u64>,
}

impl PluginLimits {
    /// Bytes of memory, from such as `64 MiB`; `None` for what `memory` of `[plugin.NAME]` can't be either.
    pub fn memory_of(text: &str) -> Option<u64> {
        raw::plugin::memory_size(text).filter(|size| raw::plugin::SIZES.contains(size))
    }

    /// Milliseconds of a call, from such as `2 s` or `500 ms`; `None` for what `time` of `[plugin.NAME]` can't be either.
    pub fn time_of(text: &str) -> Option<u64> {
        raw::plugin::call_time_ms(text).filter(|time| raw::plugin::TIMES.contains(time))
    }
}

impl Default for PluginLimits {
    fn default() -> Self {
        PluginLimits { memory_bytes: 64 << 20, time_ms: 2000, fuel: None }
    }
}

/// What a plugin may look up and propose: nothing, unless `[plugin.NAME]` of `tierd.toml` says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginGrants {
    /// Indices into [`crate::Config::lookups`].
    pub lookups: Vec<usize>,
    /// Whether it may propose tasks, and with which channels; empty for any.
    pub tasks: Option<Vec<String>>,
    /// Owners that its tasks may have; empty for any.
    pub owners: Vec<String>,
    /// Whether it may propose events, and of which names; empty for any, as where a plugin is tried out.
    pub events: Option<Vec<String>>,
    /// Proposals for each subject in a run, at most.
    pub per_subject: u16,
}

/// A call of a plugin's function.
#[derive(Debug, Clone)]
pub struct PluginCall {
    /// Which plugin.
    pub plugin: PluginId,
    /// Name of the function.
    pub function: String,
    /// What kind it is.
    pub kind: PluginKind,
    /// What it is given, in its order: over metrics of the subject; for an aggregator over [`crate::Facts::columns`].
    pub inputs: Vec<Expr>,
    /// Rows (for an aggregator facts) in which one of these inputs (by index) is NULL aren't given to the function.
    pub required: Vec<usize>,
    /// Settings, those of `[plugin.NAME]` among them.
    pub config: Map<String, Json>,
    /// What becomes of a failure.
    pub on_error: OnPluginError,
    /// Where the call is written.
    pub at: Location,
}

/// What becomes of a failing plugin: `on_plugin_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnPluginError {
    /// The run fails; all levels stay as they are.
    #[default]
    Fail,
    /// The metric is NULL for all subjects, so that conditions on it are UNKNOWN: nobody is promoted by it.
    Unknown,
}

/// A metric that a plugin finds.
#[derive(Debug, Clone)]
pub struct PluginMetric {
    /// The call.
    pub call: PluginCall,
    /// For an aggregator, which facts.
    pub facts: Option<PluginFacts>,
}

/// The facts of an aggregator.
#[derive(Debug, Clone)]
pub struct PluginFacts {
    /// Which.
    pub facts: FactsId,
    /// Which rows, over [`crate::Facts::columns`], besides [`crate::Facts::filter`].
    pub filter: Option<Expr>,
    /// Which time.
    pub window: Window,
    /// What a subject has for which no row counts; `None` for NULL.
    pub empty: Option<Value>,
}

impl PluginMetric {
    /// Metrics of the subject that it is found from.
    pub fn metrics(&self) -> Vec<MetricId> {
        match self.facts {
            Some(_) => Vec::new(),
            None => self.call.inputs.iter().flat_map(Expr::columns).map(MetricId).collect(),
        }
    }
}
