//! `tierd serve`: the daemon.

use std::{path::Path, sync::Arc, time::Duration};

use tierd_daemon::serve::{self, ReloadCause, StartError, SystemWall};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::ServeArgs,
    exit::{Code, Failure},
    output::Output,
    session,
};

/// Serves the project until it is told to stop.
pub(crate) fn serve(args: &ServeArgs, folder: &Path, _output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let patience = Duration::from_secs(args.stop_after);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::from_error(Code::Failed, &error))?;
    let served = runtime.block_on(async {
        let serving = serve::start(project, Arc::new(SystemWall)).await.map_err(|error| refused(&error))?;
        let failed = |error: std::io::Error| Failure::from_error(Code::Failed, &error);
        let (mut stop, mut interrupt) =
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        loop {
            tokio::select! {
                _ = stop.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => { serving.handle().reload(ReloadCause::Signal).await; }
            }
        }
        serving.stop(patience).await;
        Ok(())
    });
    // A run that wasn't done in time sits on a thread that nothing can interrupt; it has written nothing.
    runtime.shutdown_background();
    served
}

fn refused(error: &StartError) -> Failure {
    let code = match error {
        StartError::Project(_) | StartError::NoRules { .. } => Code::Config,
        StartError::Ended => Code::Failed,
        StartError::Ledger(_) | StartError::Served { .. } | StartError::Lock { .. } => Code::Unreachable,
    };
    Failure::from_error(code, error)
}
