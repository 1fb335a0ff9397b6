use std::{convert::Infallible, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, StringArray};
use tierd_model::{CalendarSpan, Clock, Key, Value};
use tierd_rules::{
    File, FileSet, Limit, ScheduleId,
    retention::{Exceed, RunLimit},
};

use super::{
    moves::{Matrix, Mover, largest},
    proposal::proposals,
    *,
};
use crate::plugin::NoPlugins;
use crate::{
    due::Due,
    evaluate::evaluate,
    given::Given,
    history::{Held, History, Override, PolicyState, RuleState},
    testing::clock,
};

const CONFIG: &str = "
    time_zone = 'UTC'
    [database]
    sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    parent = { subject = 'account', column = 'account_id' }
    attributes = { spend = 'integer', account_id = 'integer', name = { type = 'text', personal = true } }
    [subject.account]
    table = 'accounts'
    key = 'id'
    attributes = { size = 'integer' }
    [facts.orders]
    table = 'orders'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'at'
    [facts.orders.columns]
    at = { type = 'timestamp', encoding = 'iso8601' }
    [facts.contacts]
    table = 'contacts'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'at'
    [facts.contacts.columns]
    at = { type = 'timestamp', encoding = 'iso8601' }
    [facts.bookings]
    table = 'bookings'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'at'
    [facts.bookings.columns]
    at = { type = 'timestamp', encoding = 'iso8601' }
    points = 'integer'";

