//! The host: engines, compiled plugins and what is remembered of them, shared by everything that runs plugins in a program.

use std::{path::PathBuf, sync::Arc, time::Instant};

use tierd_eval::plugin::PluginFailure;
use tierd_rules::plugin::{Plugin, PluginCall, PluginDescription, PluginHash, PluginLimits};

use crate::{
    cache::Cache,
    compile::Compiler,
    description,
    engine::Engines,
    error::PluginError,
    loaded::{Loaded, LoadedPlugins, Speed},
    lookups::LookupData,
    permits::Permits,
    records::{PluginStats, Records},
    runner::Runner,
    sandbox::{Ask, Sandbox},
    self_test,
};

/// How plugins are compiled, and where what was compiled is kept.
#[derive(Debug, Clone, Default)]
pub struct HostOptions {
    /// A folder for compiled plugins; made with mode 0700 where it doesn't exist. `None` to compile anew in every process.
    pub cache: Option<PathBuf>,
    /// Who compiles.
    pub compiler: Compiler,
}

/// Runs plugins. Cheap to clone: clones share everything.
///
/// ```
/// use tierd_host::{Host, HostOptions};
/// let host = Host::new(HostOptions::default());
/// assert_eq!(host.describe(b"#!/bin/sh").unwrap_err().to_string(), "isn't WebAssembly");
/// ```
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engines: Engines,
    pub(crate) permits: Permits,
    pub(crate) records: Records,
    compiler: Compiler,
    cache: Option<Cache>,
    cache_problem: Option<String>,
    loaded: LoadedPlugins,
}

/// What a plugin may take while it is asked what it offers: the same for all, since its own limits may be set by what it says. Fuzzing has
/// less patience.
const DESCRIBE: PluginLimits =
    PluginLimits { memory_bytes: 256 << 20, time_ms: if cfg!(fuzzing) { 100 } else { 5000 }, fuel: None };

/// Bytes of a description at most.
const DESCRIPTION_BYTES: usize = 1 << 20;

impl Host {
    /// A host. Starts nothing: engines and threads begin with the first plugin.
    pub fn new(options: HostOptions) -> Self {
        let (cache, cache_problem) = match options.cache.map(Cache::open).transpose() {
            Ok(cache) => (cache, None),
            Err(problem) => (None, Some(problem)),
        };
        Host(Arc::new(Inner {
            engines: Engines::default(),
            permits: Permits::default(),
            records: Records::default(),
            compiler: options.compiler,
            cache,
            cache_problem,
            loaded: LoadedPlugins::default(),
        }))
    }

    /// Why the folder for compiled plugins isn't used, if it isn't.
    pub fn cache_problem(&self) -> Option<&str> {
        self.0.cache_problem.as_deref()
    }

    /// Compiles a plugin and asks it what it offers.
    ///
    /// # Errors
    /// [`PluginError`]: it can't be loaded, doesn't keep to the contract, or says what can't be.
    pub fn describe(&self, bytes: &[u8]) -> Result<Arc<PluginDescription>, PluginError> {
        let loaded = self.load(bytes, PluginHash::of(bytes), Speed::Full)?;
        loaded.description(|| self.ask_description(&loaded))
    }

    fn ask_description(&self, loaded: &Loaded) -> Result<PluginDescription, PluginError> {
        let ask = Ask { limits: DESCRIBE, lookups: None };
        let mut sandbox = Sandbox::open(&self.0, loaded, &ask).map_err(PluginError::from_describing)?;
        sandbox.check_types()?;
        let said = sandbox
            .call(DESCRIPTION_BYTES, |instance, store| instance.describe(store))
            .map_err(PluginError::from_describing)?;
        description::check(&said, loaded.kinds())?;
        Ok(said)
    }

    /// Makes two small calls as the rule makes them, with no rows and with a few made-up ones, under the plugin's own limits. That
    /// the plugin says it failed is fine: made-up values may well be none that it can work with.
    ///
    /// # Errors
    /// [`PluginFailure`]: it traps, takes too long or gives what its description doesn't say.
    pub fn self_test(&self, plugin: &Plugin, call: &PluginCall) -> Result<(), PluginFailure> {
        self_test::run(self, plugin, call)
    }

    /// What answers the calls of a run: `plugins` are those of the rule set (calls name them by index), `lookups` the tables of its
    /// configuration, in the configuration's order, `None` for those that nobody is granted.
    ///
    /// The plugins are loaded now and kept until the runner is dropped. One that can't be loaded fails when it is called.
    pub fn runner(&self, plugins: &[Plugin], lookups: &[Option<Arc<LookupData>>]) -> Runner {
        Runner::new(self.clone(), plugins, lookups)
    }

    /// What has been seen of each plugin, those called last first.
    pub fn stats(&self) -> Vec<PluginStats> {
        self.0.records.snapshot(Instant::now())
    }

    /// The compiled plugin, from memory, the cache or the compiler.
    pub(crate) fn load(&self, bytes: &[u8], hash: PluginHash, speed: Speed) -> Result<Arc<Loaded>, PluginError> {
        self.0.loaded.get(hash, speed, || {
            Loaded::load(&self.0.engines, &self.0.compiler, self.0.cache.as_ref(), &self.0.records, bytes, hash, speed)
        })
    }
}
