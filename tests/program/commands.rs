//! Each command, used as an operator would.

use crate::support::{AS_OF, Project};

#[test]
fn run_stores_levels_and_a_second_run_changes_nothing() {
    let project = Project::shop();
    project.run().prints(&["value", "A", "33.3 %"]).says(&["run 1", "first level of 3 customers"]);
    assert_eq!(project.held("value"), "1=A 2=B 3=C");
    project.run().says(&["run 2", "nothing changed"]);
    assert_eq!(project.count("SELECT count(*) FROM transition"), 3);
    assert_eq!(project.count("SELECT count(*) FROM run WHERE outcome = 'unchanged'"), 1);
}

#[test]
fn an_edited_rule_moves_customers_and_the_values_are_kept() {
    let project = Project::shop();
    project.run();
    project.edit("rules/value.toml", "annual_spend >= 10000", "annual_spend >= 12000.01");
    let dry = project.tierd(&["run", "--dry-run", "--as-of", AS_OF]).ok().says(&["dry run", "A → B 1"]);
    assert_eq!(project.held("value"), "1=A 2=B 3=C", "{}", dry.err);
    project.run().says(&["run 2", "A → B 1"]);
    assert_eq!(project.held("value"), "1=B 2=B 3=C");
    let values =
        "SELECT count(*) FROM level_changes WHERE run = 2 AND subject = 1 AND from_level = 'A' AND to_level = 'B'
                  AND metrics ->> 'annual_spend' = '12000.00'";
    assert_eq!(project.count(values), 1);
    assert_eq!(project.count("SELECT count(*) FROM revision"), 2);
}

#[test]
fn run_prints_json() {
    let project = Project::shop();
    let json = project.tierd(&["run", "--as-of", AS_OF, "-o", "json"]).ok().json();
    assert_eq!(json["run"], 1);
    assert_eq!(json["outcome"], "applied");
    assert_eq!(json["as_of"], "2026-04-01T00:00:00Z");
    assert_eq!(json["rows"]["orders"], 6);
    assert_eq!(json["sets"][0]["levels"][2]["customers"], 1);
}

#[test]
fn levels_prints_the_distribution_in_each_format() {
    let project = Project::shop();
    project.tierd(&["levels"]).exits(69).says(&["tierd run"]);
    project.run();
    project.tierd(&["levels"]).ok().prints(&["A", "33.3 %"]);
    let csv = project.tierd(&["levels", "-o", "csv"]).ok().out;
    assert_eq!(csv, "set,level,title,customers,share\nvalue,A,,1,33.3 %\nvalue,B,,1,33.3 %\nvalue,C,,1,33.3 %\n");
    assert_eq!(project.tierd(&["levels", "-o", "json"]).ok().json()[0]["level"], "A");
}

#[test]
fn explain_shows_values_thresholds_verdicts_and_what_is_missing() {
    let project = Project::shop();
    project.run();
    let ran = project.tierd(&["explain", "2"]).ok().prints(&[
        "level B",
        "客户价值等级",
        "annual_spend",
        "7500",
        ">= 10000",
        "2500",
        "since 2026-04-01",
        "run 1",
    ]);
    assert!(!ran.out.contains("李雷") && !ran.out.contains('\x1b'), "{}", ran.out);
    let json = project.tierd(&["explain", "2", "-o", "json"]).ok().json();
    assert_eq!(json["sets"][0]["level"], "B");
    assert_eq!(json["sets"][0]["held"]["run"], 1);
}

#[test]
fn explain_says_when_the_data_has_moved_on() {
    let project = Project::shop();
    project.run();
    project.sql("INSERT INTO orders VALUES (100, 2, 250000, 'paid', '2026-03-30')");
    project.tierd(&["explain", "2"]).ok().prints(&["B since 2026-04-01", "the next run would give A"]);
}

