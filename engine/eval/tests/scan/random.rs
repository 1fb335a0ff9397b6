//! Random rows, conditions and aggregates.

use proptest::prelude::*;
use tierd_model::{
    CalendarSpan, CalendarUnit, DAY_MICROS, Date, Decimal, MonthDay, Per, Timestamp, Type, Value, Window, WindowKind,
};
use tierd_rules::{Aggregate, AggregateFn, ArithOp, CompareOp, Expr, ExprKind, FactsId};

use super::base::{ANCHOR_TYPES, Anchors, Row, SUBJECTS, clock, column, expr, literal, stored, zone};

pub(crate) fn value_of_type(ty: Type) -> BoxedStrategy<Value> {
    let small_or_huge = prop_oneof![
        6 => -12i64..12,
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => any::<i64>(),
    ];
    match ty {
        Type::Integer => small_or_huge.prop_map(Value::Integer).boxed(),
        Type::Decimal(scale) => small_or_huge.prop_map(move |u| Value::Decimal(Decimal::new(u.into(), scale))).boxed(),
        Type::Text => {
            prop_oneof![Just("paid"), Just("refunded"), Just("pa"), Just(""), Just("王先生 has a long remark")]
                .prop_map(|t| Value::Text(t.into()))
                .boxed()
        }
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Real => {
            prop_oneof![4 => (-40i32..40).prop_map(|i| f64::from(i) / 8.0), 1 => Just(1e23), 1 => Just(-1e23)]
                .prop_map(Value::Real)
                .boxed()
        }
        Type::Date => day().prop_map(|day| Value::Date(Date(day as i32))).boxed(),
        Type::Timestamp => (day(), prop_oneof![Just(0), Just(-1), 0..DAY_MICROS])
            .prop_map(|(day, time)| Value::Timestamp(Timestamp(zone().to_instant(day * DAY_MICROS) + time)))
            .boxed(),
    }
}

/// Days around the edges of the windows, and anywhere in three years.
pub(crate) fn day() -> impl Strategy<Value = i64> {
    let today = i64::from(clock().today().0);
    prop_oneof![Just(today), Just(today - 90), Just(today - 365), Just(today - 89), (today - 1100)..(today + 10)]
}

pub(crate) fn rows(types: &'static [Type]) -> impl Strategy<Value = Vec<Row>> {
    let values: Vec<_> = types.iter().map(|&ty| proptest::option::weighted(0.85, value_of_type(ty))).collect();
    let row = (0..=SUBJECTS, values).prop_map(|(subject, values)| Row { subject, values });
    proptest::collection::vec(row, 0..120)
}

pub(crate) fn comparison(types: &'static [Type]) -> impl Strategy<Value = Expr> {
    use CompareOp::*;
    let op = prop_oneof![Just(Eq), Just(Ne), Just(Lt), Just(Le), Just(Gt), Just(Ge)];
    (0..types.len(), op, any::<u8>()).prop_flat_map(move |(index, op, form)| {
        let ty = types[index];
        (value_of_type(ty), value_of_type(ty)).prop_map(move |(a, b)| {
            let op = if ty == Type::Text && !matches!(op, Eq | Ne) { Eq } else { op };
            let column = Box::new(column(index, types));
            let (low, high) = (Box::new(literal(a.clone())), Box::new(literal(b.clone())));
            let kind = match form % 8 {
                0 if ty != Type::Text => ExprKind::Between { value: column, low, high, negated: form > 99 },
                1 => ExprKind::In { value: column, list: vec![a, b], negated: form > 99 },
                2 => ExprKind::IsNull { value: column, negated: form > 99 },
                3 if ty == Type::Text => {
                    ExprKind::StartsWith { value: column, prefix: "pa".into(), negated: form > 99 }
                }
                4 => ExprKind::Compare(op, low, column),
                5 if ty.is_exact() => {
                    let wide = Type::Decimal(ty.scale().unwrap() + 1);
                    let constant =
                        literal(Value::Decimal(Decimal::new(i128::from(stored(&a)) * 7, wide.scale().unwrap())));
                    let cast = expr(ExprKind::Cast(column), wide);
                    return expr(ExprKind::Compare(op, Box::new(cast), Box::new(constant)), Type::Bool);
                }
                6 if ty != Type::Text => {
                    let twice = Box::new(expr(ExprKind::Coalesce(vec![*column, *low.clone()]), ty));
                    ExprKind::Compare(op, twice, high)
                }
                7 => ExprKind::Compare(op, column, Box::new(expr(ExprKind::Null, ty))),
                _ => ExprKind::Compare(op, column, low),
            };
            expr(kind, Type::Bool)
        })
    })
}

