//! Plugins that are compiled and linked, and which of them are kept.
//!
//! Whoever runs a plugin holds on to it, so that a new one in its place changes nothing for a run that has begun. Beside that the last few are
//! kept, so that looking at a file, checking its rules and running it compile it once; older ones go when nobody holds them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Instant,
};

use tierd_rules::plugin::{PluginDescription, PluginHash, PluginLimits};
use wasmtime::{Engine, Store, component::Component};

use crate::{
    cache::Cache,
    compile::Compiler,
    contract::{self, Instance, Kinds, Prepared},
    engine::{self, Engines},
    error::PluginError,
    intake,
    records::Records,
    sandbox::State,
};

/// Whether fuel is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Speed {
    /// It isn't.
    Full,
    /// It is.
    Metered,
}

impl Speed {
    pub(crate) fn under(limits: &PluginLimits) -> Self {
        if limits.fuel.is_some() { Speed::Metered } else { Speed::Full }
    }
}

/// A plugin that is compiled and linked.
pub(crate) struct Loaded {
    engine: Engine,
    prepared: Arc<dyn Prepared>,
    code_bytes: usize,
    description: OnceLock<Arc<PluginDescription>>,
}

impl Loaded {
    pub(crate) fn load(
        engines: &Engines,
        compiler: &Compiler,
        cache: Option<&Cache>,
        records: &Records,
        bytes: &[u8],
        hash: PluginHash,
        speed: Speed,
    ) -> Result<Self, PluginError> {
        intake::look_at(bytes)?;
        let engine = engines.get(speed)?;
        let compatibility = engine::compatibility(&engine);
        let (component, seconds) = match cache.and_then(|cache| from_cache(&engine, cache, hash, &compatibility)) {
            Some(component) => (component, None),
            None => {
                let begun = Instant::now();
                let compiled = compiler.compile(bytes, speed)?;
                let seconds = begun.elapsed().as_secs_f64();
                if let Some(cache) = cache {
                    // A disk that is full costs time at the next start and nothing else.
                    let _ = cache.keep(hash, &compatibility, &compiled);
                }
                (from_compiler(&engine, &compiled)?, Some(seconds))
            }
        };
        let prepared = contract::prepare(&component)?;
        records.loaded(hash, seconds);
        let image = component.image_range();
        let code_bytes = (image.end as usize).saturating_sub(image.start as usize);
        Ok(Loaded { engine, prepared, code_bytes, description: OnceLock::new() })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn kinds(&self) -> Kinds {
        self.prepared.kinds()
    }

    pub(crate) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Instance>> {
        self.prepared.instantiate(store)
    }

    /// What it says of itself; it is asked once, and again if that failed.
    pub(crate) fn description(
        &self,
        ask: impl FnOnce() -> Result<PluginDescription, PluginError>,
    ) -> Result<Arc<PluginDescription>, PluginError> {
        if let Some(said) = self.description.get() {
            return Ok(said.clone());
        }
        let said = Arc::new(ask()?);
        Ok(self.description.get_or_init(|| said).clone())
    }
}

fn from_cache(engine: &Engine, cache: &Cache, hash: PluginHash, compatibility: &str) -> Option<Component> {
    let path = cache.find(hash, compatibility)?;
    // SAFETY: the file is one that `Cache::keep` wrote, whole (its checksum has just been compared), from what our compiler gave. It lies in
    // a folder that only this user may enter, and files there are replaced by renaming and never written again, so it stays as it
    // is while it is mapped.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

fn from_compiler(engine: &Engine, compiled: &[u8]) -> Result<Component, PluginError> {
    // SAFETY: the bytes come from wasmtime's compiler, in this process or in a child that is this program, and have been nowhere else.
    let component = unsafe { Component::deserialize(engine, compiled) };
    component.map_err(|error| PluginError::Compile { message: format!("{error:#}") })
}

/// Plugins kept at most beside those that are held.
const KEPT: usize = 16;
/// Bytes of code of theirs at most; one is always kept.
const KEPT_BYTES: usize = 64 << 20;

type Key = (PluginHash, Speed);

/// The plugins that are loaded in this process.
#[derive(Default)]
pub(crate) struct LoadedPlugins {
    state: Mutex<Kept>,
    /// Held while one is loaded: one compiler at a time, and never the same plugin twice.
    loading: Mutex<()>,
}

#[derive(Default)]
struct Kept {
    all: HashMap<Key, Weak<Loaded>>,
    /// The last ones asked for, newest first.
    recent: VecDeque<(Key, Arc<Loaded>)>,
}

impl LoadedPlugins {
    /// The plugin of this hash; `load` is asked for it where it isn't loaded.
    pub(crate) fn get(
        &self,
        hash: PluginHash,
        speed: Speed,
        load: impl FnOnce() -> Result<Loaded, PluginError>,
    ) -> Result<Arc<Loaded>, PluginError> {
        let key = (hash, speed);
        if let Some(found) = self.lock().find(key) {
            return Ok(found);
        }
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.lock().find(key) {
            return Ok(found);
        }
        let loaded = Arc::new(load()?);
        self.lock().keep(key, loaded.clone());
        Ok(loaded)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, key: Key) -> Option<Arc<Loaded>> {
        let found = self.all.get(&key)?.upgrade()?;
        self.keep(key, found.clone());
        Some(found)
    }

    fn keep(&mut self, key: Key, loaded: Arc<Loaded>) {
        self.recent.retain(|(other, _)| *other != key);
        self.all.insert(key, Arc::downgrade(&loaded));
        self.recent.push_front((key, loaded));
        let mut bytes = 0;
        let within = self.recent.iter().take(KEPT).take_while(|(_, loaded)| {
            bytes += loaded.code_bytes;
            bytes <= KEPT_BYTES
        });
        let within = within.count().max(1);
        self.recent.truncate(within);
        self.all.retain(|_, loaded| loaded.strong_count() > 0);
    }
}
