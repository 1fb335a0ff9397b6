//! What tierd may hand over, and what it is given back, at the edges: as the contract has it, and never a panic.

use tierd_plugin::{
    Aggregator, Column, Decimal, Facts, Failure, Fitted, Model, Scorer, Texts, Timestamp, ValueType, Values,
    description::{Accepts, Kind, SettingType},
    json::Json,
    testing,
};

tierd_plugin::settings! {
    /// Settings of every kind.
    pub struct All {
        /// A number.
        factor: f64,
        /// A whole number
        /// on two lines.
        times: i64 = 1,
        /// A text.
        label: Option<String>,
        /// Some numbers.
        list: Vec<f64> = Vec::new(),
        /// Yes or no.
        on: bool = true,
    }
}

tierd_plugin::scorer! {
    /// Cents times a factor.
    fn scaled(cents: Decimal<2>, settings: &All) -> f64 {
        cents.to_f64() * settings.factor * settings.times as f64
    }
}

tierd_plugin::scorer! {
    /// A text, or none, or no number.
    fn picky(name: &str, n: Option<f64>) -> Result<Option<String>, Failure> {
        match n {
            Some(n) if n < 0.0 => Err("it must not be negative".into()),
            Some(n) => Ok(Some(format!("{name} {n}"))),
            None => Ok(None),
        }
    }
}

tierd_plugin::scorer! {
    /// Not always a number.
    fn inverse(n: f64) -> f64 {
        1.0 / n
    }
}

tierd_plugin::state! {
    /// A sum.
    #[derive(Default)]
    pub struct Total {
        /// So far.
        sum: f64,
        /// When it began.
        first: Option<i64>,
    }
}

tierd_plugin::aggregator! {
    /// The sum of amounts, and nothing where there are none.
    total: Total;

    fn add(total: &mut Total, at: Timestamp, amount: f64) -> Result<(), Failure> {
        if amount < 0.0 {
            return Err("an amount must not be negative".into());
        }
        total.sum += amount;
        total.first = total.first.or(Some(at.0));
        Ok(())
    }

    fn value(total: Total, settings: &All) -> Option<f64> {
        total.first.map(|_| total.sum * settings.factor)
    }
}

tierd_plugin::model! {
    /// Counts to three.
    count: u32, u32;

    fn part(part: &mut u32, _count: Option<&u32>, n: f64) {
        *part += u32::from(n > 0.0);
    }

    fn fit(count: Option<u32>, parts: Vec<u32>) -> Result<Fitted<u32>, Failure> {
        let next = count.unwrap_or(0) + 1;
        let rows: u32 = parts.iter().sum();
        Ok(if next == 3 { Fitted::done(next, Json::object([("rows", f64::from(rows))])) } else { Fitted::again(next) })
    }

    fn apply(count: &u32, n: f64) -> f64 {
        n + f64::from(*count)
    }
}

fn failure<T>(result: Result<T, Failure>) -> (Option<u32>, String) {
    match result {
        Ok(_) => panic!("it worked"),
        Err(failure) => (failure.row, failure.message),
    }
}

#[test]
fn a_function_is_described_by_its_parameters() {
    let function = scaled::describe();
    assert_eq!(
        (function.name.as_str(), function.kind, function.output),
        ("scaled", Kind::Scorer, Some(ValueType::Real))
    );
    assert_eq!(function.inputs.len(), 1);
    assert_eq!(function.inputs[0].accepts, Accepts::Exactly(ValueType::Decimal(2)));
    let settings: Vec<_> = function.settings.iter().map(|s| (s.name.as_str(), s.setting_type, s.required)).collect();
    assert_eq!(
        settings,
        [
            ("factor", SettingType::Number, true),
            ("times", SettingType::Integer, false),
            ("label", SettingType::Text, false),
            ("list", SettingType::Any, false),
            ("on", SettingType::Boolean, false),
        ]
    );
    assert_eq!(function.settings[1].doc, "A whole number on two lines.");
    let nullable: Vec<_> = picky::describe().inputs.iter().map(|input| input.nullable).collect();
    assert_eq!(nullable, [false, true]);
}

