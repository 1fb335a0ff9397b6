use tierd_eval::plugin::NoPlugins;
use tierd_testing::{Filters, junit, run};

use crate::support::{shop, tests};

const CASES: &str = r#"
as_of = 2026-06-30
[[case]]
name = "good <one>"
expect = { value = "C" }
[[case]]
name = "bad \"one\" & 王"
expect = { value = "B" }
"#;

fn names(filters: &[&str]) -> Vec<String> {
    let rules = shop();
    let (tests, files) = tests(&rules, CASES);
    let filters = Filters(filters.iter().map(|&text| text.to_owned()).collect());
    let results = run(&rules, &NoPlugins, &tests, &files, &filters, None);
    results.into_iter().flat_map(|file| file.cases).map(|case| case.name).collect()
}

#[test]
fn filters_take_files_and_names() {
    assert_eq!(names(&[]).len(), 2);
    assert_eq!(names(&["value.test"]).len(), 2);
    assert_eq!(names(&["good"]), ["good <one>"]);
    assert_eq!(names(&["good", "王"]).len(), 2);
    assert_eq!(names(&["other"]).len(), 0);
}

#[test]
fn junit_has_a_suite_per_file_and_a_case_per_case() {
    let rules = shop();
    let (tests, files) = tests(&rules, CASES);
    let results = run(&rules, &NoPlugins, &tests, &files, &Filters::default(), None);
    let xml = junit::xml(&results, &files);
    for part in [
        "<testsuites name=\"tierd test\" tests=\"2\" failures=\"1\" errors=\"0\">",
        "<testsuite name=\"rules/value.test.toml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">",
        "<testcase name=\"good &lt;one&gt;\" classname=\"rules/value.test.toml\" file=\"rules/value.test.toml\" line=\"4\"/>",
        "name=\"bad &quot;one&quot; &amp; 王\"",
        "<failure type=\"expectation\" message=\"level in value: expected B, found C\">rules/value.test.toml:8, as of",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
}
