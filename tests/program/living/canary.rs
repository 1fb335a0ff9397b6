//! Personal data stays where it is: nothing of it in the log, the metrics, the ledger, or any other file that tierd writes.

use std::fs;

use serde_json::json;

use super::process::Daemon;
use crate::support::{AS_OF, Project};

const CONFIG: &str = r#"
time_zone = "UTC"
[http]
listen = "off"
[database]
sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
[subject.customer.attributes]
name = { type = "text", personal = true }
phone = { type = "integer", personal = true }
city = "text"
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
note = { type = "integer", personal = true }
"#;

const RULES: &str = r#"
[metric.spend]
from = "orders"
aggregate = "sum(amount)"
where = "note is null or note > 0"
window = { last = "12 months" }
empty = 0
[tiers.value]
[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "B"
when = "spend >= 10 and name <> 'x' and phone > 0"
[retention.call]
when = "spend >= 10 and name <> 'x'"
action = { task = "call {name}", text = "{name} has {phone}", due = "3 days" }
"#;

/// What is nowhere to be found. A personal value may show its first character.
const CANARIES: [&str; 5] = ["CanaryName", "anaryName", "13800138000", "3800138000", "CanaryNote"];

fn shop() -> Project {
    let project = Project::empty();
    project.write("tierd.toml", CONFIG);
    project.write("rules/value.toml", RULES);
    project.sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, phone, city TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, amount INTEGER, ordered_at TEXT, note);
         INSERT INTO customers VALUES (1, 'CanaryName One', 13800138000, 'a'), (2, 'CanaryName Two', 13800138000, 'b');
         INSERT INTO orders VALUES (1, 1, 700000, '2026-01-05', 1), (2, 2, 100, '2026-01-05', 13800138000);",
    );
    project
}

#[test]
fn nothing_that_is_written_has_personal_data() {
    let project = shop();
    let mut printed = String::new();
    for format in ["human", "json"] {
        project.sql("UPDATE customers SET phone = 13800138000; UPDATE orders SET note = 1");
        let daemon = Daemon::start(project.folder(), &["--log-level", "trace", "--log-format", format]);
        assert_ne!(daemon.run(20)["outcome"], "failed", "{}", daemon.log());
        for path in ["/api/v1/status", "/api/v1/runs", "/api/v1/tasks", "/api/v1/events", "/api/v1/customers/1/explain"]
        {
            printed
                .push_str(&daemon.client().get(path).map_or_else(|error| error.to_string(), |body| body.to_string()));
        }
        for bad in [
            "UPDATE customers SET phone = 'CanaryName 13800138000'",
            "UPDATE orders SET note = 'CanaryNote'",
            "ALTER TABLE customers RENAME COLUMN phone TO mobile",
        ] {
            project.sql(bad);
            let failed = daemon.client().post("/api/v1/runs", &json!({ "as_of": AS_OF, "wait": 20 }));
            printed.push_str(&failed.map_or_else(|error| error.to_string(), |answer| answer.body.to_string()));
        }
        project.sql("ALTER TABLE customers RENAME COLUMN mobile TO phone");
        let log = daemon.log();
        assert!(log.contains("run failed") && log.matches("run started").count() >= 4, "{log}");
        daemon.signal("TERM");
        daemon.end();
    }
    project.sql("UPDATE customers SET phone = 'CanaryName 13800138000'");
    for args in [&["run", "--as-of", AS_OF][..], &["doctor"], &["tasks", "list"], &["check"], &["explain", "1"]] {
        let ran = project.tierd(args);
        printed.push_str(&ran.out);
        printed.push_str(&ran.err);
    }
    assert!(!printed.is_empty());
    nothing_in("what was printed", printed.as_bytes());
    let mut files = 0;
    for entry in fs::read_dir(project.folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() && !name.starts_with("shop.db") {
            nothing_in(&name, &fs::read(&path).unwrap());
            files += 1;
        }
    }
    assert!(files >= 3, "tierd.toml, the ledger and the log at least");
}

fn nothing_in(what: &str, bytes: &[u8]) {
    for canary in CANARIES {
        let at = bytes.windows(canary.len()).position(|window| window == canary.as_bytes());
        let near =
            at.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..bytes.len().min(at + 60)]).into_owned());
        assert_eq!(near, None, "{what} has {canary}");
    }
}
