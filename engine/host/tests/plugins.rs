//! What good plugins give, and what is made of what they say.

mod guests;

use std::{
    slice,
    sync::{Arc, LazyLock},
    time::Duration,
};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, cast::AsArray, types::Float64Type,
};
use guests::{Guest, described, good, looking_up};
use proptest::prelude::*;
use serde_json::json;
use tierd_eval::plugin::{PluginColumn, PluginFailure, Plugins, ProposedAction, SubjectFacts};
use tierd_host::{BreakerState, Host, HostOptions, LookupData, PluginError, Reason};
use tierd_model::{Clock, Timestamp, Type, Zone};
use tierd_rules::plugin::{Accepts, LookupTable, Plugin, PluginDescription, PluginGrants, PluginKind};

fn host() -> Host {
    Host::new(HostOptions::default())
}

fn clock() -> Clock {
    Clock::new(Timestamp(0), Arc::new(Zone::utc()))
}

fn reals(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn call(host: &Host, guest: &Guest, inputs: &[ArrayRef], rows: usize) -> Result<PluginColumn, PluginFailure> {
    host.runner(&[guest.plugin()], &[]).column(&guest.call(), inputs, rows, &clock())
}

/// The values of a column of reals without missing ones.
fn values(column: &ArrayRef) -> Vec<f64> {
    assert_eq!(column.null_count(), 0);
    column.as_primitive::<Float64Type>().values().to_vec()
}

/// Three numbers for each of so many rows.
fn three(rows: usize) -> Vec<ArrayRef> {
    (1..=3).map(|n| reals((0..rows).map(|row| (row * n) as f64))).collect()
}

#[test]
fn a_scorer_gives_a_value_for_each_row_in_order() {
    let (host, guest) = (host(), good("weighted"));
    assert_eq!(*host.describe(&guest.bytes).unwrap(), guest.description);
    for rows in [0, 1, 8191, 8192, 8193, 50_000] {
        let given = call(&host, &guest, &three(rows), rows).unwrap();
        let expected = (0..rows).map(|row| row as f64 * 0.5 + (row * 2) as f64 * 0.25 + (row * 3) as f64 * 0.125);
        assert_eq!(values(&given.column), expected.collect::<Vec<_>>(), "{rows} rows");
        assert_eq!(given.summary, None);
    }
}

#[test]
fn every_batch_has_an_instance_of_its_own() {
    let given = call(&host(), &good("counts_calls"), &three(40_000), 40_000).unwrap();
    assert!(values(&given.column).iter().all(|calls| *calls == 0.0));
}

#[test]
fn two_memories_are_allowed_and_a_denial_may_be_gone_on_from() {
    for name in ["two_memories", "goes_on_without_memory"] {
        let (host, guest) = (host(), good(name));
        let given = call(&host, &guest, &three(9000), 9000).unwrap();
        assert_eq!(&given.column, &three(9000)[0], "{name}");
        assert_eq!(host.stats()[0].failures, [], "{name}");
    }
}

#[test]
fn a_model_is_fitted_to_all_rows_and_then_applied() {
    let rows = 20_001;
    let given = call(&host(), &good("mean"), &three(rows), rows).unwrap();
    let expected = (0..rows).map(|row| row as f64 - 10_000.0);
    assert_eq!(values(&given.column), expected.collect::<Vec<_>>());
    assert_eq!(given.summary.map(serde_json::Value::Object), Some(json!({ "fitted": true })));
}

#[test]
fn a_segmenter_gives_labels() {
    let guest = good("signs");
    let rows = 9000;
    let first = reals((0..rows).map(|row| [-1.0, 5.0, 11.0][row % 3]));
    let given = call(&host(), &guest, &[first.clone(), first.clone(), first], rows).unwrap();
    let expected: StringArray = (0..rows).map(|row| [Some("low"), None, Some("high")][row % 3]).collect();
    assert_eq!(given.column.as_string::<i32>(), &expected);
}

#[test]
fn an_aggregator_carries_on_subjects_with_more_facts_than_a_batch() {
    let guest = good("sums");
    let host = host();
    let rows_of = vec![2, 0, 200_000, 1, 65_536, 3];
    let rows: usize = rows_of.iter().sum::<u32>() as usize;
    let facts = SubjectFacts { rows_of, times: vec![0; rows], inputs: vec![reals(vec![1.0; rows]); 3] };
    let runner = host.runner(&[guest.plugin()], &[]);
    let given = runner.aggregate(&guest.call(), &facts, &clock()).unwrap();
    assert_eq!(values(&given), [2.0, 0.0, 200_000.0, 1.0, 65_536.0, 3.0]);
}

fn planner(grants: PluginGrants) -> (Guest, Plugin) {
    let guest = good("proposes");
    let plugin = Plugin { grants, ..guest.plugin() };
    (guest, plugin)
}

fn all_granted() -> PluginGrants {
    PluginGrants {
        lookups: Vec::new(),
        tasks: Some(vec!["phone".to_owned()]),
        owners: vec!["ana".to_owned()],
        events: Some(vec!["seen".to_owned()]),
        per_subject: 2,
    }
}

#[test]
fn a_planner_proposes_what_is_granted() {
    let (guest, plugin) = planner(all_granted());
    let rows = 8195;
    let proposals = host().runner(&[plugin], &[]).plan(&guest.call(), &three(rows), rows, &clock()).unwrap();
    assert_eq!(proposals.len(), 2 * rows);
    assert!(proposals.iter().enumerate().all(|(at, proposal)| proposal.row as usize == at / 2));
    let last = &proposals[2 * rows - 2..];
    assert_eq!(
        last[0].action,
        ProposedAction::Task {
            title: "call".to_owned(),
            owner: Some("ana".to_owned()),
            channel: Some("phone".to_owned()),
            text: None,
            due_days: Some(3),
        }
    );
    let ProposedAction::Event { name, data } = &last[1].action else { panic!("{:?}", last[1]) };
    assert_eq!((name.as_str(), json!(data)), ("seen", json!({ "n": 1 })));
}

#[test]
fn a_proposal_that_is_not_granted_fails_the_call() {
    let cases = [
        (PluginGrants { tasks: None, ..all_granted() }, "proposed a task, and may propose none"),
        (
            PluginGrants { tasks: Some(vec!["mail".to_owned()]), ..all_granted() },
            "proposed a task with a channel that isn't granted",
        ),
        (
            PluginGrants { owners: vec!["bo".to_owned()], ..all_granted() },
            "proposed a task with an owner that isn't granted",
        ),
        (PluginGrants { events: None, ..all_granted() }, "proposed an event that isn't granted"),
        (
            PluginGrants { per_subject: 1, ..all_granted() },
            "proposed 2 things for a subject, and may 1 (`per_subject`)",
        ),
    ];
    for (grants, message) in cases {
        let (guest, plugin) = planner(grants);
        let failure = host().runner(&[plugin], &[]).plan(&guest.call(), &three(2), 2, &clock()).unwrap_err();
        assert_eq!((failure.reason, failure.message.as_str()), ("refused", message));
    }
    // No names are granted: any may be proposed.
    let any = PluginGrants { tasks: Some(Vec::new()), owners: Vec::new(), ..all_granted() };
    let (guest, plugin) = planner(any);
    assert!(host().runner(&[plugin], &[]).plan(&guest.call(), &three(2), 2, &clock()).is_ok());
}

#[test]
fn tables_that_are_granted_are_looked_up_and_no_others() {
    let (host, guest) = (host(), looking_up());
    assert_eq!(*host.describe(&guest.bytes).unwrap(), guest.description);
    let keys = StringArray::from(vec!["north", "south", "east"]);
    let risk: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.25), Some(0.5), None]));
    let columns = vec![("other".to_owned(), Type::Real, reals([1.0, 2.0, 3.0])), ("risk".to_owned(), Type::Real, risk)];
    let regions = Some(Arc::new(LookupData::new("regions", &keys, columns).unwrap()));
    let plugin = Plugin { grants: PluginGrants { lookups: vec![1], ..PluginGrants::default() }, ..guest.plugin() };
    let asked: ArrayRef = Arc::new(StringArray::from(vec!["south", "nowhere", "north", "east", ""]));

    let runner = host.runner(slice::from_ref(&plugin), &[None, regions.clone()]);
    let given = runner.column(&guest.call(), slice::from_ref(&asked), 5, &clock()).unwrap().column;
    assert_eq!(given.as_primitive::<Float64Type>(), &Float64Array::from(vec![Some(0.5), None, Some(0.25), None, None]));
    host.self_test(&plugin, &guest.call()).unwrap();

    let failure =
        host.runner(&[guest.plugin()], &[None, regions]).column(&guest.call(), slice::from_ref(&asked), 5, &clock());
    let failure = failure.unwrap_err();
    assert_eq!((failure.reason, failure.message.as_str()), ("failed", "no such table is granted"));

    let without = LookupData::new("regions", &keys, Vec::new()).unwrap();
    let runner = host.runner(&[plugin], &[None, Some(Arc::new(without))]);
    let failure = runner.column(&guest.call(), &[asked], 5, &clock()).unwrap_err();
    assert_eq!(failure.message, "table regions has no column risk of type real");
}

