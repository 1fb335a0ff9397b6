//! A daemon as a process on a server: what it tells the service manager, how it ends, what it writes, and what watches it.

mod canary;
pub(crate) mod process;
mod signals;
mod watched;
