//! Plugins for tierd in Rust.
//!
//! A plugin is functions that rules call. Write them as functions of one row; the macros make the columns, the description that rules
//! are checked against, and what the component exports. A whole plugin:
//!
//! ```
//! tierd_plugin::scorer! {
//!     /// How creditworthy a customer is, 0 to 100.
//!     pub fn score(spend: f64, tenure_days: i64, late_payments: Option<i64>) -> f64 {
//!         let loyal = (tenure_days as f64 / 3650.0).min(1.0);
//!         let spends = (spend / 10_000.0).min(1.0);
//!         (60.0 * spends + 40.0 * loyal - 15.0 * late_payments.unwrap_or(0) as f64).clamp(0.0, 100.0)
//!     }
//! }
//! tierd_plugin::plugin! { name: "credit", version: "1.0.0", doc: "Credit of customers", scorers: [score] }
//!
//! # fn main() {
//! assert_eq!(score(10_000.0, 3650, Some(1)), 85.0);       // still a function like any other
//! # }
//! ```
//!
//! | for | write | kinds of rows |
//! |---|---|---|
//! | a value per subject | [`scorer!`] | columns |
//! | a label per subject | [`segmenter!`] | columns |
//! | a value by a model that is fitted to all subjects before | [`model!`] | columns |
//! | a value per subject of its facts | [`aggregator!`] | facts in the order of time |
//! | tasks and events for subjects for whom a rule acts | [`planner!`] | columns |
//! | settings that rules give | [`settings!`] | |
//! | tables of the company to look things up in | [`lookup!`] | |
//!
//! # Parameters
//!
//! The type of a parameter says what it is ([`Parameter`]): `f64` takes any number, `i64`, `bool`, `&str`, [`Date`], [`Timestamp`] and
//! [`Decimal`] take values of just that type; `Option` of one of these says that rows without a value are given too. `&Call` is what
//! the call is about, such as the day of the run, `&T` with [`Settings`] the settings that the rule gives, and [`Found`] a row of a table,
//! looked up by an input.
//!
//! # Results
//!
//! A result is one of the same types (text also as `String`), an `Option` of it for NULL, or a `Result` with a [`Failure`], which can
//! be made `from` a text. Doubles must be finite; a row whose result isn't fails the batch and names the row.
//!
//! # Speed
//!
//! A batch has 8192 rows, and tierd makes a fresh instance for each, so that what is done once for a batch (settings, tables) costs little, and
//! memory that is asked for costs: link with `-C link-arg=--initial-memory=2097152`, as the template does (`memory` of `[plugin.NAME]` can't be less then). `f64::min` and
//! `f64::max` are calls in WebAssembly; `if a < b { a } else { b }` is one instruction.
//!
//! # Tests
//!
//! Everything compiles for the machine itself too, so `cargo test` needs no Wasm. [`testing`] has what calls a function with columns, as
//! tierd does.
//!
//! Every call is made on a fresh instance, and batches come in any order: what a function leaves in a `static` is gone.

mod aggregator;
#[doc(hidden)]
pub mod bindings;
mod column;
mod describe;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod heap;
pub mod json;
mod lookup;
mod model;
mod output;
mod parameter;
mod planner;
mod plugin;
mod scorer;
mod segmenter;
mod settings;
mod state;
pub mod testing;
mod time;

#[doc(hidden)]
pub use aggregator::Added as __Added;
pub use aggregator::{Aggregated, Aggregator, Facts};
pub use bindings::{
    plugin::exports::tierd::plugin::plugin as description,
    types::{Call, Column, Failure, Texts, ValueType, Values},
};
pub use column::column;
pub use lookup::{Found, Lookup, find};
pub use model::{Fitted, Model};
pub use output::{Item, Label, Output};
pub use parameter::{Parameter, Source};
pub use planner::{Action, Event, Planner, Proposal, Proposals, Task};
pub use scorer::Scorer;
pub use segmenter::{Segmenter, Segments};
#[doc(hidden)]
pub use settings::read as __read_setting;
pub use settings::{Setting, Settings};
pub use state::State;
pub use time::{Date, Decimal, Timestamp};

/// What the macros expand to needs; not for others.
#[doc(hidden)]
pub mod macros {
    pub use crate::{
        aggregator::aggregate,
        column::Builder,
        describe::{doc, function, input},
        lookup::lookup_column,
        model::{apply, decode, decode_all, encode, same_inputs},
        parameter::no_call,
        planner::propose,
        plugin::no_function,
        segmenter::Labels,
    };
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Failure { row: None, message: message.to_owned() }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure { row: None, message }
    }
}
