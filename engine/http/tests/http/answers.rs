//! What is told of the daemon, the rules, runs and customers.

use serde_json::json;

use crate::support::{RULES, Shop};

#[tokio::test]
async fn a_run_is_told_in_every_place() {
    let shop = Shop::open().await;
    let run = shop.grade().await;
    assert_eq!((&run["run"], &run["outcome"], &run["cause"]), (&json!(1), &json!("applied"), &json!("hand")));
    assert_eq!(
        run["sets"][0]["levels"],
        json!([
            { "level": "C", "customers": 49 }, { "level": "B", "customers": 40 }, { "level": "A", "customers": 11 }
        ])
    );
    assert_eq!(run["rules"][0]["acted"], 2);
    let listed = shop.document("/api/v1/runs").await;
    assert_eq!((&listed["runs"][0]["run"], &listed["next"]), (&json!(1), &json!(null)));
    let one = shop.document("/api/v1/runs/1").await;
    assert_eq!(one["sets"], run["sets"]);
    assert_eq!(shop.get("/api/v1/runs/2").await.problem(), "unknown-run");
    let levels = shop.document("/api/v1/levels").await;
    assert_eq!(
        levels["levels"][0],
        json!({ "set": "value", "level": "A", "title": null, "customers": 11, "share": "11.0 %" })
    );
    let status = shop.document("/api/v1/status").await;
    assert_eq!((&status["last_run"]["run"], &status["origin"]), (&json!(1), &json!("files")));
}

#[tokio::test]
async fn runs_of_the_past_are_told_from_the_ledger() {
    let shop = Shop::open().await;
    let first = shop.grade().await;
    shop.grade().await;
    let told = shop.document("/api/v1/runs/1").await;
    assert_eq!((&told["rules"], &told["sets"][0]["unknown"]), (&json!(null), &json!(null)));
    assert_eq!(told["sets"][0]["levels"], first["sets"][0]["levels"]);
    assert_eq!(told["sets"][0]["changes"].as_array().unwrap().len(), 3);
    let page = shop.document("/api/v1/runs?limit=1").await;
    assert_eq!((&page["runs"][0]["run"], &page["next"]), (&json!(2), &json!(2)));
    let page = shop.document("/api/v1/runs?limit=1&before=2").await;
    assert_eq!(page["runs"][0]["run"], 1);
}

#[tokio::test]
async fn decisions_come_page_by_page() {
    let shop = Shop::open().await;
    shop.grade().await;
    let (mut keys, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.document(&format!("/api/v1/decisions?level=B&limit=7{after}")).await;
        keys.extend(page["decisions"].as_array().unwrap().iter().map(|one| one["key"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(keys, (50..90).collect::<Vec<i64>>());
    assert_eq!(shop.get("/api/v1/decisions?level=Z").await.problem(), "unknown-level");
    assert_eq!(shop.get("/api/v1/decisions?set=none").await.problem(), "unknown-set");
    assert_eq!(shop.get("/api/v1/decisions?after=x").await.problem(), "bad-request");
}

#[tokio::test]
async fn a_customer_has_levels_history_and_tasks() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/api/v1/customers/99").await.status, 404);
    shop.grade().await;
    let customer = shop.document("/api/v1/customers/99").await;
    assert_eq!((&customer["key"], &customer["sets"][0]["level"]), (&json!(99), &json!("A")));
    assert_eq!(customer["sets"][0]["history"][0]["to"], "A");
    assert_eq!(customer["tasks"][0]["title"], "call");
    assert_eq!(shop.get("/api/v1/customers/101").await.problem(), "unknown-customer");
    assert_eq!(shop.get("/api/v1/customers/x").await.problem(), "unknown-customer");
    let why = shop.document("/api/v1/customers/99/explain").await;
    assert_eq!((&why["run"], &why["sets"][0]["level"]), (&json!(1), &json!("A")));
    assert_eq!(shop.get("/api/v1/customers/101/explain").await.problem(), "unknown-customer");
    assert_eq!(shop.get("/api/v1/customers/99/explain?set=none").await.problem(), "unknown-set");
}

#[tokio::test]
async fn events_go_on_from_a_cursor() {
    let shop = Shop::open().await;
    shop.grade().await;
    let first = shop.document("/api/v1/events?limit=100").await;
    assert_eq!(first["events"].as_array().unwrap().len(), 100);
    let rest = shop.document(&format!("/api/v1/events?after={}", first["next"])).await;
    assert_eq!(rest["events"].as_array().unwrap().len(), 2);
    let end = shop.document(&format!("/api/v1/events?after={}", rest["next"])).await;
    assert_eq!((&end["events"], &end["next"]), (&json!([]), &rest["next"]));
    let tasks = shop.document("/api/v1/events?kinds=task.created").await;
    assert_eq!(tasks["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn rules_have_a_tag_that_changes_with_them() {
    let shop = Shop::open().await;
    let answer = shop.get("/api/v1/rules").await;
    let tag = answer.header("etag").unwrap().to_owned();
    let rules = answer.json();
    assert!(tag.contains(rules["revision"].as_str().unwrap()));
    let ask = |tag: &str| {
        format!("GET /api/v1/rules HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIf-None-Match: {tag}\r\n\r\n")
    };
    // HTTP header names are lower case here, and so is the tag, but for its W.
    let tag = tag.replace("w/", "W/");
    for known in [tag.clone(), "*".to_owned(), format!("\"other\", {tag}"), tag.trim_start_matches("W/").to_owned()] {
        let answer = shop.tcp(&ask(&known)).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
    }
    assert_eq!(shop.tcp(&ask("\"other\"")).await.status, 200);
    let file = shop.get("/api/v1/rules/files/rules/value.toml").await;
    assert_eq!((file.status, file.text().as_str()), (200, RULES));
    assert_eq!(shop.get("/api/v1/rules/files/rules%2Fvalue.toml").await.text(), RULES);
    std::fs::write(shop.folder.path().join("rules/value.toml"), "[tiers.value").unwrap();
    let refused = shop.post("/-/reload", &json!({})).await.json();
    // `unchanged` where the daemon had seen it by itself.
    assert!(refused["outcome"] == "refused" || refused["outcome"] == "unchanged", "{refused}");
    assert!(refused["refused"]["problems"][0]["message"].is_string(), "{refused}");
    let answer = shop.tcp(&ask(&tag)).await;
    assert_eq!(answer.status, 200, "files were refused since");
    assert_eq!(answer.json()["revision"], rules["revision"]);
}

#[tokio::test]
async fn metrics_count_answers_by_route_and_never_by_path() {
    let shop = Shop::open().await;
    shop.grade().await;
    shop.document("/api/v1/customers/99").await;
    shop.get("/nowhere/99").await;
    shop.tcp("XYZ / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let metrics = shop.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "tierd_http_requests_total{method=\"GET\",route=\"/api/v1/customers/{key}\",status=\"200\"} 1",
        "tierd_http_requests_total{method=\"GET\",route=\"\",status=\"404\"} 1",
        "tierd_http_requests_total{method=\"other\",route=\"\",status=\"401\"} 1",
        "tierd_tier_subjects{set=\"value\",level=\"A\"} 11",
    ] {
        assert!(metrics.text().lines().any(|one| one == line), "{line}\n{}", metrics.text());
    }
}