#[test]
fn export_is_a_decision_table_with_masked_names() {
    let project = Project::shop();
    project.run();
    let csv = project.tierd(&["export", "--attribute", "name", "--attribute", "city", "-o", "csv"]).ok().out;
    assert_eq!(
        csv,
        "key,name,city,annual_spend,level,strategy,owner,next_follow_up,override,override_until\n\
         1,王*,武汉,12000.00,A,visit,key-accounts,2026-05-01,,\n\
         2,李*,上海,7500.00,B,quarterly offer,inside-sales,2026-07-01,,\n\
         3,'=*,,3200.00,C,automated mail,,,,\n"
    );
    let json = project.tierd(&["export", "--level", "A", "-o", "json"]).ok().json();
    assert_eq!(json[0]["key"], 1);
    assert_eq!(json[0]["annual_spend"], "12000.00");
    assert_eq!(json[0]["strategy"]["touch"], "visit");
    assert_eq!(json.as_array().unwrap().len(), 1);
    let file = project.path("out.csv");
    project.tierd(&["export", "-o", "csv", "--excel", "--file", file.to_str().unwrap()]).ok();
    assert!(std::fs::read(file).unwrap().starts_with(b"\xef\xbb\xbfkey,"));
}

#[test]
fn benefits_of_a_level_are_explained_and_exported() {
    let project = Project::shop();
    let benefits = "name = \"A\"\nbenefits = { discount = 0.88, gifts = [\"tea\"], host = \"Li\" }\n";
    project.edit("rules/value.toml", "name = \"A\"\n", benefits);
    project.run();
    project.tierd(&["explain", "1"]).ok().prints(&["level A\nbenefits: discount 0.88, gifts [\"tea\"], host Li\n"]);
    let explained = project.tierd(&["explain", "1", "-o", "json"]).ok().json();
    assert_eq!(explained["sets"][0]["benefits"]["discount"], 0.88);
    let table = project.tierd(&["export", "--benefit", "discount", "--benefit", "host", "-o", "csv"]).ok().out;
    let ends: Vec<&str> =
        table.lines().map(|line| line.rsplitn(3, ',').nth(2).map_or("", |rest| &line[rest.len()..])).collect();
    assert_eq!(ends, [",discount,host", ",0.88,Li", ",,", ",,"], "{table}");
    project.tierd(&["export", "--benefit", "rebate"]).exits(1).says(&["no benefit `rebate`", "discount, gifts, host"]);
}

#[test]
fn sql_gives_the_same_levels_by_hand() {
    let project = Project::shop();
    let sql = project.tierd(&["sql", "value", "--as-of", AS_OF]).ok().out;
    let shop = rusqlite::Connection::open(project.path("shop.db")).unwrap();
    let mut select = shop.prepare(&sql).unwrap();
    let level = select.column_index("level").unwrap();
    let rows = select.query_map([], |row| Ok(format!("{}={}", row.get::<_, i64>(0)?, row.get::<_, String>(level)?)));
    assert_eq!(rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join(" "), "1=A 2=B 3=C");
}

#[test]
fn check_accepts_good_files_and_counts_them() {
    let project = Project::shop();
    project.tierd(&["check"]).ok().says(&["ok: 2 files, 1 metric, 1 tier set with 3 levels, revision"]);
    project.write(
        "rules/more.toml",
        "[metric.unused]\nfrom = \"orders\"\naggregate = \"count(*)\"\nwindow = \"lifetime\"\nempty = 0\n",
    );
    project.tierd(&["check"]).ok().says(&["warning[unused-metric]"]);
    project.tierd(&["check", "--deny-warnings"]).exits(3);
    let json = project.tierd(&["check", "-o", "json"]).ok().json();
    assert_eq!(json["diagnostics"][0]["code"], "unused-metric");
}

