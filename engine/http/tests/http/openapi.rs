//! The OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::support::Shop;

/// The official schema of OpenAPI 3.1 documents (spec.openapis.org/oas/3.1/schema/2022-10-07). It says nothing of the schemas inside.
const OFFICIAL: &str = include_str!("oas-3.1-2022-10-07.json");

async fn document() -> Json {
    Shop::with("").await.document("/api/v1/openapi.json").await
}

#[tokio::test]
async fn the_document_is_valid() {
    let (document, schema) = (document().await, serde_json::from_str(OFFICIAL).unwrap());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[tokio::test]
async fn every_schema_is_a_json_schema_and_every_reference_leads_somewhere() {
    let document = document().await;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let valid = jsonschema::draft202012::meta::validate(schema).map_err(|error| error.to_string());
        assert_eq!(valid, Ok(()), "{name}");
    }
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Json, references: &mut BTreeSet<String>) {
    match value {
        Json::Object(members) => {
            references.extend(members.get("$ref").and_then(Json::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_says_what_it_does_and_how_it_fails() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{at}: no summary");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}: an id that another has");
            for status in ["400", "404", "500", "503"] {
                let content = &operation["responses"][status]["content"]["application/problem+json"];
                assert!(content.is_object(), "{at}: {status} isn't described");
            }
            assert_eq!(operation["security"].is_array(), method != "get", "{at}: changes need the token");
            if method != "get" {
                assert!(operation["responses"]["401"].is_object(), "{at}: 401 isn't described");
            }
        }
    }
    assert!(ids.len() > 20, "{ids:?}");
}
