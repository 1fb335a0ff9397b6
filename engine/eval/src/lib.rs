//! Metrics, ranks, levels and explanations: pure functions over Arrow columns.
//!
//! ```text
//! facts ─► scan ─► Given ─► evaluate: Metrics (derive, rank, groups, points) ⇄ levels, movement ─► retention ─► Outcome
//!                              History ─┘                                                                └─────► explain
//! ```
//!
//! Nothing here touches a file, a database or the clock; `as_of` is an argument ([`tierd_model::Clock`]).

pub mod action;
pub mod columns;
pub mod derive;
pub mod due;
pub mod effect;
pub mod evaluate;
pub mod explain;
pub mod expr;
pub mod given;
pub mod groups;
pub mod guard;
pub mod history;
pub mod levels;
pub mod lint;
pub mod movement;
pub mod plugin;
pub mod points;
pub mod rank;
pub mod retention;
pub mod scan;
mod standing;

#[cfg(test)]
mod testing;
