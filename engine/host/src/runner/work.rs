//! Works jobs off on several threads, and gives what they give in their order.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::fault::Fault;

/// Threads at most.
const THREADS: usize = 8;
/// Bytes of stack of a thread: what plugins may use, and room for what they call.
const STACK: usize = 2 << 20;

/// What `job` gives for `0..jobs`. If some fail, the failure of the first of them: jobs begin in order, so it is the same on any number of
/// threads.
pub(super) fn in_order<T: Send>(jobs: usize, job: impl Fn(usize) -> Result<T, Fault> + Sync) -> Result<Vec<T>, Fault> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(jobs);
    if threads <= 1 {
        return (0..jobs).map(job).collect();
    }
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= jobs || at > failed.load(Ordering::Relaxed) {
                return done;
            }
            let result = job(at);
            if result.is_err() {
                failed.fetch_min(at, Ordering::Relaxed);
            }
            done.push((at, result));
        }
    };
    let mut done = thread::scope(|scope| {
        // Where no more threads can be had, those that there are do it all.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Reason;

    #[test]
    fn gives_results_in_order_and_the_first_failure() {
        assert_eq!(in_order(1000, Ok), Ok((0..1000).collect::<Vec<_>>()));
        for _ in 0..20 {
            let failing = |at: usize| match at {
                17 | 18 | 40 => Err(Fault::new(Reason::Trap, at.to_string())),
                _ => Ok(at),
            };
            assert_eq!(in_order(100, failing), Err(Fault::new(Reason::Trap, "17")));
        }
    }
}
