//! `case`, `cast` and functions.

use tierd_model::{Decimal, MAX_SCALE, Type, Value};

use super::{Typing, common::real_literal};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{CompareOp, Expr, ExprKind},
    fileset::Location,
    suggest::nearest,
    syntax::{CastType, Node, NodeKind},
};

/// Functions of conditions, each as it is called.
const FUNCTIONS: [(&str, &str); 12] = [
    ("coalesce", "coalesce(x, 0)"),
    ("nullif", "nullif(x, 0)"),
    ("round", "round(x, 2)"),
    ("floor", "floor(x)"),
    ("ceil", "ceil(x)"),
    ("abs", "abs(x)"),
    ("least", "least(a, b)"),
    ("greatest", "greatest(a, b)"),
    ("starts_with", "starts_with(x, 'prefix')"),
    ("days_between", "days_between(earlier, later)"),
    ("date", "date(time)"),
    ("cast", "cast(x as real)"),
];

impl Typing<'_> {
    pub(super) fn call(&mut self, node: &Node) -> Option<Expr> {
        let NodeKind::Call { name, name_at, distinct, star, arguments } = &node.kind else {
            return None;
        };
        let Some((_, form)) = FUNCTIONS.iter().find(|(known, _)| known == name) else {
            return self.unknown_function(name, name_at, arguments.len());
        };
        if *distinct || *star {
            return self.wrong_arguments(name, form, &node.at);
        }
        let typed = |kind, ty| Some(Expr { kind, ty, at: node.at.clone() });
        let several = |kind: fn(Vec<Expr>) -> ExprKind, all: Vec<Expr>| {
            let ty = all.first()?.ty;
            typed(kind(all), ty)
        };
        match (name.as_str(), arguments.as_slice()) {
            ("coalesce", [_, _, ..]) => several(ExprKind::Coalesce, self.same(arguments, "choose between")?),
            ("least", [_, _, ..]) => several(ExprKind::Least, self.ordered_list(arguments)?),
            ("greatest", [_, _, ..]) => several(ExprKind::Greatest, self.ordered_list(arguments)?),
            ("nullif", [value, other]) => self.nullif(value, other, &node.at),
            ("round", [value]) => self.round(value, None, &node.at),
            ("round", [value, digits]) => self.round(value, Some(digits), &node.at),
            ("abs", [value]) => {
                let value = self.number(value, "`abs`")?;
                let ty = value.ty;
                typed(ExprKind::Abs(Box::new(value)), ty)
            }
            ("floor", [value]) => {
                let value = self.number(value, "`floor`")?;
                typed(ExprKind::Floor(Box::new(value)), Type::Integer)
            }
            ("ceil", [value]) => {
                let value = self.number(value, "`ceil`")?;
                typed(ExprKind::Ceil(Box::new(value)), Type::Integer)
            }
            ("starts_with", [value, prefix]) => {
                let (value, prefix) = (self.text(value, "starts_with"), self.constant_text(prefix));
                typed(ExprKind::StartsWith { value: Box::new(value?), prefix: prefix?, negated: false }, Type::Bool)
            }
            ("days_between", [from, to]) => {
                let (from, to) = (self.date(from), self.date(to));
                typed(ExprKind::DaysBetween(Box::new(from?), Box::new(to?)), Type::Integer)
            }
            ("date", [time]) => self.date_of(time, &node.at),
            _ => self.wrong_arguments(name, form, &node.at),
        }
    }

    fn wrong_arguments(&mut self, name: &str, form: &str, at: &Location) -> Option<Expr> {
        let headline = format!("`{name}` is called with other arguments");
        self.report(Diagnostic::error(code::WRONG_ARGUMENTS, at, headline).help(format!("write {form}")))
    }

    fn unknown_function(&mut self, name: &str, at: &Location, arguments: usize) -> Option<Expr> {
        let known = || FUNCTIONS.iter().map(|(known, _)| *known);
        let help = match (foreign_function(name, arguments), nearest(name, known())) {
            (Some(help), _) => help.to_owned(),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("functions are {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.report(Diagnostic::error(code::UNKNOWN_FUNCTION, at, format!("no function `{name}`")).help(help))
    }

    fn same(&mut self, nodes: &[Node], doing: &str) -> Option<Vec<Expr>> {
        let nodes: Vec<&Node> = nodes.iter().collect();
        self.same_type_or_null(&nodes, doing)
    }

    /// Arguments of one type that has an order.
    fn ordered_list(&mut self, nodes: &[Node]) -> Option<Vec<Expr>> {
        let all = self.same(nodes, "compare")?;
        match all.first() {
            Some(first) if matches!(first.ty, Type::Text | Type::Bool) => {
                let headline = format!("{} values have no order", first.ty);
                let at = first.at.clone();
                self.report(Diagnostic::error(code::TEXT_ORDER, &at, headline).help("numbers and dates have one"))
            }
            _ => Some(all),
        }
    }

    fn nullif(&mut self, value: &Node, other: &Node, at: &Location) -> Option<Expr> {
        let operands = self.values([value, other])?;
        let mut operands = self.same_type(operands, "compare")?.into_iter();
        let (value, other) = (operands.next()?, operands.next()?);
        let ty = value.ty;
        Some(Expr { kind: ExprKind::NullIf(Box::new(value), Box::new(other)), ty, at: at.clone() })
    }

    fn round(&mut self, value: &Node, digits: Option<&Node>, at: &Location) -> Option<Expr> {
        let value = self.number(value, "`round`");
        let digits = match digits.map(|node| (&node.kind, &node.at)) {
            None => Some(0),
            Some((NodeKind::Integer(n), _)) if (0..=i64::from(MAX_SCALE)).contains(n) => Some(*n as u8),
            Some((_, at)) => {
                let headline = format!("`round` takes a number of digits from 0 to {MAX_SCALE}");
                self.report(Diagnostic::error(code::WRONG_ARGUMENTS, at, headline).help("write round(x, 2)"))
            }
        };
        let (value, digits) = (value?, digits?);
        let ty = if value.ty == Type::Real { Type::Real } else { Type::Decimal(digits) };
        Some(Expr { kind: ExprKind::Round(Box::new(value), digits), ty, at: at.clone() })
    }

    /// A value that must be a date.
    fn date(&mut self, node: &Node) -> Option<Expr> {
        let value = self.value(node)?;
        if value.ty == Type::Date {
            return Some(value);
        }
        let help = match (&value.kind, value.ty) {
            (ExprKind::AsOf, _) => Some("write `today`".to_owned()),
            (_, Type::Timestamp) => Some(format!("write date({})", self.quote(&node.at))),
            (ExprKind::Literal(Value::Text(_)), _) => Some(format!("write date {}", self.quote(&node.at))),
            _ => Some("name dates: days_between(earlier, later)".to_owned()),
        };
        let headline = format!("`days_between` takes dates, this is {}", value.ty);
        self.report(Diagnostic::error(code::TYPE_MISMATCH, &value.at, headline).maybe_help(help))
    }

    fn date_of(&mut self, time: &Node, at: &Location) -> Option<Expr> {
        let value = self.value(time)?;
        let help = match (value.ty, &value.kind) {
            (Type::Timestamp, _) => {
                return Some(Expr { kind: ExprKind::DateOf(Box::new(value)), ty: Type::Date, at: at.clone() });
            }
            (Type::Date, _) => Some(format!("it is a date already: write {}", self.quote(&time.at))),
            (_, ExprKind::Literal(Value::Text(_))) => Some(format!("write date {}", self.quote(&time.at))),
            _ => Some("it gives the day of a timestamp: date(time)".to_owned()),
        };
        let headline = format!("`date` takes a timestamp, this is {}", value.ty);
        self.report(Diagnostic::error(code::TYPE_MISMATCH, &value.at, headline).maybe_help(help))
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&Node>,
        whens: &[(Node, Node)],
        otherwise: Option<&Node>,
        at: &Location,
    ) -> Option<Expr> {
        let conditions: Vec<_> = whens
            .iter()
            .map(|(when, _)| match operand {
                Some(operand) => self.compare(CompareOp::Eq, operand, when, &when.at),
                None => self.condition(when),
            })
            .collect();
        let results: Vec<&Node> = whens.iter().map(|(_, then)| then).chain(otherwise).collect();
        let mut results = self.same_type_or_null(&results, "choose between")?;
        let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
        let ty = results.first()?.ty;
        let otherwise = otherwise.and_then(|_| results.pop()).map(Box::new);
        let whens = conditions.into_iter().zip(results).collect();
        Some(Expr { kind: ExprKind::Case { whens, otherwise }, ty, at: at.clone() })
    }

    pub(super) fn cast(&mut self, inner: &Node, ty: CastType, at: &Location) -> Option<Expr> {
        let inner = self.number(inner, "`cast`")?;
        let ty = match ty {
            CastType::Integer => Type::Integer,
            CastType::Decimal(scale) => Type::Decimal(scale),
            CastType::Real => Type::Real,
        };
        if inner.ty == ty {
            return Some(Expr { at: at.clone(), ..inner });
        }
        let kind = match (&inner.kind, ty) {
            (ExprKind::Literal(value), Type::Real) => {
                ExprKind::Literal(real_literal(value.as_decimal().unwrap_or(Decimal::new(0, 0))))
            }
            _ => ExprKind::Cast(Box::new(inner)),
        };
        Some(Expr { kind, ty, at: at.clone() })
    }
}

/// What to write for functions of other places: of aggregates, spreadsheets and databases.
fn foreign_function(name: &str, arguments: usize) -> Option<&'static str> {
    match (name, arguments) {
        ("min", 2..) => Some("write least(a, b)"),
        ("max", 2..) => Some("write greatest(a, b)"),
        (
            "sum" | "count" | "count_distinct" | "count_where" | "share" | "avg" | "min" | "max" | "first" | "last"
            | "days_since" | "mean_gap" | "median_gap",
            _,
        ) => Some("aggregates stand in the key `aggregate` of a metric; name that metric here"),
        ("if" | "iif", _) => Some("write case when … then … else … end"),
        ("ifnull" | "nvl" | "isnull", _) => Some("write coalesce(x, 0)"),
        ("now" | "getdate" | "curdate" | "sysdate" | "datetime" | "current_date" | "current_timestamp", _) => {
            Some("write `today` or `as_of`")
        }
        ("datediff" | "date_diff" | "julianday", _) => Some("write days_between(earlier, later)"),
        ("rank" | "row_number" | "ntile" | "percent_rank", _) => {
            Some("make a metric with the key `rank`, `percentile` or `ntile`")
        }
        _ => None,
    }
}
