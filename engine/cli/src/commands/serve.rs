//! `tierd serve`: the daemon as a process: its log, its signals, and what it tells the service manager.

mod log;
mod systemd;

use std::{path::Path, sync::Arc, time::Duration};

use tierd_daemon::serve::{self, Patience, ReloadCause, Serving, StartError, SystemWall};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::{
    args::ServeArgs,
    exit::{Code, Failure},
    output::Output,
    session,
};

/// SIGXFSZ, on Linux for PCs and ARM.
const FILE_SIZE_LIMIT: SignalKind = SignalKind::from_raw(25);

/// Serves the project until it is told to stop.
pub(crate) fn serve(args: &ServeArgs, folder: &Path, _output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    log::begin(args.log_format, args.log_level);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::from_error(Code::Failed, &error))?;
    let served = runtime.block_on(async {
        let failed = |error: std::io::Error| Failure::from_error(Code::Failed, &error);
        let (mut ends, hangups) = (Ends::new().map_err(failed)?, signal(SignalKind::hangup()).map_err(failed)?);
        // Heard, a file that may not grow is an error like a full disk; unheard, it would end the process.
        let _limits = signal(FILE_SIZE_LIMIT).map_err(failed)?;
        let serving = tokio::select! {
            serving = serve::start(project, Arc::new(SystemWall)) => serving.map_err(|error| refused(&error))?,
            signal = ends.next() => {
                begin_end(signal);
                return Ok(());
            }
        };
        attend(serving, ends, hangups, args).await
    });
    // A run that wasn't done in time sits on a thread that nothing can interrupt; it has written nothing.
    runtime.shutdown_background();
    served
}

/// The signals by which somebody wants an end.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn new() -> std::io::Result<Self> {
        Ok(Ends { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// From the start to the end of a daemon.
async fn attend(serving: Serving, mut ends: Ends, mut hangups: Signal, args: &ServeArgs) -> Result<(), Failure> {
    let patience = Duration::from_secs(args.stop_after);
    let handle = serving.handle().clone();
    let active = handle.active();
    let http = tierd_http::serve(handle.clone()).await;
    let http = http.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = active.rules.revision.short(),
        http = http.address().map(tracing::field::display),
        socket = http.socket().map(|path| tracing::field::display(path.display())),
        "started"
    );
    systemd::ready(&handle);
    let watching = tokio::spawn(systemd::watch(
        handle.clone(),
        Patience { run: Duration::from_secs(args.stuck_after), ..Patience::default() },
    ));
    let signal = loop {
        tokio::select! {
            signal = ends.next() => break signal,
            // Asked on the side: a signal to end isn't kept waiting by a slow disk.
            _ = hangups.recv() => { tokio::spawn(reload(handle.clone())); }
        }
    };
    begin_end(signal);
    watching.abort();
    let running = handle.running().is_some();
    let finished = tokio::select! {
        // Answers that are being given are finished too.
        (finished, _) = async { tokio::join!(serving.stop(patience), http.finish(patience)) } => finished,
        _ = ends.next() => false,
    };
    if running && !finished {
        warn!("the run that was being made is abandoned");
        return Err(Failure::silent(Code::Failed));
    }
    info!("stopped");
    Ok(())
}

fn begin_end(signal: &str) {
    info!(signal, "stopping");
    systemd::stopping();
}

async fn reload(handle: serve::Handle) {
    systemd::reloading();
    handle.reload(ReloadCause::Signal).await;
    systemd::ready(&handle);
}

fn refused(error: &StartError) -> Failure {
    let code = match error {
        StartError::Project(_) | StartError::NoRules { .. } => Code::Config,
        StartError::Ended => Code::Failed,
        StartError::Ledger(_) | StartError::Served { .. } | StartError::Lock { .. } => Code::Unreachable,
    };
    Failure::from_error(code, error)
}
