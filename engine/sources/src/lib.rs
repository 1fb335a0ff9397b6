//! Reading a company's database: one pass over each fact table, or SQL.
//!
//! ```text
//! Database (preflight, read-only) ─► Snapshot (connections on one state) ─► subjects ─► facts ─► SourceData
//!                                                        readers: callback │ step
//! ```
//!
//! [`read`] copies what a run needs inside one short read transaction and closes it; evaluation comes afterwards. The database is
//! never written, and never opened but by SQLite ([`database`]). Beside the ledger, which keeps tierd's own file, this is the
//! only crate that knows SQLite.

mod bad;
mod buffer;
mod callback;
mod changes;
mod data;
mod database;
mod decode;
mod error;
mod facts;
mod facts_after;
mod index;
pub mod init;
mod keys;
mod oldest;
mod parents;
mod preflight;
mod progress;
mod read;
mod reader;
mod run;
pub mod schema;
mod snapshot;
pub mod sql;
mod step;
mod subject_rows;
mod subjects;
mod verify;
mod vfs;

pub use bad::{BadExample, BadValues};
pub use changes::ChangeMonitor;
pub use data::{DataVersion, SourceData, TableRead};
pub use database::Database;
pub use error::DatabaseError;
pub use facts_after::{FactsAfter, facts_after};
pub use keys::{Keys, TextKeys};
pub use oldest::oldest;
pub use preflight::Unsafe;
pub use progress::Progress;
pub use read::{ReadError, ReadOptions, attributes, read, read_all};
pub use reader::ReaderKind;
pub use snapshot::Snapshot;
pub use subjects::SubjectError;
pub use tierd_eval::given::needed_subjects;
pub use verify::{Missing, SchemaProblem, verify, verify_facts, verify_lookup, verify_subject};
