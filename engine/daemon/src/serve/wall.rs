//! The clock on the wall, and waiting by it.

use std::{future::Future, pin::Pin, time::Duration};

use tierd_model::Timestamp;

/// The clock on the wall, and waiting: the only place where a daemon learns the time, so that tests can turn it as they like.
pub trait Wall: Send + Sync + std::fmt::Debug {
    /// What the clock shows. It may jump either way.
    fn now(&self) -> Timestamp;

    /// Waits as long as time passes for the machine (a monotonic clock), whatever the clock on the wall does.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// This machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemWall;

impl Wall for SystemWall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_micros());
        Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
