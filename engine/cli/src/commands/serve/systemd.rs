//! What the service manager is told (sd_notify(3)): ready, reloading, stopping, a line of status, and, where it asks for that, signs
//! of life. Without a service manager, nothing of this happens.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::{Duration, Instant},
};

use sd_notify::NotifyState;
use tierd_daemon::serve::{Handle, Liveness, Part, Patience};
use tracing::{debug, error, warn};

use crate::session::local_time;

/// The status is looked at so often, where nobody asks for signs of life.
const LOOK: Duration = Duration::from_secs(5);

/// A service manager that doesn't listen is waited for this long: on a thread that has other work to do.
const PATIENCE: Duration = Duration::from_millis(100);

/// Everything is in place.
pub(super) fn ready(handle: &Handle) {
    tell(&[NotifyState::Ready, NotifyState::Status(&status(handle))]);
}

/// The files are being read again. [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It is about to end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Keeps the status line up to date, and gives signs of life as long as all parts move.
pub(super) async fn watch(handle: Handle, patience: Patience) {
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(LOOK, |timeout| (timeout / 3).min(LOOK));
    let mut liveness = Liveness::new(handle.clone(), patience);
    let mut told = String::new();
    let mut stuck = None;
    loop {
        tokio::time::sleep(every).await;
        let now_stuck = liveness.stuck(Instant::now());
        if watchdog.is_some() && now_stuck.is_none() {
            tell(&[NotifyState::Watchdog]);
        }
        if now_stuck != stuck {
            say(now_stuck);
            stuck = now_stuck;
        }
        let status = status(&handle);
        if status != told {
            tell(&[NotifyState::Status(&status)]);
            told = status;
        }
    }
}

fn say(stuck: Option<Part>) {
    match stuck {
        Some(part) => error!(%part, "a part of tierd stands still; the watchdog gets no sign of life"),
        None => warn!("every part of tierd moves again"),
    }
}

fn tell(states: &[NotifyState<'_>]) {
    let message: String = states.iter().map(|state| format!("{state}\n")).collect();
    if let Err(error) = send(message.as_bytes()) {
        debug!(%error, "the service manager can't be told");
    }
}

fn send(message: &[u8]) -> io::Result<()> {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to_addr(message, &address).map(drop)
}

/// `revision ab12cd34ef56, next run 2026-04-01 02:15 Asia/Shanghai, last run 41 applied`
fn status(handle: &Handle) -> String {
    let active = handle.active();
    let mut parts = vec![format!("revision {}", active.rules.revision.short())];
    if active.refused.is_some() {
        parts.push("the files are refused".to_owned());
    }
    if handle.running().is_some() {
        parts.push("a run is being made".to_owned());
    }
    let next = handle.schedules().schedules.iter().filter_map(|schedule| schedule.begins).min();
    if let Some(next) = next {
        parts.push(format!("next run {}", local_time(next, &active.rules.config.zone)));
    }
    if let Some(last) = handle.last_run() {
        // Why it was held or failed may quote values of the database.
        let outcome = last.outcome.name();
        parts.push(
            last.run.map_or_else(|| format!("last run {outcome}"), |run| format!("last run {} {outcome}", run.0)),
        );
    }
    parts.join(", ")
}
