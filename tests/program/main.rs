//! The program as its users meet it: folders, databases, commands, exit codes, what is printed and what is stored.

#![expect(clippy::unwrap_used, reason = "a test that panics is a failed test")]

mod bad_input;
mod commands;
mod effect;
mod explain;
mod faults;
#[path = "../../engine/host/tests/guests/mod.rs"]
mod guests;
mod holds;
mod ledger_commands;
mod living;
mod lookups;
mod packs;
mod plugins;
mod policies;
mod promises;
mod readme;
mod reload;
mod runs;
mod schemas;
mod stories;
mod support;
mod testing;
