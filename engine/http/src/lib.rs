//! The HTTP interface of a running tierd, and a client for it.
//!
//! ```text
//! TCP, Unix socket ─► connection limits ─► access (Host, Origin, token or user) ─► handlers ─► daemon::serve::Handle, ledger::Reader
//! ```
//!
//! This is the only crate that knows HTTP. It decides nothing: what it answers is what a [`tierd_daemon::serve::Handle`] publishes or the
//! ledger has, and what it does is asking the handle, or writing down what a person decided. So everything here has a command beside it
//! that does the same without a daemon.
//!
//! Why so: rules of access stand in one place before every handler (`access`); every refusal and failure is a problem document
//! (`problem`); the OpenAPI document is made from the handlers, and a test fails where an answer isn't as it says. What it doesn't do:
//! TLS, users and roles (a proxy in front does), pages for people.

mod access;
mod api;
pub mod client;
pub mod documents;
pub mod metrics;
mod problem;
mod server;
mod socket;
mod token;

pub use server::{ServeError, Server, serve};
pub use token::TokenError;
