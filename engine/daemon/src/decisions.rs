//! The decision file: every subject's metrics as the last run found them, so that one subject can be explained without reading the
//! company's database again.
//!
//! A daemon keeps no columns in memory between runs, and evaluating everybody takes a second or more. So each run leaves its columns
//! beside the ledger, in a file that can be read at one subject: the rows of 128 neighbouring subjects are one block, the
//! blocks are listed with their first keys, and an explanation reads the one block that its key falls into.
//!
//! ```text
//! "tierd-d1" │ blocks of the first kind of subject │ … │ list of its blocks │ … │ header (JSON) │ footer
//! ```
//!
//! The footer says where the header is, the header where everything else is. Every block, every list and the header carry a
//! checksum, so that the file is written without waiting for the disk: one that is torn or damaged is as good as none. The
//! ledger stays the truth. The file is of use only if it names the last run that decided and the rules in force.
//!
//! What is in it: attributes, aggregates, ranks, looked-up and rolled-up metrics, what plugins found, parts of points accounts. What isn't: metrics
//! computed from others of the same subject, which are computed again; levels and what policies and rules remember, which the
//! ledger has; and whatever is personal, which is stored nowhere: personal attributes are read again from the company's
//! database, and where anything else is personal there is no file.

mod cells;
mod header;
mod read;
mod write;

use std::path::{Path, PathBuf};

use crate::evaluate::Evaluation;
use tierd_rules::{MetricId, MetricKind, RuleSet, SubjectId};

pub(crate) use header::Stamp;
pub(crate) use read::{Damaged, DecisionFile, Row};
pub(crate) use write::Writer;

/// How many neighbouring subjects are read together.
const BLOCK_ROWS: usize = 128;

/// What the file begins with. The digit is the version of the format: a program that has another one writes the file anew.
const MAGIC: &[u8; 8] = b"tierd-d1";

/// Where the decision file of this ledger is.
pub(crate) fn path(ledger: &Path) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(".decisions");
    PathBuf::from(path)
}

/// Writes the file of a run beside this ledger, in place of the one before. That this fails is no reason for a run to fail: then
/// explanations take longer.
pub(crate) fn keep(ledger: &Path, stamp: &Stamp, rules: &RuleSet, evaluation: &mut Evaluation, by: Writer) {
    if let Err(error) = write::write(&path(ledger), stamp, rules, evaluation, by) {
        tracing::warn!(run = stamp.run.0, %error, "the decision file cannot be written; explanations will evaluate everybody");
    }
}

/// The metrics of a kind of subject that the file has, ascending.
fn stored(rules: &RuleSet, subject: SubjectId, personal: &[bool]) -> Vec<MetricId> {
    let metrics = (0..rules.metrics.len()).map(MetricId);
    let stored = metrics.filter(|&id| {
        let metric = &rules.metrics[id.0];
        let computed = matches!(metric.kind, MetricKind::Derived(_) | MetricKind::Standing { .. });
        metric.subject == subject && !computed && !personal[id.0]
    });
    stored.collect()
}
