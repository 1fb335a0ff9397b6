//! Random expressions over random columns, NULLs and hostile numbers among them, against the row-by-row meaning.

use std::sync::Arc;

use proptest::prelude::*;
use tierd_model::{CalendarSpan, Clock, Type, Value};
use tierd_rules::{ArithOp, CompareOp, Expr, ExprKind as K};

use super::naive;
use crate::{
    columns::value_at,
    expr::evaluate,
    testing::{array, clock, column, days, instant, literal, node, text},
};

/// Each type has two columns: `2 * i` and `2 * i + 1`.
const TYPES: [Type; 12] = [
    Type::Text,
    Type::Integer,
    Type::Real,
    Type::Bool,
    Type::Date,
    Type::Timestamp,
    Type::Decimal(0),
    Type::Decimal(2),
    Type::Decimal(4),
    Type::Decimal(6),
    Type::Decimal(18),
    Type::Decimal(36),
];
const COMPARISONS: [CompareOp; 6] =
    [CompareOp::Eq, CompareOp::Ne, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn columns_mean_what_rows_mean(
        choices in prop::collection::vec(any::<u64>(), 1..120),
        data in prop::collection::vec(any::<u64>(), 1..400),
        ty in prop::sample::select(&TYPES[..]),
        rows in 0usize..24,
    ) {
        let expr = Choices { drawn: &choices, next: 0 }.expr(ty, 4);
        let data = table(&mut Choices { drawn: &data, next: 0 }, rows);
        let clock = clock("2026-03-31T10:00", "America/New_York");
        agree(&expr, &data, rows, &clock)?;
    }
}

fn agree(expr: &Expr, table: &[Vec<Option<Value>>], rows: usize, clock: &Clock) -> Result<(), TestCaseError> {
    let columns: Vec<_> = table.iter().enumerate().map(|(i, values)| Some(array(TYPES[i / 2], values))).collect();
    let values = evaluate(expr, &columns, rows, clock);
    prop_assert_eq!(values.len(), rows);
    prop_assert_eq!(values.data_type(), &crate::columns::arrow_type(expr.ty));
    for row in 0..rows {
        let inputs: Vec<_> = table.iter().map(|values| values[row].clone()).collect();
        let expected = naive::value(expr, &inputs, clock);
        prop_assert_eq!(value_at(&values, expr.ty, row), expected, "row {} of {:?} in {:#?}", row, inputs, expr);
    }
    Ok(())
}

fn table(choices: &mut Choices<'_>, rows: usize) -> Vec<Vec<Option<Value>>> {
    let mut column =
        |ty| (0..rows).map(|_| if choices.pick(5) == 0 { None } else { Some(choices.value(ty)) }).collect();
    TYPES.iter().flat_map(|ty| [*ty; 2]).map(&mut column).collect()
}

/// Decisions drawn beforehand, so that a failing case shrinks to few and small ones.
struct Choices<'a> {
    drawn: &'a [u64],
    next: usize,
}

