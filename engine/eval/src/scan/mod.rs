//! The hot path: rows of a fact table in, every metric of it out, in one pass.
//!
//! ```text
//! reader ─► Batch (512 rows, columns) ─► masks (windows, filters) ─► accumulators (a row per subject) ─► Arrow arrays
//!                                FactPlan: what of this the metrics need, each thing once
//! ```
//!
//! A [`FactPlan`] is made once per run. Each reading thread has a [`FactScan`]: it fills the [`Batch`], and the scan takes it in
//! column by column, in loops without branches; at the end the scans are merged and finished. The order of rows and the way in
//! which they are split among threads never changes a bit of the result.
//!
//! Deliberately absent: reading (that is the sources' work), ranks and conditions over metrics (they need all subjects).

mod accumulators;
mod arrays;
mod batch;
mod bookings;
mod build;
mod collected;
mod conditions;
mod counts;
mod days;
mod distinct;
mod fact_scan;
mod fact_times;
mod filter;
mod finish;
mod gaps;
mod gathered;
mod interner;
mod loops;
mod mask;
pub mod memory;
mod merge;
mod order;
mod own_window;
mod plan;
mod prefetch;
mod readings;
mod same;
pub(crate) mod sums;
mod times;

pub use arrays::{array_from, real_bits, text_array};
pub use batch::{BAD, BATCH_ROWS, Batch, Cell, VALID, Values};
pub use collected::{Collected, Found};
pub use counts::FactCounts;
pub use fact_scan::{BadCell, FactScan, Scanned};
pub use fact_times::FactTime;
pub use interner::{Interner, NULL_ID, NotUtf8};
pub use plan::FactPlan;
pub use readings::{Reading, readings};
