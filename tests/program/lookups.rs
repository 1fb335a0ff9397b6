//! Tables that plugins look things up in: granted, read with everything else, and missed where they are gone.

use std::{fs, sync::mpsc, thread, time::Duration};

use rusqlite::Connection;

use crate::{
    guests,
    support::{AS_OF, Project},
};

const CONFIG: &str = r#"
[plugin.regions]
lookups = ["regions"]
[lookup.regions]
table = "areas"
key = { column = "code", type = "text" }
columns = { risk = "real", nobody_asks = { type = "text", column = "note" } }
"#;

const RULES: &str = r#"
[metric.risk]
plugin = "regions"
function = "f"
inputs = { a = "city" }
[tiers.risk]
[[tiers.risk.level]]
name = "low"
[[tiers.risk.level]]
name = "high"
when = "risk >= 0.5"
"#;

const AREAS: &str = "CREATE TABLE areas (code TEXT PRIMARY KEY, risk REAL, note TEXT);
    INSERT INTO areas VALUES ('武汉', 0.75, 'x'), ('北京', 0.25, NULL);";

/// The shop, with a plugin that looks up the risk of a customer's city.
fn shop() -> Project {
    let project = Project::shop();
    fs::write(project.path("rules/regions.wasm"), guests::looking_up().bytes).unwrap();
    project.write("rules/risk.toml", RULES);
    let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
    project.write("tierd.toml", &format!("{config}{CONFIG}"));
    project.sql(AREAS);
    project
}

/// A run that must fail, with each of these in what it says.
fn run_fails(project: &Project, says: &[&str]) {
    project.tierd(&["run", "--as-of", AS_OF]).exits(1).says(says);
}

#[test]
fn what_a_plugin_looks_up_decides_and_is_explained() {
    let project = shop();
    project.tierd(&["check"]).ok();
    project.run();
    assert_eq!(project.held("risk"), "1=high 2=low 3=low");
    let why = |key: &str| project.tierd(&["explain", key, "--set", "risk"]).ok();
    why("1").prints(&["level high", "risk", "0.75", "f of plugin regions", "武汉"]);
    // A city that the table doesn't have, and a customer without a city.
    for key in ["2", "3"] {
        why(key).prints(&["level low", "UNKNOWN"]);
    }
    project.sql("INSERT INTO areas VALUES ('上海', 0.5, NULL); UPDATE areas SET risk = 0.25 WHERE code = '武汉'");
    project.run();
    assert_eq!(project.held("risk"), "1=low 2=high 3=low");
}

#[test]
fn keys_that_are_numbers_are_looked_up_as_they_are_written() {
    let project = shop();
    project.edit("tierd.toml", "{ column = \"code\", type = \"text\" }", "\"code\"");
    project.sql(
        "DROP TABLE areas; CREATE TABLE areas (code INTEGER PRIMARY KEY, risk REAL, note TEXT);
         INSERT INTO areas VALUES (10, 0.75, NULL), (-7, 0.25, NULL);
         UPDATE customers SET city = CASE id WHEN 1 THEN '10' WHEN 2 THEN '-7' ELSE '010' END",
    );
    project.run();
    project.tierd(&["explain", "2", "--set", "risk"]).ok().prints(&["level low", "0.25"]);
    assert_eq!(project.held("risk"), "1=high 2=low 3=low");
    // A text where a number is declared is no key.
    project.sql(
        "DROP TABLE areas; CREATE TABLE areas (code, risk REAL, note TEXT); INSERT INTO areas VALUES ('x', 0.1, NULL)",
    );
    run_fails(&project, &["`areas`.`code` are not integers"]);
    assert_eq!(project.held("risk"), "1=high 2=low 3=low");
}

#[test]
fn values_that_do_not_fit_are_counted_and_limited() {
    let project = shop();
    project.sql("UPDATE areas SET risk = 'high' WHERE code = '武汉'");
    run_fails(&project, &["1 row", "areas.risk", "bad_values"]);
    project.edit("tierd.toml", "sqlite = ", "bad_values = 1\nsqlite = ");
    project.run().says(&["areas.risk: 1 not"]);
    let run = project.tierd(&["run", "--as-of", AS_OF, "--output", "json"]).ok().json();
    assert_eq!(run["bad_values"], 1);
    assert_eq!(project.held("risk"), "1=low 2=low 3=low");
}

