//! Timelines of runs that decide only what is due: what the others hold stays, and is what everything else sees of them.
#![allow(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use tierd_eval::plugin::NoPlugins;
use tierd_eval::{
    due::Due,
    evaluate::{Outcome, evaluate},
    explain::{Why, explain_held},
    history::{Held, History, Override, OverrideKind, PolicyState, RuleState},
    levels::NONE,
    scan::memory::{MemoryRow, MemorySubjects, given},
};
use tierd_model::{Clock, Key, Value, Zone, parse_timestamp};
use tierd_rules::{File, FileSet, RuleId, RuleSet, ScheduleId, SubjectId, TierSetId, load};

const CONFIG: &str = "
    time_zone = 'UTC'
    [database]
    sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    attributes = { spend = 'integer', visits = 'integer' }";

/// `value` and `club` are decided monthly, the others daily.
const RULES: &str = "
    [tiers.value]
    subject = 'customer'
    downgrade = { after = '30 days' }
    level = [{ name = 'B' }, { name = 'A', when = 'spend >= 100' }]

    [tiers.care]
    subject = 'customer'
    level = [{ name = 'plain' }, { name = 'close', when = \"tier.value = 'A' and visits > 0\" }]

    [tiers.club]
    subject = 'customer'
    unknown = 'error'
    level = [{ name = 'guest' }, { name = 'member', when = \"tier.care = 'close' or visits > 9\" }]

    [retention]
    greet = { moved = { set = 'value', direction = 'any' }, action = { event = 'greet' } }
    visit = { when = \"tier.value = 'A'\", for = '2 days', action = { event = 'visit' } }
    yearly = { when = \"tier.care = 'close'\", action = { event = 'yearly' } }";

const MONTHLY: ScheduleId = ScheduleId(0);
const DAILY: ScheduleId = ScheduleId(1);

fn rules() -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/all.toml", RULES)]));
    let mut rules = loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    for set in &mut rules.tier_sets {
        set.schedule = Some(if set.name == "care" { DAILY } else { MONTHLY });
    }
    for rule in &mut rules.retention {
        // `greet` goes with its tier set, whatever it says.
        rule.schedule = Some(if rule.name == "yearly" { MONTHLY } else { DAILY });
    }
    rules
}

/// One customer's past, as a ledger would have it.
#[derive(Default)]
struct Past {
    held: HashMap<TierSetId, Held>,
    states: HashMap<RuleId, RuleState>,
    overrides: Vec<(TierSetId, Override)>,
}

impl History for &Past {
    type Error = Infallible;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, Infallible> {
        Ok(self.held.get(&set).copied().into_iter().collect())
    }

    fn overrides(&self, set: TierSetId) -> Result<Vec<Override>, Infallible> {
        Ok(self.overrides.iter().filter(|(of, _)| *of == set).map(|(_, one)| *one).collect())
    }

    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, Infallible> {
        Ok(self.states.get(&rule).map(|state| (0, *state)).into_iter().collect())
    }
}

impl Past {
    /// Keeps what a run left. Of what wasn't decided there is nothing to keep.
    fn keep(&mut self, outcome: &Outcome, clock: &Clock) {
        for set in &outcome.sets {
            let (level, before) = (set.settled.held[0], self.held.get(&set.set).copied().unwrap_or(Held::NOTHING));
            let state = set.settled.states.first().map_or(PolicyState { level, ..before.state }, |(_, state)| *state);
            if level == before.level && state == before.state {
                continue;
            }
            assert!(set.due, "nothing moves in a set that isn't decided");
            let since = if level == before.level { before.since } else { clock.as_of() };
            self.held.insert(set.set, Held { level, since, state });
        }
        for rule in &outcome.rules {
            assert!(rule.due || rule.states.is_empty() && rule.acts.is_empty());
            self.states.extend(rule.states.iter().map(|(_, state)| (rule.rule, *state)));
        }
    }
}

struct World {
    rules: RuleSet,
    past: Past,
}

impl World {
    fn new() -> Self {
        World { rules: rules(), past: Past::default() }
    }

    fn outcome(&self, at: &str, due: &Due, spend: i64, visits: Option<i64>) -> (Outcome, Clock) {
        let zone = Arc::new(Zone::new("UTC").unwrap());
        let clock = Clock::new(parse_timestamp(at.as_bytes()).unwrap().instant(&zone), zone);
        let values = vec![Some(Value::Integer(spend)), visits.map(Value::Integer)];
        let row = MemoryRow { key: Key::Integer(1), values };
        let customers = MemorySubjects { subject: SubjectId(0), rows: vec![row], facts: vec![] };
        let given = given(&self.rules, &[customers], &clock);
        (evaluate(&self.rules, given, &&self.past, &NoPlugins, due, &clock).unwrap(), clock)
    }

    /// The levels of `care`, `club` and `value` after a run, and the rules that acted.
    fn run(&mut self, at: &str, due: &Due, spend: i64, visits: i64) -> String {
        let (outcome, clock) = self.outcome(at, due, spend, Some(visits));
        self.past.keep(&outcome, &clock);
        let level = |set: usize| match outcome.sets[set].settled.held[0] {
            NONE => "-",
            level => &self.rules.tier_sets[set].levels[usize::from(level)].name,
        };
        let acted = outcome.rules.iter().filter(|rule| !rule.acts.is_empty());
        let acted: Vec<_> = acted.map(|rule| self.rules.retention[rule.rule.0].name.as_str()).collect();
        format!("{} {} {} {}", level(0), level(1), level(2), acted.join(" ")).trim_end().to_owned()
    }
}

fn daily() -> Due {
    Due::by(vec![DAILY])
}

fn monthly() -> Due {
    Due::by(vec![MONTHLY])
}

fn both() -> Due {
    Due::by(vec![DAILY, MONTHLY])
}

#[test]
fn a_daily_set_sees_the_level_that_a_monthly_one_holds() {
    let mut world = World::new();
    assert_eq!(world.run("2026-01-01", &daily(), 150, 1), "plain - -", "nobody has graded by value yet");
    assert_eq!(world.run("2026-01-02", &both(), 150, 1), "close member A yearly");
    assert_eq!(world.run("2026-01-03", &daily(), 0, 1), "close member A", "spend is looked at monthly");
    assert_eq!(world.run("2026-01-04", &daily(), 0, 0), "plain member A visit", "visits daily");
    assert_eq!(world.run("2026-02-01", &both(), 0, 1), "close member A", "`yearly` never saw it plain");
    assert_eq!(world.run("2026-02-27", &daily(), 0, 1), "close member A", "no grace time ends in between");
    assert_eq!(world.run("2026-04-01", &both(), 0, 1), "plain guest B greet");
}

#[test]
fn a_monthly_set_sees_the_level_that_a_daily_one_holds() {
    let mut world = World::new();
    assert_eq!(world.run("2026-01-01", &daily(), 150, 1), "plain - -");
    assert_eq!(world.run("2026-01-02", &monthly(), 150, 1), "plain guest A");
    assert_eq!(world.run("2026-01-03", &daily(), 150, 1), "close guest A");
    assert_eq!(world.run("2026-01-31", &monthly(), 150, 0), "close member A yearly", "as care was the day before");
    assert_eq!(world.run("2026-02-01", &daily(), 150, 0), "plain member A visit");
    assert_eq!(world.run("2026-02-28", &monthly(), 150, 1), "plain guest A");
}

#[test]
fn grace_begins_in_a_run_that_decides_the_set() {
    let mut world = World::new();
    world.run("2026-01-01", &both(), 150, 0);
    world.run("2026-01-02", &daily(), 0, 0);
    assert_eq!(world.run("2026-02-10", &monthly(), 0, 0), "plain guest A", "below its level since today");
    assert_eq!(world.run("2026-03-14", &daily(), 0, 0), "plain guest A visit", "its time is over, and nobody looks");
    assert_eq!(world.run("2026-03-15", &monthly(), 0, 0), "plain guest B greet");
}

#[test]
fn rules_that_are_not_due_keep_their_entries() {
    let mut world = World::new();
    world.run("2026-01-01", &both(), 150, 0);
    let states = world.past.states.clone();
    // In a run that decides only `value` and `club`, the entry of `visit` neither ends nor grows old enough to act.
    assert_eq!(world.run("2026-01-20", &monthly(), 150, 0), "plain guest A");
    assert_eq!(world.past.states, states);
    assert_eq!(world.run("2026-01-21", &daily(), 150, 0), "plain guest A visit");
    assert_eq!(world.run("2026-01-22", &daily(), 150, 0), "plain guest A");
}

#[test]
fn unknown_in_a_set_that_is_not_due_fails_nothing() {
    let mut world = World::new();
    world.run("2026-01-01", &both(), 0, 10);
    let (outcome, _) = world.outcome("2026-01-02", &daily(), 0, None);
    let club = &outcome.sets[1];
    assert_eq!((club.due, &club.settled.held[..], &club.unknown[..]), (false, &[1][..], &[][..]));
    assert_eq!(club.distribution(), (vec![0, 1], 0));
}

#[test]
fn overrides_wait_for_a_run_that_decides_the_set() {
    let mut world = World::new();
    world.run("2026-01-01", &both(), 0, 0);
    world.past.overrides.push((TierSetId(2), Override { subject: 0, kind: OverrideKind::Pin, level: 1 }));
    assert_eq!(world.run("2026-01-02", &daily(), 0, 1), "plain guest B");
    assert_eq!(world.run("2026-01-03", &both(), 0, 1), "close member A greet yearly");
}

#[test]
fn an_explanation_tells_what_is_held_from_what_is_earned() {
    let mut world = World::new();
    world.run("2026-01-01", &both(), 0, 0);
    let (outcome, clock) = world.outcome("2026-01-02", &daily(), 150, Some(1));
    let holding = explain_held(&world.rules, &outcome, TierSetId(2), 0, &clock).holding.unwrap();
    assert_eq!(
        (holding.level, holding.earned, holding.why, holding.moved),
        (Some(0), Some(1), Some(Why::NotDue), None)
    );
}
