//! A call of a function, ready to be made batch by batch, each on an instance of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::ArrayRef;
use tierd_model::{Clock, Type};
use tierd_rules::plugin::{Plugin, PluginCall, PluginFunction, PluginGrants, PluginKind};

use crate::{
    columns::{Held, held},
    contract::{Call, Column},
    fault::{Fault, Reason},
    host::{Host, Inner},
    loaded::Loaded,
    sandbox::{Ask, Sandbox},
    ticker::Ticking,
};

/// Bytes that a plugin may give for a row, on the average; and for the batch besides.
const ROW_BYTES: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;

pub(crate) struct Calling<'a> {
    host: &'a Inner,
    loaded: &'a Loaded,
    ask: &'a Ask,
    function: &'a PluginFunction,
    pub(super) grants: &'a PluginGrants,
    config: String,
    as_of: i64,
    today: i32,
    /// The most bytes of memory that an instance had so far.
    pub(super) memory_peak: AtomicU64,
    _ticking: Ticking,
}

impl<'a> Calling<'a> {
    pub(crate) fn new(
        host: &'a Host,
        plugin: &'a Plugin,
        loaded: &'a Loaded,
        ask: &'a Ask,
        call: &PluginCall,
        clock: &Clock,
    ) -> Result<Self, Fault> {
        let function = plugin.description.function(&call.function).filter(|function| function.kind == call.kind);
        let function = function.ok_or_else(|| {
            Fault::new(Reason::Missing, format!("the plugin has no {} of this name", call.kind.name()))
        })?;
        let config =
            serde_json::to_string(&call.config).map_err(|error| Fault::new(Reason::Refused, error.to_string()))?;
        let no_thread =
            |error: std::io::Error| Fault::new(Reason::Compile, format!("no thread for the clock of calls: {error}"));
        Ok(Calling {
            host: &host.0,
            loaded,
            ask,
            function,
            grants: &plugin.grants,
            config,
            as_of: clock.as_of().0,
            today: clock.today().0,
            memory_peak: AtomicU64::new(0),
            _ticking: host.0.engines.ticker.hold().map_err(no_thread)?,
        })
    }

    pub(super) fn kind(&self) -> PluginKind {
        self.function.kind
    }

    pub(super) fn is_planner(&self) -> bool {
        self.kind() == PluginKind::Planner
    }

    /// Milliseconds for each call.
    pub(super) fn time_ms(&self) -> u64 {
        self.ask.limits.time_ms
    }

    /// The type of what it gives; descriptions are checked to have one where it is asked for.
    pub(super) fn output(&self) -> Result<Type, Fault> {
        self.function.output.ok_or_else(|| Fault::new(Reason::Missing, "the function gives no values"))
    }

    /// What the plugin is told.
    pub(super) fn call(&self) -> Call<'_> {
        Call { function: &self.function.name, as_of: self.as_of, today: self.today, config: &self.config }
    }

    /// Lets `work` have a fresh instance, which is gone afterwards.
    pub(super) fn fresh<T>(&self, work: impl FnOnce(&mut Sandbox<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut sandbox = Sandbox::open(self.host, self.loaded, self.ask)?;
        let worked = work(&mut sandbox);
        self.memory_peak.fetch_max(sandbox.memory_peak(), Ordering::Relaxed);
        worked
    }

    /// Whether these are columns of so many rows for the inputs of the function.
    pub(super) fn check_inputs(&self, inputs: &[ArrayRef], rows: usize) -> Result<(), Fault> {
        let wanted = self.function.inputs.len();
        if inputs.len() != wanted {
            let message = format!("was to be given {} inputs, and takes {wanted}", inputs.len());
            return Err(Fault::new(Reason::Refused, message));
        }
        // Rows are counted in 32 bits by the contract.
        if inputs.iter().any(|input| input.len() != rows) || u32::try_from(rows).is_err() {
            return Err(Fault::new(Reason::Refused, "was to be given columns of different lengths"));
        }
        Ok(())
    }

    /// These rows of the inputs.
    pub(super) fn hold<'b>(&self, inputs: &'b [ArrayRef], from: usize, rows: usize) -> Result<Vec<Held<'b>>, Fault> {
        let hold = |(array, input): (&'b ArrayRef, &tierd_rules::plugin::PluginInput)| {
            let ty = input.accepts.given_as();
            held(array, ty, from, rows)
                .map_err(|fault| Fault { message: format!("input {}: {}", input.name, fault.message), ..fault })
        };
        inputs.iter().zip(&self.function.inputs).map(hold).collect()
    }
}

pub(super) fn columns<'a>(held: &'a [Held<'_>]) -> Vec<Column<'a>> {
    held.iter().map(Held::column).collect()
}

/// Bytes that a plugin may give for so many rows.
pub(super) fn bytes_for(rows: usize) -> usize {
    rows.saturating_mul(ROW_BYTES).saturating_add(BATCH_BYTES)
}
