//! Sees that files change, and asks for a look at them.
//!
//! Folders are watched, never files: editors and Kubernetes put another file into the place of one, and a watch on the file itself
//! would go on with the one that is gone. What an event says isn't relied on, only that there was one: each look reads everything,
//! so that an event queue that overflows, or a half-seen rename, costs nothing.
//!
//! A look waits until nothing has happened for [`SETTLE`], so that two files that change together are seen together, but no longer
//! than [`CAP`]: other files in these folders may never rest, and the look itself minds those that count. Every [`POLL`], files are also compared by size and
//! times, for changes that make no event: bind mounts, network file systems, a watcher that failed.
//!
//! This module decides nothing about rules.

mod eyes;
mod print;
mod targets;

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Handle, ReloadCause, Wall,
    reload::{Ask, ReloadRequest},
};
use eyes::Eyes;
use print::Print;

/// How long files must have been quiet.
pub(super) const SETTLE: Duration = Duration::from_millis(300);

/// How long a look waits at most for files to become quiet.
const CAP: Duration = Duration::from_secs(3);

/// How often files are compared without an event.
const POLL: Duration = Duration::from_secs(30);

/// Whether changes of files are seen at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watching {
    /// By events of so many folders, and every 30 seconds besides.
    Events {
        /// How many.
        folders: usize,
    },
    /// Only every 30 seconds.
    PollOnly {
        /// Why there are no events.
        reason: String,
    },
}

/// Watches until the daemon stops.
pub(super) async fn task(handle: Handle) {
    let changed = Arc::new(Notify::new());
    let eyes = Arc::new(Mutex::new(Eyes::new(Arc::clone(&changed))));
    let mut before = None;
    // What changed between the first reading and the first watch is found by a look.
    let mut cause = ReloadCause::Poll;
    loop {
        // Aimed before looking: what changes after that makes an event.
        let print = aim(&handle, &eyes).await;
        let changed_since = cause == ReloadCause::Watch || print.is_none() || print != before;
        before = print;
        handle.ask(if changed_since { Ask::Look(ReloadRequest { cause, reply: None }) } else { Ask::Nothing }).await;
        cause = tokio::select! {
            biased;
            () = handle.stopped() => return,
            () = changed.notified() => ReloadCause::Watch,
            () = handle.parts().wall.sleep(POLL) => ReloadCause::Poll,
        };
        if cause == ReloadCause::Watch {
            settled(&*handle.parts().wall, &changed).await;
        }
    }
}

/// Points the watcher at the folders that there are now, and takes the print of their files.
async fn aim(handle: &Handle, eyes: &Arc<Mutex<Eyes>>) -> Option<Print> {
    let (project, eyes, now) = (handle.project().clone(), Arc::clone(eyes), handle.now());
    let work = move || {
        let watching = eyes.lock().unwrap_or_else(PoisonError::into_inner).aim(&project);
        (watching, Print::take(&project, now))
    };
    let (watching, print) = tokio::task::spawn_blocking(work).await.ok()?;
    tell(handle, watching);
    print
}

/// Says it once, when it changes.
fn tell(handle: &Handle, watching: Watching) {
    let news = handle.parts().watching.send_if_modified(|told| {
        let kind = std::mem::discriminant(told) != std::mem::discriminant(&watching);
        *told = watching.clone();
        kind
    });
    if let (true, Watching::PollOnly { reason }) = (news, &watching) {
        tracing::warn!(reason, "changes of files aren't seen at once, only every 30 seconds");
    }
}

/// Waits until nothing has happened for [`SETTLE`], at most [`CAP`].
async fn settled(wall: &dyn Wall, changed: &Notify) {
    let mut cap = pin!(wall.sleep(CAP));
    loop {
        tokio::select! {
            biased;
            () = &mut cap => return,
            () = changed.notified() => {}
            () = wall.sleep(SETTLE) => return,
        }
    }
}
