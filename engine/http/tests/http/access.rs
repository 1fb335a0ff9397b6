//! Forged headers, over both transports. Promise 13: HTTP is on loopback, checked for Host and Origin, and needs a token for anything that
//! changes state.

use crate::support::{Shop, TOKEN, post};

const GET: &str = "GET /api/v1/rules HTTP/1.1\r\nConnection: close\r\n";

/// What a request gets over TCP and over the socket: the status, and for a problem its word.
async fn both(shop: &Shop, request: &str) -> [String; 2] {
    let said = |answer: crate::support::Answer| match answer.status {
        200..400 => answer.status.to_string(),
        status => format!("{status} {}", answer.problem()),
    };
    [said(shop.tcp(request).await), said(shop.unix(request).await)]
}

#[tokio::test]
async fn promise_13_only_known_hosts_are_answered() {
    let shop = Shop::open().await;
    for host in [
        "localhost",
        "localhost:7411",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]",
        "[::1]:80",
        "tierd.example.com",
        "TIERD.example.com",
    ] {
        assert_eq!(both(&shop, &format!("{GET}Host: {host}\r\n\r\n")).await, ["200", "200"], "{host}");
    }
    for host in [
        "evil.example",
        "tierd.example.com:8080",
        "tierd.example.com.evil.example",
        "localhost.evil.example",
        "192.168.1.1",
        "0.0.0.0",
        "user@localhost",
        "",
        "local host",
        "127.0.0.1.evil.example",
        "[::2]",
        "xn--localhost",
        "localhost/",
    ] {
        let refused = ["421 unknown-host"; 2];
        assert_eq!(both(&shop, &format!("{GET}Host: {host}\r\n\r\n")).await, refused, "{host}");
    }
    assert_eq!(both(&shop, &format!("{GET}\r\n")).await, ["400 bad-request"; 2], "no host");
    let two = format!("{GET}Host: localhost\r\nHost: evil.example\r\n\r\n");
    assert_eq!(both(&shop, &two).await, ["400 bad-request"; 2], "two hosts");
}

#[tokio::test]
async fn promise_13_only_known_pages_are_answered() {
    let shop = Shop::open().await;
    let get = |origin: &str| format!("{GET}Host: localhost:7411\r\nOrigin: {origin}\r\n\r\n");
    for origin in [
        "http://localhost:7411",
        "https://localhost:7411",
        "https://console.example.com",
        "HTTPS://CONSOLE.example.com",
    ] {
        assert_eq!(both(&shop, &get(origin)).await, ["200", "200"], "{origin}");
    }
    for origin in [
        "null",
        "http://localhost",
        "http://localhost:7412",
        "https://evil.example",
        "http://console.example.com",
        "https://console.example.com:444",
        "https://console.example.com.evil.example",
        "localhost:7411",
        "",
        "http://127.0.0.1:7411",
    ] {
        assert_eq!(both(&shop, &get(origin)).await, ["403 unknown-origin"; 2], "{origin}");
    }
    let two = format!("{GET}Host: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example\r\n\r\n");
    assert_eq!(both(&shop, &two).await, ["400 bad-request"; 2], "two origins");
}

#[tokio::test]
async fn promise_13_changes_need_the_token_over_tcp_and_the_right_user_over_the_socket() {
    let shop = Shop::open().await;
    let reload = |headers: &str| post("/-/reload", headers, "{}");
    let cases = [
        ("", "401 token-needed", "200"),
        (&format!("Authorization: Bearer {TOKEN}\r\n"), "200", "200"),
        (&format!("authorization: bearer {TOKEN}\r\n"), "200", "200"),
        (&format!("Authorization: Bearer {TOKEN}0\r\n"), "401 wrong-token", "200"),
        (&format!("Authorization: Bearer {}\r\n", &TOKEN[1..]), "401 wrong-token", "200"),
        (&format!("Authorization: Basic {TOKEN}\r\n"), "401 token-needed", "200"),
        (&format!("Authorization: {TOKEN}\r\n"), "401 token-needed", "200"),
        (&format!("Cookie: token={TOKEN}\r\n"), "401 token-needed", "200"),
        ("Authorization: Bearer \r\n", "401 token-needed", "200"),
        // A proxy on the socket speaks for others.
        ("X-Forwarded-For: 10.0.0.1\r\n", "401 token-needed", "401 token-needed"),
        ("Forwarded: for=10.0.0.1\r\n", "401 token-needed", "401 token-needed"),
        (&format!("X-Forwarded-For: 10.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"), "200", "200"),
        // The token doesn't make a foreign page a known one.
        (
            &format!("Origin: https://evil.example\r\nAuthorization: Bearer {TOKEN}\r\n"),
            "403 unknown-origin",
            "403 unknown-origin",
        ),
    ];
    for (headers, tcp, unix) in cases {
        assert_eq!(both(&shop, &reload(headers)).await, [tcp, unix], "{headers}");
    }
    let challenged = shop.tcp(&reload("")).await;
    assert_eq!(challenged.header("www-authenticate"), Some("bearer realm=\"tierd\""));
}

#[tokio::test]
async fn every_method_that_is_not_for_reading_needs_the_token() {
    let shop = Shop::open().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "GETS"] {
        for path in ["/-/reload", "/api/v1/rules", "/nowhere", "/api/v1/check"] {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assert_eq!(shop.tcp(&request).await.problem(), "token-needed", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn without_a_token_changes_go_over_the_socket_alone() {
    let shop = Shop::with("").await;
    let given = format!("Authorization: Bearer {TOKEN}\r\n");
    for headers in ["", &given] {
        assert_eq!(both(&shop, &post("/-/reload", headers, "{}")).await, ["403 no-token", "200"]);
    }
}

#[tokio::test]
async fn other_origins_may_read_only_if_they_are_named() {
    let shop = Shop::open().await;
    let named = shop.tcp(&format!("{GET}Host: localhost\r\nOrigin: https://console.example.com\r\n\r\n")).await;
    assert_eq!(named.header("access-control-allow-origin"), Some("https://console.example.com"));
    assert!(named.head.contains("vary: origin"), "{}", named.head);
    let own = shop.tcp(&format!("{GET}Host: localhost\r\nOrigin: http://localhost\r\n\r\n")).await;
    assert_eq!(own.header("access-control-allow-origin"), None);
    let preflight =
        "OPTIONS /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccess-Control-Request-Method: POST\r\n";
    let named = shop.tcp(&format!("{preflight}Origin: https://console.example.com\r\n\r\n")).await;
    assert_eq!((named.status, named.header("access-control-allow-methods")), (204, Some("get, post")));
    assert_eq!(shop.tcp(&format!("{preflight}Origin: https://evil.example\r\n\r\n")).await.problem(), "unknown-origin");
}
