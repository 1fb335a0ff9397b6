//! Two small calls before a plugin comes into force: one without rows, one with made-up ones.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use tierd_eval::{
    columns::arrow_type,
    plugin::{PluginFailure, SubjectFacts},
};
use tierd_model::{Clock, DAY_MICROS, Timestamp, Type, Zone};
use tierd_rules::plugin::{Plugin, PluginCall, PluginFunction, PluginKind};

use crate::{
    fault::{Fault, Reason},
    host::Host,
    loaded::Speed,
    lookups::Granted,
    runner::{Calling, Rows, make_call},
    sandbox::Ask,
};

/// When the made-up rows are: 2024-07-03, some day after the epoch.
const AS_OF: Timestamp = Timestamp(19_907 * DAY_MICROS);

/// Both calls; the plugin's tables are there, with nothing in them.
pub(crate) fn run(host: &Host, plugin: &Plugin, call: &PluginCall) -> Result<(), PluginFailure> {
    both_calls(host, plugin, call).map_err(|fault| fault.of(&plugin.name, &call.function))
}

fn both_calls(host: &Host, plugin: &Plugin, call: &PluginCall) -> Result<(), Fault> {
    let loaded = host.load(&plugin.file.bytes, plugin.file.hash, Speed::under(&plugin.limits))?;
    let ask = Ask { limits: plugin.limits, lookups: Some(Arc::new(Granted::empty(&plugin.description))) };
    let clock = Clock::new(AS_OF, Arc::new(Zone::utc()));
    let calling = Calling::new(host, plugin, &loaded, &ask, call, &clock)?;
    let Some(function) = plugin.description.function(&call.function) else { return Ok(()) };
    for rows in [0, 3] {
        match make_call(&calling, made_up(function, rows)) {
            // Made-up values, or made-up grants, may be none that it can work with.
            Err(fault) if !matches!(fault.reason, Reason::Failed | Reason::Refused) => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

/// So many rows; for an aggregator the facts of two subjects, of which the last has all but one.
fn made_up(function: &PluginFunction, rows: usize) -> Rows {
    let inputs: Vec<ArrayRef> = function
        .inputs
        .iter()
        .map(|input| {
            values(input.accepts.given_as(), input.nullable && function.kind != PluginKind::Aggregator).slice(0, rows)
        })
        .collect();
    if function.kind != PluginKind::Aggregator {
        return Rows::Of(inputs, rows);
    }
    let rows_of = if rows == 0 { Vec::new() } else { vec![1, rows as u32 - 1] };
    let times = (0..rows as i64).map(|row| AS_OF.0 - (rows as i64 - row) * DAY_MICROS).collect();
    Rows::Facts(SubjectFacts { rows_of, times, inputs })
}

/// Three values of a type, the second missing where that may be.
fn values(ty: Type, nullable: bool) -> ArrayRef {
    fn three<T>(values: [T; 3], nullable: bool) -> Vec<Option<T>> {
        values.into_iter().enumerate().map(|(row, value)| (row != 1 || !nullable).then_some(value)).collect()
    }
    match ty {
        Type::Integer => Arc::new(Int64Array::from(three([0, 1, 42], nullable))),
        Type::Real => Arc::new(Float64Array::from(three([0.0, 1.0, 1234.5], nullable))),
        Type::Bool => Arc::new(BooleanArray::from(three([false, true, true], nullable))),
        Type::Text => Arc::new(StringArray::from(three(["", "a", "grün 等級"], nullable))),
        Type::Date => Arc::new(Date32Array::from(three([0, 11_000, 19_900], nullable))),
        Type::Timestamp => {
            let days = three([0, 11_000, 19_900], nullable);
            let micros: Vec<_> = days.into_iter().map(|days| days.map(|days: i64| days * DAY_MICROS)).collect();
            Arc::new(TimestampMicrosecondArray::from(micros))
        }
        Type::Decimal(_) => {
            let units = Decimal128Array::from(three([0, 1, 123_456], nullable));
            Arc::new(units.with_data_type(arrow_type(ty)))
        }
    }
}