#[test]
fn a_key_that_is_there_twice_is_no_table() {
    let keys = StringArray::from(vec![Some("a"), None, Some("b"), None, Some("a")]);
    let problem = LookupData::new("regions", &keys, Vec::new()).unwrap_err();
    assert_eq!(problem.to_string(), "lookup table regions: a key is in rows 0 and 4");
}

#[test]
fn descriptions_that_cannot_be_are_refused() {
    type Change = fn(&mut PluginDescription);
    let cases: [(Change, &str); 12] = [
        (|said| said.name.clear(), "it has no name"),
        (|said| said.version = "1".repeat(65), "its version has more than 64 bytes"),
        (|said| said.functions.clear(), "it has no functions"),
        (|said| said.functions.push(said.functions[0].clone()), "`f` of its functions is there twice"),
        (
            |said| said.functions[0].name = "Score".to_owned(),
            "`Score` of its functions isn't a name: up to 64 of a-z, 0-9 and _, beginning with a letter",
        ),
        (|said| said.functions[0].inputs[1].name = "a".to_owned(), "function f: `a` of its inputs is there twice"),
        (
            |said| said.functions[0].inputs[0].accepts = Accepts::Exactly(Type::Decimal(19)),
            "function f: decimal(19) has more than 18 digits after the point",
        ),
        (
            |said| said.functions[0].output = Some(Type::Decimal(200)),
            "function f: decimal(200) has more than 18 digits after the point",
        ),
        (|said| said.functions[0].output = None, "function f: a scorer has an output, and this one has none"),
        (
            |said| said.functions[0].kind = PluginKind::Planner,
            "function f: the plugin doesn't export the interface `planner`, and says that it is a planner",
        ),
        (
            |said| {
                let input = said.functions[0].inputs[0].clone();
                said.functions[0].inputs = vec![input; 65];
            },
            "function f: 65 inputs are more than 64",
        ),
        (
            |said| {
                said.lookups =
                    vec![LookupTable { name: "t".to_owned(), columns: vec![("c".to_owned(), Type::Decimal(99))] }];
            },
            "lookup table t: decimal(99) has more than 18 digits after the point",
        ),
    ];
    let host = host();
    for (change, message) in cases {
        let mut description = guests::description("scorer-plugin", None);
        change(&mut description);
        let guest = described(good("weighted"), "good/weighted.wat", description);
        assert_eq!(host.describe(&guest.bytes), Err(PluginError::Description { message: message.to_owned() }));
    }
}

