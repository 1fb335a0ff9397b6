//! What both targets do with a file, and how valid plugins are changed.
//!
//! The road is the daemon's, but in this process: a fuzzer can't follow into the one that compiles. There, a module can end the process
//! that makes a component of it by what its section of types says, which the daemon is safe from (`host/tests/compile.rs`) and this
//! process is not. So [`sections`] gives modules of arbitrary bytes the section of the contract.

pub mod change;
pub mod road;
pub mod sections;