#[test]
fn a_table_that_is_not_granted_is_never_read() {
    let project = shop();
    project.edit("tierd.toml", "lookups = [\"regions\"]", "lookups = []");
    project.tierd(&["check"]).exits(1).says(&[
        "error[missing-grant]",
        "plugin `regions` looks things up in `regions`, which isn't granted to it",
        "tierd.toml:",
    ]);
    project.tierd(&["run"]).exits(78);
}

#[test]
fn a_table_or_column_that_is_gone_is_shown_at_its_place() {
    // With how many lines of the configuration follow.
    for (drift, code, headline, near, below) in [
        ("TO arreas", "missing-table", "no table `areas` in the database", "arreas", 3),
        ("COLUMN code TO codes", "missing-column", "table `areas` has no column `code`", "codes", 3),
        ("COLUMN note TO notes", "missing-column", "table `areas` has no column `note`", "notes", 0),
    ] {
        let project = shop();
        project.run();
        let before = project.held("risk");
        project.sql(&format!("ALTER TABLE areas RENAME {drift}"));
        let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
        let place = format!("tierd.toml:{}:", config.lines().count() - below);
        let said = [code, headline, &format!("did you mean `{near}`?"), &place];
        project.tierd(&["check"]).exits(1).says(&said);
        run_fails(&project, &said);
        assert_eq!(project.held("risk"), before, "{drift}");
        let doctor = project.tierd(&["doctor"]);
        assert!(doctor.out.contains("tables: 1 error"), "{}{}", doctor.out, doctor.err);
    }
}

#[test]
fn a_table_that_nothing_is_granted_may_be_gone_for_a_run() {
    let project = shop();
    let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
    project.write(
        "tierd.toml",
        &format!("{config}[lookup.spare]\ntable = \"spare\"\nkey = \"id\"\ncolumns = {{ x = \"real\" }}\n"),
    );
    project.tierd(&["check"]).exits(1).says(&["no table `spare` in the database"]);
    project.run();
}

#[test]
fn an_emptied_table_stops_the_run_unless_it_may_be_empty() {
    let project = shop();
    project.run();
    project.sql("DELETE FROM areas");
    run_fails(
        &project,
        &["table `areas` of look-up table `regions` has no rows", "`may_be_empty = true` under [lookup.regions]"],
    );
    assert_eq!(project.held("risk"), "1=high 2=low 3=low");
    project.edit("tierd.toml", "table = \"areas\"", "table = \"areas\"\nmay_be_empty = true");
    project.run().says(&["UNKNOWN for 3 customers"]);
    assert_eq!(project.held("risk"), "1=high 2=low 3=low");
}

#[test]
fn a_key_that_is_there_twice_stops_the_run() {
    let project = shop();
    project.sql(
        "DROP TABLE areas; CREATE TABLE areas (code TEXT, risk REAL, note TEXT);
         INSERT INTO areas VALUES ('武汉', 0.1, NULL), ('上海', 0.1, NULL), ('武汉', 0.9, NULL)",
    );
    run_fails(&project, &["1 keys of `areas`.`code` stand in more than one row"]);
}

