use tierd_rules::{File, FileSet, load};

use super::lints;
use crate::testing::clock;

const CONFIG: &str = r#"
time_zone = "Asia/Shanghai"
database.sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
attributes.spend = { type = "decimal(2)", encoding = "real" }
attributes.contacts = "integer"
attributes.city = "text"
attributes.joined_on = { type = "date", encoding = "iso8601" }
[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "day"
columns.day = { type = "date", encoding = "iso8601" }
columns.late = "bool"
"#;

/// Code, headline and label of each lint on rules of one file.
fn linted(rules: &str) -> Vec<String> {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/a.toml", rules)]));
    assert_eq!(loaded.diagnostics, [], "{rules}");
    let lints = lints(&loaded.rules.unwrap(), &clock("2026-06-30T09:00", "Asia/Shanghai"));
    lints.iter().map(|lint| format!("{}: {}: {}", lint.code, lint.headline, lint.primary.text)).collect()
}

/// A set of levels, lowest first, each with name and condition (none for "").
fn set(keys: &str, levels: &[(&str, &str)]) -> String {
    let level = |(name, when): &(&str, &str)| {
        let when = if when.is_empty() { String::new() } else { format!("when = \"{when}\"\n") };
        format!("[[tiers.t.level]]\nname = \"{name}\"\n{when}")
    };
    format!("[tiers.t]\n{keys}\n{}", levels.iter().map(level).collect::<String>())
}

#[test]
fn sound_sets_are_left_alone() {
    for levels in [
        vec![("C", ""), ("B", "spend >= 5000"), ("A", "spend >= 10000")],
        vec![("low", "spend < 100"), ("middle", "spend between 100 and 999.99"), ("high", "spend >= 1000")],
        vec![("elsewhere", ""), ("home", "city in ('武汉', '宜昌') or city like '黄%'")],
        vec![("new", ""), ("old", "joined_on < today - interval '3 months'")],
        vec![("few", ""), ("some", "spend * contacts > 100"), ("many", "spend * contacts > 10")],
    ] {
        assert_eq!(linted(&set("", &levels)), Vec::<String>::new(), "{levels:?}");
    }
}

#[test]
fn unreachable_level_names_the_one_that_takes_its_subjects() {
    let reversed = set("", &[("low", ""), ("high", "spend >= 10000"), ("middle", "spend >= 5000")]);
    assert_eq!(
        linted(&reversed),
        [
            "unreachable-level: no subject can reach level `high`: whoever fulfils this has `middle`, for instance with spend 10000.00"
        ]
    );
}

#[test]
fn condition_that_is_never_true() {
    let never = set("", &[("low", ""), ("high", "spend >= 10000 and spend < 5000")]);
    assert_eq!(linted(&never), ["unreachable-level: no subject can reach level `high`: this is never true"]);
    let texts = set("", &[("low", ""), ("high", "city = '武汉' and city like '黄%'")]);
    assert_eq!(linted(&texts), ["unreachable-level: no subject can reach level `high`: this is never true"]);
}

#[test]
fn lowest_level_that_nobody_falls_to() {
    let all = set("", &[("low", ""), ("high", "spend > 0 or spend <= 0 or spend is null")]);
    assert_eq!(
        linted(&all),
        [
            "unreachable-level: no subject can reach level `low`: whoever fulfils this has `high`, for instance with spend 0.00"
        ]
    );
}

#[test]
fn nothing_is_called_unreachable_that_conditions_hide() {
    let hidden = set("", &[("low", ""), ("high", "spend * 2 > 10 and spend * 2 < 10")]);
    assert_eq!(linted(&hidden), Vec::<String>::new());
}

#[test]
fn what_a_metric_can_never_be_is_never_true() {
    let metric = |name: &str, how: &str| format!("[metric.{name}]\nallow = [\"unused-metric\"]\n{how}\n");
    let facts = |aggregate: &str, empty: &str| {
        format!("from = \"orders\"\naggregate = \"{aggregate}\"\nwindow = \"lifetime\"\nempty = {empty}")
    };
    let metrics = metric("late_share", &facts("share(late)", "\"null\""))
        + &metric("marked", &facts("share(late)", "-1"))
        + &metric("gap", &facts("mean_gap(day)", "\"null\""))
        + &metric("gap_or_0", &facts("mean_gap(day)", "0"))
        + &metric("orders", &facts("count(*)", "0"))
        + &metric("fifth", "quintile = \"spend desc\"")
        + &metric("percent", "percentile = \"spend desc\"")
        + &metric("place", "rank = \"spend desc\"");
    let lints = |when: &str| linted(&(metrics.clone() + &set("", &[("low", ""), ("high", when)])));
    for when in ["late_share >= 80", "orders < 0", "fifth > 5", "fifth = 0", "percent > 100", "place <= 0", "gap < 0.5"]
    {
        let never = ["unreachable-level: no subject can reach level `high`: this is never true"];
        assert_eq!(lints(when), never, "{when}");
    }
    for when in [
        "late_share >= 1",
        "marked < 0",
        "orders <= 0",
        "fifth >= 5",
        "fifth > -5 and fifth < 3",
        "percent <= 1",
        "place > -5",
        "gap >= 1",
        "gap_or_0 > 0.5",
        "gap_or_0 < 0.5",
    ] {
        assert_eq!(lints(when), Vec::<String>::new(), "{when}");
    }
}

#[test]
fn gap_between_measures_is_named_with_the_values() {
    let s1 = [("low", ""), ("middle", "spend >= 5000 and contacts >= 2"), ("high", "spend >= 10000 and contacts >= 5")];
    assert_eq!(
        linted(&set("", &s1)),
        ["level-gap: `spend` alone says `high`, and the set says `low`: not with spend 10000.00, contacts 0"]
    );
    assert_eq!(linted(&set("", &s1[1..])), Vec::<String>::new(), "two levels leave no gap");
    let same = [("low", ""), ("middle", "spend >= 5000 and contacts > 0"), ("high", "spend >= 10000 and contacts > 0")];
    assert_eq!(linted(&set("", &same)), Vec::<String>::new(), "what all levels ask alike is no measure");
}

#[test]
fn letters_upside_down() {
    let levels = [("A", ""), ("B", "spend >= 1000"), ("C", "spend >= 3000"), ("D", "spend >= 5000")];
    assert_eq!(
        linted(&set("", &levels)),
        ["level-order: `A` is the lowest level of this set, `D` the highest: `D` with spend 5000.00"]
    );
}

/// Lints of rules with policies, by code alone.
fn codes(rules: &str) -> Vec<String> {
    linted(rules).iter().map(|lint| lint.split(':').next().unwrap_or("").to_owned()).collect()
}

#[test]
fn keeping_is_easier_than_entering() {
    let keep = |keep: &str| {
        let levels = "[[tiers.t.level]]\nname = \"low\"\n[[tiers.t.level]]\nname = \"high\"\nwhen = \"spend >= 10000\"";
        format!("[tiers.t]\n{levels}\nkeep = \"{keep}\"\n")
    };
    assert_eq!(linted(&keep("spend >= 9000")), Vec::<String>::new());
    assert_eq!(
        linted(&keep("spend >= 10000.01")),
        ["keep-harder-than-enter: level `high` can be entered by those who can't keep it: false with spend 10000.00"]
    );
}

#[test]
fn segments_that_overlap() {
    let segments = |second: &str| set("ordered = false", &[("rest", ""), ("big", "spend >= 1000"), ("loyal", second)]);
    assert_eq!(linted(&segments("spend < 1000 and contacts >= 5")), Vec::<String>::new());
    assert_eq!(
        linted(&segments("contacts >= 5")),
        ["overlapping-levels: `big` and `loyal` can both be true; then it is `loyal`, which is written later: \
          both with spend 1000.00, contacts 5"]
    );
}

#[test]
fn rules_that_act_on_the_same_subject() {
    let rules = |keys: &str| {
        format!(
            "[retention.a]\nwhen = \"spend < 100\"\naction = {{ task = \"call\" }}\n\
             [retention.b]\nwhen = \"spend < 10\"\naction = {{ task = \"write\" }}\n{keys}\n"
        )
    };
    assert_eq!(
        linted(&rules("")),
        ["overlapping-rules: rules `a` and `b` may act on the same subject in one run: both with spend 0.00"]
    );
    assert_eq!(linted(&rules("mode = \"shadow\"")), Vec::<String>::new());
    assert_eq!(linted(&rules("allow = [\"overlapping-rules\"]")), Vec::<String>::new());
}

#[test]
fn allow_silences_a_lint_where_it_stands() {
    let levels = [("A", ""), ("B", "spend >= 1000"), ("C", "spend >= 3000")];
    assert_eq!(codes(&set("", &levels)), ["level-order"]);
    assert_eq!(codes(&set("allow = [\"level-order\"]", &levels)), Vec::<String>::new());
}
