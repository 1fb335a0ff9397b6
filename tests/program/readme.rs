//! The README's commands and what it says they print.

use std::{fs, path::Path};

use crate::support::Project;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap()
}

/// The text of the `n`th fenced block of a kind.
fn block(kind: &str, n: usize) -> String {
    let text = readme();
    let fence = format!("```{kind}\n");
    let mut blocks = text.split(&fence).skip(1);
    blocks.nth(n).unwrap().split("\n```").next().unwrap().to_owned()
}

#[test]
fn every_command_of_the_tour_is_a_command() {
    let help = Project::empty().tierd(&["--help"]).ok().out;
    let text = readme();
    let named: Vec<&str> = text.match_indices("tierd ").map(|(at, _)| &text[at + 6..]).collect();
    let commands = named.iter().filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next());
    let known = ["demo", "init", "check", "run", "explain", "levels", "export", "sql", "report"];
    let mut seen = 0;
    for command in commands.filter(|command| known.contains(command)) {
        assert!(help.contains(&format!("  {command} ")), "{command}");
        seen += 1;
    }
    assert!(seen >= 10, "the tour shows the commands");
}

#[test]
fn the_broken_rule_is_shown_as_it_is_printed() {
    let project = Project::empty();
    project.tierd(&["demo", "--customers", "50", "--dir", "d"]).ok();
    project.edit("d/rules/value.toml", "annual_spend >= 10000 and", "annual_spend >= '12000' and");
    let printed = project.tierd(&["-C", "d", "check"]).exits(1).err;
    let shown = block("text", 1);
    assert!(printed.contains(shown.trim()), "README shows\n{shown}\nprinted is\n{printed}");
}
