//! Rules that change under a running daemon, by the means by which people and machines change files.

#![expect(clippy::unwrap_used, reason = "tests")]

mod layouts;
mod road;
mod rollback;
mod saves;
mod support;
