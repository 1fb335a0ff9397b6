//! What an evaluation asks of plugins. Who runs them is for others to know: this crate hands over columns and takes back columns.
//!
//! Inputs are evaluated, rows without a required value left out and results put back in place here, so that whoever implements
//! [`Plugins`] sees only what a function is to be given.

pub mod call;

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json};
use tierd_model::Clock;
use tierd_rules::plugin::PluginCall;

/// Calls plugins. The same arguments give the same answer, bit for bit.
///
/// Calls that somebody doesn't answer fail: the reason is `unavailable`.
pub trait Plugins {
    /// A scorer's, segmenter's or model's value for each row; one column per input, of the types that its description
    /// names (reals for those that take any number).
    ///
    /// # Errors
    /// [`PluginFailure`].
    fn column(
        &self,
        call: &PluginCall,
        _inputs: &[ArrayRef],
        _rows: usize,
        _clock: &Clock,
    ) -> Result<PluginColumn, PluginFailure> {
        unavailable(call)
    }

    /// An aggregator's value for each subject.
    ///
    /// # Errors
    /// [`PluginFailure`].
    fn aggregate(&self, call: &PluginCall, _facts: &SubjectFacts, _clock: &Clock) -> Result<ArrayRef, PluginFailure> {
        unavailable(call)
    }

    /// A planner's proposals, in the order of rows. They have been held against what is granted.
    ///
    /// # Errors
    /// [`PluginFailure`], also where a proposal isn't granted.
    fn plan(
        &self,
        call: &PluginCall,
        _inputs: &[ArrayRef],
        _rows: usize,
        _clock: &Clock,
    ) -> Result<Vec<Proposal>, PluginFailure> {
        unavailable(call)
    }
}

fn unavailable<T>(call: &PluginCall) -> Result<T, PluginFailure> {
    let (plugin, function) = (format!("#{}", call.plugin.0), call.function.clone());
    let message = "plugins aren't run here".to_owned();
    Err(PluginFailure { plugin, function, reason: "unavailable", message })
}

/// What a function gives.
#[derive(Debug, Clone)]
pub struct PluginColumn {
    /// One value per row, of the type that the function's description names.
    pub column: ArrayRef,
    /// What a model says of its fit.
    pub summary: Option<Map<String, Json>>,
}

/// Facts, subject by subject.
#[derive(Debug, Clone)]
pub struct SubjectFacts {
    /// How many rows each subject has.
    pub rows_of: Vec<u32>,
    /// When each row was, in microseconds since 1970-01-01 00:00 UTC; ascending within a subject.
    pub times: Vec<i64>,
    /// One column per input.
    pub inputs: Vec<ArrayRef>,
}

/// Something that a planner proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The row that it is about.
    pub row: u32,
    /// What is to be done.
    pub action: ProposedAction,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposedAction {
    /// Something to be done by somebody.
    Task {
        /// What.
        title: String,
        /// By whom.
        owner: Option<String>,
        /// By which channel.
        channel: Option<String>,
        /// Details.
        text: Option<String>,
        /// Days from today.
        due_days: Option<u32>,
    },
    /// News for another system.
    Event {
        /// Its kind.
        name: String,
        /// What goes with it.
        data: Map<String, Json>,
    },
}

/// Why a plugin gave nothing. Holds no values of the database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin}, function {function}: {message}")]
pub struct PluginFailure {
    /// Name of the plugin.
    pub plugin: String,
    /// Name of the function.
    pub function: String,
    /// In one word, for metrics: `timeout`, `memory`, `trap`, `output`, `refused` and so on.
    pub reason: &'static str,
    /// In a sentence.
    pub message: String,
}

impl PluginFailure {
    /// `took longer than its 2000 ms (timeout)`
    pub fn why(&self) -> String {
        format!("{} ({})", self.message, self.reason)
    }
}

/// Where there are no plugins: a rule set without any never asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlugins;

impl Plugins for NoPlugins {}
