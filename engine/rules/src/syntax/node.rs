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

    /// Whether both are the same but for their places.
    pub(crate) fn same(&self, other: &Node) -> bool {
        let (mine, others) = (self.children(), other.children());
        let inside = mine.len() == others.len() && mine.iter().zip(&others).all(|(a, b)| a.same(b));
        inside && self.kind.same_but_for_children(&other.kind)
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

impl NodeKind {
    /// Whether all but the nodes inside are the same. As many of those are given.
    fn same_but_for_children(&self, other: &NodeKind) -> bool {
        use NodeKind as K;
        match (self, other) {
            (K::Integer(a), K::Integer(b)) => a == b,
            (K::Decimal(a), K::Decimal(b)) => a == b,
            (K::Text(a), K::Text(b)) | (K::Name(a), K::Name(b)) => a == b,
            (K::Bool(a), K::Bool(b)) => a == b,
            (K::Date(a), K::Date(b)) => a == b,
            (K::Timestamp(a), K::Timestamp(b)) => a == b,
            (K::Interval(a), K::Interval(b)) => a == b,
            (K::Compare(a, ..), K::Compare(b, ..)) => a == b,
            (K::Arith(a, ..), K::Arith(b, ..)) => a == b,
            (K::Cast(_, a), K::Cast(_, b)) => a == b,
            (K::Between { negated: a, .. }, K::Between { negated: b, .. })
            | (K::In { negated: a, .. }, K::In { negated: b, .. })
            | (K::IsNull { negated: a, .. }, K::IsNull { negated: b, .. })
            | (K::Like { negated: a, .. }, K::Like { negated: b, .. }) => a == b,
            (K::Case { operand: a, whens: w, .. }, K::Case { operand: b, whens: x, .. }) => {
                a.is_some() == b.is_some() && w.len() == x.len()
            }
            (K::Call { name: a, distinct: d, star: s, .. }, K::Call { name: b, distinct: e, star: t, .. }) => {
                (a, d, s) == (b, e, t)
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}
