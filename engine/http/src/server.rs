//! Listening, and connections until they end.
//!
//! Every connection has limits: how long a head may take, how large it may be, how long a request may last, how many connections there are.
//! When the daemon stops, no connection is accepted any more, requests that are being answered go on, and idle connections are closed.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tierd_daemon::serve::Handle;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{
    access::{Access, Peer},
    api,
    socket::Socket,
    token::{Token, TokenError},
};

/// Open connections; more wait until one is closed.
const CONNECTIONS: usize = 256;

/// A head that takes longer ends the connection; so does one that doesn't come after an answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// More headers than that: 431.
const HEADERS: usize = 64;

/// Bytes of a head.
const HEAD_BYTES: usize = 32 * 1024;

/// A connection this old is closed after the answer that it waits for, so that none is kept for ever.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// After the end of its lifetime a connection whose other end doesn't read is cut.
const LAST_ANSWER: Duration = Duration::from_secs(2 * 60);

/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a daemon can't be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Its address can't be listened on.
    #[error("cannot listen on {address}; `listen` in [http] of tierd.toml names another address, or \"off\"")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its socket can't be made.
    #[error("cannot make the socket {}; `socket` in [http] of tierd.toml names another path, or \"off\"", path.display())]
    Socket {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its token can't be used.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A service that answers until its daemon stops.
#[derive(Debug)]
pub struct Server {
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
    listeners: JoinSet<()>,
}

/// Begins to answer for a daemon, as its configuration says. It ends with the daemon.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(handle: Handle) -> Result<Server, ServeError> {
    let rules = Arc::clone(&handle.active().rules);
    let http = &rules.config.http;
    let access = Arc::new(Access::new(http, Token::find(handle.project(), http)?));
    let tcp = match http.listen {
        Some(address) => {
            Some(TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?)
        }
        None => None,
    };
    let path = handle.project().socket(&rules.config);
    let socket = path
        .clone()
        .map(|path| Socket::bind(&path).map_err(|source| ServeError::Socket { path, source }))
        .transpose()?;
    let address = tcp.as_ref().and_then(|tcp| tcp.local_addr().ok());
    let service =
        Service { router: api::router(handle.clone(), access), slots: Arc::new(Semaphore::new(CONNECTIONS)), handle };
    let mut listeners = JoinSet::new();
    if let Some(tcp) = tcp {
        listeners.spawn(service.clone().over_tcp(tcp));
    }
    if let Some(socket) = socket {
        listeners.spawn(service.over_socket(socket));
    }
    Ok(Server { address, socket: path, listeners })
}

impl Server {
    /// The address, with the port that it got.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where its socket is.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Waits until every answer is given, at most this long; the daemon must have been told to stop. Returns whether all of them were.
    pub async fn finish(mut self, patience: Duration) -> bool {
        let done = async { while self.listeners.join_next().await.is_some() {} };
        tokio::time::timeout(patience, done).await.is_ok()
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    slots: Arc<Semaphore>,
    handle: Handle,
}

impl Service {
    async fn over_tcp(self, listener: TcpListener) {
        let mut open = JoinSet::new();
        while let Some(slot) = self.slot(&mut open).await {
            let Some(accepted) = self.until_stopped(listener.accept()).await else { break };
            match accepted {
                Ok((stream, _)) => {
                    // Answers are small, and are written at once.
                    let _ = stream.set_nodelay(true);
                    open.spawn(self.clone().connection(stream, Peer::Tcp, slot));
                }
                Err(error) => pause(&error).await,
            }
        }
        drop(listener);
        finished(open).await;
    }

    async fn over_socket(self, socket: Socket) {
        let mut open = JoinSet::new();
        while let Some(slot) = self.slot(&mut open).await {
            let Some(accepted) = self.until_stopped(socket.accept()).await else { break };
            match accepted {
                Ok((stream, peer)) => {
                    open.spawn(self.clone().connection(stream, peer, slot));
                }
                Err(error) => pause(&error).await,
            }
        }
        drop(socket);
        finished(open).await;
    }

    /// A place for one more connection; `None` when the daemon stops. Forgets those that have ended.
    async fn slot(&self, open: &mut JoinSet<()>) -> Option<OwnedSemaphorePermit> {
        while open.try_join_next().is_some() {}
        let slot = Arc::clone(&self.slots).acquire_owned();
        self.until_stopped(slot).await?.ok()
    }

    async fn until_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.handle.stopped() => None,
            done = future => Some(done),
        }
    }

    /// Answers the requests of one connection.
    async fn connection<S>(self, stream: S, peer: Peer, _slot: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.layer(axum::Extension(peer));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_headers(HEADERS)
            .max_header_size(HEAD_BYTES)
            .max_buf_size(HEAD_BYTES * 2)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.handle.stopped() => None,
            () = tokio::time::sleep(LIFETIME) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(error = %error, "a connection can't be accepted");
    tokio::time::sleep(PAUSE).await;
}

async fn finished(mut open: JoinSet<()>) {
    while open.join_next().await.is_some() {}
}
