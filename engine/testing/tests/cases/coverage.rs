use tierd_testing::Coverage;

use crate::support::{results, shop};

const ONE: &str = r#"
[[case]]
name = "an A"
as_of = 2026-06-30
metrics = { annual_spend = 10000 }
subject = { joined_on = 2020-12-31 }
expect = { value = "A" }
"#;

const OTHERS: &str = r#"
[[case]]
name = "a B of the town"
as_of = 2026-06-30
metrics = { annual_spend = 5000 }
subject = { city = "武汉", joined_on = 2021-01-01 }
expect = { value = "B" }

[[case]]
name = "a C"
as_of = 2026-06-30
subject = { city = "上海" }
metrics = { annual_spend = 0, spend_rank = 2 }
expect = { value = "C" }
"#;

fn seen(text: &str) -> (Vec<String>, String) {
    let rules = shop();
    let mut coverage = Coverage::new(&rules);
    results(&rules, text, Some(&mut coverage));
    let all = coverage.conditions.iter().map(|of| {
        let covered = if of.is_covered() { "" } else { " !" };
        format!("{} | {} | {} {} {}{covered}", of.of, of.text, of.seen_true, of.seen_false, of.seen_unknown)
    });
    (all.collect(), format!("{} {:.1}", coverage.covered(), coverage.percent()))
}

#[test]
fn conditions_and_their_comparisons_are_counted() {
    let when = "annual_spend >= 10000 and (city = '武汉' or joined_on <= date '2020-12-31')";
    let (all, summary) = seen(ONE);
    assert_eq!(
        all,
        [
            "tiers.best first when | spend_rank = 1 | 1 0 0 !".to_owned(),
            format!("tiers.value A when | {when} | 1 0 0 !"),
            "tiers.value A when | annual_spend >= 10000 | 1 0 0 !".to_owned(),
            "tiers.value A when | city = '武汉' | 0 0 1 !".to_owned(),
            "tiers.value A when | joined_on <= date '2020-12-31' | 1 0 0 !".to_owned(),
            "tiers.value B when | annual_spend >= 5000 | 1 0 0 !".to_owned(),
        ]
    );
    assert_eq!(summary, "0 0.0");
    let (all, summary) = seen(&format!("{ONE}{OTHERS}"));
    assert_eq!(all.iter().filter(|line| line.ends_with('!')).count(), 0, "{all:#?}");
    assert_eq!(summary, "6 100.0");
}