#[test]
fn settings_that_are_wrong_are_named() {
    let columns = || vec![testing::column([Decimal::<2>(150)])];
    let with = |config: &str| testing::score::<scaled, f64>(&testing::call("scaled").config(config), columns());
    assert_eq!(with(r#"{"factor": 2, "times": 3}"#), Ok(vec![Some(9.0)]));
    for (config, message) in [
        ("{}", "setting `factor` is missing"),
        (r#"{"factor": "2"}"#, "setting `factor` must be a number"),
        (r#"{"factor": 2, "times": 1.5}"#, "setting `times` must be a whole number"),
        (r#"{"factor": 2, "list": [1, "a"]}"#, "setting `list` must be a list"),
    ] {
        assert_eq!(failure(with(config)), (None, message.to_owned()), "{config}");
    }
}

#[test]
fn a_failure_names_its_row() {
    let columns = vec![testing::column(["a", "b"]), testing::column([1.5, -1.0])];
    let said = failure(testing::score::<picky, String>(&testing::call("picky"), columns));
    assert_eq!(said, (Some(1), "it must not be negative".to_owned()));
    let said =
        failure(testing::score::<inverse, f64>(&testing::call("inverse"), vec![testing::column([1.0, 2.0, 0.0])]));
    assert_eq!(said, (Some(2), "the result is no finite number".to_owned()));
}

#[test]
fn texts_and_missing_values_go_in_and_out() {
    let columns = vec![testing::column(["中", "", "z"]), testing::column([Some(1.0), None, Some(2.5)])];
    let out = testing::score::<picky, String>(&testing::call("picky"), columns).unwrap();
    assert_eq!(out, [Some("中 1".to_owned()), None, Some("z 2.5".to_owned())]);
    let nine: Vec<_> = (0..9).map(|n| (n != 3).then_some(f64::from(n))).collect();
    let columns = vec![testing::column(["x"; 9]), testing::column(nine)];
    let out = testing::score::<picky, String>(&testing::call("picky"), columns).unwrap();
    assert_eq!(
        out.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, true, false, true, true, true, true, true]
    );
}

#[test]
fn columns_that_break_the_contract_are_failures() {
    let texts = |offsets: Vec<u32>, bytes: &[u8]| Column {
        values: Values::Texts(Texts { offsets, bytes: bytes.to_vec() }),
        valid: None,
    };
    let number = || testing::column([1.0]);
    let call = testing::call("picky");
    for (what, columns) in [
        ("too few inputs", vec![testing::column(["a"])]),
        ("too many inputs", vec![testing::column(["a"]), number(), number()]),
        ("another type", vec![number(), number()]),
        ("too few offsets", vec![texts(vec![0], b"a"), number()]),
        ("offsets beyond the bytes", vec![texts(vec![0, 5], b"a"), number()]),
        ("offsets that fall", vec![texts(vec![1, 0], b"a"), number()]),
        ("no UTF-8", vec![texts(vec![0, 1], b"\xff"), number()]),
        ("half a character", vec![texts(vec![0, 1], "中".as_bytes()), number()]),
        ("too few rows", vec![testing::column(["a"]), testing::column([] as [f64; 0])]),
        ("too few bits", vec![testing::column(["a"]), Column { valid: Some(Vec::new()), ..number() }]),
    ] {
        assert!(picky::score(&call, 1, &columns).is_err(), "{what}");
    }
    assert!(picky::score(&call, 0, &[testing::column([] as [&str; 0]), testing::column([] as [f64; 0])]).is_ok());
}

#[test]
fn a_subject_s_facts_may_go_on_in_the_next_batch() {
    let call = testing::call("total").config(r#"{"factor": 1}"#);
    let batch = |rows_of: Vec<u32>, amounts: Vec<f64>| Facts {
        rows_of,
        times: (0..amounts.len() as i64).collect(),
        inputs: vec![testing::column(amounts)],
    };
    let first = total::aggregate(&call, &[], &batch(vec![1, 0, 2], vec![5.0, 1.0, 2.0]), true).unwrap();
    assert_eq!(testing::values::<f64>(&first.values).unwrap(), [Some(5.0), None, None]);
    // A batch may hold nothing but more of the same subject.
    let second = total::aggregate(&call, &first.carry, &batch(vec![1], vec![4.0]), true).unwrap();
    let third = total::aggregate(&call, &second.carry, &batch(vec![1, 1], vec![8.0, 3.0]), false).unwrap();
    assert_eq!(testing::values::<f64>(&third.values).unwrap(), [Some(15.0), Some(3.0)]);
    assert!(third.carry.is_empty());

    let foreign = total::aggregate(&call, b"nonsense", &batch(vec![1], vec![1.0]), false);
    assert_eq!(failure(foreign).1, "the state that is carried on isn't this function's");
    let negative = total::aggregate(&call, &[], &batch(vec![1, 1], vec![1.0, -1.0]), false);
    assert_eq!(failure(negative), (Some(1), "an amount must not be negative".to_owned()));
    let short = Facts { times: vec![0], ..batch(vec![2], vec![1.0, 2.0]) };
    assert!(total::aggregate(&call, &[], &short, false).is_err());
}

#[test]
fn a_model_goes_on_until_it_is_done() {
    let batches = vec![vec![testing::column([1.0, 2.0])], vec![testing::column([3.0])]];
    let fit = testing::fit::<count, f64>(&testing::call("count"), batches).unwrap();
    assert_eq!((fit.rounds, fit.summary.as_str()), (3, r#"{"rows":3}"#));
    assert_eq!(fit.values, [Some(4.0), Some(5.0), Some(6.0)]);
    let call = testing::call("count");
    assert_eq!(
        failure(<count as Model>::apply(&call, &[], 0, &[testing::column([] as [f64; 0])])).1,
        "the model hasn't been fitted"
    );
    assert!(<count as Model>::fit(&call, b"nonsense", &[]).is_err());
    assert!(<count as Model>::fit(&call, &[], &[vec![9, 9]]).is_err());
}