#[test]
fn check_names_windows_that_begin_before_the_data() {
    let project = Project::shop();
    project.sql("UPDATE orders SET ordered_at = datetime('now', '-13 months')");
    let rules = |allow: &str| {
        let metric = |name: &str, how: &str| format!("[metric.{name}]\nallow = [{allow}]\n{how}\n");
        let counted = |window: &str| {
            format!("from = \"orders\"\naggregate = \"count(*)\"\nwindow = {{ last = \"{window}\" }}\nempty = 0")
        };
        [
            "[points.club]\n[[points.club.earn]]\nfrom = \"orders\"\npoints = \"amount\"\n".to_owned(),
            metric("points", "points = \"club.earned\"\nwindow = { last = \"40 years\" }"),
            metric("ever", &counted("40 years")),
            metric("growth_ever", "trend = \"ever\""),
            metric("year", &counted("12 months")),
            metric("growth", "trend = \"year\""),
        ]
        .concat()
    };
    project.write("rules/back.toml", &rules("\"unused-metric\""));
    let checked = project.tierd(&["check", "--deny-warnings"]).exits(3);
    let warned: Vec<&str> =
        checked.err.lines().filter(|line| line.starts_with("warning[window-beyond-data]")).collect();
    let who: Vec<&str> = warned.iter().filter_map(|line| line.split(" looks back to ").next()).collect();
    let lint = |who: &str| format!("warning[window-beyond-data]: {who}");
    assert_eq!(who, [lint("`points`"), lint("`ever`"), lint("the trend of `year`")]);
    project.tierd(&["check", "--deny-warnings", "--offline"]).ok();
    project.write("rules/back.toml", &rules("\"unused-metric\", \"window-beyond-data\""));
    project.tierd(&["check", "--deny-warnings"]).ok();
}

#[test]
fn init_writes_files_that_check_and_run() {
    let project = Project::empty();
    project.sql(crate::support::TABLES);
    project.tierd(&["init", "--database", "shop.db", "--time-zone", "UTC"]).ok().says(&["tierd.toml"]);
    project.tierd(&["check", "--deny-warnings"]).ok();
    project.tierd(&["run", "--as-of", AS_OF]).ok();
    project.tierd(&["init", "--database", "shop.db"]).exits(1).says(&["tierd.toml", "--force"]);
    project.tierd(&["init", "--database", "shop.db", "--force"]).ok();
    project.tierd(&["init", "--database", "nothing.db"]).exits(69).says(&["nothing.db"]);
}

#[test]
fn demo_makes_a_folder_to_go_on_in() {
    let project = Project::empty();
    let demo = ["demo", "--customers", "2000", "--dir", "d", "--as-of", "2026-03-31"];
    project.tierd(&demo).ok().prints(&["value", "rfm", "重要价值", "next level"]).says(&["2,000 customers", "cd d"]);
    let first = project.tierd(&["-C", "d", "levels", "-o", "csv"]).ok().out;
    for level in ["value,A", "value,B", "value,C", "spend,A", "rfm,重要价值", "rfm,一般挽留", "rfm,未购买"] {
        let line = first.lines().find(|line| line.starts_with(level)).unwrap_or_else(|| panic!("{level} in {first}"));
        assert!(!line.contains(",0,0.0 %"), "nobody is {level}:\n{first}");
    }
    project.tierd(&demo).ok().says(&["is there already", "nothing changed"]);
    project.tierd(&["-C", "d", "check", "--deny-warnings"]).ok();
}

#[test]
fn completions_and_help() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish"] {
        project.tierd(&["completions", shell]).ok().prints(&["explain", "export"]);
    }
    project
        .tierd(&["--help"])
        .ok()
        .prints(&["demo", "init", "check", "run", "explain", "levels", "export", "sql", "schema"]);
}

#[test]
fn colours_only_where_they_are_asked_for() {
    let project = Project::shop();
    project.run();
    assert!(!project.tierd(&["explain", "1"]).ok().out.contains('\x1b'));
    assert!(project.tierd(&["explain", "1", "--color", "always"]).ok().out.contains('\x1b'));
}
