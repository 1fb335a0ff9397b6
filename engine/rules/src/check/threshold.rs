//! What a level's place in its set adds to its condition: `from` with the set's `of`, and `keep`.

use tierd_model::{Decimal, Type, parse_date, parse_timestamp};

use super::{Checking, catalog::Catalog, metrics::Metrics};
use crate::{
    SubjectId, code,
    diagnostic::Diagnostic,
    expr::{CompareOp, Expr},
    fileset::Location,
    raw::{
        At,
        rules::{LevelTable, TiersTable},
        values::{Constant, Threshold},
    },
    syntax::{Node, NodeKind},
};

/// Where a level stands.
pub(super) struct Place<'t> {
    pub(super) lowest: bool,
    pub(super) set: &'t TiersTable,
    /// What `from` is about: `None` where there is no `of`, or it is wrong.
    pub(super) measure: Option<&'t Measure>,
    pub(super) subject: Option<SubjectId>,
}

/// The set's `of`.
pub(super) struct Measure {
    node: Node,
    ty: Type,
}

impl Checking<'_> {
    /// What the levels' `from` is about.
    pub(super) fn measure_of<'a>(
        &mut self,
        table: &TiersTable,
        subject: Option<SubjectId>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Measure> {
        let of = table.of.as_ref()?;
        let levels = table.level.value.as_ref()?;
        if levels.iter().filter_map(|level| level.value.as_ref()).all(|level| level.from.is_none()) {
            self.idle(&of.at, "no level has a `from`", "write `from` in place of `when`, or leave `of` out");
        }
        let node = metrics.as_meant(&self.parse(of)?);
        let subject = subject?;
        self.resolve(&node.names(), subject, catalog, metrics);
        let measure = self.typing(catalog, metrics, subject).value(&node)?;
        Some(Measure { node, ty: measure.ty })
    }

    /// `from = 50`, as if `of >= 50` were written there.
    pub(super) fn threshold(
        &mut self,
        from: &At<Threshold>,
        place: &Place<'_>,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<Expr> {
        if place.set.of.is_none() {
            let help = "say what it is the least value of: of = \"annual_spend\" in the tier set";
            self.error(code::MISSING_KEY, &from.at, "`from` needs `of`", help);
            return None;
        }
        let written = from.value.as_ref()?;
        let measure = place.measure?;
        let literal = Node { kind: self.literal(&written.constant, measure.ty, &from.at)?, at: from.at.clone() };
        let kind = NodeKind::Compare(CompareOp::Ge, Box::new(measure.node.clone()), Box::new(literal));
        let node = Node { kind, at: written.whole.clone() };
        self.typing(catalog, metrics, place.subject?).condition(&node)
    }

    /// A TOML constant as it would be written in a condition. Dates may stand in quotes, as TOML has it.
    fn literal(&mut self, constant: &Constant, measure: Type, at: &Location) -> Option<NodeKind> {
        let kind = match (constant, measure) {
            (Constant::Text(text) | Constant::Time(text), Type::Date) => {
                parse_date(text.as_bytes()).map(NodeKind::Date)
            }
            (Constant::Text(text) | Constant::Time(text), Type::Timestamp) => {
                parse_timestamp(text.as_bytes()).map(NodeKind::Timestamp)
            }
            (Constant::Number(digits), _) => match digits.parse() {
                Ok(integer) => Some(NodeKind::Integer(integer)),
                Err(_) => Decimal::parse(digits).map(NodeKind::Decimal),
            },
            (Constant::Text(text), _) => Some(NodeKind::Text(text.as_str().into())),
            (Constant::Bool(value), _) => Some(NodeKind::Bool(*value)),
            (Constant::Time(text), _) => parse_date(text.as_bytes()).map(NodeKind::Date),
        };
        if kind.is_none() {
            let help = match measure {
                Type::Date => "write a date: from = 2024-01-31",
                Type::Timestamp => "write a time: from = 2024-01-31T08:00:00",
                _ => "write a number such as 5000 or 0.5",
            };
            self.error(code::BAD_LITERAL, at, format!("`of` is {measure}, and this is no such value"), help);
        }
        kind
    }

    /// The condition to stay; `Some(None)` where there is none.
    pub(super) fn keep<'a>(
        &mut self,
        table: &LevelTable,
        place: &Place<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Option<Expr>> {
        let Some(keep) = &table.keep else {
            return Some(None);
        };
        if place.set.ordered.as_ref().is_some_and(|ordered| ordered.value == Some(false)) {
            self.without_order("keep", &keep.at, place.set);
            return None;
        }
        if table.when.is_none() && table.from.is_none() && place.lowest {
            let headline = "nobody falls out of the lowest level without `when`";
            let help = "leave `keep` out";
            self.out.push(Diagnostic::error(code::CONFLICTING_KEYS, &keep.at, headline).help(help));
            return None;
        }
        let node = self.parse(keep)?;
        self.when(&node, place.subject?, catalog, metrics).map(Some)
    }
}