impl Choices<'_> {
    fn draw(&mut self) -> u64 {
        self.next += 1;
        // Different on each lap, so that a short list still fills a table.
        let lap = (self.next / self.drawn.len()) as u64;
        self.drawn[self.next % self.drawn.len()].wrapping_mul(2 * lap + 1)
    }

    fn pick(&mut self, below: usize) -> usize {
        ((u128::from(self.draw()) * below as u128) >> 64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())]
    }

    fn flag(&mut self) -> bool {
        self.pick(2) == 1
    }

    fn value(&mut self, ty: Type) -> Value {
        let small = self.pick(7) as i64 - 3;
        match ty {
            Type::Text => text(self.one(&["", "a", "ab", "abc", "b", "王", "王小明"])),
            Type::Bool => Value::Bool(self.flag()),
            Type::Integer => {
                let any = self.draw() as i64;
                Value::Integer(self.one(&[small, small, any, any % 1000, i64::MIN, i64::MAX, i64::MAX - 1]))
            }
            Type::Decimal(scale) => {
                let any = i128::from(self.draw() as i64);
                let most = tierd_model::pow10(38) - 1;
                let wide = any * i128::from(self.draw());
                let hostile = self.one(&[most, -most, most / 2, i128::MAX, i128::MIN]);
                let units = self.one(&[i128::from(small), any % 100_000, any, wide, hostile]);
                Value::Decimal(tierd_model::Decimal::new(units, scale))
            }
            Type::Real => {
                let any = f64::from_bits(self.draw());
                let cents = (self.draw() as i64 % 100_000) as f64 / 1000.0;
                let edge = self.one(&[-0.0, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, 5e-324, 1e18, 9.3e18]);
                Value::Real(self.one(&[small as f64 / 2.0, cents, 1.005, any, edge]))
            }
            Type::Date => {
                let any = self.draw() as i32;
                days(self.one(&[small as i32, any % 40_000, any, 19_782, 2_932_896, -4_371_222, i32::MIN, i32::MAX]))
            }
            Type::Timestamp => {
                let any = self.draw() as i64;
                instant(self.one(&[small, any % 4_000_000_000_000_000, any, i64::MIN, i64::MAX]))
            }
        }
    }

    /// A literal as the checker lets through: one that fits its type.
    fn literal(&mut self, ty: Type) -> Expr {
        match self.value(ty) {
            Value::Decimal(d) if d.units.unsigned_abs() >= tierd_model::pow10(38).unsigned_abs() => node(K::Null, ty),
            value => literal(value),
        }
    }

    fn expr(&mut self, ty: Type, depth: u32) -> Expr {
        if depth == 0 || self.pick(8) == 0 {
            return self.leaf(ty);
        }
        if self.pick(4) == 0 {
            return self.choice(ty, depth - 1);
        }
        let kind = match ty {
            Type::Bool => self.condition(depth - 1),
            Type::Integer | Type::Decimal(_) | Type::Real => self.number(ty, depth - 1),
            Type::Date => self.date(depth - 1),
            Type::Timestamp => K::AddSpan(self.boxed(ty, depth - 1), self.span()),
            Type::Text => return self.leaf(ty),
        };
        node(kind, ty)
    }

    fn boxed(&mut self, ty: Type, depth: u32) -> Box<Expr> {
        Box::new(self.expr(ty, depth))
    }

    fn several(&mut self, ty: Type, depth: u32) -> Vec<Expr> {
        (0..2 + self.pick(2)).map(|_| self.expr(ty, depth)).collect()
    }

    fn leaf(&mut self, ty: Type) -> Expr {
        match self.pick(6) {
            0 => node(K::Null, ty),
            1 | 2 => self.literal(ty),
            _ => column(TYPES.iter().position(|t| *t == ty).unwrap() * 2 + self.pick(2), ty),
        }
    }

    fn choice(&mut self, ty: Type, depth: u32) -> Expr {
        let kind = match self.pick(5) {
            0 => K::Coalesce(self.several(ty, depth)),
            1 => K::NullIf(self.boxed(ty, depth), self.boxed(ty, depth)),
            2 => K::Least(self.several(ty, depth)),
            3 => K::Greatest(self.several(ty, depth)),
            _ => {
                let when = |this: &mut Self| (this.expr(Type::Bool, depth), this.expr(ty, depth));
                let whens = (0..1 + self.pick(2)).map(|_| when(self)).collect();
                K::Case { whens, otherwise: self.flag().then(|| self.boxed(ty, depth)) }
            }
        };
        node(kind, ty)
    }

    fn condition(&mut self, depth: u32) -> K {
        let ty = self.one(&TYPES);
        let negated = self.flag();
        match self.pick(9) {
            0 => K::Not(self.boxed(Type::Bool, depth)),
            1 => K::And(self.several(Type::Bool, depth)),
            2 => K::Or(self.several(Type::Bool, depth)),
            3 | 4 => K::Compare(self.one(&COMPARISONS), self.boxed(ty, depth), self.boxed(ty, depth)),
            5 => {
                let (value, low) = (self.boxed(ty, depth), self.boxed(ty, depth));
                K::Between { value, low, high: self.boxed(ty, depth), negated }
            }
            6 => {
                let list = (0..1 + self.pick(12)).filter_map(|_| match self.literal(ty).kind {
                    K::Literal(Value::Real(v)) if !v.is_finite() => None,
                    K::Literal(value) => Some(value),
                    _ => None,
                });
                K::In { list: list.collect(), value: self.boxed(ty, depth), negated }
            }
            7 => K::IsNull { value: self.boxed(ty, depth), negated },
            _ => {
                let prefix = Arc::from(self.one(&["", "a", "ab", "王"]));
                K::StartsWith { value: self.boxed(Type::Text, depth), prefix, negated }
            }
        }
    }

    fn number(&mut self, ty: Type, depth: u32) -> K {
        let sum = self.one(&[ArithOp::Add, ArithOp::Sub]);
        match (self.pick(7), ty) {
            (0, _) => K::Negate(self.boxed(ty, depth)),
            (1, _) => K::Abs(self.boxed(ty, depth)),
            (2, _) => K::Arith(sum, self.boxed(ty, depth), self.boxed(ty, depth)),
            (3, _) => self.product(ty, depth),
            (4, Type::Decimal(6 | 18 | 36)) => self.quotient(ty, depth),
            (4, Type::Real) => K::Arith(ArithOp::Div, self.boxed(ty, depth), self.boxed(ty, depth)),
            (5, Type::Real) => K::Round(self.boxed(ty, depth), self.pick(19) as u8),
            (5, Type::Decimal(scale)) => {
                let from = self.one(&[Type::Integer, Type::Decimal(0), Type::Decimal(6), Type::Decimal(36)]);
                K::Round(self.boxed(from, depth), scale)
            }
            (4, Type::Integer) => {
                let from =
                    self.one(&[Type::Integer, Type::Real, Type::Decimal(2), Type::Decimal(18), Type::Decimal(36)]);
                let of = self.boxed(from, depth);
                if self.flag() { K::Floor(of) } else { K::Ceil(of) }
            }
            (5, Type::Integer) => K::DaysBetween(self.boxed(Type::Date, depth), self.boxed(Type::Date, depth)),
            _ => {
                let from =
                    self.one(&[Type::Integer, Type::Real, Type::Decimal(2), Type::Decimal(6), Type::Decimal(18)]);
                K::Cast(self.boxed(from, depth))
            }
        }
    }

    fn product(&mut self, ty: Type, depth: u32) -> K {
        let (a, b) = match ty {
            Type::Decimal(4) => (Type::Decimal(2), Type::Decimal(2)),
            Type::Decimal(36) => (Type::Decimal(18), Type::Decimal(18)),
            Type::Decimal(0) => (Type::Integer, Type::Decimal(0)),
            Type::Decimal(_) => self.one(&[(Type::Integer, ty), (ty, Type::Integer)]),
            other => (other, other),
        };
        K::Arith(ArithOp::Mul, self.boxed(a, depth), self.boxed(b, depth))
    }

    fn quotient(&mut self, ty: Type, depth: u32) -> K {
        let a = match ty {
            Type::Decimal(6) => self.one(&[Type::Integer, Type::Decimal(2), Type::Decimal(6)]),
            other => other,
        };
        let b = self.one(&[Type::Integer, Type::Decimal(0), Type::Decimal(4), Type::Decimal(18), Type::Decimal(36)]);
        K::Arith(ArithOp::Div, self.boxed(a, depth), self.boxed(b, depth))
    }

    fn date(&mut self, depth: u32) -> K {
        match self.pick(3) {
            0 => K::Today,
            1 => K::DateOf(self.boxed(Type::Timestamp, depth)),
            _ => K::AddSpan(self.boxed(Type::Date, depth), self.span()),
        }
    }

    fn span(&mut self) -> CalendarSpan {
        let (months, days) = (self.pick(30) as i32 - 15, self.pick(800) as i32 - 400);
        let far = CalendarSpan { months: 12_000, days: 365_000 };
        self.one(&[
            CalendarSpan::months(months),
            CalendarSpan::days(days),
            CalendarSpan { months, days },
            far,
            far.negate(),
        ])
    }
}
