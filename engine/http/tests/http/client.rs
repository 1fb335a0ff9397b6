//! The client that commands use, which knows no runtime.

use serde_json::json;
use tierd_http::client::{Client, ClientError};

use crate::support::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_asks_over_the_socket() {
    let shop = Shop::with("").await;
    let socket = shop.socket();
    let asked = tokio::task::spawn_blocking(move || {
        let client = Client::connect(&socket).unwrap();
        assert_eq!(client.get("/-/healthy").unwrap(), json!({ "status": "ok" }));
        let run = client.post("/api/v1/runs", &json!({ "wait": 50 })).unwrap();
        assert_eq!((run.status, &run.body["outcome"]), (200, &json!("applied")));
        let later = client.post("/api/v1/runs", &json!({ "wait": 0 })).unwrap();
        assert_eq!((later.status, later.location.as_deref()), (202, Some("/api/v1/runs/requests/2")));
        match client.get("/api/v1/runs/99").unwrap_err() {
            ClientError::Refused { status, code, detail } => {
                assert_eq!((status, code.as_str(), detail.as_str()), (404, "unknown-run", "there is no run 99"))
            }
            other => panic!("{other}"),
        }
    });
    asked.await.unwrap();
    assert!(shop.close().await);
}

#[test]
fn nobody_answers_where_there_is_no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tierd.sock");
    assert!(Client::connect(&socket).is_none());
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(Client::connect(&socket).is_none(), "a socket that nobody listens at");
}
