//! Example databases for `tierd demo`: the shop, and one for each pack that ships under `rules/`.
//!
//! A pack's files are embedded, so that there is one text to keep right. Its `profile.toml` ([`profile`]) describes a database as
//! a company of that trade would have it: tables, columns, and kinds of customers that the database doesn't show (big, regular,
//! sleeping, new, leaving …), who see to it that every level has members. The same profile, seed, size and day give the same
//! rows on every machine: only integers and plain arithmetic are drawn. Nothing here grades anybody; the caller runs `tierd` over
//! the result as over any other folder.

mod amount;
mod cells;
mod database;
mod events;
mod pack;
mod people;
mod profile;
mod random;
mod subjects;

pub(crate) use database::{Options, Stats, write_database};
pub(crate) use pack::Pack;