pub(crate) fn condition(types: &'static [Type]) -> impl Strategy<Value = Expr> {
    comparison(types).prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| expr(ExprKind::Not(Box::new(e)), Type::Bool)),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|all| expr(ExprKind::And(all), Type::Bool)),
            proptest::collection::vec(inner, 2..4).prop_map(|any| expr(ExprKind::Or(any), Type::Bool)),
        ]
    })
}

pub(crate) fn window() -> impl Strategy<Value = Window> {
    let kind = prop_oneof![
        Just(WindowKind::Lifetime),
        Just(WindowKind::Last(CalendarSpan::days(90))),
        Just(WindowKind::Last(CalendarSpan::months(12))),
        Just(WindowKind::Calendar(CalendarUnit::Year)),
        Just(WindowKind::Previous(CalendarUnit::Month)),
        Just(WindowKind::ProgramYear(MonthDay::parse("04-01").unwrap())),
        (0usize..2).prop_map(WindowKind::AnniversaryOf),
        (0usize..2).prop_map(WindowKind::Since),
    ];
    (kind, 0u16..2).prop_map(|(kind, offset)| Window { kind, offset: if has_offset(kind) { offset } else { 0 } })
}

fn has_offset(kind: WindowKind) -> bool {
    !matches!(kind, WindowKind::Lifetime | WindowKind::Since(_))
}

pub(crate) fn anchors() -> impl Strategy<Value = Anchors> {
    let of = |ty| proptest::collection::vec(proptest::option::weighted(0.8, value_of_type(ty)), SUBJECTS);
    ANCHOR_TYPES.map(of)
}

pub(crate) fn argument(types: &'static [Type], index: usize, computed: bool) -> Expr {
    let plain = column(index, types);
    match plain.ty {
        // Small enough never to leave 64 bits.
        Type::Integer if computed => {
            let small = expr(
                ExprKind::Compare(
                    CompareOp::Lt,
                    Box::new(expr(ExprKind::Abs(Box::new(plain.clone())), plain.ty)),
                    Box::new(literal(Value::Integer(1000))),
                ),
                Type::Bool,
            );
            let double =
                expr(ExprKind::Arith(ArithOp::Add, Box::new(plain.clone()), Box::new(plain.clone())), plain.ty);
            expr(ExprKind::Case { whens: vec![(small, double)], otherwise: None }, plain.ty)
        }
        Type::Text if computed => {
            let other = literal(Value::Text("none".into()));
            expr(ExprKind::Coalesce(vec![plain.clone(), other]), Type::Text)
        }
        _ => plain,
    }
}

pub(crate) fn aggregate(types: &'static [Type]) -> impl Strategy<Value = (Type, Aggregate)> {
    use AggregateFn::*;
    let function = prop_oneof![
        Just(Sum),
        Just(Count),
        Just(CountDistinct),
        Just(Avg),
        Just(Min),
        Just(Max),
        Just(First),
        Just(Last),
        Just(DaysSince),
        Just(MeanGap),
        Just(MedianGap),
    ];
    let parts =
        (function, 0..types.len(), any::<bool>(), proptest::option::of(condition(types)), window(), any::<[bool; 3]>());
    parts.prop_map(move |(function, index, computed, filter, window, [star, zero, rate])| {
        let function = allowed(function, types[index]);
        let argument = (!(function == Count && star)).then(|| argument(types, index, computed));
        let of = types[index];
        let base = match function {
            Sum | Min | Max | First | Last => of,
            Count | CountDistinct | DaysSince => Type::Integer,
            MeanGap | MedianGap => Type::Decimal(6),
            Avg if of == Type::Real => Type::Real,
            Avg => Type::Decimal(of.scale().unwrap().max(6)),
        };
        let per = (rate && base.is_numeric() && window.units(Per::Month).is_some()).then_some(Per::Month);
        let ty = match base.scale() {
            Some(scale) if per.is_some() => Type::Decimal(scale.max(6)),
            _ => base,
        };
        let empty = zero.then(|| match ty {
            Type::Integer => Some(Value::Integer(0)),
            Type::Decimal(scale) => Some(Value::Decimal(Decimal::new(if star { 0 } else { 7 }, scale))),
            Type::Real => Some(Value::Real(0.0)),
            _ => None,
        });
        (ty, Aggregate { facts: FactsId(0), function, argument, filter, window, per, empty: empty.flatten() })
    })
}

/// The function, or one that the type allows.
pub(crate) fn allowed(function: AggregateFn, ty: Type) -> AggregateFn {
    use AggregateFn::*;
    match function {
        Sum | Avg if !ty.is_numeric() => Count,
        Min | Max if matches!(ty, Type::Text | Type::Bool) => Last,
        DaysSince | MeanGap | MedianGap if !matches!(ty, Type::Date | Type::Timestamp) => First,
        function => function,
    }
}
