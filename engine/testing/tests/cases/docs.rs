//! The examples of `docs/testing.md` load and pass.

use crate::support::{CONFIG, pass, rules};

const PAGE: &str = include_str!("../../../../docs/testing.md");

#[test]
fn cases_on_the_page_pass() {
    let blocks = PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<&str> = blocks.collect();
    let (on_page, cases) = blocks.split_first().unwrap();
    assert!(cases.len() >= 5);
    let config = CONFIG.replace("[subject.customer.attributes]", "[subject.customer.attributes]\nname = \"text\"");
    let rules = rules(&[("tierd.toml", &config), ("rules/value.toml", on_page)]);
    cases.iter().for_each(|text| pass(&rules, text));
}
