//! The clock of calls: a thread that counts up the engines' epochs, so that code that runs looks whether its time is up.
//!
//! It lives only while somebody holds it. Calls look at the time themselves when the epoch has changed (see `sandbox`), so a tick that
//! comes late delays an end and never brings one forward.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wasmtime::{Engine, EngineWeak};

/// How often running code looks at the time.
const TICK: Duration = Duration::from_millis(5);

/// Counts up epochs while it is held.
#[derive(Clone, Default)]
pub(crate) struct Ticker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    holders: usize,
    running: bool,
    engines: Vec<EngineWeak>,
}

/// As long as it is kept, epochs are counted up.
pub(crate) struct Ticking(Arc<Shared>);

impl Ticker {
    /// Counts up the epoch of this engine too.
    pub(crate) fn add(&self, engine: &Engine) {
        self.0.lock().engines.push(engine.weak());
    }

    /// Begins to tick, unless it already does.
    ///
    /// # Errors
    /// If no thread can be started: without it no call would ever end.
    pub(crate) fn hold(&self) -> io::Result<Ticking> {
        let mut state = self.0.lock();
        if !state.running {
            let shared = self.0.clone();
            thread::Builder::new()
                .name("plugin-ticker".to_owned())
                .stack_size(64 << 10)
                .spawn(move || shared.tick())?;
            state.running = true;
        }
        state.holders += 1;
        Ok(Ticking(self.0.clone()))
    }
}

impl Shared {
    /// Nothing panics while it is locked, so a poisoned lock holds what a whole one would.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut state = self.lock();
        while state.holders > 0 {
            state.engines.retain(|engine| {
                engine.upgrade().is_some_and(|engine| {
                    engine.increment_epoch();
                    true
                })
            });
            let waited = self.released.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.running = false;
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.holders -= 1;
        if state.holders == 0 {
            self.0.released.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_thread_ends_when_nobody_holds_it_and_begins_again() {
        let ticker = Ticker::default();
        for _ in 0..3 {
            let one = ticker.hold().unwrap();
            let two = ticker.hold().unwrap();
            drop(one);
            assert!(ticker.0.lock().running);
            drop(two);
            while ticker.0.lock().running {
                thread::yield_now();
            }
        }
    }
}