const RULES: &str = "
    [metric]
    orders = { from = 'orders', aggregate = 'count(*)', window = 'lifetime', empty = 0 }
    contacts = { from = 'contacts', aggregate = 'count(*)', window = 'lifetime', empty = 0 }
    rest = { derived = 'contacts - 1' }
    contacts_of_all = { subject = 'account', from = 'customer', aggregate = 'sum(rest)', empty = 0 }
    group_contacts = { subject = 'customer', lookup = 'account.contacts_of_all' }
    points = { points = 'club.balance' }

    [points.club]
    earn = [{ from = 'bookings', points = 'points' }]

    [tiers.account]
    subject = 'account'
    level = [{ name = 'small' }, { name = 'large', when = 'contacts_of_all > 5' }]

    [tiers.deep]
    subject = 'customer'
    level = [{ name = 'no' }, { name = 'yes', when = 'group_contacts > 5 or points > 3' }]

    [tiers.value]
    subject = 'customer'
    level = [
        { name = 'C' }, { name = 'B', when = 'spend >= 10' },
        { name = 'A', when = \"spend >= 20 and (name is null or name <> '')\" },
    ]

    [tiers.worth]
    subject = 'customer'
    of = 'spend'
    level = [{ name = 'low' }, { name = 'high', from = 12 }]

    [retention]
    call = { when = \"tier.value = 'A'\", action = { event = 'call' } }
    deep = { when = \"tier.deep = 'yes'\", action = { event = 'deep' } }
    idle = { when = 'orders = 0', action = { event = 'idle' } }";

const VALUE: TierSetId = TierSetId(2);
const CALL: RuleId = RuleId(0);

fn rules() -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = tierd_rules::load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/all.toml", RULES)]));
    loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// What each customer held in `value` before; with -1 a level that the rules have no longer.
struct Before(Vec<Option<i32>>);

impl History for Before {
    type Error = Infallible;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, Infallible> {
        let held = |level: &Option<i32>| match level {
            None => Held::NOTHING,
            Some(level) => {
                let level = u16::try_from(*level).unwrap_or(NONE);
                Held { level, since: Timestamp(1), state: PolicyState::at(level) }
            }
        };
        Ok(if set == VALUE { self.0.iter().map(held).collect() } else { Vec::new() })
    }

    fn overrides(&self, _: TierSetId) -> Result<Vec<Override>, Infallible> {
        Ok(Vec::new())
    }

    fn has_states(&self, _: TierSetId) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn rule_states(&self, _: RuleId) -> Result<Vec<(u32, RuleState)>, Infallible> {
        Ok(Vec::new())
    }
}

fn now() -> Clock {
    clock("2026-03-31T10:00", "UTC")
}

/// Customers with these levels before and this spend now.
fn outcome(rules: &RuleSet, customers: &[(Option<i32>, i64)], due: &Due) -> Outcome {
    let before = Before(customers.iter().map(|(level, _)| *level).collect());
    let subjects = customers.len();
    let given = |subject: usize, subjects: usize| Given {
        subject: SubjectId(subject),
        subjects,
        key: Arc::new(|subject| Key::Integer(subject as i64 + 1)),
        columns: vec![None; rules.metrics.len()],
        parents: if subject == 0 { vec![0; subjects] } else { Vec::new() },
        gathered: Vec::new(),
        bookings: Vec::new(),
    };
    let mut all = vec![given(0, subjects), given(1, 1)];
    let mut give = |name: &str, column: ArrayRef| {
        let (id, metric) = rules.metric(name).unwrap();
        all[metric.subject.0].columns[id.0] = Some(column);
    };
    let same = |value: i64| Arc::new(Int64Array::from(vec![value; subjects]));
    give("spend", Arc::new(Int64Array::from_iter_values(customers.iter().map(|(_, spend)| *spend))));
    give("orders", same(1));
    give("contacts", same(1));
    give("name", Arc::new(StringArray::from(vec!["王小明"; subjects])));
    evaluate(rules, all, &before, &NoPlugins, due, &now()).unwrap()
}

/// As `outcome`, with these guards on `value`, and nothing wrong with the data.
fn of_value(guard: Guard, customers: &[(Option<i32>, i64)]) -> Vec<String> {
    let mut rules = rules();
    rules.tier_sets[VALUE.0].guard = Some(guard);
    let outcome = outcome(&rules, customers, &Due::ALL);
    let seen = Seen { tables: &[], rows_before: &|_, _| None, clock: &now() };
    check(&rules, &outcome, &seen).into_iter().map(|violation| violation.message).collect()
}

const NOBODY: [&str; 0] = [];

#[test]
fn moves_are_of_those_who_had_a_level() {
    // One stays, one falls, one rises, one had a level that is gone, one is new.
    let customers = [(Some(2), 20), (Some(1), 5), (Some(0), 30), (Some(-1), 0), (None, 30)];
    let moved = |limit| of_value(Guard { moved: Some(limit), ..Guard::default() }, &customers);
    let expected = "tiers.value: 3 of 4 (75 %) with a level would move, and `guard.moved` allows 2";
    assert_eq!(moved(Limit::Rows(2)), [expected]);
    assert_eq!(moved(Limit::Rows(3)), NOBODY);
    assert_eq!(moved(Limit::PartsPerMillion(750_000)), NOBODY);
    assert_eq!(moved(Limit::PartsPerMillion(749_999)).len(), 1);
    let fallen = |limit| of_value(Guard { fallen: Some(limit), ..Guard::default() }, &customers);
    let expected = "tiers.value: 1 of 4 (25 %) with a level would fall, and `guard.fallen` allows 10%";
    assert_eq!(fallen(Limit::PartsPerMillion(100_000)), [expected]);
    assert_eq!(fallen(Limit::Rows(1)), NOBODY);
}

#[test]
fn a_first_run_moves_nobody() {
    let guard = Guard { moved: Some(Limit::Rows(0)), fallen: Some(Limit::Rows(0)), ..Guard::default() };
    assert_eq!(of_value(guard, &[(None, 5), (None, 30)]), NOBODY);
}

#[test]
fn shares_are_of_all_subjects_of_the_set() {
    let customers = [(None, 30), (Some(1), 20), (None, 12), (None, 0)];
    let share = |share| of_value(Guard { share, ..Guard::default() }, &customers);
    let expected = "tiers.value: 2 of 4 (50 %) subjects would have level A, and `guard.share` allows 49.9%";
    assert_eq!(share(vec![(2, 499_000), (1, 250_000)]), [expected]);
    assert_eq!(share(vec![(2, 500_000)]), NOBODY);
}

#[test]
fn rules_are_guarded_by_how_many_they_act_on() {
    let mut rules = rules();
    let customers = [(None, 30), (None, 20), (None, 12), (None, 0)];
    let seen = Seen { tables: &[], rows_before: &|_, _| None, clock: &now() };
    let mut messages = |guard: Guard, mode| {
        (rules.retention[CALL.0].guard, rules.retention[CALL.0].mode) = (Some(guard), mode);
        let found = check(&rules, &outcome(&rules, &customers, &Due::ALL), &seen);
        found.into_iter().map(|violation| (violation.holds(), violation.message)).collect::<Vec<_>>()
    };
    let guard = Guard { acted: Some(Limit::PartsPerMillion(250_000)), ..Guard::default() };
    let message = "retention.call: it would act on 2 of 4 (50 %) subjects, and `guard.acted` allows 25%".to_owned();
    assert_eq!(messages(guard.clone(), Mode::Live), [(true, message.clone())]);
    assert_eq!(messages(guard.clone(), Mode::Shadow), [(false, message.clone())], "nothing would come of it");
    let guard = Guard { exceed: GuardExceed::Warn, ..guard };
    assert_eq!(messages(guard, Mode::Live), [(false, message)]);
    let guard = Guard { acted: Some(Limit::Rows(2)), ..Guard::default() };
    assert_eq!(messages(guard, Mode::Live), []);
}

/// Every table a hundred rows, one of them bad, the newest a day old.
fn tables(rules: &RuleSet) -> Vec<SeenTable> {
    let newest = Some(Timestamp(now().as_of().0 - tierd_model::DAY_MICROS));
    let subjects = (0..rules.config.subjects.len()).map(|subject| (Table::Subject(SubjectId(subject)), None));
    let facts = (0..rules.config.facts.len()).map(|facts| (Table::Facts(FactsId(facts)), newest));
    let seen = |(table, newest)| SeenTable { table, rows: 100, bad_rows: 1, newest };
    subjects.chain(facts).map(seen).collect()
}

#[test]
fn data_counts_where_it_decides_something() {
    let mut rules = rules();
    let guard = Guard { bad_rows: Some(Limit::Rows(0)), ..Guard::default() };
    let seen = Seen { tables: &tables(&rules), rows_before: &|_, _| None, clock: &now() };
    let mut of = |of: Guarded, due: &Due| {
        rules.tier_sets.iter_mut().for_each(|set| set.guard = None);
        rules.retention.iter_mut().for_each(|rule| rule.guard = None);
        match of {
            Guarded::Set(set) => rules.tier_sets[set.0].guard = Some(guard.clone()),
            Guarded::Rule(rule) => {
                (rules.retention[rule.0].guard, rules.retention[rule.0].schedule) =
                    (Some(guard.clone()), Some(ScheduleId(0)));
            }
        }
        let found = check(&rules, &outcome(&rules, &[(None, 0)], due), &seen);
        let name = |violation: Violation| match violation.which {
            Which::BadRows(table) => table.name(&rules).to_owned(),
            other => panic!("{other:?}"),
        };
        found.into_iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(Guarded::Set(VALUE), &Due::ALL), "customer");
    assert_eq!(of(Guarded::Set(TierSetId(0)), &Due::ALL), "customer account contacts");
    assert_eq!(of(Guarded::Set(TierSetId(1)), &Due::ALL), "customer account contacts bookings");
    assert_eq!(of(Guarded::Rule(RuleId(2)), &Due::ALL), "customer orders");
    assert_eq!(of(Guarded::Rule(RuleId(1)), &Due::ALL), "customer account contacts bookings");
    // The level that it asks for isn't decided by this run.
    assert_eq!(of(Guarded::Rule(RuleId(1)), &Due::by(vec![ScheduleId(0)])), "customer");
    assert_eq!(of(Guarded::Set(VALUE), &Due::by(vec![ScheduleId(0)])), "", "nor is this set");
}

#[test]
fn data_that_shrank_or_is_old_or_bad_is_named() {
    let mut rules = rules();
    let guard = Guard {
        shrunk: Some(Limit::PartsPerMillion(200_000)),
        stale: Some(CalendarSpan::days(2)),
        bad_rows: Some(Limit::PartsPerMillion(1_000)),
        ..Guard::default()
    };
    rules.retention[2].guard = Some(guard);
    let outcome = outcome(&rules, &[(None, 0)], &Due::ALL);
    let check = |days_old: i64, rows: u64, before: Option<u64>, bad_rows| {
        let newest = Timestamp(now().as_of().0 - days_old * tierd_model::DAY_MICROS);
        let table = SeenTable { table: Table::Facts(FactsId(0)), rows, bad_rows, newest: Some(newest) };
        let rows_before = |of, _| before.filter(|_| of == Guarded::Rule(RuleId(2)));
        let seen = Seen { tables: &[table], rows_before: &rows_before, clock: &now() };
        check(&rules, &outcome, &seen).into_iter().map(|violation| violation.message).collect::<Vec<_>>()
    };
    assert_eq!(check(2, 800, Some(1000), 0), NOBODY);
    assert_eq!(check(0, 5000, Some(1000), 5), NOBODY);
    assert_eq!(check(0, 0, None, 0), NOBODY, "nothing to compare with");
    let expected = [
        "retention.idle: 201 of 1000 (20.1 %) rows of `orders` are gone since the last run, and `guard.shrunk` allows 20%",
        "retention.idle: the newest row of `orders` is of 2026-03-28T10:00:00Z, and `guard.stale` allows 2 days",
        "retention.idle: 9 of 799 (1.13 %) rows of `orders` hold values that don't fit their types, and `guard.bad_rows` \
         allows 0.1%",
    ];
    assert_eq!(check(3, 799, Some(1000), 9), expected);
}

#[test]
fn a_matrix_counts_everybody() {
    let matrix = Matrix::new([NONE, 0, 0, 2, 2], &[0, 0, 1, NONE, 2], 3);
    let cells: Vec<_> = matrix.cells().collect();
    let some = Some;
    let expected =
        [(some(0), some(0), 1), (some(0), some(1), 1), (some(2), some(2), 1), (some(2), None, 1), (None, some(0), 1)];
    assert_eq!(cells, expected);
}

#[test]
fn those_who_move_furthest_come_first_and_say_why() {
    let mut rules = rules();
    let customers = [(Some(2), 12), (Some(0), 30), (None, 30), (Some(2), 0), (Some(1), 1), (Some(1), 10)];
    let before = Before(customers.iter().map(|(level, _)| *level).collect()).held(VALUE).unwrap();
    let movers = |rules: &RuleSet, most| {
        let outcome = outcome(rules, &customers, &Due::ALL);
        largest(rules, &outcome, &outcome.sets[VALUE.0], &before, most)
    };
    let brief = |movers: Vec<Mover>| movers.iter().map(|m| (m.key.to_string(), m.from, m.to)).collect::<Vec<_>>();
    let row = |key: &str, from, to| (key.to_owned(), from, Some(to));
    let (far, near) = ([row("2", 0, 2), row("4", 2, 0)], [row("1", 2, 1), row("5", 1, 0)]);
    assert_eq!(brief(movers(&rules, 20)), [far.clone(), near.clone()].concat());
    assert_eq!(brief(movers(&rules, 3)), [&far[..], &near[..1]].concat());
    let spend = rules.metric("spend").unwrap().0;
    let name = rules.metric("name").unwrap().0;
    let metrics = vec![(spend, Some(Value::Integer(30))), (name, Some(Value::Text("王*".into())))];
    assert_eq!(movers(&rules, 1)[0].metrics, metrics);
    rules.tier_sets[VALUE.0].ordered = false;
    assert_eq!(brief(movers(&rules, 2)), [row("1", 2, 1), row("2", 0, 2)], "without order all moves are alike");
}

#[test]
fn a_share_that_is_too_large_comes_with_a_threshold() {
    let rules = rules();
    let customers: Vec<_> = (0..1000).map(|customer| (None, customer / 4)).collect();
    let outcome = outcome(&rules, &customers, &Due::ALL);
    let texts = |set: usize, level, most| {
        let of = &outcome.sets[set];
        let found = proposals(&rules, &outcome, of, &vec![Held::NOTHING; 1000], (level, most), &now());
        found.iter().map(|proposal| proposal.text(&rules, &rules.tier_sets[set], level)).collect::<Vec<_>>()
    };
    assert_eq!(texts(VALUE.0, 2, 199_000), ["tiers.value.A: spend >= 20 → 201 (share 92 % → 19.6 %)"]);
    assert_eq!(texts(VALUE.0, 2, 920_000), NOBODY, "that is allowed");
    assert_eq!(texts(3, 1, 500_000), ["tiers.worth.high: spend >= 12 → 125 (share 95.2 % → 50 %)"]);
    assert_eq!(texts(3, 0, 10_000), NOBODY, "a level without condition has no threshold");
}

#[test]
fn a_limit_that_holds_is_a_guard() {
    let mut rules = rules();
    rules.retention[CALL.0].limit = Some(RunLimit { per_run: 1, exceed: Exceed::Hold });
    let seen = Seen { tables: &[], rows_before: &|_, _| None, clock: &now() };
    let mut found = |mode| {
        rules.retention[CALL.0].mode = mode;
        check(&rules, &outcome(&rules, &[(None, 30), (None, 20)], &Due::ALL), &seen).remove(0)
    };
    let violation = found(Mode::Live);
    assert_eq!(violation.message, "retention.call: it would act on 2 subjects, and `limit` allows 1 per run");
    assert_eq!((violation.which.name(), violation.holds(), found(Mode::Shadow).holds()), ("limit", true, false));
}
