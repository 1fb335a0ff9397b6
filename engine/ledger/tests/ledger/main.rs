//! The ledger from outside, as one program: it also is the child process that gets killed.

mod child;
mod common;
mod crash;

mod files;
mod runs;