#[test]
fn files_that_are_cut_off_or_something_else_are_refused() {
    let (host, whole) = (host(), good("weighted").bytes);
    for bytes in [&b""[..], b"\0asm", b"#!/bin/sh", &[0xff; 1000]] {
        assert_eq!(host.describe(bytes), Err(PluginError::NotWasm));
    }
    // The last section says what the functions are, so that none of the beginnings is whole.
    for end in (8..whole.len()).step_by(61) {
        assert!(host.describe(&whole[..end]).is_err(), "{end} bytes");
    }
    let large = host.describe(&vec![0; (32 << 20) + 1]).unwrap_err();
    assert_eq!(large.to_string(), "33554433 bytes are more than the 32 MiB that a plugin may have");
}

#[test]
fn a_component_with_a_changed_byte_never_ends_the_program() {
    let (host, module) = (host(), good("weighted").bytes);
    let mut encoder = wit_component::ComponentEncoder::default().module(&module).unwrap();
    let whole = encoder.encode().unwrap();
    host.describe(&whole).unwrap();
    for at in (0..whole.len()).step_by(41) {
        let mut changed = whole.clone();
        changed[at] ^= 0x15;
        // It may be as good as before, and is then described.
        let _ = host.describe(&changed);
    }
}

#[test]
fn every_kind_of_good_guest_passes_its_self_test() {
    let host = host();
    for guest in guests::folder("good") {
        let plugin = Plugin { grants: all_granted(), ..guest.plugin() };
        if !matches!(guest.name.as_str(), "looks_up") {
            host.self_test(&plugin, &guest.call()).unwrap_or_else(|failure| panic!("{failure}"));
        }
    }
    assert!(host.stats().iter().all(|stats| stats.calls == 0), "a self-test is no call of a rule");
}

