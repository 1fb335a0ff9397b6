//! The contract between tierd and plugins: the newest form of it, in which the rest of this crate speaks, and the versions of it that
//! plugins are built for, each with an adapter to that form.
//!
//! A version is a module of its own: its types as its WIT has them, and nothing of other versions. It is frozen with its WIT: what
//! changes when there is a new one is the form here, and the adapters of the older ones.

mod v1;
#[cfg(test)]
mod v2;

use std::sync::Arc;

use tierd_rules::plugin::{PluginDescription, PluginKind};
use wasmtime::{Store, component::Component};

use crate::{error::PluginError, sandbox::State};

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) function: &'a str,
    /// Microseconds since 1970-01-01 00:00 UTC.
    pub(crate) as_of: i64,
    /// Days since 1970-01-01.
    pub(crate) today: i32,
    /// A JSON object.
    pub(crate) config: &'a str,
}

/// Texts, one after the other: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) offsets: &'a [u32],
    pub(crate) bytes: &'a [u8],
}

/// One value per row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    Integers(&'a [i64]),
    Decimals(&'a [i64]),
    Reals(&'a [f64]),
    Booleans(&'a [u8]),
    Texts(Texts<'a>),
    Dates(&'a [i32]),
    Timestamps(&'a [i64]),
}

/// A column that a plugin is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<'a> {
    pub(crate) values: Values<'a>,
    /// Bit `i % 8` of byte `i / 8` is 1 where row `i` has a value; `None` where all have one.
    pub(crate) valid: Option<&'a [u8]>,
}

/// Texts that a plugin gives; nothing is known of them yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct GivenTexts {
    pub(crate) offsets: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

/// Values that a plugin gives; nothing is known of them yet.
#[derive(Debug, Clone)]
pub(crate) enum GivenValues {
    Integers(Vec<i64>),
    Decimals(Vec<i64>),
    Reals(Vec<f64>),
    Booleans(Vec<u8>),
    Texts(GivenTexts),
    Dates(Vec<i32>),
    Timestamps(Vec<i64>),
}

/// A column that a plugin gives; nothing is known of it yet.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) values: GivenValues,
    pub(crate) valid: Option<Vec<u8>>,
}

/// Labels and the label of each row.
#[derive(Debug, Clone)]
pub(crate) struct GivenSegments {
    pub(crate) labels: Vec<String>,
    pub(crate) of_rows: Vec<u32>,
}

/// A model after a round of fitting.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub(crate) model: Vec<u8>,
    pub(crate) done: bool,
    pub(crate) summary: String,
}

/// Facts, subject by subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) rows_of: &'a [u32],
    pub(crate) times: &'a [i64],
    pub(crate) inputs: &'a [Column<'a>],
}

/// Values of subjects, and what the next batch goes on from.
#[derive(Debug, Clone)]
pub(crate) struct Aggregated {
    pub(crate) values: Given,
    pub(crate) carry: Vec<u8>,
}

/// What a planner proposes for a row; nothing is known of it yet.
#[derive(Debug, Clone)]
pub(crate) struct GivenProposal {
    pub(crate) row: u32,
    pub(crate) action: GivenAction,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum GivenAction {
    Task { title: String, owner: Option<String>, channel: Option<String>, text: Option<String>, due_days: Option<u32> },
    Event { name: String, data: String },
}

/// Why a plugin says that it failed.
#[derive(Debug, Clone)]
pub(crate) struct SaysFailed {
    pub(crate) row: Option<u32>,
    pub(crate) message: String,
}

/// What wasmtime gives: an error if the plugin broke off, else what it says.
pub(crate) type Said<T> = wasmtime::Result<Result<T, SaysFailed>>;

/// Which kinds of functions a plugin exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) scorer: bool,
    pub(crate) segmenter: bool,
    pub(crate) model: bool,
    pub(crate) aggregator: bool,
    pub(crate) planner: bool,
}

impl Kinds {
    pub(crate) fn has(self, kind: PluginKind) -> bool {
        match kind {
            PluginKind::Scorer => self.scorer,
            PluginKind::Segmenter => self.segmenter,
            PluginKind::Model => self.model,
            PluginKind::Aggregator => self.aggregator,
            PluginKind::Planner => self.planner,
        }
    }

    pub(crate) fn none(self) -> bool {
        self == Kinds::default()
    }
}

/// A version of the contract.
trait Version: Sync {
    /// Its major number.
    fn major(&self) -> u64;

    /// Links a plugin that exports this version's `plugin`.
    fn prepare(&self, component: &Component) -> Result<Arc<dyn Prepared>, PluginError>;
}

/// A linked plugin, from which instances are made.
pub(crate) trait Prepared: Send + Sync {
    fn kinds(&self) -> Kinds;

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Instance>>;
}

/// An instance of a plugin. All calls are to be made with the store that it was made in.
pub(crate) trait Instance {
    /// Whether everything that it exports has the types of the contract.
    fn check_types(&self, store: &mut Store<State>) -> wasmtime::Result<()>;

    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<PluginDescription>;

    fn score(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<Given>;

    fn segment(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<GivenSegments>;

    fn part(&self, store: &mut Store<State>, call: Call, model: &[u8], rows: u32, inputs: &[Column]) -> Said<Vec<u8>>;

    fn fit(&self, store: &mut Store<State>, call: Call, model: &[u8], parts: &[Vec<u8>]) -> Said<Fitted>;

    fn apply(&self, store: &mut Store<State>, call: Call, model: &[u8], rows: u32, inputs: &[Column]) -> Said<Given>;

    fn aggregate(
        &self,
        store: &mut Store<State>,
        call: Call,
        carried: &[u8],
        facts: Facts,
        more: bool,
    ) -> Said<Aggregated>;

    fn plan(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<Vec<GivenProposal>>;
}

/// The versions that plugins may be built for.
const VERSIONS: &[&dyn Version] = &[
    &v1::V1,
    #[cfg(test)]
    &v2::V2,
];

/// How the package of the contract begins in the names of interfaces.
const PACKAGE: &str = "tierd:plugin/";

/// Whether a plugin of any version may import this: lookups, and interfaces that only name types.
pub(crate) fn may_import(name: &str) -> bool {
    let name = name.strip_prefix(PACKAGE).unwrap_or_default();
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    matches!(interface, "lookups" | "types") && !version.is_empty()
}

/// Links a compiled plugin by the version of the contract that it was built for.
pub(crate) fn prepare(component: &Component) -> Result<Arc<dyn Prepared>, PluginError> {
    let version = version_of(component).ok_or(PluginError::NotAPlugin)?;
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let Some(known) = VERSIONS.iter().find(|known| Some(known.major()) == major) else {
        let known: Vec<_> = VERSIONS.iter().map(|known| known.major().to_string()).collect();
        return Err(PluginError::UnknownVersion { version, known: known.join(" and ") });
    };
    known.prepare(component)
}

/// The version of `tierd:plugin/plugin` that it exports.
fn version_of(component: &Component) -> Option<String> {
    let ty = component.component_type();
    ty.exports(component.engine())
        .find_map(|(name, _)| Some(name.strip_prefix(PACKAGE)?.strip_prefix("plugin@")?.to_owned()))
}
