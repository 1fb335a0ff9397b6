//! Metrics, ranks, levels and explanations: pure functions over Arrow columns.
//!
//! ```text
//! facts ─► scan ─► aggregates, attributes ─► derive (expr, rank) ─► Metrics ─► levels ─► Graded
//!                                                                      └─────► explain
//! ```
//!
//! Nothing here touches a file, a database or the clock; `as_of` is an argument ([`tierd_model::Clock`]).

pub mod columns;
pub mod derive;
pub mod explain;
pub mod expr;
pub mod given;
pub mod history;
pub mod levels;
pub mod lint;
pub mod movement;
pub mod points;
pub mod rank;
pub mod retention;
pub mod scan;

#[cfg(test)]
mod testing;
