//! The committed schemas are the generated ones, say something about every key, and refuse what loading refuses.
//!
//! `UPDATE_EXPECT=1 cargo test -p tierd-rules --test schemas` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{CONFIG, load_with};
use serde_json::{Value, json};
use tierd_rules::{code, config_schema, rules_schema, tests_schema};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

fn toml_as_json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

#[test]
fn committed_schemas_are_the_generated_ones() {
    for (name, schema) in [
        ("tierd.schema.json", config_schema()),
        ("rules.schema.json", rules_schema()),
        ("tests.schema.json", tests_schema()),
    ] {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(folder().join(name), &text).unwrap();
        }
        assert_eq!(fs::read_to_string(folder().join(name)).unwrap(), text, "{name} is old");
    }
}

/// All tables of a schema: each with its place and its keys.
fn tables(schema: &Value, place: &str, out: &mut Vec<(String, Value)>) {
    if let Some(properties) = schema.get("properties") {
        out.push((place.to_owned(), properties.clone()));
    }
    let children = match schema {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => vec![],
    };
    children.into_iter().for_each(|(key, value)| tables(value, &format!("{place}/{key}"), out));
}

#[test]
fn every_key_is_described() {
    for schema in [config_schema(), rules_schema(), tests_schema()] {
        let mut all = vec![];
        tables(&schema, "", &mut all);
        assert!(all.len() > 4);
        for (place, properties) in all {
            for (key, property) in properties.as_object().unwrap() {
                assert!(property["description"].is_string(), "{place}: {key} has no description");
            }
        }
    }
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    for schema in [config_schema(), rules_schema(), tests_schema()] {
        let mut all = vec![];
        tables(&schema, "", &mut all);
        for (place, _) in all {
            let table = schema.pointer(&place).unwrap();
            // A level's strategy may hold any data; a subject has attributes and a fact columns of any name.
            let open = ["/Strategy", "/SubjectEntry", "/FactEntry"].iter().any(|open| place.ends_with(open));
            assert_eq!(table.get("additionalProperties") == Some(&json!(false)), !open, "{place}");
        }
    }
}

/// TOML has no null.
#[test]
fn no_key_may_be_null() {
    fn check(schema: &Value) {
        let ty = schema.get("type").unwrap_or(&Value::Null);
        assert!(*ty != "null" && !ty.as_array().is_some_and(|all| all.contains(&json!("null"))), "{schema}");
        match schema {
            Value::Object(map) => map.values().for_each(check),
            Value::Array(all) => all.iter().for_each(check),
            _ => {}
        }
    }
    check(&config_schema());
    check(&rules_schema());
    check(&tests_schema());
}

/// What is wrong by its shape alone is wrong for both, what is good for both is good.
#[test]
fn schemas_and_loading_agree() {
    let config = jsonschema::validator_for(&config_schema()).unwrap();
    assert!(config.is_valid(&toml_as_json(CONFIG)));
    let with = |old: &str, new: &str| {
        assert!(CONFIG.contains(old), "{old}");
        CONFIG.replacen(old, new, 1)
    };
    for (text, good) in [
        (with("sqlite = \"shop.db\"", "sqlite = \"shop.db\"\nbad_values = \"0.1%\"\nunknown_subjects = 5"), true),
        (with("sqlite = \"shop.db\"", "sqlite = \"shop.db\"\nbad_values = \"few\""), false),
        (with("sqlite = \"shop.db\"", ""), false),
        (with("time_zone = \"Asia/Shanghai\"", ""), false),
        (with("key = \"id\"", "key = { column = \"id\", type = \"text\" }"), true),
        (with("key = \"id\"", "key = { column = \"id\", type = \"date\" }"), false),
        (with("time = \"ordered_at\"", "time = \"ordered_at\"\nfresh = \"2 days\""), true),
        (with("time = \"ordered_at\"", "time = \"ordered_at\"\nfresh = \"2 hours\""), false),
        (with("visits = \"integer\"", "visits = \"int\""), false),
        (with("visits = \"integer\"", "visits = \"decimal(19)\""), false),
        (with("personal = true", "personal = 1"), false),
        (with("encoding = \"iso8601\"", "encoding = \"iso\""), false),
        (with("[database]", "[database]\nextra = 1"), false),
        (with("[database]", "[ledger]\npath = \"state/tierd.ledger\"\n[database]"), true),
    ] {
        assert_eq!(config.is_valid(&toml_as_json(&text)), good, "{text}");
        assert_eq!(load_with(&text, "").rules.is_some(), good, "{text}");
    }
}