#[test]
fn a_self_test_finds_what_a_first_run_would_and_lets_a_plugin_say_that_it_failed() {
    let host = host();
    let expected = [
        ("one_short", Some("output")),
        ("unreachable", Some("trap")),
        ("nan", Some("output")),
        ("says_that_it_failed", None),
    ];
    let guests = guests::folder("hostile");
    for (name, reason) in expected {
        let guest = guests.iter().find(|guest| guest.name == name).unwrap();
        let tested = host.self_test(&guest.plugin(), &guest.call());
        assert_eq!(tested.err().map(|failure| failure.reason), reason, "{name}");
    }
}

#[test]
fn a_plugin_that_fails_three_times_rests() {
    let (host, guests) = (host(), guests::folder("hostile"));
    let guest = guests.iter().find(|guest| guest.name == "unreachable").unwrap();
    let reasons: Vec<_> = (0..5).map(|_| call(&host, guest, &three(10), 10).unwrap_err().reason).collect();
    assert_eq!(reasons, ["trap", "trap", "trap", "resting", "resting"]);
    let stats = &host.stats()[0];
    assert_eq!((stats.calls, stats.rows, stats.name.as_deref()), (3, 30, Some("unreachable")));
    assert_eq!(stats.failures, [(Reason::Trap, 3), (Reason::Resting, 2)]);
    assert!(matches!(stats.breaker, BreakerState::Open(left) if left > Duration::from_secs(50)));
    // Others aren't concerned.
    assert!(call(&host, &good("weighted"), &three(10), 10).is_ok());
}

#[test]
fn for_an_untiring_runner_no_plugin_rests_and_the_record_is_clean() {
    let (host, guests) = (host(), guests::folder("hostile"));
    let guest = guests.iter().find(|guest| guest.name == "unreachable").unwrap();
    let runner = host.runner(&[guest.plugin()], &[]).untiring();
    let reasons: Vec<_> =
        (0..5).map(|_| runner.column(&guest.call(), &three(10), 10, &clock()).unwrap_err().reason).collect();
    assert_eq!(reasons, ["trap"; 5]);
    assert!(host.stats().iter().all(|stats| stats.failures.is_empty() && stats.breaker == BreakerState::Closed));
}

#[test]
fn calls_that_do_not_fit_the_plugin_are_refused_before_it_runs() {
    let (host, guest) = (host(), good("weighted"));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let cases: [(Vec<ArrayRef>, usize); 3] =
        [(three(1)[..2].to_vec(), 1), (three(1), 2), (vec![text.clone(), text.clone(), text], 1)];
    for (inputs, rows) in cases {
        assert_eq!(call(&host, &guest, &inputs, rows).unwrap_err().reason, "refused");
    }
    let mut missing = guest.call();
    missing.function = "g".to_owned();
    let failure = host.runner(&[guest.plugin()], &[]).column(&missing, &three(1), 1, &clock()).unwrap_err();
    assert_eq!(failure.to_string(), "plugin weighted, function g: the plugin has no scorer of this name");
    assert_eq!(host.runner(&[], &[]).column(&guest.call(), &three(1), 1, &clock()).unwrap_err().reason, "missing");
}

