//! The packs under `rules/`: each loads without a warning, passes its cases, and shows itself on an example database.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::Project;

mod figures;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules").canonicalize().unwrap()
}

fn packs() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 15, "{names:?}");
    names
}

/// Runs commands on a copy of each pack: compiled plugins stay beside the ledger, which isn't the place for them here.
fn each(commands: &[&[&str]]) {
    for pack in packs() {
        let project = copied(&pack);
        commands.iter().for_each(|command| drop(project.tierd(command).ok()));
    }
}

/// A pack in a folder of its own, as `cp -r` makes it: a link among the files would lead nowhere there.
fn copied(pack: &str) -> Project {
    let project = Project::empty();
    let from = folder().join(pack);
    fs::create_dir(project.path("rules")).unwrap();
    let rules = fs::read_dir(from.join("rules")).unwrap().map(|entry| entry.unwrap().path());
    for path in rules.chain([from.join("tierd.toml")]) {
        assert!(!path.is_symlink(), "{}", path.display());
        fs::copy(&path, project.path(path.strip_prefix(&from).unwrap().to_str().unwrap())).unwrap();
    }
    project
}

/// Names of all cases of a pack.
fn cases(pack: &str) -> Vec<String> {
    let rules = folder().join(pack).join("rules");
    let paths = fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path());
    let mut names = Vec::new();
    for path in paths.filter(|path| path.to_str().unwrap().ends_with(".test.toml")) {
        let file: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let cases = file["case"].as_array().unwrap();
        names.extend(cases.iter().map(|case| case["name"].as_str().unwrap().to_owned()));
    }
    assert!(!names.is_empty(), "{pack} has no cases");
    names
}

#[test]
fn every_pack_loads_without_a_warning_and_its_cases_pass_and_see_every_condition_true_and_false() {
    each(&[&["check", "--offline", "--deny-warnings"], &["test", "--min-coverage", "100"]]);
}

#[test]
fn every_system_and_capability_has_a_case_that_begins_with_its_number() {
    let names: Vec<String> = packs().iter().flat_map(|pack| cases(pack)).collect();
    let found: BTreeSet<&str> = names.iter().map(|name| name.split(' ').next().unwrap()).collect();
    let systems = (1..=15).map(|n| format!("S{n}")).chain(["S1b".to_owned()]);
    let wanted: BTreeSet<String> = systems.chain((1..=6).map(|n| format!("R{n}"))).collect();
    assert_eq!(found, wanted.iter().map(String::as_str).collect());
}

#[test]
fn readmes_are_in_both_languages_and_name_the_commands() {
    for pack in packs() {
        let text = fs::read_to_string(folder().join(&pack).join("README.md")).unwrap();
        let chinese = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
        let english = text.split_whitespace().filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).count();
        assert!(chinese >= 40 && english >= 20, "{pack}: {chinese} characters, {english} words");
        for command in [format!("tierd test -C rules/{pack} "), format!("tierd demo --pack {pack} ")] {
            assert!(text.contains(&command), "{pack}: {command}");
        }
    }
}

#[test]
fn the_list_has_every_pack_once_with_titles_of_its_own() {
    let list = Project::empty().tierd(&["demo", "--list", "-o", "json"]).ok().json();
    let column = |name: &str| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
    };
    let rows = list.as_array().unwrap().len();
    assert_eq!(rows, packs().len() + 1, "the packs and the shop");
    for name in ["pack", "title", "标题"] {
        assert_eq!(column(name).len(), rows, "{name}");
    }
    assert!(packs().iter().all(|pack| column("pack").contains(pack)));
}

#[test]
fn every_demo_has_customers_at_every_level() {
    let project = Project::empty();
    for pack in packs() {
        let demo = ["demo", "--pack", &pack, "--customers", "2000", "--as-of", "2026-06-30", "-o", "csv"];
        let printed = project.tierd(&demo).ok().out;
        let empty: Vec<&str> = printed.lines().filter(|line| line.ends_with(",0,0.0 %")).collect();
        assert!(printed.lines().count() > 2 && empty.is_empty(), "{pack}: {empty:?} in\n{printed}");
        // The folder stands on its own: its rules, its tests, and a second run that changes no level.
        let dir = format!("tierd-demo-{pack}");
        project.tierd(&["-C", &dir, "check", "--deny-warnings"]).ok();
        project.tierd(&["-C", &dir, "test"]).ok();
        project.tierd(&["-C", &dir, "run", "--as-of", "2026-06-30"]).ok().says(&["nothing changed"]);
    }
}

#[test]
fn packs_are_found_by_what_they_are_about() {
    let project = Project::empty();
    for (alias, file) in [("telecom", "rules/vip.toml"), ("retail", "rules/card.toml"), ("abc", "rules/value.toml")] {
        project.tierd(&["demo", "--pack", alias, "--customers", "20", "--dir", alias, "-q"]).ok();
        assert!(project.path(alias).join(file).exists(), "{alias}");
    }
    project.tierd(&["demo", "--pack", "bakery"]).exits(64).says(&["no pack `bakery`", "--list"]);
}

/// The document's table: id, masked name, annual spend, contacts a month, level, strategy, owner, next follow-up.
#[test]
fn the_grading_table_has_the_columns_of_the_document() {
    let project = Project::empty();
    let demo = ["demo", "--pack", "grading-table", "--customers", "500", "--dir", "d", "--as-of", "2026-06-30", "-q"];
    project.tierd(&demo).ok();
    let table = project.tierd(&["-C", "d", "export", "--attribute", "name", "--level", "A", "-o", "csv"]).ok().out;
    let mut lines = table.lines();
    let columns = "key,name,annual_spend,monthly_contacts,level,strategy,owner,next_follow_up";
    assert!(lines.next().unwrap().starts_with(columns), "{table}");
    let first = lines.next().unwrap();
    assert!(first.contains("*,") && first.contains(",A,monthly visit,key-accounts,2026-07-30"), "{first}");
}
