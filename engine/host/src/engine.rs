//! The engines: how plugins are compiled and what their code may do. One place for all of it.
//!
//! There are two, with fuel and without, since counting fuel costs a third more time in tight loops and is compiled in. Each begins when
//! the first plugin needs it. The compiler has a third that has no pools of memory, so that it can run under a limit of
//! address space; what it compiles fits the others, which the engine itself checks when it loads it.

use std::{
    hash::{Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmFeatures};

use crate::{error::PluginError, loaded::Speed, permits::INSTANCES, ticker::Ticker};

/// Bytes of stack that a plugin may use.
pub(crate) const STACK_BYTES: usize = 512 << 10;
/// Memories of a plugin at most.
pub(crate) const MEMORIES: usize = 8;
/// Elements of each table at most.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;
/// Modules that a plugin may be made of; Python's are made of 38.
pub(crate) const CORE_INSTANCES: usize = 64;

/// Bytes of each memory that stay with the pool between calls: a stack as compilers lay it out, and about what a batch touches. What is
/// beyond goes back to the system.
const KEEP_RESIDENT: usize = 2 << 20;

/// What plugins may not use. Several memories they may: a compiler told otherwise panics on a valid component that has two. And tail calls, by which
/// JavaScript's interpreter jumps from instruction to instruction: each looks at the time and counts fuel like any call.
const OFF: WasmFeatures = WasmFeatures::MEMORY64
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_GC)
    .union(WasmFeatures::CM64);

/// The engines of a host, each made when it is first needed.
#[derive(Default)]
pub(crate) struct Engines {
    pub(crate) ticker: Ticker,
    full: Mutex<Option<Engine>>,
    metered: Mutex<Option<Engine>>,
}

impl Engines {
    pub(crate) fn get(&self, speed: Speed) -> Result<Engine, PluginError> {
        let slot = match speed {
            Speed::Full => &self.full,
            Speed::Metered => &self.metered,
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*slot {
            return Ok(engine.clone());
        }
        let engine = Engine::new(config(speed).allocation_strategy(pools())).map_err(machine)?;
        self.ticker.add(&engine);
        Ok(slot.insert(engine).clone())
    }
}

/// An engine that only compiles.
pub(crate) fn compiling(speed: Speed) -> Result<Engine, PluginError> {
    Engine::new(config(speed).allocation_strategy(InstanceAllocationStrategy::OnDemand)).map_err(machine)
}

fn machine(error: wasmtime::Error) -> PluginError {
    PluginError::Machine { message: format!("{error:#}") }
}

fn config(speed: Speed) -> Config {
    let mut config = Config::new();
    config
        .wasm_features(OFF, false)
        .max_wasm_stack(STACK_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        // The same run twice gives the same bits. What the bits of a NaN are is left to the kind of processor: no NaN is taken from a plugin, and to
        // make them all one would cost small scorers a third of their time.
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .consume_fuel(speed == Speed::Metered)
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None);
    config
}

fn pools() -> InstanceAllocationStrategy {
    let (instances, all) = (INSTANCES as u32, (INSTANCES * CORE_INSTANCES) as u32);
    let mut pools = PoolingAllocationConfig::new();
    pools
        .total_component_instances(instances)
        .total_core_instances(all)
        .total_memories((INSTANCES * MEMORIES) as u32)
        .total_tables(all)
        .total_gc_heaps(0)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(2 << 20)
        .max_core_instances_per_component(CORE_INSTANCES as u32)
        .max_memories_per_component(MEMORIES as u32)
        .max_memories_per_module(MEMORIES as u32)
        .max_tables_per_component(CORE_INSTANCES as u32)
        .max_tables_per_module(8)
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(2)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pools)
}

/// What compiled code depends on besides the plugin: wasmtime's version, its settings and the processor's abilities. In hexadecimal.
pub(crate) fn compatibility(engine: &Engine) -> String {
    let mut hash = Hashing(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hash);
    hash.0.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hasher that is the same in every process.
struct Hashing(Sha256);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not asked for: the digest is.
    fn finish(&self) -> u64 {
        0
    }
}
