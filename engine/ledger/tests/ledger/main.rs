//! The ledger from outside, as one program: it also is the child process that gets killed.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "this program is a test")]

mod backup;
mod child;
mod common;
mod crash;
mod documented;
mod files;
mod holds;
mod migration;
mod movement;
mod reloads;
mod retention;
mod runs;
mod schedules;
