//! Runs plugins: WebAssembly components in a sandbox, with limits. The only crate that knows wasmtime.
//!
//! A plugin's file goes one way: it is looked at without being run ([`Host::describe`] refuses what isn't WebAssembly, is too
//! large or imports what no plugin may), compiled (in a process of its own, where the operator's program can be started again;
//! the result is kept in a folder by content), linked against nothing but lookups, and asked what it offers. [`Host::self_test`]
//! then makes two small calls, and a [`Runner`] holds on to the plugins of a rule set for the length of a run and answers
//! [`tierd_eval::plugin::Plugins`].
//!
//! What the rest of tierd relies on:
//! - Whatever a plugin does (loops, recurses, eats memory, gives nonsense) ends in a [`PluginError`] when it is loaded and in a
//!   [`PluginFailure`](tierd_eval::plugin::PluginFailure) of a known [`Reason`] when it is called, soon after its time is up. The
//!   instance is dropped, and the next call begins anew.
//! - Every batch has an instance of its own, so that nothing passes from one batch to another.
//! - The same plugin, arguments and rows give the same bits, on any number of threads.
//! - A host without plugins costs nothing: engines and threads begin with the first plugin.
//! - What comes back is checked before anybody sees it: lengths, validity, finiteness, texts, ranges.
//!
//! What this crate doesn't do: it reads no rules, opens no database, prints nothing and decides nothing about a failing plugin but
//! to let it rest.

mod breaker;
mod cache;
mod columns;
mod compile;
mod contract;
mod description;
mod engine;
mod error;
mod fault;
mod host;
mod intake;
mod loaded;
mod lookups;
mod permits;
mod records;
mod runner;
mod sandbox;
mod self_test;
mod ticker;

pub use breaker::BreakerState;
pub use compile::{Compiler, compile_child};
pub use error::PluginError;
pub use fault::Reason;
pub use host::{Host, HostOptions};
pub use lookups::{LookupData, LookupProblem};
pub use records::PluginStats;
pub use runner::Runner;
pub use sandbox::BATCH_ROWS;

/// The word by which a program is started to compile a plugin: `tierd __compile-plugin`.
pub const COMPILE_WORD: &str = "__compile-plugin";
