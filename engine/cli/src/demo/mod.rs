//! The shop that `tierd demo` makes: its rule files and a database that looks like a real one.
//!
//! The rule files are those of `examples/shop`, embedded, so that there is one text to keep right. The database is generated:
//! the same seed, size and day give the same rows, and a few kinds of customers ([`habits`]) see to it that every level of every
//! shipped tier set has members. Nothing here grades anybody; the caller runs `tierd` over the result as over any other folder.

mod files;
mod habits;
mod people;
mod random;
mod shop;

pub(crate) use files::files;
pub(crate) use shop::{ShopOptions, write_shop};
