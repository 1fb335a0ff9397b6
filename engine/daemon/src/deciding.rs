//! The metric values that decided a subject's level, as JSON for the ledger.

use std::fmt::Write;

use arrow_array::ArrayRef;
use tierd_eval::{columns::value_at, evaluate::SetOutcome};
use tierd_model::{Type, Value};
use tierd_rules::RuleSet;

use crate::evaluate::Evaluation;

/// The metrics that a tier set's conditions read, with their columns.
#[derive(Debug)]
pub(crate) struct Deciding<'a> {
    metrics: Vec<DecidingMetric<'a>>,
}

#[derive(Debug)]
struct DecidingMetric<'a> {
    name: &'a str,
    ty: Type,
    personal: bool,
    column: &'a ArrayRef,
}

impl<'a> Deciding<'a> {
    pub(crate) fn new(rules: &'a RuleSet, evaluation: &'a Evaluation, set: &SetOutcome) -> Self {
        let columns = &evaluation.subject(set).metrics.columns;
        let personal = rules.personal();
        let metrics = rules.tier_sets[set.set.0].metrics().into_iter().filter_map(|id| {
            let metric = &rules.metrics[id.0];
            let column = columns[id.0].as_ref()?;
            Some(DecidingMetric { name: &metric.name, ty: metric.ty, personal: personal[id.0], column })
        });
        Deciding { metrics: metrics.collect() }
    }

    /// Appends `{"annual_spend":"12000.00","orders":7}`: integers and truths as JSON has them, everything else as text, so that
    /// decimals stay exact. Personal values are left out.
    pub(crate) fn append(&self, row: usize, json: &mut String) {
        json.push('{');
        let mut first = true;
        for metric in self.metrics.iter().filter(|metric| !metric.personal) {
            if !std::mem::take(&mut first) {
                json.push(',');
            }
            // Names are identifiers: nothing in them needs escaping.
            let _ = write!(json, "\"{}\":", metric.name);
            append_value(value_at(metric.column, metric.ty, row), json);
        }
        json.push('}');
    }
}

fn append_value(value: Option<Value>, json: &mut String) {
    // Writing to a String never fails.
    let _ = match value {
        None => write!(json, "null"),
        Some(Value::Integer(v)) => write!(json, "{v}"),
        Some(Value::Bool(v)) => write!(json, "{v}"),
        Some(Value::Text(v)) => write!(json, "{}", serde_json::Value::from(&*v)),
        Some(v) => write!(json, "\"{v}\""),
    };
}
