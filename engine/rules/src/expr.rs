//! Typed conditions and computations: what the text between the quotes means.
//!
//! The checker has proved every type and made every widening explicit, so that an evaluator only dispatches.
//! Two-sided kinds ([`ExprKind::Compare`], sums and differences, [`ExprKind::In`], `Least`, …) have operands of one and the same
//! type, decimals included: the checker wraps an operand in [`ExprKind::Cast`] where scales differ. Factors, dividends and
//! divisors keep their own scales; a real never meets an exact number.

use std::sync::Arc;

use tierd_model::{CalendarSpan, Type, Value};

use crate::fileset::Location;

/// A typed expression over the columns of a scope: metrics for conditions, fact columns for `where` and aggregates.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; any expression may also be NULL.
    pub ty: Type,
    /// Where it is written.
    pub at: Location,
}

/// The closed set of things that an expression can be.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A value written in the rule.
    Literal(Value),
    /// `null`, typed by its context.
    Null,
    /// A column of the scope: in conditions and derived metrics the index of a metric ([`crate::MetricId`]), in facts the index
    /// of a column of [`crate::Facts::columns`], in a subject filter of [`crate::Subject::attributes`].
    Column(usize),
    /// The run's time (timestamp).
    AsOf,
    /// The run's calendar day in the scheme's zone (date).
    Today,
    /// Kleene negation.
    Not(Box<Expr>),
    /// Kleene conjunction of two or more.
    And(Vec<Expr>),
    /// Kleene disjunction of two or more.
    Or(Vec<Expr>),
    /// Comparison; for text only `Eq` and `Ne`.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `value between low and high`, both ends inside.
    Between {
        /// What is compared.
        value: Box<Expr>,
        /// Lower end.
        low: Box<Expr>,
        /// Upper end.
        high: Box<Expr>,
        /// `not between`.
        negated: bool,
    },
    /// `value in (a, b, …)`: constants of the value's type.
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Constants (never NULL).
        list: Vec<Value>,
        /// `not in`.
        negated: bool,
    },
    /// `value is null`: never UNKNOWN.
    IsNull {
        /// What is asked about.
        value: Box<Expr>,
        /// `is not null`.
        negated: bool,
    },
    /// Text prefix: `value like 'abc%'` or `starts_with(value, 'abc')`.
    StartsWith {
        /// Text.
        value: Box<Expr>,
        /// The prefix itself, without `%`.
        prefix: Arc<str>,
        /// `not like`.
        negated: bool,
    },
    /// Arithmetic. Integers stay integers but for division. Addition and subtraction have operands of the result's type;
    /// multiplication of exact numbers adds the scales; division of exact numbers gives `max(6, scale of the dividend)` digits,
    /// rounded half away from zero. A zero divisor, or an exact result that doesn't fit, is NULL; so is a real that isn't finite.
    Arith(ArithOp, Box<Expr>, Box<Expr>),
    /// Minus.
    Negate(Box<Expr>),
    /// Absolute value.
    Abs(Box<Expr>),
    /// The greatest integer that isn't larger, of an exact number or a real (integer; NULL if it doesn't fit).
    Floor(Box<Expr>),
    /// The least integer that isn't smaller, likewise.
    Ceil(Box<Expr>),
    /// To this many digits after the point, halves away from zero. An exact argument gives `decimal(digits)`.
    Round(Box<Expr>, u8),
    /// The first whose condition is TRUE; `otherwise` may be absent (NULL).
    Case {
        /// Condition and value.
        whens: Vec<(Expr, Expr)>,
        /// `else`.
        otherwise: Option<Box<Expr>>,
    },
    /// The first that isn't NULL.
    Coalesce(Vec<Expr>),
    /// NULL where both are equal, else the first.
    NullIf(Box<Expr>, Box<Expr>),
    /// The smallest; NULL arguments are passed over; NULL only if all are.
    Least(Vec<Expr>),
    /// The largest; NULL arguments are passed over; NULL only if all are.
    Greatest(Vec<Expr>),
    /// `date ± interval '3 months'` (a negative span for minus). On dates, and on the constant `as_of` (timestamp).
    AddSpan(Box<Expr>, CalendarSpan),
    /// Days from the first date to the second (integer): `days_between(joined_on, today)`.
    DaysBetween(Box<Expr>, Box<Expr>),
    /// The local calendar day of a timestamp: `date(ordered_at)`.
    DateOf(Box<Expr>),
    /// To [`Expr::ty`]: written by the user, or a widening that loses nothing (integer or decimal to a larger scale).
    /// A written one may round (half away from zero); what doesn't fit is NULL. Only between numbers.
    Cast(Box<Expr>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// As a rule writes it: `>=`.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Eq => "=",
            CompareOp::Ne => "<>",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }

    /// The comparison with its sides exchanged: `10000 <= spend` is `spend >= 10000`.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            CompareOp::Lt => CompareOp::Gt,
            CompareOp::Le => CompareOp::Ge,
            CompareOp::Gt => CompareOp::Lt,
            CompareOp::Ge => CompareOp::Le,
            CompareOp::Eq | CompareOp::Ne => self,
        }
    }
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

impl Expr {
    /// The expressions directly inside this one, in the order written.
    pub fn children(&self) -> Vec<&Expr> {
        use ExprKind as K;
        match &self.kind {
            K::Literal(_) | K::Null | K::Column(_) | K::AsOf | K::Today => vec![],
            K::Not(a)
            | K::Negate(a)
            | K::Abs(a)
            | K::Floor(a)
            | K::Ceil(a)
            | K::Round(a, _)
            | K::AddSpan(a, _)
            | K::DateOf(a)
            | K::Cast(a) => {
                vec![a]
            }
            K::In { value, .. } | K::IsNull { value, .. } | K::StartsWith { value, .. } => vec![value],
            K::And(all) | K::Or(all) | K::Coalesce(all) | K::Least(all) | K::Greatest(all) => all.iter().collect(),
            K::Compare(_, a, b) | K::Arith(_, a, b) | K::NullIf(a, b) | K::DaysBetween(a, b) => vec![a, b],
            K::Between { value, low, high, .. } => vec![value, low, high],
            K::Case { whens, otherwise } => {
                let pairs = whens.iter().flat_map(|(when, then)| [when, then]);
                pairs.chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// The columns of the scope that it reads, in order of first appearance, each once.
    pub fn columns(&self) -> Vec<usize> {
        fn walk(expr: &Expr, out: &mut Vec<usize>) {
            if let ExprKind::Column(column) = expr.kind
                && !out.contains(&column)
            {
                out.push(column);
            }
            expr.children().into_iter().for_each(|child| walk(child, out));
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }
}
