//! A condition taken apart into what is joined by and, or and not, each part with its verdict and values.

use std::sync::Arc;

use tierd_model::Value;
use tierd_rules::{CompareOp, Expr, ExprKind, MetricId};

use super::Row;

/// How a condition came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds.
    True,
    /// It doesn't.
    False,
    /// A value that it needs is NULL.
    Unknown,
}

impl Verdict {
    /// The verdict on the opposite.
    pub fn negated(self) -> Self {
        match self {
            Verdict::True => Verdict::False,
            Verdict::False => Verdict::True,
            Verdict::Unknown => Verdict::Unknown,
        }
    }
}

/// A condition or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// How it came out.
    pub verdict: Verdict,
    /// The rule's words, on one line.
    pub text: String,
    /// Its parts.
    pub kind: ClauseKind,
}

/// What a condition is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum ClauseKind {
    /// All must hold.
    All(Vec<Clause>),
    /// One must hold.
    Any(Vec<Clause>),
    /// It must not hold.
    Not(Box<Clause>),
    /// A single test.
    Test(Box<Test>),
}

/// A condition that isn't made of others.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `left op right`; a constant alone stands on the right.
    Compare {
        /// What is compared.
        left: Side,
        /// How.
        op: CompareOp,
        /// With what.
        right: Side,
    },
    /// `value between low and high`.
    Between {
        /// What is compared.
        value: Side,
        /// Lower end.
        low: Side,
        /// Upper end.
        high: Side,
        /// `not between`.
        negated: bool,
    },
    /// `value in (…)`.
    In {
        /// What is looked for.
        value: Side,
        /// Constants.
        list: Vec<Value>,
        /// `not in`.
        negated: bool,
    },
    /// `value is null`.
    IsNull {
        /// What is asked about.
        value: Side,
        /// `is not null`.
        negated: bool,
    },
    /// `value like 'abc%'`.
    StartsWith {
        /// Text.
        value: Side,
        /// The prefix.
        prefix: Arc<str>,
        /// `not like`.
        negated: bool,
    },
    /// A value that is itself true or false: a flag, a CASE.
    Flag(Side),
}

/// One side of a test: an expression with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// The metric's name, or the rule's words.
    pub text: String,
    /// Its value; `None` for NULL.
    pub value: Option<Value>,
    /// The metrics that it reads; none for a constant.
    pub reads: Vec<MetricId>,
    /// One of them is personal.
    pub personal: bool,
}

impl Side {
    /// Whether it is the same for every subject.
    pub fn is_constant(&self) -> bool {
        self.reads.is_empty()
    }
}

pub(super) fn clause(row: &Row<'_>, expr: &Expr) -> Clause {
    let verdict = match row.value(expr) {
        Some(Value::Bool(true)) => Verdict::True,
        Some(_) => Verdict::False,
        None => Verdict::Unknown,
    };
    let all = |parts: &[Expr]| parts.iter().map(|part| clause(row, part)).collect();
    let kind = match &expr.kind {
        ExprKind::And(parts) => ClauseKind::All(all(parts)),
        ExprKind::Or(parts) => ClauseKind::Any(all(parts)),
        ExprKind::Not(part) => ClauseKind::Not(Box::new(clause(row, part))),
        _ => ClauseKind::Test(Box::new(test(row, expr))),
    };
    Clause { verdict, text: words(row, expr), kind }
}

fn test(row: &Row<'_>, expr: &Expr) -> Test {
    let side = |expr: &Expr| side(row, expr);
    match &expr.kind {
        ExprKind::Compare(op, left, right) => compare(side(left), *op, side(right)),
        ExprKind::Between { value, low, high, negated } => {
            Test::Between { value: side(value), low: side(low), high: side(high), negated: *negated }
        }
        ExprKind::In { value, list, negated } => Test::In { value: side(value), list: list.clone(), negated: *negated },
        ExprKind::IsNull { value, negated } => Test::IsNull { value: side(value), negated: *negated },
        ExprKind::StartsWith { value, prefix, negated } => {
            Test::StartsWith { value: side(value), prefix: Arc::clone(prefix), negated: *negated }
        }
        _ => Test::Flag(side(expr)),
    }
}

/// `10000 <= spend` reads as `spend >= 10000`.
fn compare(left: Side, op: CompareOp, right: Side) -> Test {
    if left.is_constant() && !right.is_constant() {
        return Test::Compare { left: right, op: op.mirrored(), right: left };
    }
    Test::Compare { left, op, right }
}

fn side(row: &Row<'_>, expr: &Expr) -> Side {
    let reads: Vec<MetricId> = expr.columns().into_iter().map(MetricId).collect();
    let personal = reads.iter().any(|metric| row.personal[metric.0]);
    Side { text: words(row, expr), value: row.value(expr), reads, personal }
}

/// A metric by its name, anything else in the rule's words. A widening that the checker added has no words of its own.
fn words(row: &Row<'_>, expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Column(metric) => row.rules.metrics[*metric].name.clone(),
        ExprKind::Cast(inner) if inner.at == expr.at => words(row, inner),
        _ => row.quote(&expr.at),
    }
}
