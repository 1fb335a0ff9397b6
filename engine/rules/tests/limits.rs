//! Input that is too large, too deep or not there: refused by name, without overflowing the stack.

mod common;

use std::fmt::Write;

use common::{CONFIG, load_files, load_with};
use tierd_rules::{Loaded, code};

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn load_derived(expression: &str) -> Loaded {
    load_with(CONFIG, &format!("[metric.m]\nderived = \"{expression}\"\n"))
}

#[test]
fn missing_configuration_is_one_clear_error() {
    for files in [&[][..], &[("rules/a.toml", "[metric.a]\nderived = \"b\"")][..]] {
        let loaded = load_files(files);
        assert_eq!(codes(&loaded), [code::MISSING_CONFIG]);
        let text = loaded.diagnostics[0].render(&loaded.files, false);
        assert!(text.contains("--> tierd.toml:1:1"), "{text}");
    }
}

#[test]
fn files_above_8_mib_are_not_read() {
    let large = format!("# {}\n", "x".repeat(10 << 20));
    let loaded = load_with(CONFIG, &large);
    assert_eq!(codes(&loaded), [code::FILE_TOO_LARGE]);
    let text = loaded.diagnostics[0].render(&loaded.files, false);
    assert!(text.contains("this file has 10.0 MiB; at most 8 MiB are read"), "{text}");
    assert!(text.len() < 1000, "the file itself isn't quoted");
}

#[test]
fn metrics_and_tier_sets_have_a_most() {
    let mut metrics = String::new();
    (0..10_001).for_each(|i| writeln!(metrics, "[metric.m{i}]\nattribute = \"visits\"").unwrap());
    assert_eq!(codes(&load_with(CONFIG, &metrics)), [code::TOO_MANY]);
    let mut sets = String::new();
    (0..1_001).for_each(|i| writeln!(sets, "[tiers.t{i}]\nlevel = [{{ name = \"C\" }}]").unwrap());
    assert_eq!(codes(&load_with(CONFIG, &sets)), [code::TOO_MANY]);
    let levels: String = (0..1_001).map(|i| format!("{{ name = \"{i}\", when = \"active\" }},")).collect();
    assert_eq!(codes(&load_with(CONFIG, &format!("[tiers.t]\nlevel = [{levels}]\n"))), [code::TOO_MANY]);
}

#[test]
fn what_is_kept_per_category_counts_once_for_each() {
    let categories: String = (0..600).map(|i| format!("'c{i}',")).collect();
    let set = |name: &str, metric: &str, levels: usize| {
        let levels: String = (0..levels).map(|i| format!("{{ name = '{i}', when = '{metric} > {i}' }},")).collect();
        format!("[tiers.{name}]\nper = 'category'\ncategories = [{categories}]\nlevel = [{levels}]\n")
    };
    let by =
        "[metric.by_status]\nfrom = 'orders'\naggregate = 'count(*)'\nby = 'status'\nwindow = 'lifetime'\nempty = 0\n";
    let derived: String = (0..20).fold(by.to_owned(), |all, i| {
        all + &format!(
            "[metric.d{i}]\nderived = '{} + 1'\n",
            if i == 0 { "by_status".to_owned() } else { format!("d{}", i - 1) }
        )
    });
    assert_eq!(codes(&load_with(CONFIG, &format!("{by}{}", set("a", "by_status", 3)))), Vec::<&str>::new());
    let sets = format!("{by}{}{}", set("a", "by_status", 3), set("b", "by_status", 3));
    assert_eq!(codes(&load_with(CONFIG, &sets)), [code::TOO_MANY]);
    assert_eq!(codes(&load_with(CONFIG, &format!("{by}{}", set("a", "by_status", 100)))), [code::TOO_MANY]);
    assert_eq!(codes(&load_with(CONFIG, &format!("{derived}{}", set("a", "d19", 3)))), [code::TOO_MANY]);
}

#[test]
fn points_programs_and_retention_rules_have_a_most() {
    let mut programs = String::new();
    (0..1_001).for_each(|i| writeln!(programs, "[points.p{i}]\nearn = [{{ from = 'orders', points = 1 }}]").unwrap());
    assert_eq!(codes(&load_with(CONFIG, &programs)), [code::TOO_MANY]);
    let bookings = "{ from = 'orders', points = 1 },".repeat(1_001);
    assert_eq!(codes(&load_with(CONFIG, &format!("[points.p]\nearn = [{bookings}]\n"))), [code::TOO_MANY]);
    let mut rules = String::new();
    (0..1_001).for_each(|i| writeln!(rules, "[retention.r{i}]\nwhen = 'active'\naction = {{ task = 'x' }}").unwrap());
    assert_eq!(codes(&load_with(CONFIG, &rules)), [code::TOO_MANY]);
}

