//! Asking the daemon of a project, over its Unix socket: for commands that leave to a daemon what it does better.
//!
//! The caller needs no runtime: each request opens a connection, waits for the answer and closes it. There is no time limit on
//! an answer, because a daemon may be busy with a run; the connection ends with the daemon. TCP isn't spoken here: the socket says who asks, so
//! that no token is needed.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION},
};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tierd_daemon::Project;
use tokio::{net::UnixStream, runtime::Runtime};

/// Asks one daemon.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    runtime: Runtime,
}

/// What a daemon answered, if it did what it was asked to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status, from 200 to 299.
    pub status: u16,
    /// Where there is more to come, for 201 and 202: a path.
    pub location: Option<String>,
    /// The document; null for an answer without one.
    pub body: Json,
}

/// Why there is no answer, or a refusal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The daemon refuses, or failed.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word for it, such as `unknown-run`; empty where the answer has none.
        code: String,
        /// Why, for people.
        detail: String,
    },
    /// The connection ended before the answer was there.
    #[error("the daemon at {} went away before it answered", socket.display())]
    Gone {
        /// Its socket.
        socket: PathBuf,
        /// What happened to the connection.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What answers isn't a daemon of this program.
    #[error("what answers at {} isn't tierd", socket.display())]
    NotTierd {
        /// Its socket.
        socket: PathBuf,
    },
}

impl Client {
    /// A client of the daemon that serves this project, whatever the files are like now: its socket is where it noted when it began,
    /// or, where it could note nothing, where `tierd.toml` says. `None` where none answers.
    pub fn find(project: &Project) -> Option<Self> {
        let noted = || Some(project.folder().join(tierd_daemon::noted(&project.ledger_as_written())?.socket?));
        let at = |socket: PathBuf| Client::connect(&socket);
        noted().and_then(at).or_else(|| project.socket_as_written().and_then(at))
    }

    /// A client of the daemon at this socket; `None` where none answers.
    pub fn connect(socket: &Path) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().ok()?;
        runtime.block_on(UnixStream::connect(socket)).ok()?;
        Some(Client { socket: socket.to_owned(), runtime })
    }

    /// Asks for what is at a path, such as `/api/v1/status`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn get(&self, path: &str) -> Result<Json, ClientError> {
        self.request(Method::GET, path, None).map(|answer| answer.body)
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn post(&self, path: &str, body: &Json) -> Result<Answer, ClientError> {
        self.request(Method::POST, path, Some(body))
    }

    fn request(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Answer, ClientError> {
        self.runtime.block_on(self.exchange(method, path, body))
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Answer, ClientError> {
        let gone = |source| ClientError::Gone { socket: self.socket.clone(), source };
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| gone(error.into()))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| gone(error.into()))?;
        let connection = tokio::spawn(connection);
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))
            .map_err(|error| gone(error.into()))?;
        let response = sender.send_request(request).await.map_err(|error| gone(error.into()))?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| gone(error.into()))?.to_bytes();
        drop(sender);
        // The answer is whole; how the connection ends is of no interest.
        connection.abort();
        let location = head.headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.read(head.status, location, &bytes)
    }

    fn read(&self, status: StatusCode, location: Option<String>, bytes: &[u8]) -> Result<Answer, ClientError> {
        let body = match bytes {
            [] => Ok(Json::Null),
            bytes => serde_json::from_slice(bytes),
        };
        let Ok(body) = body else { return Err(ClientError::NotTierd { socket: self.socket.clone() }) };
        if status.is_success() {
            return Ok(Answer { status: status.as_u16(), location, body });
        }
        let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let code = text("type").strip_prefix(crate::problem::TYPE_PREFIX).unwrap_or_default().to_owned();
        let detail = match text("detail") {
            detail if detail.is_empty() => format!("the daemon answered {status}"),
            detail => detail,
        };
        Err(ClientError::Refused { status: status.as_u16(), code, detail })
    }
}
