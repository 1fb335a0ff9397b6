use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tierd_daemon::{
    Project,
    serve::{self, Serving, SystemWall},
};
use tierd_http::Server;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const CONFIG: &str = r#"
time_zone = "UTC"
[database]
sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
[subject.customer.attributes]
spend = "integer"
"#;

pub(crate) const RULES: &str = r#"
[tiers.value]
[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "B"
when = "spend >= 50"
[[tiers.value.level]]
name = "A"
when = "spend >= 90"

[retention.thank]
when = "spend >= 99"
action = { task = "call", owner = "anna" }
"#;

/// A daemon on a shop of customers 1 to 100, whose spend is their key.
pub(crate) struct Shop {
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    serving: Serving,
    server: Server,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Shop {
    /// With a token, and an example of each list of names.
    pub(crate) async fn open() -> Self {
        let http =
            "token_file = \"token\"\nhosts = [\"tierd.example.com\"]\norigins = [\"https://console.example.com\"]\n";
        Shop::with(http).await
    }

    /// With these lines in `[http]`.
    pub(crate) async fn with(http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("tierd.toml"), format!("{CONFIG}[http]\nlisten = \"127.0.0.1:0\"\n{http}")).unwrap();
        fs::create_dir(at("rules")).unwrap();
        fs::write(at("rules/value.toml"), RULES).unwrap();
        fs::write(at("token"), TOKEN).unwrap();
        fs::set_permissions(at("token"), fs::Permissions::from_mode(0o600)).unwrap();
        make_database(&at("shop.db"));
        let serving = serve::start(Project::open(folder.path()).unwrap(), Arc::new(SystemWall)).await.unwrap();
        let server = tierd_http::serve(serving.handle().clone()).await.unwrap();
        Shop { address: server.address().unwrap(), folder, serving, server }
    }

    pub(crate) fn handle(&self) -> &serve::Handle {
        self.serving.handle()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("tierd.sock")
    }

    /// Sends bytes over TCP, and reads until the other end closes.
    pub(crate) async fn tcp(&self, request: &str) -> Answer {
        exchange(TcpStream::connect(self.address).await.unwrap(), request).await
    }

    /// The same over the Unix socket.
    pub(crate) async fn unix(&self, request: &str) -> Answer {
        exchange(UnixStream::connect(self.socket()).await.unwrap(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.tcp(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await
    }

    /// The document at a path that must be there.
    pub(crate) async fn document(&self, path: &str) -> Json {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Asks for a change, with the token.
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Answer {
        self.tcp(&post(path, &format!("Authorization: Bearer {TOKEN}\r\n"), &body.to_string())).await
    }

    /// Grades everybody.
    pub(crate) async fn grade(&self) -> Json {
        let answer = self.post("/api/v1/runs", &json!({ "wait": 50 })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Stops; returns whether every answer was given in time.
    pub(crate) async fn close(self) -> bool {
        let patience = Duration::from_secs(20);
        let (_, finished) = tokio::join!(self.serving.stop(patience), self.server.finish(patience));
        finished
    }
}

fn make_database(path: &std::path::Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    let sql = "CREATE TABLE customers (id INTEGER PRIMARY KEY, spend INTEGER NOT NULL);
               WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 100)
               INSERT INTO customers SELECT id, id FROM n;";
    conn.execute_batch(sql).unwrap();
}

/// A POST over a connection of its own, with more header lines.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &str) -> Answer {
    // A service that refuses early may close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    Answer::parse(&bytes)
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = bytes[end + 4..].to_vec();
        let body = if head.contains("transfer-encoding: chunked") { joined(&body) } else { body };
        Answer { status, head, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The stable word of a problem document that is one in every respect.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert!(document["title"].is_string() && document["detail"].is_string(), "{document}");
        document["type"].as_str().unwrap().strip_prefix("urn:tierd:problem:").unwrap().to_owned()
    }
}

/// The chunks of a body.
fn joined(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap().trim(), 16).unwrap();
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
    body
}
