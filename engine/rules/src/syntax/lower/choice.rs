//! `case` and `cast`.

use sqlparser::ast::{CaseWhen, DataType, ExactNumberInfo, Expr as Sql};
use tierd_model::MAX_SCALE;

use super::{Lower, Part, tallest};
use crate::syntax::{
    node::{CastType, NodeKind},
    tokens::Run,
};

impl Lower<'_> {
    pub(super) fn case(
        &mut self,
        operand: Option<&Sql>,
        conditions: &[CaseWhen],
        otherwise: Option<&Sql>,
        run: Run,
        depth: usize,
    ) -> Option<Part> {
        let pairs = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
        let parts = self.parts(operand.into_iter().chain(pairs).chain(otherwise), depth)?;
        let height = tallest(&parts);
        let mut nodes = parts.into_iter().map(|part| part.node);
        let operand = operand.and_then(|_| nodes.next()).map(Box::new);
        let whens: Option<Vec<_>> = conditions.iter().map(|_| Some((nodes.next()?, nodes.next()?))).collect();
        let otherwise = nodes.next().map(Box::new);
        self.above(height, NodeKind::Case { operand, whens: whens?, otherwise }, run)
    }

    pub(super) fn cast(&mut self, inner: &Sql, ty: &DataType, depth: usize) -> Option<Part> {
        let part = self.part(inner, depth + 1)?;
        let open = part.run.first.saturating_sub(1);
        let run = Run { first: open.saturating_sub(1), last: self.tokens.closing(open) };
        let Some(to) = cast_type(ty) else {
            let name = Run { first: part.run.last + 2, last: run.last.saturating_sub(1) };
            let headline = format!("no cast to {}", ty.to_string().to_lowercase());
            let help =
                format!("casts are to integer, decimal(n) with n digits after the point (0 to {MAX_SCALE}), and real");
            return self.not_supported(name, &headline, &help);
        };
        self.above(part.height, NodeKind::Cast(Box::new(part.node), to), run)
    }
}

fn cast_type(ty: &DataType) -> Option<CastType> {
    match ty {
        DataType::Integer(None) => Some(CastType::Integer),
        DataType::Real => Some(CastType::Real),
        DataType::Decimal(ExactNumberInfo::Precision(scale)) => {
            u8::try_from(*scale).ok().filter(|scale| *scale <= MAX_SCALE).map(CastType::Decimal)
        }
        _ => None,
    }
}