#[test]
fn counters_tell_what_a_plugin_took() {
    let (host, guest) = (host(), good("weighted"));
    call(&host, &guest, &three(10_000), 10_000).unwrap();
    let stats = &host.stats()[0];
    assert_eq!((stats.calls, stats.rows), (1, 10_000));
    assert!(stats.seconds > 0.0 && stats.compile_seconds.is_some());
    assert!(stats.memory_peak >= 3 << 16 && stats.memory_peak < 4 << 20, "{}", stats.memory_peak);
}

#[test]
fn a_hundred_versions_of_a_plugin_leave_a_bounded_record() {
    let host = host();
    for version in 0..100 {
        let mut description = guests::description("scorer-plugin", None);
        description.version = version.to_string();
        let guest = described(good("weighted"), "good/weighted.wat", description);
        call(&host, &guest, &three(10), 10).unwrap();
    }
    assert_eq!(host.stats().len(), 64);
}

/// A column of any type, with missing values.
fn column(ty: Type, rows: usize) -> BoxedStrategy<ArrayRef> {
    fn of<T: Clone + std::fmt::Debug + 'static>(
        value: impl Strategy<Value = T> + 'static,
        rows: usize,
        array: impl Fn(Vec<Option<T>>) -> ArrayRef + 'static,
    ) -> BoxedStrategy<ArrayRef> {
        prop::collection::vec(prop::option::weighted(0.9, value), rows).prop_map(array).boxed()
    }
    match ty {
        Type::Integer => of(any::<i64>(), rows, |values| Arc::new(Int64Array::from(values))),
        Type::Decimal(_) => of(any::<i64>(), rows, move |values| {
            let units: Decimal128Array = values.into_iter().map(|units| units.map(i128::from)).collect();
            Arc::new(units.with_data_type(tierd_eval::columns::arrow_type(ty)))
        }),
        Type::Real => of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, rows, |values| {
            Arc::new(Float64Array::from(values))
        }),
        Type::Bool => of(any::<bool>(), rows, |values| Arc::new(BooleanArray::from(values))),
        Type::Text => of("\\PC{0,12}", rows, |values| Arc::new(StringArray::from(values))),
        Type::Date => of(-719_162..=2_932_896_i32, rows, |values| Arc::new(Date32Array::from(values))),
        Type::Timestamp => of(-62_135_596_800_000_000..=253_402_300_799_999_999_i64, rows, |values| {
            Arc::new(TimestampMicrosecondArray::from(values))
        }),
    }
}

/// The guest that gives its one input as it is, for a type.
fn identity(ty: Type) -> Guest {
    let mut description = guests::description("scorer-plugin", None);
    let function = &mut description.functions[0];
    function.inputs.truncate(1);
    function.inputs[0].accepts = Accepts::Exactly(ty);
    function.inputs[0].nullable = true;
    function.output = Some(ty);
    described(good("identity"), "good/identity.wat", description)
}

const TYPES: [Type; 7] =
    [Type::Integer, Type::Decimal(2), Type::Real, Type::Bool, Type::Text, Type::Date, Type::Timestamp];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_come_back_as_they_were(
        (ty, column, skip) in (prop::sample::select(&TYPES[..]), prop::sample::select(&[0_usize, 1, 7, 9, 100, 9000][..]), 0..20_usize)
            .prop_flat_map(|(ty, rows, skip)| (Just(ty), column(ty, rows + skip), Just(skip)))
    ) {
        // A slice begins anywhere in its bitmap and its texts.
        let column = column.slice(skip, column.len() - skip);
        static HOST: LazyLock<Host> = LazyLock::new(host);
        let guest = identity(ty);
        let given = call(&HOST, &guest, slice::from_ref(&column), column.len()).unwrap().column;
        prop_assert_eq!(given.data_type(), column.data_type());
        prop_assert_eq!(&given, &column);
        if let Some(reals) = given.as_primitive_opt::<Float64Type>() {
            let bits = |array: &Float64Array| array.iter().map(|value| value.map(f64::to_bits)).collect::<Vec<_>>();
            prop_assert_eq!(bits(reals), bits(column.as_primitive::<Float64Type>()));
        }
    }
}
