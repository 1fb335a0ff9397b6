//! What the tests of this crate share.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod plugins;

use tierd_rules::{File, FileSet, Loaded, load};

pub(crate) use self::plugins::with_plugins;

/// A good configuration with all types: two subjects would be needed for some rules, so there is only one here.
pub(crate) const CONFIG: &str = include_str!("../../../../tests/corpus/tierd.toml");

pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into() }
}

pub(crate) fn load_files(files: &[(&str, &str)]) -> Loaded {
    load(with_plugins(files.iter().map(|(path, text)| file(path, text)).collect()))
}

pub(crate) fn load_with(config: &str, rules: &str) -> Loaded {
    load_files(&[("tierd.toml", config), ("rules/test.toml", rules)])
}

/// As [`load_with`], with plugins by their names and what they say of themselves.
pub(crate) fn load_with_plugins(config: &str, rules: &str, plugins: &[(&str, &str)]) -> Loaded {
    let paths: Vec<String> = plugins.iter().map(|(name, _)| format!("rules/{name}.wasm")).collect();
    let plugins = paths.iter().map(String::as_str).zip(plugins.iter().map(|(_, text)| *text));
    let files: Vec<(&str, &str)> =
        [("tierd.toml", config), ("rules/test.toml", rules)].into_iter().chain(plugins).collect();
    load_files(&files)
}

const PAGE: &str = include_str!("../../../../docs/rules.md");

/// What the plugin of the page says of itself.
const CREDIT: &str = r#"
functions.score = { kind = "scorer", inputs = ["spend number", "tenure integer?", "city text?"], output = "integer", settings = ["base integer"] }
functions.decay = { kind = "aggregator", inputs = ["amount number"], output = "real" }
functions.remind = { kind = "planner", inputs = ["spend number"] }
lookups.regions = ["risk real"]
"#;

/// What the plugin of the pack `clv` says of itself, as far as the pack calls it.
const CLV: &str = r#"
functions.alive = { kind = "model", inputs = ["frequency number", "recency number", "t number"], output = "real" }
functions.expected_purchases = { kind = "model", inputs = ["frequency number", "recency number", "t number"], output = "real", settings = ["horizon number!"] }
functions.expected_value = { kind = "model", inputs = ["frequency number", "monetary number?"], output = "real" }
functions.lifetime_value = { kind = "model", inputs = ["frequency number", "recency number", "t number", "monetary number?"], output = "real", settings = ["horizon number!", "period number", "discount number"] }
"#;

/// Files of an example of the page or of a pack: with its plugin beside them, where they speak of it.
pub(crate) fn of_page(mut files: Vec<File>) -> FileSet {
    for (words, path, says) in [
        ("[plugin.credit]", "rules/credit.wasm", CREDIT),
        ("function        = \"lifetime_value\"", "rules/clv.wasm", CLV),
    ] {
        if files.iter().any(|file| file.text.contains(words)) {
            files.push(file(path, says));
        }
    }
    with_plugins(files)
}

/// The code blocks of a language in `docs/rules.md`.
pub(crate) fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let after = PAGE.split(fence.as_str()).skip(1);
    after.map(|rest| rest.split("```").next().unwrap_or("")).collect()
}

/// Configuration and rules of each example in `docs/rules.md`.
pub(crate) fn examples() -> Vec<(&'static str, &'static str)> {
    let all = blocks("toml");
    let Some((page, others)) = all.split_first() else { return vec![] };
    let mut out = vec![];
    // A block with another configuration is that of the next block.
    let mut config = *page;
    for block in others {
        if block.contains("time_zone") {
            config = block;
        } else {
            out.push((config, *block));
            config = page;
        }
    }
    out
}
