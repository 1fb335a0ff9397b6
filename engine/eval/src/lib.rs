//! Metrics, ranks, levels and explanations: pure functions over Arrow columns.
//!
//! ```text
//! rows of facts ─► scan ─► aggregates, attributes ─► derive (expr, rank) ─► Metrics ─► levels ─► Graded
//!                                                                             └─────► explain
//! ```
//!
//! Nothing here touches a file, a database or the clock; `as_of` is an argument ([`tierd_model::Clock`]).

pub mod columns;
pub mod derive;
pub mod explain;
pub mod expr;
pub mod levels;
pub mod rank;
pub mod scan;

#[cfg(test)]
mod testing;
