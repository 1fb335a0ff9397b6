//! Loading a project folder and carrying out runs.
//!
//! This crate is where the pure core meets the machine: it reads files, opens the database and the ledger, and hands plain
//! data to `tierd-eval`. Start-up and (later) reload are one path: [`Project::load`]. Nothing here prints, and the time is an
//! argument here too.

pub mod approval;
mod deciding;
mod decisions;
pub mod effect;
pub mod evaluate;
pub mod explain;
pub mod fill;
mod guards;
mod handed;
mod history;
mod limits;
mod lock;
mod made;
mod memory;
pub mod overrides;
mod plugins;
pub mod project;
pub mod report;
mod revision;
pub mod run;
pub mod serve;
pub mod shown;
pub mod verify;

pub use limits::LimitError;
pub use lock::{Noted, noted};
pub use project::{Loaded, Project, ProjectError};
pub use tierd_host::{BreakerState, PluginStats};
