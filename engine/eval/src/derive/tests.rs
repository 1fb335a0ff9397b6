use tierd_model::Value;
use tierd_rules::{ArithOp, ExprKind, Metric, MetricKind, RankKind, SubjectId};

use super::*;
use crate::{
    columns::value_at,
    expr::CHUNK,
    testing::{array, clock, column, complete, integer, literal, metric, node, rule_set},
};

fn doubled(of: usize) -> MetricKind {
    let (of, two) = (Box::new(column(of, Type::Integer)), Box::new(literal(integer(2))));
    MetricKind::Derived(node(ExprKind::Arith(ArithOp::Mul, of, two), Type::Integer))
}

fn ranked(of: usize, kind: RankKind) -> MetricKind {
    MetricKind::Rank { of: MetricId(of), descending: true, kind }
}

fn metrics() -> Vec<Metric> {
    vec![
        metric("spend", Type::Integer, MetricKind::Attribute(0)),
        metric("twice", Type::Integer, doubled(0)),
        metric("place", Type::Integer, ranked(1, RankKind::Rank)),
        metric("worst", Type::Integer, doubled(2)),
        metric("half", Type::Integer, ranked(0, RankKind::Ntile(2))),
    ]
}

fn completed(subjects: usize) -> Metrics {
    let spend: Vec<Option<Value>> = (0..subjects as i64).map(|i| (i % 7 > 0).then(|| integer(i))).collect();
    let given = vec![Some(array(Type::Integer, &spend))];
    complete(&rule_set(metrics(), vec![]), given, subjects, &clock("2026-03-31T10:00", "UTC"))
}

#[test]
fn metrics_build_on_each_other_across_chunks() {
    let subjects = CHUNK + 10;
    let metrics = completed(subjects);
    let at = |metric: usize, row| value_at(metrics.columns[metric].as_ref().unwrap(), Type::Integer, row);
    let last = subjects - 1;
    assert_ne!(last % 7, 0);
    assert_eq!(at(1, last), Some(integer(2 * last as i64)));
    assert_eq!(at(2, last), Some(integer(1)));
    assert_eq!(at(3, last), Some(integer(2)));
    assert_eq!([0, 1, 2, 3, 4].map(|metric| at(metric, 7)), [None, None, None, None, None]);
    assert!(metrics.columns.iter().flatten().all(|column| column.len() == subjects));
}

#[test]
fn cut_points_are_kept_for_each_rank() {
    let metrics = completed(8);
    let half = metrics.cut_points(MetricId(4)).unwrap();
    let bucket = |number, from, to| Bucket { number, from: integer(from), to: integer(to), subjects: 3 };
    assert_eq!((half.ranked, &half.boundaries[..]), (6, &[bucket(1, 6, 4), bucket(2, 3, 1)][..]));
    assert_eq!(metrics.cut_points(MetricId(2)).unwrap().boundaries, []);
    assert_eq!(metrics.cut_points(MetricId(0)), None);
}

#[test]
fn no_subject_makes_empty_columns() {
    let metrics = completed(0);
    assert!(metrics.columns.iter().all(|column| column.as_ref().is_some_and(|column| column.is_empty())));
}

#[test]
fn metrics_of_other_subjects_stay_absent() {
    let mut of_groups = metric("members", Type::Integer, doubled(0));
    of_groups.subject = SubjectId(1);
    let rules = rule_set(vec![metrics().remove(0), of_groups], vec![]);
    let given = vec![Some(array(Type::Integer, &[Some(integer(1))]))];
    let metrics = complete(&rules, given, 1, &clock("2026-03-31T10:00", "UTC"));
    assert!(metrics.columns[1].is_none());
}
