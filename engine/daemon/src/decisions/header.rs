//! What the file says of itself.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize};
use tierd_eval::{derive::CutPoints, rank::Bucket};
use tierd_ledger::RunId;
use tierd_model::{Date, Decimal, Timestamp, Value};
use tierd_rules::{Revision, RuleSet};

/// Which run a decision file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The run.
    pub(crate) run: RunId,
    /// The rules that found the columns.
    pub(crate) revision: Revision,
    /// The time that they were found for.
    pub(crate) as_of: Timestamp,
}

/// Everything but the rows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) run: i64,
    pub(super) revision: String,
    pub(super) as_of: i64,
    pub(super) kinds: Vec<Kind>,
    /// Tier sets in which an UNKNOWN made the run ask what was held.
    pub(super) asked: Vec<String>,
}

/// One kind of subject.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kind {
    pub(super) name: String,
    /// Whose keys stand beside the members' own.
    pub(super) parent: Option<String>,
    /// Kinds whose members are counted.
    pub(super) members: Vec<String>,
    /// Names and types of the metrics in a row.
    pub(super) columns: Vec<(String, String)>,
    /// Points programs whose bookings end a row.
    pub(super) programs: Vec<String>,
    pub(super) cuts: Vec<Cuts>,
    pub(super) blocks: Part,
}

/// A piece of the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) checksum: u64,
}

/// Where a rank metric was cut.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cuts {
    metric: String,
    ranked: u64,
    buckets: Vec<(u16, Stored, Stored, u64)>,
}

/// A value, with its type.
#[derive(Debug, Serialize, Deserialize)]
enum Stored {
    Text(String),
    Integer(i64),
    Decimal(String, u8),
    /// Its bits.
    Real(u64),
    Bool(bool),
    Date(i32),
    Timestamp(i64),
}

/// What tells whether bytes are those that were written. It needn't be the same from one version of the program to the next.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0x7469_6572_645f_6431).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl Header {
    pub(super) fn is_of(&self, stamp: &Stamp) -> bool {
        self.run == stamp.run.0 && self.as_of == stamp.as_of.0 && self.revision == stamp.revision.to_string()
    }
}

impl Cuts {
    pub(super) fn new(rules: &RuleSet, cuts: &CutPoints) -> Self {
        let bucket =
            |bucket: &Bucket| (bucket.number, Stored::new(&bucket.from), Stored::new(&bucket.to), bucket.subjects);
        Cuts {
            metric: rules.metrics[cuts.metric.0].name.clone(),
            ranked: cuts.ranked,
            buckets: cuts.boundaries.iter().map(bucket).collect(),
        }
    }

    /// `None` if the rules have no such metric.
    pub(super) fn points(&self, rules: &RuleSet) -> Option<CutPoints> {
        let bucket = |(number, from, to, subjects): &(u16, Stored, Stored, u64)| {
            Some(Bucket { number: *number, from: from.value()?, to: to.value()?, subjects: *subjects })
        };
        let boundaries = self.buckets.iter().map(bucket).collect::<Option<_>>()?;
        Some(CutPoints { metric: rules.metric(&self.metric)?.0, ranked: self.ranked, boundaries })
    }
}

impl Stored {
    fn new(value: &Value) -> Self {
        match value {
            Value::Text(text) => Stored::Text(text.to_string()),
            Value::Integer(value) => Stored::Integer(*value),
            Value::Decimal(value) => Stored::Decimal(value.units.to_string(), value.scale),
            Value::Real(value) => Stored::Real(value.to_bits()),
            Value::Bool(value) => Stored::Bool(*value),
            Value::Date(day) => Stored::Date(day.0),
            Value::Timestamp(at) => Stored::Timestamp(at.0),
        }
    }

    fn value(&self) -> Option<Value> {
        Some(match self {
            Stored::Text(text) => Value::Text(text.as_str().into()),
            Stored::Integer(value) => Value::Integer(*value),
            Stored::Decimal(units, scale) => Value::Decimal(Decimal::new(units.parse().ok()?, *scale)),
            Stored::Real(bits) => Value::Real(f64::from_bits(*bits)),
            Stored::Bool(value) => Value::Bool(*value),
            Stored::Date(day) => Value::Date(Date(*day)),
            Stored::Timestamp(at) => Value::Timestamp(Timestamp(*at)),
        })
    }
}
