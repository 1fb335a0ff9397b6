//! `tierd test`: cases that pass and fail, bad test files, coverage, JUnit.

use crate::support::Project;

const CASES: &str = r#"#:schema ../.tierd/tests.schema.json
as_of = "2026-04-01"

[[case]]
name = "12,000 in a year is A"
facts.orders = [{ ordered_at = "2026-01-05", amount = 1000, status = "paid", every = "1 week", times = 12 }]
expect = { value = "A" }

[[case]]
name = "refunds don't count"
facts.orders = [{ ordered_at = "2026-01-05", amount = 12000, status = "refunded" }]
expect = { value = "C" }
expect_metrics = { annual_spend = 0 }
"#;

/// A shop with a test file; no database is there to be read.
fn shop_with(cases: &str) -> Project {
    let project = Project::shop();
    project.write("rules/deep/value.test.toml", cases);
    std::fs::remove_file(project.path("shop.db")).unwrap();
    project
}

#[test]
fn test_passes_without_a_database_and_is_no_rule_file() {
    let project = shop_with(CASES);
    project.tierd(&["test"]).ok().prints(&["2 cases in 1 file: 2 passed, 0 failed"]);
    project.tierd(&["check", "--offline"]).ok().says(&["ok: 2 files"]);
    assert!(!project.path("tierd.ledger").exists());
    project.tierd(&["test", "refunds"]).ok().prints(&["1 case in"]);
    project.tierd(&["test", "deep/value"]).ok().prints(&["2 cases in"]);
}

#[test]
fn test_without_any_case_fails() {
    let project = Project::shop();
    project.tierd(&["test"]).exits(1).says(&["there are no test cases", "value.test.toml"]);
    let project = shop_with(CASES);
    project.tierd(&["test", "nobody"]).exits(1).says(&["none of the 2 cases", "nobody"]);
}

#[test]
fn test_shows_every_failure_with_its_place_and_why() {
    let wrong = CASES.replace("value = \"A\"", "value = \"B\"").replace("annual_spend = 0", "annual_spend = 12000");
    let project = shop_with(&wrong);
    let ran = project.tierd(&["test"]).exits(1).prints(&[
        "FAILED rules/deep/value.test.toml:5  12,000 in a year is A",
        "rules/deep/value.test.toml:7, as of 2026-04-01 00:00",
        "level in value: expected B, found A",
        "annual_spend",
        "= 12000",
        "FAILED rules/deep/value.test.toml:10  refunds don't count",
        "metric annual_spend: expected 12000.00, found 0.00",
        "2 cases in 1 file: 0 passed, 2 failed",
    ]);
    assert_eq!(ran.err, "");
    let json = project.tierd(&["test", "-o", "json"]).exits(1).json();
    assert_eq!((&json["cases"], &json["failed"]), (&2.into(), &2.into()));
    assert_eq!(json["results"][0]["failures"][0]["line"], 7);
    assert_eq!(json["results"][0]["failures"][0]["found"], "A");
}

#[test]
fn mistakes_in_test_files_are_diagnostics_of_test_and_check() {
    let project = shop_with(&CASES.replace("annual_spend", "anual_spend").replace("value = \"A\"", "value = \"D\""));
    let said = ["--> rules/deep/value.test.toml:7:", "no level `D`", "did you mean `annual_spend`?", "2 errors"];
    project.tierd(&["test"]).exits(78).says(&said);
    project.tierd(&["check", "--offline"]).exits(1).says(&said);
    let json = project.tierd(&["check", "--offline", "-o", "json"]).exits(1).json();
    assert_eq!(json["diagnostics"][1]["code"], "unknown-name");
    // Rules that are good stay good: a mistake in a test stops no run.
    project.sql(crate::support::TABLES);
    project.run();
}

#[test]
fn coverage_names_what_no_case_has_seen() {
    let project = shop_with(CASES);
    project.tierd(&["test", "--coverage"]).ok().prints(&["2 of 2 conditions were seen both true and false (100.0 %)"]);
    let ran = project.tierd(&["test", "--coverage", "refunds"]).ok();
    ran.prints(&["tiers.value A when", "annual_spend >= 10000", "rules/value.toml:", "0 of 2 conditions"]);
    project.tierd(&["test", "--min-coverage", "100"]).ok();
    project.tierd(&["test", "--min-coverage", "100", "refunds"]).exits(1).says(&["0.0 %", "100 %"]);
    let json = project.tierd(&["test", "--coverage", "-o", "json"]).ok().json();
    assert_eq!(json["coverage"]["percent"], 100.0);
    assert_eq!(json["coverage"]["conditions"][0]["of"], "tiers.value A when");
}

#[test]
fn junit_is_well_formed() {
    let wrong = CASES.replace("value = \"A\"", "value = \"B\"").replace("refunds don't", "refunds & <others> don't");
    let project = shop_with(&wrong);
    project.tierd(&["test", "--junit", "junit.xml"]).exits(1);
    let xml = std::fs::read_to_string(project.path("junit.xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let all = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).collect::<Vec<_>>();
    let suite = all("testsuite")[0];
    assert_eq!(suite.attribute("name"), Some("rules/deep/value.test.toml"));
    assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("2"), Some("1")));
    assert_eq!(all("testcase")[1].attribute("name"), Some("refunds & <others> don't count"));
    let failure = all("failure")[0];
    assert_eq!(failure.attribute("message"), Some("level in value: expected B, found A"));
    assert!(failure.text().unwrap().contains("rules/deep/value.test.toml:7, as of 2026-04-01 00:00\n"));
    project.tierd(&["test", "--junit", "no/such/folder.xml"]).exits(1).says(&["no/such/folder.xml"]);
}

#[test]
fn the_schema_of_tests_takes_good_cases() {
    let project = shop_with(CASES);
    let schema = project.tierd(&["schema", "tests"]).ok().json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&toml::from_str(CASES).unwrap()));
    let wrong = CASES.replace("expect_metrics", "expect_metric");
    assert!(!validator.is_valid(&toml::from_str(&wrong).unwrap()));
}
