//! Cases over a small project: what passes, what fails and what is said then.

#![allow(clippy::unwrap_used, reason = "a test that panics is a failed test")]

mod coverage;
mod docs;
mod failing;
mod passing;
mod plugins;
mod policy;
mod reports;
mod support;
