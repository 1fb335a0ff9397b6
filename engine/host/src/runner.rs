//! Answers the calls of a run: batches, threads, checks. What a call gives doesn't depend on how many threads there are.

mod aggregate;
mod calling;
mod column;
mod model;
mod plan;
mod work;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use arrow_array::ArrayRef;
use tierd_eval::plugin::{PluginColumn, PluginFailure, Plugins, Proposal, SubjectFacts};
use tierd_model::Clock;
use tierd_rules::plugin::{Plugin, PluginCall};

pub(crate) use self::calling::Calling;
use crate::{
    error::PluginError,
    fault::{Fault, Reason},
    host::Host,
    loaded::{Loaded, Speed},
    lookups::{Granted, LookupData},
    records::Went,
    sandbox::Ask,
};

/// The plugins of a rule set for the length of a run: what it holds stays the same, whatever is put in their place meanwhile.
pub struct Runner {
    host: Host,
    plugins: Vec<Pinned>,
    /// Whether a plugin that has failed several times in a row is called all the same.
    untiring: bool,
}

/// A plugin that a runner holds on to.
struct Pinned {
    plugin: Plugin,
    loaded: Result<Arc<Loaded>, PluginError>,
    ask: Ask,
}

impl Runner {
    pub(crate) fn new(host: Host, plugins: &[Plugin], lookups: &[Option<Arc<LookupData>>]) -> Self {
        let pin = |plugin: &Plugin| Pinned {
            plugin: plugin.clone(),
            loaded: host.load(&plugin.file.bytes, plugin.file.hash, Speed::under(&plugin.limits)),
            ask: Ask { limits: plugin.limits, lookups: Some(Arc::new(Granted::to(plugin, lookups))) },
        };
        Runner { plugins: plugins.iter().map(pin).collect(), host: host.clone(), untiring: false }
    }

    /// The same, but no plugin rests, however often it fails: for runs that have nothing to do with each other.
    #[must_use]
    pub fn untiring(self) -> Self {
        Runner { untiring: true, ..self }
    }

    /// Lets `work` call the plugin, unless it rests, and keeps a record of how that went.
    fn recorded<T>(
        &self,
        call: &PluginCall,
        rows: usize,
        clock: &Clock,
        work: impl FnOnce(&Calling<'_>) -> Result<T, Fault>,
    ) -> Result<T, PluginFailure> {
        let Some(pinned) = self.plugins.get(call.plugin.0) else {
            let fault = Fault::new(Reason::Missing, "the rule set has no such plugin");
            return Err(fault.of(&format!("#{}", call.plugin.0), &call.function));
        };
        let worked = match self.untiring {
            true => pinned.called(&self.host, call, clock, &mut 0, work),
            false => pinned.recorded(&self.host, call, rows, clock, work),
        };
        worked.map_err(|fault| fault.of(&pinned.plugin.name, &call.function))
    }
}

impl Pinned {
    fn recorded<T>(
        &self,
        host: &Host,
        call: &PluginCall,
        rows: usize,
        clock: &Clock,
        work: impl FnOnce(&Calling<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (records, hash) = (&host.0.records, self.plugin.file.hash);
        let begun = Instant::now();
        records.admit(hash, &self.plugin.name, begun)?;
        let mut memory_peak = 0;
        let worked = self.called(host, call, clock, &mut memory_peak, work);
        let now = Instant::now();
        let went = Went { rows: rows as u64, took: now - begun, memory_peak };
        records.ended(hash, went, worked.as_ref().err().map(|fault| fault.reason), now);
        worked
    }

    fn called<T>(
        &self,
        host: &Host,
        call: &PluginCall,
        clock: &Clock,
        memory_peak: &mut u64,
        work: impl FnOnce(&Calling<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let loaded = self.loaded.clone().map_err(Fault::from)?;
        let calling = Calling::new(host, &self.plugin, &loaded, &self.ask, call, clock)?;
        let worked = work(&calling);
        *memory_peak = calling.memory_peak.load(Ordering::Relaxed);
        worked
    }
}

impl Plugins for Runner {
    fn column(
        &self,
        call: &PluginCall,
        inputs: &[ArrayRef],
        rows: usize,
        clock: &Clock,
    ) -> Result<PluginColumn, PluginFailure> {
        self.recorded(call, rows, clock, |calling| column::column(calling, inputs, rows))
    }

    fn aggregate(&self, call: &PluginCall, facts: &SubjectFacts, clock: &Clock) -> Result<ArrayRef, PluginFailure> {
        self.recorded(call, facts.times.len(), clock, |calling| aggregate::aggregate(calling, facts))
    }

    fn plan(
        &self,
        call: &PluginCall,
        inputs: &[ArrayRef],
        rows: usize,
        clock: &Clock,
    ) -> Result<Vec<Proposal>, PluginFailure> {
        self.recorded(call, rows, clock, |calling| plan::plan(calling, inputs, rows))
    }
}

/// Makes the call as rules do, with these rows, outside of any run: without the breaker and without a record.
pub(crate) fn make_call(calling: &Calling<'_>, rows: Rows) -> Result<(), Fault> {
    match rows {
        Rows::Of(inputs, rows) if calling.is_planner() => plan::batch(calling, &inputs, 0, rows).map(drop),
        Rows::Of(inputs, rows) => column::self_test(calling, &inputs, rows),
        Rows::Facts(facts) => aggregate::self_test(calling, &facts),
    }
}

/// What a call is made with.
pub(crate) enum Rows {
    Of(Vec<ArrayRef>, usize),
    Facts(SubjectFacts),
}