#[test]
fn long_chains_of_metrics_load() {
    let mut metrics = String::from("[metric.m0]\nattribute = \"visits\"\n");
    (1..10_000).for_each(|i| writeln!(metrics, "[metric.m{i}]\nderived = \"m{} + 1\"", i - 1).unwrap());
    let rules = load_with(CONFIG, &metrics).rules.unwrap();
    assert_eq!(rules.metrics.last().unwrap().name, "m9999");
}

#[test]
fn long_cycles_are_reported_once() {
    let mut metrics = String::new();
    (0..5_000).for_each(|i| writeln!(metrics, "[metric.m{i}]\nderived = \"m{} + 1\"", (i + 1) % 5_000).unwrap());
    let loaded = load_with(CONFIG, &metrics);
    assert_eq!(codes(&loaded), [code::CYCLE]);
    assert!(loaded.diagnostics[0].render(&loaded.files, false).len() < 5_000, "a cycle is cut to what one can read");
}

#[test]
fn expressions_above_16_kib_are_not_read() {
    let long = format!("visits{}", " + visits".repeat(2_000));
    assert_eq!(codes(&load_derived(&long)), [code::EXPRESSION_TOO_LONG]);
}

#[test]
fn long_lists_of_conditions_load() {
    for word in ["and", "or"] {
        let long = format!("active{}", format!(" {word} active").repeat(1_000));
        assert_eq!(codes(&load_derived(&long)), Vec::<&str>::new());
    }
    let list = format!("visits in (1{})", ", 1".repeat(4_000));
    assert_eq!(codes(&load_derived(&list)), Vec::<&str>::new());
}

#[test]
fn fifty_parentheses_load() {
    for (open, close) in [("(", ")"), ("abs(", ")"), ("- ", "")] {
        let expression = format!("{}visits{}", open.repeat(50), close.repeat(50));
        assert_eq!(codes(&load_derived(&expression)), Vec::<&str>::new(), "{open}");
    }
}

/// Each as long as an expression may be; the stack of a test thread is 2 MiB.
#[test]
fn deep_expressions_are_refused() {
    let fill = |part: &str, before: usize| part.repeat((16_000 - before) / part.len());
    let around = |open: &str, inner: &str, close: &str| {
        let n = 16_000 / (open.len() + close.len());
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    for expression in [
        around("(", "visits", ")"),
        around("not ", "active", ""),
        around("- ", "visits", ""),
        around("abs(", "visits", ")"),
        around("case when ", "active", " then 1 > 0 end"),
        around("case ", "visits", " when 1 then 1 end"),
        around("cast(", "visits", " as real)"),
        around("visits in (", "1", ")"),
        around("1 between ", "1", " and 2"),
        around("(active and ", "active", ")"),
        format!("visits{}", fill(" + 1", 6)),
        format!("visits{}", fill(" = 1", 6)),
        format!("visits{}", fill(" is null", 6)),
        format!("visits{}", fill(" in (1)", 6)),
        format!("visits{}", fill(" between 1 and 2", 6)),
        format!("city{}", fill(" like 'a%'", 6)),
        format!("visits{}", fill(" * (1 + visits)", 6)),
    ] {
        let loaded = load_derived(&expression);
        let found = codes(&loaded);
        let start = &expression[..40];
        assert!(!found.is_empty() && loaded.rules.is_none(), "{start} loads");
        assert!(
            found.iter().all(|code| [code::TOO_DEEP, code::EXPRESSION_SYNTAX].contains(code)),
            "{start}: {found:?}"
        );
    }
}

#[test]
fn unclosed_brackets_are_refused() {
    for text in ["a = ", "[[x]]\na = "] {
        for open in ["[", "{a=", "\"\"\"", "'''"] {
            let loaded = load_with(CONFIG, &format!("{text}{}", open.repeat(100_000)));
            assert!(codes(&loaded).contains(&code::TOML_SYNTAX), "{text}{open}");
        }
    }
}

#[test]
fn mistakes_beyond_a_thousand_are_counted() {
    let keys = (0..5_000).fold(String::new(), |all, i| all + &format!("key{i} = 1\n"));
    let loaded = load_with(CONFIG, &keys);
    assert_eq!(loaded.diagnostics.len(), 1_001);
    assert_eq!(loaded.diagnostics[1_000].headline, "4000 more mistakes aren't shown");
    let names = (0..5_000).fold(String::new(), |all, i| all + &format!("[metric.m{i}]\nderived = \"n{i} + x\"\n"));
    assert_eq!(load_with(CONFIG, &names).diagnostics.len(), 1_001);
}

#[test]
fn large_files_of_errors_end_at_the_first() {
    let loaded = load_with(CONFIG, &"=\n".repeat(3 << 20));
    assert_eq!(codes(&loaded), [code::TOML_SYNTAX]);
}
