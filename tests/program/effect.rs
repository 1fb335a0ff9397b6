//! `tierd report effect`, on a shop whose customers can be counted by hand.

use crate::support::{CONFIG, Project};

const RULES: &str = "
[retention.win_back]
when     = \"city = '武汉'\"
holdout  = '50%'
goal     = { from = 'orders', where = \"status = 'paid'\", within = '30 days' }
action   = { event = 'coupon' }

[retention.greet]
when     = \"city = '上海'\"
action   = { event = 'greeting' }

[retention.half]
when     = \"city = '上海'\"
holdout  = '10%'
action   = { event = 'letter' }
";

/// Of the customers 1 to 9, rule and key hold out 1, 2, 3 and 6; 10 is nowhere.
const TABLES: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, amount INTEGER, status TEXT, ordered_at TEXT);
INSERT INTO customers (id, city) VALUES
  (1, '武汉'), (2, '武汉'), (3, '武汉'), (4, '武汉'), (5, '武汉'), (6, '武汉'), (7, '武汉'), (8, '武汉'), (9, '武汉'), (10, NULL);
";

/// Of those contacted, 4 (twice), 5 (in the last second) and 9 come back, 7 in the moment of the run and 8 after the last day don't
/// count. Of those held out, 2 comes back; the order of 1 isn't paid.
const ORDERS: &str = "
INSERT INTO orders (customer_id, ordered_at, status) VALUES
  (4, '2026-04-02 10:00:00', 'paid'), (4, '2026-04-05 10:00:00', 'paid'), (5, '2026-05-01 23:59:59', 'paid'),
  (9, '2026-04-10', 'paid'), (7, '2026-04-01 00:00:00', 'paid'), (8, '2026-05-02 00:00:00', 'paid'),
  (1, '2026-04-03 10:00:00', 'open'), (2, '2026-04-20 10:00:00', 'paid'), (10, '2026-04-20 10:00:00', 'paid');
";

/// Run on 1 April; a month later 11 (held out) and 12 have joined.
fn shop() -> Project {
    let project = Project::empty();
    project.write("tierd.toml", CONFIG);
    project.write("rules/retention.toml", RULES);
    project.sql(TABLES);
    project.run();
    project.sql(ORDERS);
    project.sql("INSERT INTO customers (id, city) VALUES (11, '武汉'), (12, '武汉')");
    project.tierd(&["run", "--as-of", "2026-05-10"]).ok();
    project.sql("INSERT INTO orders (customer_id, ordered_at, status) VALUES (12, '2026-05-10 09:00:00', 'paid')");
    project
}

#[test]
fn effect_of_a_rule_is_said_in_words() {
    let project = shop();
    let shown = project.tierd(&["report", "effect"]).ok().says(&["as of 2026-05-10"]);
    let lines: Vec<Vec<&str>> = shown.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["win_back", "contacted", "5", "3", "60.0", "%", "1"], "{}", shown.out);
    assert_eq!(lines[2], ["win_back", "held", "out", "4", "1", "25.0", "%", "1"], "{}", shown.out);
    shown.prints(&[
        "win_back: came back: 60.0 % of 5 contacted, 25.0 % of 4 held out: +35.0 points (95 %: -23.2 to +69.9)",
        "0 is in between: this may be chance",
        "coming back means: orders where status = 'paid' within 30 days",
        "greet: no effect can be measured; the rule lacks holdout and goal",
        "half: no effect can be measured; the rule lacks goal",
    ]);
}

#[test]
fn effect_comes_as_figures_for_programs() {
    let project = shop();
    let all = project.tierd(&["report", "effect", "-o", "json"]).ok().json();
    let names: Vec<_> = all.as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3);
    let one = project.tierd(&["report", "effect", "--rule", "win_back", "-o", "csv"]).ok().out;
    assert_eq!(
        one,
        "rule,contacted,contacted_came_back,contacted_rate,contacted_open,held_out,held_out_came_back,held_out_rate,\
         held_out_open,difference,low,high,contains_zero,lacks\n\
         win_back,5,3,0.600000,1,4,1,0.250000,1,0.350000,-0.231625,0.698601,yes,\n"
    );
    let step = project.tierd(&["report", "effect", "--rule", "win_back", "-o", "csv", "--reader", "step"]).ok().out;
    assert_eq!(step, one);
}

#[test]
fn effect_as_of_a_day_counts_whose_time_is_over_then() {
    let project = shop();
    let on = |day: &str| {
        let args = ["report", "effect", "--rule", "win_back", "-o", "json", "--as-of", day];
        let row = project.tierd(&args).ok().json()[0].clone();
        ["contacted", "contacted_came_back", "contacted_open", "held_out", "held_out_open"]
            .map(|name| row[name].as_i64().unwrap())
    };
    assert_eq!(on("2026-03-31"), [0, 0, 0, 0, 0], "before the first run");
    assert_eq!(on("2026-05-01T23:59"), [0, 0, 5, 0, 4]);
    assert_eq!(on("2026-05-02"), [5, 3, 0, 4, 0]);
    assert_eq!(on("2026-06-10"), [6, 4, 0, 5, 0], "12 has come back");
    project.tierd(&["report", "effect", "--as-of", "2026-05-01"]).ok().prints(&["win_back: nothing to compare yet"]);
}

#[test]
fn effect_needs_a_rule_that_is_there_and_a_run() {
    let project = shop();
    project
        .tierd(&["report", "effect", "--rule", "winback"])
        .exits(1)
        .says(&["no retention rule `winback`", "`win_back`?"]);
    let fresh = Project::empty();
    fresh.write("tierd.toml", CONFIG);
    fresh.write("rules/retention.toml", RULES);
    fresh.sql(TABLES);
    fresh.tierd(&["report", "effect"]).exits(69).says(&["tierd run"]);
    assert!(!fresh.path("tierd.ledger").exists());
    fresh.tierd(&["report", "effect", "--rule", "greet"]).ok().prints(&["greet: no effect can be measured"]);
}
