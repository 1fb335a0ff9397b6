//! Schedules, guards and the way in for HTTP: what is written becomes exactly this.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::time::Duration;

use common::{CONFIG, load_with};
use tierd_model::{CalendarSpan, Recurrence};
use tierd_rules::{Guard, GuardExceed, Http, Limit, Missed, RuleSet, Schedule};

/// The rules of a configuration with these tables at its end.
fn rules(tables: &str, rules: &str) -> RuleSet {
    let loaded = load_with(&format!("{CONFIG}\n{tables}"), rules);
    let rendered: Vec<_> = loaded.diagnostics.iter().map(|one| one.render(&loaded.files, false)).collect();
    assert!(loaded.diagnostics.is_empty(), "{}", rendered.join("\n"));
    loaded.rules.unwrap()
}

const LEVELS: &str = "level = [{ name = \"C\" }, { name = \"B\", when = \"visits >= 5\" }]\n";

fn schedule(keys: &str) -> Schedule {
    rules(&format!("[schedule.default]\n{keys}"), "").schedules.remove(0)
}

#[test]
fn a_schedule_has_what_is_written_and_defaults() {
    let plain = schedule("every = \"daily at 02:15\"");
    assert_eq!((plain.name.as_str(), plain.zone.name(), plain.missed), ("default", "Asia/Shanghai", Missed::Latest));
    assert_eq!(plain.recurrence, Some(Recurrence::words("daily at 2:15").unwrap()));
    assert_eq!((plain.deadline, plain.jitter, plain.on_change), (None, Duration::ZERO, None));
    let full = schedule(
        "cron = \"15 2 * * *\"\ntime_zone = \"Europe/Berlin\"\nmissed = \"all\"\ndeadline = \"6 hours\"\njitter = \"5 minutes\"\non_change = \"30 seconds\"",
    );
    assert_eq!((full.zone.name(), full.missed), ("Europe/Berlin", Missed::All));
    assert_eq!(full.recurrence, Some(Recurrence::cron("15 2 * * *").unwrap()));
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
    assert_eq!((seconds(full.deadline), full.jitter.as_secs(), seconds(full.on_change)), (Some(21_600), 300, Some(30)));
    assert_eq!(schedule("on_change = \"1 day\"").recurrence, None);
}

/// The names of the schedules that the sets and rules follow, by their names.
fn followed(rules: &RuleSet) -> Vec<(&str, Option<&str>)> {
    let sets = rules.tier_sets.iter().map(|set| (set.name.as_str(), set.schedule));
    let all = sets.chain(rules.retention.iter().map(|rule| (rule.name.as_str(), rule.schedule)));
    all.map(|(name, id)| (name, id.map(|id| rules.schedules[id.0].name.as_str()))).collect()
}

