//! One connection to the ledger that stays open, and does nothing.
//!
//! In WAL mode even a reader needs the ledger's `-shm` file. The last connection that is closed removes it, and on a full disk nobody can
//! make it again: then not even levels and status could be read. So one connection is kept as long as the daemon lives. It never has a
//! transaction open, so that it holds up no checkpoint.

use std::time::Duration;

use tierd_ledger::Reader;

use super::Handle;

/// How often one looks whether there is a ledger.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps the connection until the daemon stops.
pub(super) async fn task(handle: Handle) {
    tokio::select! {
        () = handle.stopped() => {}
        _reader = open(handle.clone()) => handle.stopped().await,
    }
}

async fn open(handle: Handle) -> Reader {
    loop {
        let of = handle.clone();
        if let Ok(Ok(reader)) = tokio::task::spawn_blocking(move || of.reader()).await {
            return reader;
        }
        handle.parts().wall.sleep(LOOK).await;
    }
}
