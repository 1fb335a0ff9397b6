//! How many instances there may be at once in a program. The pools of memories and instances have room for just these, so an instance is never
//! refused for lack of room: it waits for its turn instead.

use std::sync::{Condvar, Mutex, PoisonError};

/// Instances at once: two calls at full width.
pub(crate) const INSTANCES: usize = 16;

pub(crate) struct Permits {
    free: Mutex<usize>,
    returned: Condvar,
}

impl Default for Permits {
    fn default() -> Self {
        Permits { free: Mutex::new(INSTANCES), returned: Condvar::new() }
    }
}

/// The right to one instance.
pub(crate) struct Permit<'a>(&'a Permits);

impl Permits {
    /// Waits for an instance to be free. Each of them is bounded by a plugin's time, and who has one takes no other, so the wait ends.
    pub(crate) fn take(&self) -> Permit<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.returned.notify_one();
    }
}
