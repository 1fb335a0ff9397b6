use super::*;
use crate::File;

fn files(texts: &[&str]) -> FileSet {
    let file =
        |(place, text): (usize, &&str)| File { path: format!("rules/{place}.toml").into(), text: (*text).into() };
    FileSet::new(texts.iter().enumerate().map(file).collect())
}

/// What is shown of the change from one file to another.
fn shown(old: &str, new: &str) -> Vec<String> {
    diff_files(&files(&[old]), &files(&[new])).iter().map(ToString::to_string).collect()
}

const RULES: &str = r#"
[metric.annual_spend]
from = "orders"
aggregate = "sum(amount)"
window = { last = "12 months" }
empty = 0

[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "A"
when = "annual_spend >= 10000 and monthly_contacts >= 5"

[retention.win_back]
when = "days_idle > 60"
for = "2 days"
action = { task = "call" }
"#;

/// The rules, with one text in place of another.
fn edited(from: &str, to: &str) -> String {
    assert!(RULES.contains(from), "{from}");
    RULES.replacen(from, to, 1)
}

#[test]
fn an_edit_is_shown_in_rule_terms() {
    let level = "[[tiers.value.level]]\nname = \"C\"";
    let cases: &[(&str, &str, &[&str])] = &[
        ("10000", "12000", &["tiers.value.A: annual_spend >= 10000 → 12000"]),
        ("\"2 days\"", "\"3 days\"", &["retention.win_back.for: 2 days → 3 days"]),
        ("days_idle > 60", "days_idle > 90", &["retention.win_back.when: days_idle > 60 → 90"]),
        ("for = \"2 days\"", "", &["- retention.win_back.for: 2 days"]),
        ("for = \"2 days\"", "for = \"2 days\"\ncooldown = \"90 days\"", &["+ retention.win_back.cooldown: 90 days"]),
        (level, "[[tiers.value.level]]\nname = \"B\"", &["+ tiers.value.B", "- tiers.value.C"]),
        (level, "[[tiers.value.level]]\nname = \"C\"\n[[tiers.value.level]]\nname = \"B\"", &["+ tiers.value.B"]),
        (
            "name = \"C\"",
            "name = \"C\"\nbenefits = { discount = 0.9 }",
            &["+ tiers.value.C.benefits: { discount = 0.9 }"],
        ),
        ("[metric.annual_spend]", "[metric.spend]", &["- metric.annual_spend", "+ metric.spend"]),
        ("sum(amount)", "max(amount)", &["metric.annual_spend.aggregate: sum(amount) → max(amount)"]),
        ("12 months", "6 months", &["metric.annual_spend.window.last: 12 months → 6 months"]),
        (
            "{ last = \"12 months\" }",
            "{ calendar = \"year\" }",
            &["metric.annual_spend.window: { last = \"12 months\" } → { calendar = \"year\" }"],
        ),
        (
            "{ last = \"12 months\" }",
            "\"lifetime\"",
            &["metric.annual_spend.window: { last = \"12 months\" } → lifetime"],
        ),
        ("empty = 0", "empty = \"null\"", &["metric.annual_spend.empty: 0 → null"]),
    ];
    for (from, to, expected) in cases {
        assert_eq!(shown(RULES, &edited(from, to)), *expected, "{from} → {to}");
    }
}

#[test]
fn a_condition_is_shown_by_its_parts() {
    for (old, new, expected) in [
        ("a >= 1 and b >= 2", "b >= 2 and a >= 1", vec![]),
        ("a >= 1", "a >= 1 and b >= 2", vec!["t.when: + and b >= 2"]),
        ("a >= 1 or b >= 2", "a >= 1", vec!["t.when: - or b >= 2"]),
        ("a >= 1 and b >= 2", "a >= 3 and b >= 4", vec!["t.when: a >= 1 → 3", "t.when: b >= 2 → 4"]),
        ("a >= 1 and b >= 2", "a > 1 and b >= 2", vec!["t.when: a >= 1 → a > 1"]),
        ("a >= 1 and b >= 2", "a >= 1 or b >= 2", vec!["t.when: a >= 1 and b >= 2 → a >= 1 or b >= 2"]),
        ("a >= 1 and (b >= 2 or c)", "a >= 1 and (b >= 3 or c)", vec!["t.when: b >= 2 → 3"]),
        ("a / b >= -1.5", "a / b >= -2.5", vec!["t.when: a / b >= -1.5 → -2.5"]),
        ("city = '武汉'", "city = '上海'", vec!["t.when: city = '武汉' → '上海'"]),
        ("a between 1 and 5", "a between 1 and 6", vec!["t.when: a between 1 and 5 → a between 1 and 6"]),
        ("not a", "a", vec!["t.when: not a → a"]),
        ("a in (1, 2)", "a not in (1, 2)", vec!["t.when: a in (1, 2) → a not in (1, 2)"]),
        ("a >= 1 ? b", "a >= 1 ! b", vec!["t.when: a >= 1 ? b → a >= 1 ! b"]),
        ("a >= 1 and a >= 1", "a >= 1", vec!["t.when: - and a >= 1"]),
    ] {
        let mut out = vec![];
        condition::changes("t.when", old, new, &mut out);
        assert_eq!(out.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{old} → {new}");
    }
}

#[test]
fn form_is_no_change() {
    let other = r#"
    # A comment.
    retention.win_back.action.task = "call"
    retention.win_back.for = '2 days'
    retention.win_back.when = """
        days_idle
        > 60"""
    [tiers.value]
    level = [{ name = "C" }, { when = "annual_spend>=10000 AND (monthly_contacts >= 5)", name = "A" }]
    "#;
    let metric = r#"metric.annual_spend = { empty = 0x0, window.last = "12 months", aggregate = "sum( amount )", from = "orders" }"#;
    assert_eq!(diff_files(&files(&[RULES]), &files(&[other, metric])), []);
}

#[test]
fn another_order_of_levels_is_a_change() {
    let set = |levels: &str| format!("tiers.value.level = [{levels}]");
    let (a, b, c) = (r#"{ name = "A" }"#, r#"{ name = "B", when = "x" }"#, r#"{ name = "C", when = "y" }"#);
    assert_eq!(
        shown(&set(&format!("{a}, {b}, {c}")), &set(&format!("{a}, {c}, {b}"))),
        ["tiers.value.level: A, B, C → A, C, B"]
    );
    assert_eq!(shown(&set(&format!("{a}, {c}")), &set(&format!("{a}, {b}, {c}"))), ["+ tiers.value.B"]);
}

#[test]
fn configuration_is_shown_as_well() {
    let old =
        "time_zone = \"UTC\"\n[subject.customer.attributes]\ncity = \"text\"\n[schedule.default]\nevery = \"daily\"";
    let new = "time_zone = \"Asia/Shanghai\"\n[subject.customer.attributes]\ncity = \"text\"\nage = \"integer\"\n[http]\nlisten = \"off\"";
    assert_eq!(
        shown(old, new),
        [
            "+ http: { listen = \"off\" }",
            "- schedule.default",
            "+ subject.customer.attributes.age: integer",
            "time_zone: UTC → Asia/Shanghai"
        ]
    );
}

#[test]
fn parts_are_there_for_other_forms_than_text() {
    let change = diff_files(&files(&[RULES]), &files(&[&edited("10000", "12000")])).remove(0);
    let text = |text: &str| Some(text.to_owned());
    let expected = Change {
        kind: ChangeKind::Changed,
        what: "tiers.value.A".to_owned(),
        part: text("annual_spend >="),
        from: text("10000"),
        to: text("12000"),
    };
    assert_eq!(change, expected);
}

mod random {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Nothing is different from itself, whatever comes is what goes the other way, and no text panics.
        #[test]
        fn there_and_back(a in "[a-c=.\"'{}\\[\\]\n 0-9#]{0,60}", b in "[a-c]( >= [0-9]| and [a-c] < [0-9]){0,3}", c in "[a-c]( >= [0-9]| or [a-c] < [0-9]){0,3}") {
            prop_assert_eq!(diff_files(&files(&[&a]), &files(&[&a])), []);
            let rule = |when: &str| format!("{a}\n[retention.r]\nwhen = '{when}'");
            let (there, back) = (shown(&rule(&b), &rule(&c)), shown(&rule(&c), &rule(&b)));
            prop_assert_eq!(there.len(), back.len());
            prop_assert_eq!(shown(&rule(&b), &rule(&b)), Vec::<String>::new());
        }
    }
}

/// Rules with a plugin of these bytes, and `tierd.toml`.
fn with_plugin(bytes: &str, config: &str) -> FileSet {
    let config = File { path: "tierd.toml".into(), text: config.into() };
    FileSet::new(vec![config]).with_plugins(vec![crate::PluginFile::new("rules/credit.wasm", bytes.as_bytes())])
}

#[test]
fn a_plugin_is_shown_by_its_hash() {
    let changes = |old: &FileSet, new: &FileSet| -> Vec<String> {
        diff_files(old, new).iter().map(ToString::to_string).collect()
    };
    let hash = |bytes: &str| crate::PluginHash::of(bytes.as_bytes()).short();
    let limits = "[plugin.credit]\nmemory = \"64 MiB\"";
    let (one, two) = (with_plugin("one", ""), with_plugin("two", ""));
    assert_eq!(changes(&one, &two), [format!("plugin.credit: {} → {}", hash("one"), hash("two"))]);
    assert_eq!(changes(&FileSet::default(), &one), ["+ plugin.credit"]);
    assert_eq!(changes(&one, &with_plugin("one", limits)), ["+ plugin.credit.memory: 64 MiB"]);
    assert_eq!(
        changes(&with_plugin("one", limits), &with_plugin("two", &limits.replace("64", "32"))),
        [
            format!("plugin.credit: {} → {}", hash("one"), hash("two")),
            "plugin.credit.memory: 64 MiB → 32 MiB".to_owned()
        ]
    );
}