/// Each commit writes the same number into both tables; a run that read them at two moments would find two numbers.
#[test]
fn a_table_is_read_on_the_same_snapshot_as_the_customers() {
    let project = shop();
    project.edit("tierd.toml", "city = ", "n = \"real\"\ncity = ");
    project.edit("rules/risk.toml", "risk >= 0.5", "risk <> n");
    let more: String =
        (0..2000).map(|id| format!("INSERT INTO customers VALUES ({}, '', '武汉', 0);", id + 10)).collect();
    project.sql(&format!(
        "PRAGMA journal_mode = WAL; ALTER TABLE customers ADD COLUMN n REAL; BEGIN; {more}
         UPDATE customers SET city = '武汉', n = 0; UPDATE areas SET risk = 0; COMMIT"
    ));
    let path = project.path("shop.db");
    thread::scope(|scope| {
        // It writes for as long as somebody listens.
        let (commits, committed) = mpsc::channel();
        scope.spawn(move || {
            let shop = Connection::open(path).unwrap();
            shop.busy_timeout(Duration::from_secs(30)).unwrap();
            while commits.send(()).is_ok() {
                let set = "BEGIN IMMEDIATE; UPDATE areas SET risk = risk + 1; UPDATE customers SET n = n + 1; COMMIT";
                shop.execute_batch(set).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        });
        for threads in ["1", "2", "3", "1", "2", "3"] {
            committed.recv().unwrap();
            project.tierd(&["run", "--as-of", AS_OF, "--threads", threads]).ok();
            let torn = "SELECT count(*) FROM current_levels WHERE tier_set = 'risk' AND level <> 'low'";
            let all = "SELECT count(*) FROM current_levels WHERE tier_set = 'risk'";
            assert_eq!((project.count(torn), project.count(all)), (0, 2003), "{threads} threads");
        }
    });
}

/// A folder with the plugin, rows to be given to it, and a table in which they are looked up.
fn tried_out() -> Project {
    let project = Project::empty();
    fs::write(project.path("regions.wasm"), guests::looking_up().bytes).unwrap();
    project.write("rows.csv", "customer,a\n1,武汉\n2,上海\n3,\n");
    project.write("areas.csv", "note,risk,key\nx,0.75,武汉\n,,北京\n,1,\n,2,\n");
    project
}

fn run_with<'a>(lookups: &[&'a str]) -> Vec<&'a str> {
    let run = ["plugin", "run", "regions.wasm", "--input", "rows.csv", "--output", "csv"];
    run.into_iter().chain(lookups.iter().flat_map(|lookup| ["--lookup", lookup])).collect()
}

#[test]
fn a_plugin_is_tried_out_with_tables_from_files() {
    let project = tried_out();
    let found = project.tierd(&run_with(&["regions=areas.csv"])).ok();
    assert_eq!(found.out, "customer,a,f\n1,武汉,0.75\n2,上海,\n3,,\n");
    // Without a column `key`, the first is it.
    project.write("first.csv", "\u{feff}city,risk\n上海,2\n");
    let found = project.tierd(&run_with(&["regions=first.csv"])).ok();
    assert_eq!(found.out, "customer,a,f\n1,武汉,\n2,上海,2\n3,,\n");
    let found =
        project.tierd(&run_with(&[])).ok().says(&["nothing is in look-up table `regions`", "--lookup regions="]);
    assert_eq!(found.out, "customer,a,f\n1,武汉,\n2,上海,\n3,,\n");
    // To have look-up tables is no fault.
    project
        .tierd(&["plugin", "check", "regions.wasm"])
        .ok()
        .prints(&["looks things up in regions: risk real", "works"]);
    let document = project.tierd(&["plugin", "check", "regions.wasm", "--output", "json"]).ok().json();
    assert_eq!(document["lookups"][0]["columns"][0]["type"], "real", "{document}");
    project.tierd(&["plugin", "bench", "regions.wasm", "--rows", "10"]).ok().prints(&["ns for each"]);
    project.tierd(&["plugin", "bench", "regions.wasm", "--rows", "10", "--lookup", "regions=areas.csv"]).ok();
}

#[test]
fn tables_from_files_that_cannot_be_are_refused() {
    let project = tried_out();
    project.write("twice.csv", "key,risk\na,1\nb,2\na,3\n");
    project.write("bad.csv", "key,risk\na,1\nb,much\n");
    for (lookups, code, says) in [
        (&["regions"][..], 64, "write NAME=FILE.csv"),
        (&["=areas.csv"], 64, "write NAME=FILE.csv"),
        (&["regions=areas.csv", "regions=bad.csv"], 64, "--lookup regions is given twice"),
        (
            &["region=areas.csv"],
            1,
            "the plugin has no look-up table `region`; there is: regions; did you mean `regions`?",
        ),
        (&["regions=none.csv"], 1, "none.csv can't be read as CSV"),
        (&["regions=rows.csv"], 1, "rows.csv has no column `risk`; it has customer, a"),
        (&["regions=twice.csv"], 1, "twice.csv:4: key `a` stands in line 2 already"),
        (&["regions=bad.csv"], 1, "bad.csv:3: column `risk` is no real"),
    ] {
        project.tierd(&run_with(lookups)).exits(code).says(&[says]);
    }
    fs::write(project.path("regions.wasm"), guests::good("identity").bytes).unwrap();
    project.tierd(&run_with(&["regions=areas.csv"])).exits(1).says(&["the plugin looks nothing up"]);
}
