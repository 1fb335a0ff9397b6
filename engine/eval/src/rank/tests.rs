use proptest::prelude::*;
use tierd_model::{Decimal, pow10};

use super::*;
use crate::testing::{array, days, instant, integer};

/// Ranks by sorting values and indices, as one would on paper.
fn on_paper(values: &[Option<Value>], descending: bool) -> Vec<usize> {
    let mut subjects: Vec<usize> = (0..values.len()).filter(|i| values[*i].is_some()).collect();
    subjects.sort_by(|a, b| {
        let order = match (values[*a].as_ref().unwrap(), values[*b].as_ref().unwrap()) {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
            (Value::Real(a), Value::Real(b)) => a.partial_cmp(b).unwrap(),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            other => panic!("{other:?}"),
        };
        if descending { order.reverse() } else { order }.then(a.cmp(b))
    });
    subjects
}

fn integers(column: &ArrayRef) -> Vec<Option<i64>> {
    column.as_primitive::<types::Int64Type>().iter().collect()
}

fn numbers() -> impl Strategy<Value = (Type, Vec<Option<Value>>)> {
    let most = pow10(38) - 1;
    let units = prop_oneof![0i128..5, any::<i64>().prop_map(i128::from), -most..most];
    let value = prop_oneof![(-3i64..3).prop_map(integer).boxed(), any::<i64>().prop_map(integer).boxed(),];
    let real = prop_oneof![Just(-0.0), Just(0.0), -2.0..2.0f64, prop::num::f64::NORMAL];
    let column = |value: BoxedStrategy<Value>| prop::collection::vec(prop::option::weighted(0.8, value), 0..40);
    prop_oneof![
        column(value.boxed()).prop_map(|v| (Type::Integer, v)),
        column(units.prop_map(|u| Value::Decimal(Decimal::new(u, 2))).boxed()).prop_map(|v| (Type::Decimal(2), v)),
        column(real.prop_map(Value::Real).boxed()).prop_map(|v| (Type::Real, v)),
        column(prop_oneof![-3..3i32, any::<i32>()].prop_map(days).boxed()).prop_map(|v| (Type::Date, v)),
        column(any::<i64>().prop_map(instant).boxed()).prop_map(|v| (Type::Timestamp, v)),
    ]
}

proptest! {
    #[test]
    fn ranks_are_those_of_a_plain_sort((ty, values) in numbers(), descending: bool, count in 1u16..8) {
        let column = array(ty, &values);
        let paper = on_paper(&values, descending);
        let mut expected = vec![None; values.len()];
        paper.iter().enumerate().for_each(|(place, subject)| expected[*subject] = Some(place as i64 + 1));
        let ranked = rank(&column, ty, descending, RankKind::Rank);
        prop_assert_eq!(integers(&ranked.column), expected);
        prop_assert_eq!(ranked.subjects, paper.len() as u64);

        let ranked = rank(&column, ty, descending, RankKind::Ntile(count));
        let numbers = integers(&ranked.column);
        let in_order: Vec<i64> = paper.iter().map(|subject| numbers[*subject].unwrap()).collect();
        prop_assert!(in_order.is_sorted());
        for number in 1..=i64::from(count) {
            let members: Vec<usize> = paper.iter().copied().filter(|s| numbers[*s] == Some(number)).collect();
            let larger = number <= (paper.len() % usize::from(count)) as i64;
            prop_assert_eq!(members.len(), paper.len() / usize::from(count) + usize::from(larger));
            let bucket = ranked.buckets.iter().find(|bucket| i64::from(bucket.number) == number);
            prop_assert_eq!(bucket.map_or(0, |bucket| bucket.subjects), members.len() as u64);
            if let Some(bucket) = bucket {
                prop_assert_eq!(Some(&bucket.from), values[members[0]].as_ref());
                prop_assert_eq!(Some(&bucket.to), values[members[members.len() - 1]].as_ref());
            }
        }
    }
}

#[test]
fn ties_go_by_key_whichever_way_the_metric_is_ordered() {
    let column = array(Type::Integer, &[7, 9, 7, 9, 7].map(|v| Some(integer(v))));
    assert_eq!(integers(&rank(&column, Type::Integer, true, RankKind::Rank).column), [3, 1, 4, 2, 5].map(Some));
    assert_eq!(integers(&rank(&column, Type::Integer, false, RankKind::Rank).column), [1, 4, 2, 5, 3].map(Some));
}

#[test]
fn zero_has_one_rank_whatever_its_sign() {
    let column = array(Type::Real, &[0.0, -0.0, 1.0, -1.0, -0.0].map(|v| Some(Value::Real(v))));
    assert_eq!(integers(&rank(&column, Type::Real, false, RankKind::Rank).column), [2, 3, 5, 1, 4].map(Some));
}

#[test]
fn percentiles_are_the_share_up_to_here() {
    let column = array(Type::Integer, &[Some(integer(3)), None, Some(integer(2)), Some(integer(1))]);
    let ranked = rank(&column, Type::Integer, true, RankKind::Percentile);
    let percentile = |row| value_at(&ranked.column, Type::Decimal(6), row).map(|value| value.to_string());
    let expected = [Some("33.333333".into()), None, Some("66.666667".into()), Some("100.000000".into())];
    assert_eq!([0, 1, 2, 3].map(percentile), expected);
}

#[test]
fn nobody_to_rank_is_no_bucket() {
    for column in [array(Type::Integer, &[]), array(Type::Integer, &[None, None])] {
        let ranked = rank(&column, Type::Integer, true, RankKind::Ntile(5));
        assert_eq!((ranked.subjects, ranked.buckets.len(), ranked.column.len()), (0, 0, column.len()));
        assert_eq!(ranked.column.null_count(), column.len());
    }
}

#[test]
fn decimals_of_any_width_are_ranked() {
    let most = pow10(38) - 1;
    for spread in [100, i128::from(i64::MAX), 1 << 90, most] {
        let units = [spread, -spread, 0, spread - 1, -spread];
        let column = array(Type::Decimal(2), &units.map(|u| Some(Value::Decimal(Decimal::new(u, 2)))));
        let ranked = rank(&column, Type::Decimal(2), false, RankKind::Rank);
        assert_eq!(integers(&ranked.column), [5, 1, 3, 4, 2].map(Some), "{spread}");
    }
}
