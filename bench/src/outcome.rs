//! What a worker reports to its parent: one line of JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Failure;

/// Metrics go into the checksum with these factors, so that exchanging two of them shows.
pub(crate) const FACTORS: [(&str, i128); 9] = [
    ("spend_12m", 3),
    ("orders_90d", 5),
    ("orders_12m", 7),
    ("refunds_12m", 11),
    ("points_year", 13),
    ("days_idle", 17),
    ("recency", 19),
    ("frequency", 23),
    ("monetary", 29),
];
/// Keeps the sum over millions of customers within 64 bits.
pub(crate) const MODULUS: i128 = 1_000_003;

/// One run of one program.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seconds: f64,
    /// Of all processors together.
    pub(crate) processor_seconds: f64,
    pub(crate) phases: BTreeMap<String, f64>,
    pub(crate) peak_mib: f64,
    /// Customers by level.
    pub(crate) levels: BTreeMap<String, i64>,
    pub(crate) checksum: i64,
}

impl Outcome {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "seconds": self.seconds, "processor_seconds": self.processor_seconds, "phases": self.phases, "peak_mib": self.peak_mib,
            "levels": self.levels, "checksum": self.checksum,
        })
    }

    pub(crate) fn from_json(text: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(text)?;
        let number = |name: &str| value[name].as_f64().ok_or_else(|| format!("a worker reports no {name}"));
        let map = |name: &str| value[name].as_object().into_iter().flatten();
        Ok(Outcome {
            seconds: number("seconds")?,
            processor_seconds: number("processor_seconds")?,
            phases: map("phases").filter_map(|(k, v)| Some((k.clone(), v.as_f64()?))).collect(),
            peak_mib: number("peak_mib")?,
            levels: map("levels").filter_map(|(k, v)| Some((k.clone(), v.as_i64()?))).collect(),
            checksum: value["checksum"].as_i64().ok_or("a worker reports no checksum")?,
        })
    }
}
