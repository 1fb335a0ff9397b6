//! Requests that are too large, too slow, too many, or not what they say.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Shop, TOKEN, exchange, post};

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let shop = Shop::open().await;
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    for (path, status, problem) in [
        ("/nowhere", 404, "unknown-path"),
        ("/api/v1/runs?limit=0", 400, "bad-request"),
        ("/api/v1/runs?limit=x", 400, "bad-query"),
        ("/api/v1/runs?limits=1", 400, "bad-query"),
        ("/api/v1/runs/x", 400, "bad-path"),
        ("/api/v1/rules/files/nowhere.toml", 404, "unknown-file"),
        ("/api/v1/rules/files/../tierd.toml", 404, "unknown-file"),
        ("/api/v1/rules/files//etc/passwd", 404, "unknown-file"),
    ] {
        let answer = shop.get(path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{path}");
    }
    for (path, body, status, problem) in [
        ("/api/v1/status", "{}", 405, "unknown-method"),
        ("/api/v1/check", "{", 400, "bad-json"),
        ("/api/v1/check", "{}", 422, "bad-document"),
        ("/api/v1/check", "{\"files\": {}, \"more\": 1}", 422, "bad-document"),
        ("/api/v1/runs", "{\"as_of\": \"yesterday\"}", 422, "bad-time"),
        ("/api/v1/runs", "{\"schedules\": [\"none\"]}", 422, "unknown-schedule"),
        ("/api/v1/runs", "{\"wait\": 51}", 422, "bad-wait"),
    ] {
        let answer = shop.tcp(&post(path, &token, body)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{path} {body}");
    }
    let plain = post("/api/v1/check", &token, "{}").replace("application/json", "text/plain");
    let answer = shop.tcp(&plain).await;
    assert_eq!((answer.status, answer.problem().as_str()), (415, "not-json"));
    assert!(shop.tcp(&post("/api/v1/status", &token, "{}")).await.header("allow").unwrap().contains("get"));
}

#[tokio::test]
async fn bodies_and_heads_that_are_too_large_are_refused() {
    let shop = Shop::open().await;
    let large = json!({ "by": "x".repeat(70_000) });
    let answer = shop.post("/api/v1/tasks/abcd/done", &large).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-large"));
    // Rule files may be larger.
    let files = json!({ "files": { "rules/value.toml": format!("# {}", "x".repeat(70_000)) } });
    assert_eq!(shop.post("/api/v1/check", &files).await.status, 200);
    let head = format!("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n", "x".repeat(80_000));
    assert_eq!(shop.tcp(&head).await.status, 431);
    let many: String = (0..80).map(|n| format!("X-{n}: 1\r\n")).collect();
    assert_eq!(shop.tcp(&format!("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")).await.status, 431);
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_take_it() {
    let shop = Shop::open().await;
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n")
    };
    let large = shop.tcp(&get("/api/v1/openapi.json")).await;
    assert_eq!(large.header("content-encoding"), Some("gzip"));
    assert!(large.body.starts_with(&[0x1f, 0x8b]));
    assert_eq!(shop.tcp(&get("/-/healthy")).await.header("content-encoding"), None);
    assert_eq!(shop.get("/api/v1/openapi.json").await.header("content-encoding"), None);
}

#[tokio::test]
async fn a_stop_lets_open_requests_finish_and_closes_idle_connections() {
    let shop = Shop::open().await;
    let mut idle = TcpStream::connect(shop.address).await.unwrap();
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let request = post("/api/v1/runs", &format!("Authorization: Bearer {TOKEN}\r\n"), "{\"wait\": 50}");
    let open = tokio::spawn(exchange_later(TcpStream::connect(shop.address).await.unwrap(), request));
    let mut running = shop.handle().watch_runs();
    running.changed().await.unwrap();
    assert!(shop.close().await, "everything is answered in time");
    assert_eq!(open.await.unwrap(), 200);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the idle connection is closed");
}

async fn exchange_later(stream: TcpStream, request: String) -> u16 {
    exchange(stream, &request).await.status
}

#[tokio::test]
async fn the_socket_is_there_while_the_daemon_is() {
    let shop = Shop::open().await;
    let socket = shop.socket();
    assert_eq!(shop.unix("GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.status, 200);
    assert!(shop.close().await);
    assert!(!socket.exists());
}
