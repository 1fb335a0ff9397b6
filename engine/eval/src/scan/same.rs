//! Whether two expressions mean the same, wherever they are written: so that a filter that ten metrics share runs once.

use std::mem::discriminant;

use tierd_rules::{Expr, ExprKind};

/// Equal but for the places where they are written.
pub(super) fn same(a: &Expr, b: &Expr) -> bool {
    let (left, right) = (a.children(), b.children());
    a.ty == b.ty
        && same_node(&a.kind, &b.kind)
        && left.len() == right.len()
        && left.into_iter().zip(right).all(|(a, b)| same(a, b))
}

/// What two nodes say themselves, apart from their children.
fn same_node(a: &ExprKind, b: &ExprKind) -> bool {
    use ExprKind as K;
    match (a, b) {
        (K::Literal(a), K::Literal(b)) => a == b,
        (K::Column(a), K::Column(b)) => a == b,
        (K::Compare(a, ..), K::Compare(b, ..)) => a == b,
        (K::Arith(a, ..), K::Arith(b, ..)) => a == b,
        (K::Round(_, a), K::Round(_, b)) => a == b,
        (K::AddSpan(_, a), K::AddSpan(_, b)) => a == b,
        (K::Between { negated: a, .. }, K::Between { negated: b, .. })
        | (K::IsNull { negated: a, .. }, K::IsNull { negated: b, .. }) => a == b,
        (K::In { list: a, negated: x, .. }, K::In { list: b, negated: y, .. }) => (a, x) == (b, y),
        (K::StartsWith { prefix: a, negated: x, .. }, K::StartsWith { prefix: b, negated: y, .. }) => (a, x) == (b, y),
        // Without an `else` the children are pairs: their number alone would not tell which is which.
        (K::Case { whens: a, .. }, K::Case { whens: b, .. }) => a.len() == b.len(),
        _ => discriminant(a) == discriminant(b),
    }
}
