//! The HTTP interface of a running tierd.

pub mod client;
mod problem;
