//! From a snapshot of the database to levels, in memory.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;
use tierd_eval::{
    derive::{Metrics, complete},
    levels::{Graded, UnknownConditions, grade},
};
use tierd_model::Clock;
use tierd_rules::{RuleSet, SubjectId};
use tierd_sources::{ReadOptions, SourceData, SourceError};

use crate::{Project, limits::{self, LimitError}};

/// How and as of when to evaluate.
#[derive(Debug)]
pub struct Evaluator<'a> {
    /// The run's time.
    pub clock: &'a Clock,
    /// How rows are read.
    pub read: ReadOptions<'a>,
}

/// Everything that a run found, before anything is stored.
#[derive(Debug)]
pub struct Evaluation {
    /// What identifies the state of the data.
    pub data_version: String,
    /// Each kind of subject that the rules look at.
    pub subjects: Vec<SubjectResult>,
    /// Each tier set, in the order of the rules.
    pub sets: Vec<SetResult>,
    /// How long reading took.
    pub read: Duration,
    /// How long metrics, ranks and levels took.
    pub evaluate: Duration,
}

/// One kind of subject.
#[derive(Debug)]
pub struct SubjectResult {
    /// Which.
    pub subject: SubjectId,
    /// What was read.
    pub source: SourceData,
    /// Its metrics.
    pub metrics: Metrics,
}

/// One tier set.
#[derive(Debug)]
pub struct SetResult {
    /// Index into [`RuleSet::tier_sets`].
    pub set: usize,
    /// Index into [`Evaluation::subjects`].
    subject: usize,
    /// The levels.
    pub graded: Graded,
}
