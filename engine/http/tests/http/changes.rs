//! What people do over HTTP: runs, tasks, overrides, checks and plans.

use serde_json::json;

use crate::support::{RULES, Shop};

#[tokio::test]
async fn a_run_that_nobody_waits_for_can_be_asked_for_later() {
    let shop = Shop::open().await;
    let answer = shop.post("/api/v1/runs", &json!({ "wait": 0 })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let place = answer.header("location").unwrap().to_owned();
    let mut runs = shop.handle().watch_runs();
    runs.wait_for(Option::is_some).await.unwrap();
    // What is told to whoever asked comes just after what is told to all.
    let done = loop {
        let told = shop.document(&place).await;
        if told["state"] != "pending" {
            break told;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&done["state"], &done["run"]["outcome"]), (&json!("done"), &json!("applied")));
    assert_eq!(shop.get("/api/v1/runs/requests/77").await.problem(), "unknown-request");
}

#[tokio::test]
async fn tasks_are_done_once_and_put_off() {
    let shop = Shop::open().await;
    shop.grade().await;
    let page = shop.document("/api/v1/tasks?limit=1").await;
    let rest = shop.document(&format!("/api/v1/tasks?after={}", page["next"].as_str().unwrap())).await;
    let (first, second) = (page["tasks"][0]["task"].as_str().unwrap(), rest["tasks"][0]["task"].as_str().unwrap());
    assert_ne!(first, second);
    let path = format!("/api/v1/tasks/{}/done", &first[..8]);
    assert_eq!(shop.post(&path, &json!({ "by": "" })).await.problem(), "nobody");
    let done = shop.post(&path, &json!({ "by": "anna", "note": "reached" })).await;
    assert_eq!((done.status, &done.json()["task"]), (200, &json!(first)));
    assert_eq!(shop.post(&path, &json!({ "by": "anna" })).await.problem(), "task-done");
    let path = format!("/api/v1/tasks/{second}/snooze");
    assert_eq!(shop.post(&path, &json!({ "by": "anna", "until": "2020-01-01" })).await.problem(), "past-day");
    assert_eq!(shop.post(&path, &json!({ "by": "anna", "until": "soon" })).await.problem(), "bad-day");
    assert_eq!(shop.post(&path, &json!({ "by": "anna", "until": "2999-01-01" })).await.status, 200);
    assert_eq!(shop.document("/api/v1/tasks").await["tasks"], json!([]));
    assert_eq!(shop.document("/api/v1/tasks?all=true").await["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(shop.post("/api/v1/tasks/ffffffff/done", &json!({ "by": "anna" })).await.problem(), "unknown-task");
}

#[tokio::test]
async fn an_override_holds_until_it_is_ended() {
    let shop = Shop::open().await;
    let new = |level: &str, key: serde_json::Value| json!({ "set": "value", "key": key, "kind": "pin", "level": level, "until": "2999-12-31", "reason": "a promise", "approver": "wang" });
    let refused = shop.post("/api/v1/overrides", &new("Z", json!(1))).await;
    assert_eq!((refused.status, refused.problem().as_str()), (422, "override-refused"));
    assert!(refused.text().contains("there is: C, B, A"), "{}", refused.text());
    assert_eq!(shop.post("/api/v1/overrides", &new("A", json!("x"))).await.problem(), "override-refused");
    let added = shop.post("/api/v1/overrides", &new("A", json!("1"))).await;
    assert_eq!((added.status, added.json()), (201, json!({ "id": 1 })));
    shop.grade().await;
    assert_eq!(shop.document("/api/v1/customers/1").await["sets"][0]["level"], "A");
    let end = json!({ "by": "li", "why": "kept" });
    assert_eq!(shop.post("/api/v1/overrides/1/end", &end).await.status, 200);
    assert_eq!(shop.post("/api/v1/overrides/1/end", &end).await.problem(), "override-ended");
    assert_eq!(shop.post("/api/v1/overrides/2/end", &end).await.problem(), "unknown-override");
    assert_eq!(shop.document("/api/v1/overrides").await["overrides"], json!([]));
    assert_eq!(shop.document("/api/v1/overrides?all=true").await["overrides"][0]["state"], "ended");
    shop.grade().await;
    assert_eq!(shop.document("/api/v1/customers/1").await["sets"][0]["level"], "C");
}

#[tokio::test]
async fn files_are_checked_and_tried_out_without_changing_anything() {
    let shop = Shop::open().await;
    shop.grade().await;
    let files = |text: &str| json!({ "files": { "rules/value.toml": text } });
    let good = shop.post("/api/v1/check", &files(RULES)).await.json();
    assert_eq!(
        (&good["diagnostics"], &good["revision"]),
        (&json!([]), &shop.document("/api/v1/rules").await["revision"])
    );
    let bad = shop.post("/api/v1/check", &files(&RULES.replace("spend >= 90", "spent >= 90"))).await.json();
    assert_eq!(bad["diagnostics"][0]["places"][0]["file"], "rules/value.toml");
    let plan = shop.post("/api/v1/plan", &files(&RULES.replace("spend >= 90", "spend >= 80"))).await.json();
    assert_eq!(plan["sets"][0]["changes"], json!([{ "from": "B", "to": "A", "customers": 10 }]));
    assert_eq!(shop.post("/api/v1/plan", &json!({})).await.json()["outcome"], "unchanged");
    assert_eq!(shop.post("/api/v1/plan", &files("[tiers")).await.problem(), "bad-rules");
    let config = std::fs::read_to_string(shop.folder.path().join("tierd.toml")).unwrap();
    let other =
        json!({ "files": { "tierd.toml": config.replace("shop.db", "/etc/other.db"), "rules/value.toml": RULES } });
    assert_eq!(shop.post("/api/v1/plan", &other).await.problem(), "other-database");
    assert_eq!(shop.document("/api/v1/runs").await["runs"].as_array().unwrap().len(), 1, "nothing is stored");
}

#[tokio::test]
async fn an_earlier_revision_comes_back() {
    let shop = Shop::open().await;
    shop.grade().await;
    let first = shop.document("/api/v1/rules").await["revision"].as_str().unwrap().to_owned();
    std::fs::write(shop.folder.path().join("rules/value.toml"), RULES.replace("spend >= 90", "spend >= 80")).unwrap();
    assert_ne!(shop.post("/-/reload", &json!({})).await.json()["revision"], first);
    let back = json!({ "revision": &first[..12], "by": "anna", "why": "too many" });
    assert_eq!(shop.post("/api/v1/rollback", &back).await.json()["revision"], first);
    assert_eq!(shop.document("/api/v1/status").await["origin"], "rolled_back");
    assert_eq!(
        shop.post("/api/v1/rollback", &json!({ "revision": "ffffffffffff" })).await.problem(),
        "unknown-revision"
    );
    assert_eq!(shop.post("/api/v1/rollback", &json!({ "revision": "" })).await.problem(), "ambiguous-revision");
}
