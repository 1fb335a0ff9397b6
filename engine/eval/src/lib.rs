//! Metrics, ranks, levels and explanations: pure functions over Arrow columns.
//!
//! Nothing here touches a file, a database or the clock; `as_of` is an argument ([`tierd_model::Clock`]).

pub mod columns;
