//! One instance of a plugin and the limits that it runs under: the only place where code of plugins runs.
//!
//! Every call has a deadline of its own, and so has making the instance. Running code looks at the time whenever the engine's epoch has
//! changed. Memory, tables and instances are counted as they are asked for: a plugin that is denied memory may go on, so what it does
//! next is a trap of its own making, and the denial is remembered as the reason. After a failure the instance is good for nothing and is
//! dropped with the sandbox.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use tierd_rules::plugin::PluginLimits;
use wasmtime::{ResourceLimiter, Store, StoreContextMut, Trap, UpdateDeadline};

use crate::{
    contract::{Instance, Said, SaysFailed},
    engine::{CORE_INSTANCES, MEMORIES, TABLE_ELEMENTS},
    error::PluginError,
    fault::{Fault, Reason, one_line},
    host::Inner,
    loaded::Loaded,
    lookups::Granted,
    permits::Permit,
    ticker::Ticking,
};

/// Rows of a batch.
pub const BATCH_ROWS: usize = 8192;

/// Bytes that a plugin may hand over while its instance is made: keys to look up.
const START_BYTES: usize = 1 << 20;

/// What an instance is made for.
#[derive(Clone, Default)]
pub(crate) struct Ask {
    pub(crate) limits: PluginLimits,
    /// The tables that it may look things up in.
    pub(crate) lookups: Option<Arc<Granted>>,
}

/// What wasmtime keeps for us with an instance.
pub(crate) struct State {
    meter: Meter,
    deadline: Instant,
    lookups: Option<Arc<Granted>>,
}

impl State {
    pub(crate) fn lookups(&self) -> Option<&Granted> {
        self.lookups.as_deref()
    }
}

/// Counts what an instance takes.
struct Meter {
    limit: u64,
    memory: u64,
    peak: u64,
    denied: bool,
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        // Beyond the maximum that the plugin itself declares it is denied by itself.
        self.denied |= wanted > self.limit;
        if wanted > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = wanted;
        self.peak = self.peak.max(wanted);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= TABLE_ELEMENTS;
        self.denied |= !fits;
        Ok(fits)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        CORE_INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

/// The deadline has passed.
#[derive(Debug)]
struct TimeIsUp;

impl fmt::Display for TimeIsUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its time was up")
    }
}

impl std::error::Error for TimeIsUp {}

/// An instance and its limits.
pub(crate) struct Sandbox<'a> {
    store: Store<State>,
    instance: Box<dyn Instance>,
    limits: PluginLimits,
    _ticking: Ticking,
    // Given back last: the instance's place in the pools is free when the next one gets it.
    _permit: Permit<'a>,
}

impl<'a> Sandbox<'a> {
    /// A fresh instance. Waits for its turn where many run already.
    pub(crate) fn open(host: &'a Inner, loaded: &Loaded, ask: &Ask) -> Result<Self, Fault> {
        let permit = host.permits.take();
        let machine =
            |error: std::io::Error| Fault::new(Reason::Compile, format!("no thread for the clock of calls: {error}"));
        let ticking = host.engines.ticker.hold().map_err(machine)?;
        let limits = ask.limits;
        let meter = Meter { limit: limits.memory_bytes, memory: 0, peak: 0, denied: false };
        let state = State { meter, deadline: Instant::now(), lookups: ask.lookups.clone() };
        let mut store = Store::new(loaded.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.epoch_deadline_callback(look_at_time);
        begin(&mut store, &limits)?;
        store.set_hostcall_fuel(START_BYTES);
        let instance = match loaded.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => return Err(fault_of(&error, &store, &limits, Reason::Trap)),
        };
        Ok(Sandbox { store, instance, limits, _ticking: ticking, _permit: permit })
    }

    /// Whether everything that the plugin exports has the types of its contract.
    pub(crate) fn check_types(&mut self) -> Result<(), PluginError> {
        let checked = self.instance.check_types(&mut self.store);
        checked.map_err(|error| PluginError::Signature { message: one_line(&format!("{error:#}")) })
    }

    /// Calls it. What it gives may have so many bytes.
    pub(crate) fn call<T>(
        &mut self,
        bytes: usize,
        call: impl FnOnce(&dyn Instance, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        begin(&mut self.store, &self.limits)?;
        self.store.set_hostcall_fuel(bytes);
        let called = call(&*self.instance, &mut self.store);
        called.map_err(|error| fault_of(&error, &self.store, &self.limits, Reason::Output))
    }

    /// Calls a function that may say that it failed.
    pub(crate) fn ask<T>(
        &mut self,
        bytes: usize,
        call: impl FnOnce(&dyn Instance, &mut Store<State>) -> Said<T>,
    ) -> Result<T, Fault> {
        self.call(bytes, call)?.map_err(says_failed)
    }

    /// The most bytes of memory that it had so far.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.store.data().meter.peak
    }
}

/// Gives the instance its time and fuel for what comes next.
fn begin(store: &mut Store<State>, limits: &PluginLimits) -> Result<(), Fault> {
    store.data_mut().deadline = Instant::now() + Duration::from_millis(limits.time_ms);
    store.set_epoch_deadline(1);
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel).map_err(|error| Fault::new(Reason::Compile, one_line(&error.to_string())))?;
    }
    Ok(())
}

fn look_at_time(store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    if Instant::now() >= store.data().deadline {
        return Err(TimeIsUp.into());
    }
    Ok(UpdateDeadline::Continue(1))
}

/// What an error of wasmtime means. One that isn't a trap is of the reason `otherwise`: that an instance couldn't be made, or that what
/// came back couldn't be read.
fn fault_of(error: &wasmtime::Error, store: &Store<State>, limits: &PluginLimits, otherwise: Reason) -> Fault {
    let trap = error.downcast_ref::<Trap>().copied();
    if error.is::<TimeIsUp>() || trap == Some(Trap::Interrupt) {
        return Fault::new(Reason::Timeout, format!("took longer than its {} ms", limits.time_ms));
    }
    if trap == Some(Trap::OutOfFuel) {
        return Fault::new(Reason::Fuel, format!("used up its {} units of fuel", limits.fuel.unwrap_or_default()));
    }
    if trap == Some(Trap::StackOverflow) {
        return Fault::new(Reason::Stack, "recursed too deep");
    }
    if store.data().meter.denied {
        let message = format!("wanted more memory or table than it may have ({} MiB)", limits.memory_bytes >> 20);
        return Fault::new(Reason::Memory, message);
    }
    match trap {
        Some(trap) => Fault::new(Reason::Trap, one_line(&trap.to_string())),
        None => Fault::new(otherwise, one_line(&format!("{error:#}"))),
    }
}

fn says_failed(said: SaysFailed) -> Fault {
    let message = one_line(&said.message);
    let message = if message.is_empty() { "says that it failed, and not why".to_owned() } else { message };
    Fault::new(Reason::Failed, said.row.map_or(message.clone(), |row| format!("{message} (row {row} of its batch)")))
}

impl PluginError {
    pub(crate) fn from_describing(fault: Fault) -> Self {
        PluginError::Describe { reason: fault.reason, message: fault.message }
    }
}
