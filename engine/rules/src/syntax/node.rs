//! The tree of an expression as written.

use std::sync::Arc;

use tierd_model::{CalendarSpan, CivilText, Date, Decimal};

use crate::{
    expr::{ArithOp, CompareOp},
    fileset::Location,
};

/// A part of an expression, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) at: Location,
}

/// What can be written.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Decimal(Decimal),
    Text(Arc<str>),
    Bool(bool),
    Null,
    /// `date '2024-01-31'`.
    Date(Date),
    /// `timestamp '2024-01-31 08:00'`; without offset in the zone of the configuration.
    Timestamp(CivilText),
    /// `interval '3 months'`.
    Interval(CalendarSpan),
    /// A column, attribute or metric, `as_of` or `today`; `tier.NAME`, `was.NAME` or `since.NAME`.
    Name(Arc<str>),
    Not(Box<Node>),
    /// Two or more.
    And(Vec<Node>),
    /// Two or more.
    Or(Vec<Node>),
    Compare(CompareOp, Box<Node>, Box<Node>),
    Arith(ArithOp, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Between {
        value: Box<Node>,
        low: Box<Node>,
        high: Box<Node>,
        negated: bool,
    },
    In {
        value: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    IsNull {
        value: Box<Node>,
        negated: bool,
    },
    Like {
        value: Box<Node>,
        pattern: Box<Node>,
        negated: bool,
    },
    /// With an operand, each `when` is compared to it.
    Case {
        operand: Option<Box<Node>>,
        whens: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Cast(Box<Node>, CastType),
    /// `name(arguments)`, the name in lower case.
    Call {
        name: String,
        name_at: Location,
        distinct: bool,
        /// `*` in place of arguments.
        star: bool,
        arguments: Vec<Node>,
    },
}

/// Types that a cast can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CastType {
    Integer,
    Decimal(u8),
    Real,
}

impl Node {
    /// The nodes directly inside, in the order written.
    pub(crate) fn children(&self) -> Vec<&Node> {
        use NodeKind as K;
        match &self.kind {
            K::Integer(_) | K::Decimal(_) | K::Text(_) | K::Bool(_) | K::Null => vec![],
            K::Date(_) | K::Timestamp(_) | K::Interval(_) | K::Name(_) => vec![],
            K::Not(a) | K::Negate(a) | K::Cast(a, _) | K::IsNull { value: a, .. } => vec![a],
            K::And(all) | K::Or(all) | K::Call { arguments: all, .. } => all.iter().collect(),
            K::Compare(_, a, b) | K::Arith(_, a, b) | K::Like { value: a, pattern: b, .. } => vec![a, b],
            K::Between { value, low, high, .. } => vec![value, low, high],
            K::In { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
            K::Case { operand, whens, otherwise } => {
                let pairs = whens.iter().flat_map(|(when, then)| [when, then]);
                operand.as_deref().into_iter().chain(pairs).chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// Gives names others where `other` has one.
    pub(crate) fn rename(&mut self, other: &dyn Fn(&str) -> Option<Arc<str>>) {
        use NodeKind as K;
        match &mut self.kind {
            K::Integer(_) | K::Decimal(_) | K::Text(_) | K::Bool(_) | K::Null => {}
            K::Date(_) | K::Timestamp(_) | K::Interval(_) => {}
            K::Name(name) => *name = other(name).unwrap_or_else(|| name.clone()),
            K::Not(a) | K::Negate(a) | K::Cast(a, _) | K::IsNull { value: a, .. } => a.rename(other),
            K::And(all) | K::Or(all) | K::Call { arguments: all, .. } => all.iter_mut().for_each(|a| a.rename(other)),
            K::Compare(_, a, b) | K::Arith(_, a, b) | K::Like { value: a, pattern: b, .. } => {
                [a, b].into_iter().for_each(|a| a.rename(other));
            }
            K::Between { value, low, high, .. } => [value, low, high].into_iter().for_each(|a| a.rename(other)),
            K::In { value, list, .. } => {
                value.rename(other);
                list.iter_mut().for_each(|a| a.rename(other));
            }
            K::Case { operand, whens, otherwise } => {
                let pairs = whens.iter_mut().flat_map(|(when, then)| [when, then]);
                let ends = [operand, otherwise].into_iter().filter_map(|end| end.as_deref_mut());
                pairs.chain(ends).for_each(|a| a.rename(other));
            }
        }
    }

    /// The names that it uses, with their places, in the order written.
    pub(crate) fn names(&self) -> Vec<(Arc<str>, Location)> {
        let mut names = vec![];
        let mut todo = vec![self];
        while let Some(node) = todo.pop() {
            if let NodeKind::Name(name) = &node.kind {
                names.push((name.clone(), node.at.clone()));
            }
            todo.extend(node.children().into_iter().rev());
        }
        names
    }
}
