//! Loading a project folder and carrying out runs.
//!
//! This crate is where the pure core meets the machine: it reads files, asks the clock, opens the database and the
//! ledger, and hands plain data to `tierd-eval`. Start-up and (later) reload are one path: [`Project::load`].

pub mod project;
pub mod run;

pub use project::{Loaded, Project, ProjectError};