#[test]
fn sets_and_rules_follow_what_they_name_or_the_default() {
    let tables = "[schedule.nightly]\nevery = \"daily at 02:15\"\n[schedule.default]\nevery = \"hourly\"";
    let text = format!(
        "[tiers.a]\n{LEVELS}
         [tiers.b]\nschedule = \"nightly\"\n{LEVELS}
         [tiers.c]\nschedule = \"Monthly on 1 at 3:00\"\n{LEVELS}
         [tiers.d]\nschedule = \"monthly at 03:00\"\n{LEVELS}
         [retention.e]\nwhen = \"visits < 1\"\naction = {{ task = \"call\" }}
         [retention.f]\nmoved = {{ set = \"c\" }}\naction = {{ task = \"call\" }}
         [retention.g]\nschedule = \"yearly\"\nwhen = \"visits < 2\"\naction = {{ task = \"call\" }}\nallow = [\"overlapping-rules\"]"
    );
    let rules = rules(tables, &text);
    assert_eq!(
        followed(&rules),
        [
            ("a", Some("default")),
            ("b", Some("nightly")),
            ("c", Some("monthly at 03:00")),
            ("d", Some("monthly at 03:00")),
            ("e", Some("default")),
            ("f", Some("monthly at 03:00")),
            ("g", Some("yearly")),
        ]
    );
    let names: Vec<_> = rules.schedules.iter().map(|schedule| schedule.name.as_str()).collect();
    assert_eq!(names, ["default", "nightly", "monthly at 03:00", "yearly"]);
}

#[test]
fn without_any_schedule_only_runs_by_hand_decide() {
    let rules = rules("", &format!("[tiers.a]\n{LEVELS}"));
    assert_eq!((rules.schedules.len(), followed(&rules)), (0, vec![("a", None)]));
}

#[test]
fn sets_per_category_have_the_schedule_and_guard_of_their_table() {
    let text = "
        [metric.bought]
        from = \"orders\"
        aggregate = \"count(*)\"
        window = \"lifetime\"
        empty = 0
        by = \"status\"
        [tiers.price]
        schedule = \"monthly\"
        guard = { moved = \"10%\", share = { B = \"20%\" } }
        per = \"category\"
        categories = [\"shoes\", \"food\"]
        level = [{ name = \"C\" }, { name = \"B\", when = \"bought >= 5\" }]";
    let rules = rules("", text);
    assert_eq!(followed(&rules), [("price[food]", Some("monthly")), ("price[shoes]", Some("monthly"))]);
    for set in &rules.tier_sets {
        let guard = set.guard.clone().unwrap();
        assert_eq!((guard.moved, guard.share), (Some(Limit::PartsPerMillion(100_000)), vec![(1, 200_000)]));
    }
}

#[test]
fn guards_have_what_is_written() {
    let text = format!(
        "[tiers.a]\nguard = {{ moved = 500, fallen = \"5%\", share = {{ B = \"0.5%\", C = \"90%\" }}, shrunk = \"20%\", stale = \"2 days\", bad_rows = \"0.1%\", exceed = \"warn\" }}\n{LEVELS}
         [retention.e]\nwhen = \"visits < 1\"\nguard = {{ acted = \"5%\" }}\naction = {{ task = \"call\" }}"
    );
    let rules = rules("", &text);
    let share = Limit::PartsPerMillion;
    let expected = Guard {
        moved: Some(Limit::Rows(500)),
        fallen: Some(share(50_000)),
        share: vec![(0, 900_000), (1, 5_000)],
        acted: None,
        shrunk: Some(share(200_000)),
        stale: Some(CalendarSpan::days(2)),
        bad_rows: Some(share(1_000)),
        exceed: GuardExceed::Warn,
    };
    assert_eq!(rules.tier_sets[0].guard, Some(expected));
    assert_eq!(rules.retention[0].guard, Some(Guard { acted: Some(share(50_000)), ..Guard::default() }));
}

#[test]
fn http_is_on_loopback_unless_it_says_otherwise() {
    assert_eq!(rules("", "").config.http, Http::default());
    assert_eq!(rules("[http]", "").config.http, Http::default());
    let off = rules("[http]\nlisten = \"off\"\nsocket = \"off\"", "");
    assert_eq!((off.config.http.listen, off.config.http.socket), (None, None));
    let open = rules(
        "[http]\nlisten = \"[::]:80\"\ntoken_file = \"token\"\nhosts = [\"Tierd.example.com:8443\", \"[::1]:80\", \"10.0.0.1\"]\norigins = [\"https://console.example.com\"]",
        "",
    );
    let http = open.config.http;
    assert_eq!(http.listen.unwrap().to_string(), "[::]:80");
    assert_eq!(http.hosts, ["tierd.example.com:8443", "[::1]:80", "10.0.0.1"]);
    assert_eq!((http.token_file.as_deref(), http.origins.len()), (Some("token"), 1));
}

#[test]
fn jitter_is_stable_and_spread() {
    let schedule = schedule("every = \"daily\"\njitter = \"5 minutes\"");
    let delays: Vec<u64> = (0..1000).map(|project| schedule.delay(&format!("/srv/{project}")).as_secs()).collect();
    assert!(delays.iter().all(|delay| *delay < 300));
    for tenth in 0..10 {
        let count = delays.iter().filter(|delay| **delay / 30 == tenth).count();
        assert!((60..140).contains(&count), "{count} of 1000 in tenth {tenth}");
    }
    // Of a hash: it never changes, on no machine.
    assert_eq!(schedule.delay("/srv/shop"), schedule.delay("/srv/shop"));
    assert_eq!(schedule.delay("/srv/shop").as_micros(), 219_898_641);
}