#[test]
fn rule_schema_and_loading_agree() {
    let rules = jsonschema::validator_for(&rules_schema()).unwrap();
    let metric = "[metric.m]\nfrom = \"orders\"\naggregate = \"sum(amount)\"\nwhere = \"gift\"\nempty = 0\n";
    let metric = |rest: &str| format!("{metric}{rest}");
    let level = |rest: &str| format!("[tiers.t]\nlevel = [{{ name = \"C\", {rest} }}]\n");
    let movement = |keys: &str| format!("[tiers.t]\n{keys}\nlevel = [{{ name = \"C\" }}]\n");
    let points = |keys: &str| format!("[points.p]\n{keys}\nearn = [{{ from = \"orders\", points = \"items\" }}]\n");
    let rule = |keys: &str| format!("[retention.r]\nwhen = \"active\"\n{keys}\naction = {{ task = \"call\" }}\n");
    for (text, good) in [
        (metric("window = \"lifetime\""), true),
        (metric("window = { last = \"1 year 6 months\", offset = 1 }\nper = \"month\"\ntitle = \"年消费\""), true),
        (metric("window = { calendar = \"quarter\" }\nsubject = \"customer\""), true),
        (metric("window = { previous = \"month\" }"), true),
        (metric("window = { lifetime = true }"), true),
        (metric("window = \"life\""), false),
        (metric("window = { last = \"12\" }"), false),
        (metric("window = { calendar = \"week\" }"), false),
        (metric("window = { last = \"1 month\", offset = -1 }"), false),
        (metric("window = \"lifetime\"\nper = \"hour\""), false),
        (metric("window = \"lifetime\"\nfilter = \"gift\""), false),
        ("[metric.m]\nattribute = \"city\"".to_owned(), true),
        ("[metric.m]\nderived = \"visits + 1\"".to_owned(), true),
        ("[metric.m]\nrank = \"visits desc\"\n[metric.n]\npercentile = \"visits asc\"".to_owned(), true),
        (
            "[metric.m]\nquintile = \"visits desc\"\n[metric.n]\nntile = { of = \"m asc\", buckets = 10 }".to_owned(),
            true,
        ),
        ("[metric.m]\nntile = { of = \"visits asc\" }".to_owned(), false),
        (level("title = \"普通\", when = \"active\", benefits = { discount = 0.9, all = [1, { a = true }] }"), true),
        (level("strategy = { touch = \"visit\", owner = \"sales\", every = \"1 month\", note = 5 }"), true),
        (level("strategy = { every = \"monthly\" }"), false),
        (level("strategy = { touch = 5 }"), false),
        (level("benefits = 5"), false),
        (level("where = \"active\""), false),
        ("[tiers.t]\nunknown = \"lowest\"\nlevel = [{ name = \"C\" }]".to_owned(), true),
        ("[tiers.t]\nunknown = \"low\"\nlevel = [{ name = \"C\" }]".to_owned(), false),
        (movement("upgrade = \"at period end\"\nlock = { until = \"next period end\", renew = true }"), true),
        (movement("downgrade = { when = \"at period end\", after = \"30 days\", steps = 1 }"), true),
        (movement("lock = \"12 months\"\nordered = true\nallow = [\"level-gap\"]"), true),
        (movement("period = { program_year = \"04-01\" }\nupgrade = \"at period end\""), true),
        (movement("upgrade = \"at period ends\""), false),
        (movement("downgrade = { step = 1 }"), false),
        (movement("lock = { until = \"2027-03-31\" }"), true),
        (movement("lock = \"a while\""), false),
        (movement("lock = { renew = true }"), false),
        (movement("period = { program_year = \"4-1\" }"), false),
        (movement("allow = [\"gaps\"]"), false),
        ("[tiers.t]\nof = \"visits\"\nlevel = [{ name = \"C\", from = 50 }]".to_owned(), true),
        ("[tiers.t]\nof = \"visits\"\nlevel = [{ name = \"C\", from = [50] }]".to_owned(), false),
        (points("expire = { after = \"12 months\", at = \"year end\" }\ndigits = 2"), true),
        (points("expire = { on = [\"03-31\"] }"), true),
        (points("expire = { on = \"03-31\" }"), false),
        (points("expire = { after = \"12\" }"), false),
        (points("spend = [{ from = \"orders\" }]"), false),
        (points("spend = [{ from = \"orders\", points = true }]"), false),
        ("[metric.m]\npoints = 5".to_owned(), false),
        (rule("holdout = \"10%\"\nreentry = { every = \"30 days\" }\nfor = \"2 days\""), true),
        (rule("limit = { per_run = 5, exceed = \"hold\" }\ngroup = \"g\"\npriority = -1\nmode = \"shadow\""), true),
        (rule("goal = { from = \"orders\", within = \"30 days\" }"), true),
        (rule("holdout = \"ten\""), false),
        (rule("limit = { exceed = \"hold\" }"), false),
        (rule("limit = { per_run = -5 }"), false),
        (rule("moved = \"sideways\""), false),
        (rule("reentry = \"twice\""), false),
        (rule("until = \"2 days\""), false),
        ("[retention.r]\nwhen = \"active\"".to_owned(), false),
        ("[retention.r]\non = \"12-24\"\naction = { event = \"card\", data = { to = \"{name}\" } }".to_owned(), true),
        ("[retention.r]\non = \"12-24\"\naction = { task = 5 }".to_owned(), false),
        ("[tiers.t]\ntitle = \"none\"".to_owned(), false),
        ("[tier.t]\nlevel = [{ name = \"C\" }]".to_owned(), false),
    ] {
        assert_eq!(rules.is_valid(&toml_as_json(&text)), good, "{text}");
        let loaded = load_with(CONFIG, &text);
        assert_eq!(loaded.rules.is_some(), good, "{text}: {:?}", loaded.diagnostics);
        assert!(good || loaded.diagnostics.iter().all(|d| d.code != code::TOML_SYNTAX), "{text}");
    }
}
