//! The same rules, data, history and clock give the same outcome, bit for bit, in whatever order rows and kinds of subjects come.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{convert::Infallible, sync::Arc};

use arrow_array::ArrayRef;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};
use tierd_eval::plugin::NoPlugins;
use tierd_eval::{
    derive::CutPoints,
    due::Due,
    evaluate::{Outcome, SubjectOutcome, evaluate},
    history::{Held, History, NoHistory, Override, PolicyState, RuleState},
    levels::{NONE, UnknownAt},
    movement::Settled,
    retention::RuleOutcome,
    scan::memory::{MemoryRow, MemorySubjects, given},
};
use tierd_model::{Clock, DAY_MICROS, Date, Decimal, Key, Timestamp, Value};
use tierd_rules::{FactsId, File, FileSet, RuleId, RuleSet, ScheduleId, SubjectId, TierSetId, load};

const CONFIG: &str = "
    time_zone = 'Asia/Shanghai'
    [database]
    sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    parent = { subject = 'account', column = 'account_id' }
    attributes = { joined_on = { type = 'date', encoding = 'iso8601' }, account_id = 'integer' }
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
    amount = { type = 'decimal(2)', encoding = 'minor_units' }
    weight = 'real'
    status = 'text'";

const RULES: &str = "
    [metric]
    spend = { from = 'orders', aggregate = 'sum(amount)', window = { last = '90 days' }, empty = 0 }
    weight = { from = 'orders', aggregate = 'avg(weight)', window = 'lifetime', empty = 'null' }
    kinds = { from = 'orders', aggregate = 'count(distinct status)', window = 'lifetime', empty = 0 }
    newest = { from = 'orders', aggregate = 'last(status)', window = 'lifetime', empty = 'null' }
    gap = { from = 'orders', aggregate = 'median_gap(at)', window = 'lifetime', empty = 'null' }
    idle = { from = 'orders', aggregate = 'days_since(at)', window = 'lifetime', empty = 'null' }
    place = { rank = 'spend desc' }
    fifth = { quintile = 'weight asc' }
    points = { points = 'club.balance' }
    lost_on = { points = 'club.next_expiry' }
    spend_of_all = { subject = 'account', from = 'customer', aggregate = 'sum(spend)', where = \"tier.value <> 'C'\", empty = 0 }
    group_level = { subject = 'customer', lookup = 'account.tier.group' }

    [points.club]
    digits = 1
    expire = { after = '2 months' }
    earn = [{ from = 'orders', where = \"status = 'paid'\", points = 'amount' }]
    refund = [{ from = 'orders', where = \"status = 'back'\", points = 'amount' }]
    spend = [{ from = 'orders', where = \"status = 'gift'\", points = 'amount / 2' }]

    [tiers.value]
    subject = 'customer'
    downgrade = { after = '30 days', steps = 1 }
    [[tiers.value.level]]
    name = 'C'
    [[tiers.value.level]]
    name = 'B'
    when = 'spend >= 50 or weight > 2'
    [[tiers.value.level]]
    name = 'A'
    when = 'place <= 2 and idle < 60'
    keep = 'kinds > 1'

    [tiers.group]
    subject = 'account'
    of = 'spend_of_all'
    [[tiers.group.level]]
    name = 'small'
    [[tiers.group.level]]
    name = 'large'
    from = 100

    [retention]
    idle = { when = 'idle > 20', cooldown = '10 days', limit = { per_run = 2 }, group = 'contact', action = { event = 'hello' } }
    lost = { on = 'lost_on', before = '20 days', when = 'points > 0', group = 'contact', priority = 1, action = { event = 'points' } }
    joined = { on = 'anniversary of joined_on', before = '60 days', holdout = '50%', action = { event = 'thanks' } }
    fallen = { moved = { set = 'value', direction = 'any' }, when = \"group_level = 'large' or newest = 'paid'\", action = { event = 'why' } }";

/// Sets and rules follow these in turn.
const SCHEDULES: usize = 4;

/// The run's time; orders lie before it, a few after.
const NOW: i64 = 1_772_000_000_000_000;

fn rules() -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let loaded = load(FileSet::new(vec![file("tierd.toml", CONFIG), file("rules/all.toml", RULES)]));
    assert!(loaded.rules.is_some(), "{:#?}", loaded.diagnostics);
    let mut rules = loaded.rules.unwrap();
    let sets = rules.tier_sets.iter_mut().map(|set| &mut set.schedule);
    let all = sets.chain(rules.retention.iter_mut().map(|rule| &mut rule.schedule));
    all.enumerate().for_each(|(index, schedule)| *schedule = Some(ScheduleId(index % SCHEDULES)));
    rules
}

/// Rows in some order.
#[derive(Debug, Clone)]
struct World {
    customers: Vec<MemoryRow>,
    accounts: Vec<MemoryRow>,
    orders: Vec<MemoryRow>,
    accounts_first: bool,
}

impl World {
    fn subjects(&self) -> Vec<MemorySubjects> {
        let of = |subject, rows: &Vec<MemoryRow>, facts| MemorySubjects { subject, rows: rows.clone(), facts };
        let mut all = vec![
            of(SubjectId(0), &self.customers, vec![(FactsId(0), self.orders.clone())]),
            of(SubjectId(1), &self.accounts, Vec::new()),
        ];
        if self.accounts_first {
            all.reverse();
        }
        all
    }
}

fn customers() -> impl Strategy<Value = Vec<MemoryRow>> {
    let one = (option::of(19_000..20_500), option::of(0..4i64));
    vec(one, 0..8).prop_map(|all| {
        let row = |(key, (joined, account)): (i64, (Option<i32>, Option<i64>))| MemoryRow {
            key: Key::Integer(key),
            values: vec![joined.map(|day| Value::Date(Date(day))), account.map(Value::Integer)],
        };
        (0..).zip(all).map(row).collect()
    })
}

/// Many at the same time, on the same day or of the same amount.
fn orders() -> impl Strategy<Value = Vec<MemoryRow>> {
    let weight = prop_oneof![Just(0.1), Just(1e15), Just(-1e15), Just(3.3)];
    let one = (0..9i64, 0..130i64, 0..2i64, option::of(0..9_000i128), option::of(weight), 0..4usize);
    let row = |(key, day, half, cents, weight, status): (i64, i64, i64, Option<i128>, Option<f64>, usize)| {
        let at = NOW + (5 - day) * DAY_MICROS + half * DAY_MICROS / 2;
        let status = ["paid", "back", "gift", "open"][status];
        let values = vec![
            Some(Value::Timestamp(Timestamp(at))),
            cents.map(|cents| Value::Decimal(Decimal::new(cents, 2))),
            weight.map(Value::Real),
            Some(Value::Text(status.into())),
        ];
        MemoryRow { key: Key::Integer(key), values }
    };
    vec(one.prop_map(row), 0..60)
}

/// A world, and the same in another order.
fn worlds() -> impl Strategy<Value = (World, World)> {
    let accounts: Vec<_> =
        (0..3).map(|key| MemoryRow { key: Key::Integer(key), values: vec![Some(Value::Integer(key))] }).collect();
    (customers(), orders()).prop_flat_map(move |(customers, orders)| {
        let world = World { customers, accounts: accounts.clone(), orders, accounts_first: false };
        let shuffled = (
            Just(world.customers.clone()).prop_shuffle(),
            Just(world.accounts.clone()).prop_shuffle(),
            Just(world.orders.clone()).prop_shuffle(),
            any::<bool>(),
        );
        let other = shuffled.prop_map(|(customers, accounts, orders, accounts_first)| World {
            customers,
            accounts,
            orders,
            accounts_first,
        });
        (Just(world), other)
    })
}

/// Everything, or what follows some of the schedules.
fn due() -> impl Strategy<Value = Due> {
    let some = subsequence((0..SCHEDULES).map(ScheduleId).collect::<Vec<_>>(), 0..=SCHEDULES);
    prop_oneof![1 => Just(Due::ALL), 3 => some.prop_map(Due::by)]
}

/// What the run before left.
struct After<'a>(&'a Outcome, Timestamp);

impl History for After<'_> {
    type Error = Infallible;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, Infallible> {
        let settled = &self.0.sets[set.0].settled;
        let one = |(subject, &level): (u32, &u16)| {
            let state = settled.states.iter().find(|(of, _)| *of == subject);
            let state = state.map_or(PolicyState::at(level), |(_, state)| *state);
            if level == NONE { Held::NOTHING } else { Held { level, since: self.1, state } }
        };
        Ok((0..).zip(&settled.held).map(one).collect())
    }

    fn overrides(&self, _: TierSetId) -> Result<Vec<Override>, Infallible> {
        Ok(Vec::new())
    }

    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, Infallible> {
        Ok(self.0.rules[rule.0].states.clone())
    }
}

/// Of one kind: its keys, metrics and where ranks were cut.
type FoundSubjects = (SubjectId, Vec<Key>, Vec<Option<ArrayRef>>, Vec<CutPoints>);

/// Of one tier set: who met UNKNOWN, what was held, and what is held now.
type FoundSet = (TierSetId, Vec<UnknownAt>, Vec<u64>, Option<Vec<Held>>, Settled);

/// Everything of an outcome but the order of its kinds of subjects.
#[derive(Debug, PartialEq)]
struct Found {
    subjects: Vec<FoundSubjects>,
    sets: Vec<FoundSet>,
    rules: Vec<RuleOutcome>,
}

impl Found {
    fn new(outcome: Outcome) -> Self {
        let subject = |of: SubjectOutcome| {
            let keys = (0..of.metrics.subjects).map(|index| (of.key)(index)).collect();
            (of.subject, keys, of.metrics.columns, of.metrics.cut_points)
        };
        let mut subjects: Vec<_> = outcome.subjects.into_iter().map(subject).collect();
        subjects.sort_by_key(|(subject, ..)| *subject);
        let sets = outcome.sets.into_iter();
        let sets = sets.map(|of| (of.set, of.unknown, of.unknown_per_level, of.was, of.settled)).collect();
        Found { subjects, sets, rules: outcome.rules }
    }
}

/// A first run, and one so many days after it that decides what is due.
fn runs(rules: &RuleSet, world: &World, days: i64, due: &Due) -> [Found; 2] {
    let subjects = world.subjects();
    let clock = |days| Clock::new(Timestamp(NOW + days * DAY_MICROS), Arc::clone(&rules.config.zone));
    let (first, second) = (clock(0), clock(days));
    let before = evaluate(rules, given(rules, &subjects, &first), &NoHistory, &NoPlugins, &Due::ALL, &first).unwrap();
    let history = After(&before, first.as_of());
    let after = evaluate(rules, given(rules, &subjects, &second), &history, &NoPlugins, due, &second).unwrap();
    [before, after].map(Found::new)
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_changes_a_bit((world, other) in worlds(), days in 1..60i64, due in due()) {
        let rules = rules();
        let found = runs(&rules, &world, days, &due);
        prop_assert_eq!(&found, &runs(&rules, &world, days, &due));
        prop_assert_eq!(&found, &runs(&rules, &other, days, &due));
    }
}
