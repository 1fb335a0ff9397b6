use tierd_model::{Type, Value};
use tierd_rules::{CompareOp, MetricKind, SubjectId};

use super::*;
use crate::{
    columns::value_at,
    testing::{array, clock, column, compare, decimal, integer, metric, rule_set, text},
};

const PARENTS: [u32; 5] = [1, NO_PARENT, 0, 1, 1];

/// Five members: spend, a weight, a city.
fn members() -> Metrics {
    let spend = [Some("10.00"), Some("99.00"), Some("-5.50"), None, Some("0.05")].map(|v| v.map(decimal));
    let weight = [1.5, 2.0, 0.25, 4.0, -0.5].map(|v| Some(Value::Real(v)));
    let city = ["Wuhan", "Paris", "Paris", "Wuhan", "Wuhan"].map(|v| Some(text(v)));
    let columns =
        vec![Some(array(Type::Decimal(2), &spend)), Some(array(Type::Real, &weight)), Some(array(Type::Text, &city))];
    Metrics { columns, cut_points: Vec::new(), subjects: 5 }
}

fn rolled(function: AggregateFn, of: Option<(usize, Type)>, ty: Type, empty: Option<Value>) -> Vec<Option<Value>> {
    let what =
        Rollup { members: SubjectId(0), function, argument: of.map(|(of, ty)| column(of, ty)), filter: None, empty };
    let array = rollup(&what, ty, &members(), &PARENTS, 3, &clock("2026-03-31T10:00", "UTC"));
    (0..3).map(|row| value_at(&array, ty, row)).collect()
}

#[test]
fn members_know_their_groups_value() {
    let column = array(Type::Integer, &[Some(integer(7)), None]);
    let found = lookup(&column, &[0, 1, NO_PARENT, 0]);
    let found: Vec<_> = (0..4).map(|row| value_at(&found, Type::Integer, row)).collect();
    assert_eq!(found, [Some(integer(7)), None, None, Some(integer(7))]);
}

#[test]
fn groups_add_up_their_members() {
    use AggregateFn as F;
    let money = Some((0, Type::Decimal(2)));
    let cases = [
        (F::Sum, money, Type::Decimal(2), [Some(decimal("-5.50")), Some(decimal("10.05")), None]),
        (F::Avg, money, Type::Decimal(6), [Some(decimal("-5.500000")), Some(decimal("5.025000")), None]),
        (F::Min, money, Type::Decimal(2), [Some(decimal("-5.50")), Some(decimal("0.05")), None]),
        (F::Max, money, Type::Decimal(2), [Some(decimal("-5.50")), Some(decimal("10.00")), None]),
        (F::Count, money, Type::Integer, [Some(integer(1)), Some(integer(2)), None]),
        (F::Count, None, Type::Integer, [Some(integer(1)), Some(integer(3)), None]),
        (F::CountDistinct, Some((2, Type::Text)), Type::Integer, [Some(integer(1)), Some(integer(1)), None]),
        (F::Sum, Some((1, Type::Real)), Type::Real, [Some(Value::Real(0.25)), Some(Value::Real(5.0)), None]),
    ];
    for (function, of, ty, expected) in cases {
        assert_eq!(rolled(function, of, ty, None), expected, "{function:?} of {of:?}");
    }
}

#[test]
fn groups_without_counting_members_are_empty() {
    let sums = rolled(AggregateFn::Sum, Some((0, Type::Decimal(2))), Type::Decimal(2), Some(decimal("0.00")));
    assert_eq!(sums[2], Some(decimal("0.00")));
    let what = Rollup {
        members: SubjectId(0),
        function: AggregateFn::Count,
        argument: None,
        filter: Some(compare(0, CompareOp::Gt, decimal("1.00"))),
        empty: Some(integer(0)),
    };
    let array = rollup(&what, Type::Integer, &members(), &PARENTS, 3, &clock("2026-03-31T10:00", "UTC"));
    let counts: Vec<_> = (0..3).map(|row| value_at(&array, Type::Integer, row)).collect();
    // A member whose spend is NULL isn't counted: the filter is UNKNOWN.
    assert_eq!(counts, [0, 1, 0].map(|count| Some(integer(count))));
}

#[test]
fn sums_are_exact_beyond_what_fits_on_the_way() {
    let largest = Value::Decimal(tierd_model::Decimal::new(pow10(38) - 1, 0));
    let smallest = Value::Decimal(tierd_model::Decimal::new(1 - pow10(38), 0));
    let values = [vec![largest.clone(); 4], vec![smallest; 3]].concat();
    let values: Vec<_> = values.into_iter().map(Some).collect();
    let members =
        Metrics { columns: vec![Some(array(Type::Decimal(0), &values))], cut_points: Vec::new(), subjects: 7 };
    let what = Rollup {
        members: SubjectId(0),
        function: AggregateFn::Sum,
        argument: Some(column(0, Type::Decimal(0))),
        filter: None,
        empty: None,
    };
    let now = clock("2026-03-31T10:00", "UTC");
    let sum = rollup(&what, Type::Decimal(0), &members, &[0; 7], 1, &now);
    assert_eq!(value_at(&sum, Type::Decimal(0), 0), Some(largest));
}

/// A group's level may depend on a metric of its members, and a member's on that of its group.
#[test]
fn groups_and_members_are_evaluated_together() {
    use crate::{due::Due, evaluate::evaluate, history::NoHistory, plugin::NoPlugins, testing::given};
    let of_group = |mut metric: tierd_rules::Metric| {
        metric.subject = SubjectId(1);
        metric
    };
    let total = MetricKind::Rollup(Rollup {
        members: SubjectId(0),
        function: AggregateFn::Sum,
        argument: Some(column(0, Type::Integer)),
        filter: None,
        empty: Some(integer(0)),
    });
    let rules = rule_set(
        vec![
            metric("spend", Type::Integer, MetricKind::Attribute(0)),
            of_group(metric("total", Type::Integer, total)),
            metric("of_group", Type::Integer, MetricKind::Lookup(tierd_rules::MetricId(1))),
        ],
        vec![],
    );
    let spend = [1, 2, 4].map(|n| Some(integer(n)));
    let mut members = given(0, 3, vec![Some(array(Type::Integer, &spend))]);
    members.parents = vec![1, NO_PARENT, 1];
    let groups = given(1, 2, vec![]);
    let outcome =
        evaluate(&rules, vec![members, groups], &NoHistory, &NoPlugins, &Due::ALL, &clock("2026-03-31T10:00", "UTC"))
            .unwrap();
    let column = |subject: usize, metric: usize, rows: usize| -> Vec<_> {
        let column = outcome.subjects[subject].metrics.columns[metric].as_ref().unwrap();
        (0..rows).map(|row| value_at(column, Type::Integer, row)).collect()
    };
    assert_eq!(column(1, 1, 2), [Some(integer(0)), Some(integer(5))]);
    assert_eq!(column(0, 2, 3), [Some(integer(5)), None, Some(integer(5))]);
}
