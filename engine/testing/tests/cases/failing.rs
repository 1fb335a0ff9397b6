use tierd_rules::code;

use crate::support::{cases, failures, load_test, shop};

#[test]
fn every_failure_is_told_with_line_time_and_what_is_there() {
    let told = failures(
        &shop(),
        r#"
        [[case]]
        name = "all wrong"
        as_of = "2026-06-30T09:00:00"
        facts.orders = [{ ordered_at = "2026-05-01T10:30:05", amount = 6000 }]
        expect = { value = "A", best = "none" }
        expect_metrics = { annual_spend = 6000.01, last_order = "null", city = "武汉" }
        expect_moves = { value = "C -> B", best = "stays" }
        expect_reason = { value = "upgraded" }
        [[case.step]]
        as_of = "2026-07-30T09:00:01"
        expect_moves = { value = "B -> C" }
        expect_reason = { value = "downgraded" }
        explain = ["annual_spend 6000.01"]
        "#,
    );
    assert_eq!(
        told,
        [
            "6 2026-06-30 09:00 level in value: A, found B",
            "6 2026-06-30 09:00 level in best: none, found first",
            "7 2026-06-30 09:00 metric annual_spend: 6000.01, found 6000.00",
            "7 2026-06-30 09:00 metric last_order: null, found 2026-05-01 10:30:05",
            "7 2026-06-30 09:00 metric city: \"武汉\", found null",
            "8 2026-06-30 09:00 move in value: C -> B, found none -> B",
            "8 2026-06-30 09:00 move in best: stays, found none -> first",
            "9 2026-06-30 09:00 reason of the move in value: upgraded, found first level",
            "12 2026-07-30 09:00:01 move in value: B -> C, found stays B",
            "13 2026-07-30 09:00:01 reason of the move in value: downgraded, found none, it stays",
            "14 2026-07-30 09:00:01 explanation: annual_spend 6000.01, found other words",
        ]
    );
}

#[test]
fn a_level_is_explained() {
    let cases = cases(
        r#"
        [[case]]
        name = "not enough"
        as_of = 2026-06-30
        metrics = { annual_spend = 9999.99 }
        subject = { city = "武汉" }
        expect = { value = "A" }
        "#,
    );
    let detail = cases[0].failures[0].detail.join("\n");
    for words in ["customer 1 · value: level B", "annual_spend  = 9999.99", ">= 10000", "= '武汉'", "next level A"] {
        assert!(detail.contains(words), "{words}\n{detail}");
    }
}

#[test]
fn a_subject_that_the_filter_leaves_out_is_told() {
    let told = failures(
        &shop(),
        r#"
        [[case]]
        name = "test customers aren't graded"
        as_of = 2026-06-30
        subject = { city = "test" }
        expect = { value = "C" }
        "#,
    );
    assert_eq!(
        told,
        [
            "6 2026-06-30 00:00 subject: somebody to grade, found nobody: the filter in tierd.toml leaves this subject out"
        ]
    );
}

#[test]
fn failures_among_several_subjects_say_whose_they_are() {
    let told = failures(
        &shop(),
        r#"
        as_of = 2026-06-30
        [[case]]
        name = "both are first"
        [[case.subjects.customer]]
        key = 2
        expect = { best = "first" }
        [[case.subjects.customer]]
        key = 1
        expect = { best = "first" }
        "#,
    );
    assert_eq!(told, ["7 2026-06-30 00:00 customer 2 level in best: first, found none"]);
}

#[test]
fn reasons_are_known_by_their_names() {
    let loaded = load_test(
        &shop(),
        r#"
        [[case]]
        name = "a slip"
        as_of = 2026-06-30
        expect_reason = { value = "upgradet" }
        "#,
    );
    assert!(loaded.tests.is_none());
    let [wrong] = &loaded.diagnostics[..] else { panic!("{:?}", loaded.diagnostics) };
    assert_eq!((wrong.code, wrong.help.as_deref()), (code::UNKNOWN_VALUE, Some("did you mean \"upgraded\"?")));
}
