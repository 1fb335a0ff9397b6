//! What depends on when: windows that begin at a subject's own date, and trends against the window before.

use tierd_model::{Type, Window, WindowKind};

use super::{
    Metrics,
    draft::{Draft, Use},
};
use crate::{
    Aggregate, Expr, ExprKind, Metric, MetricId, MetricKind, SubjectId,
    check::{Checking, catalog::Catalog, heads::in_category},
    code,
    diagnostic::Diagnostic,
    expr::ArithOp,
    syntax::{Node, NodeKind},
};

/// Facts are read once for most metrics, once more for windows that begin at a date found from them, and so on: so often at most.
const MAX_PASS: u8 = 2;

/// What a metric is found from, in the order in which that is known in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// From the subject's own row.
    Attributes,
    /// From facts, read so many times before.
    Facts(u8),
    /// From what is known once all facts are read: ranks, levels, groups, points.
    Later,
}

impl Checking<'_> {
    /// Looks up the date that a window begins at; how often facts must have been read before.
    pub(super) fn anchored(
        &mut self,
        window: &mut Window,
        uses: &[Use],
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<u8> {
        let (name, at) = match (window.anchor(), uses.first()) {
            (Some(_), Some(anchor)) => anchor,
            _ => return Some(0),
        };
        let id = self.dated(name, at, subject, catalog, metrics)?;
        window.kind = match window.kind {
            WindowKind::Since(_) => WindowKind::Since(id.0),
            _ => WindowKind::AnniversaryOf(id.0),
        };
        let pass = match metrics.sources[id.0] {
            Source::Attributes => Some(0),
            Source::Facts(pass) if pass < MAX_PASS => Some(pass + 1),
            _ => None,
        };
        if pass.is_none() {
            let (headline, help) = match metrics.sources[id.0] {
                Source::Later => (
                    format!("`{name}` is known only after the facts are read"),
                    "a window begins at an attribute, an aggregate, or what is derived from these",
                ),
                _ => (
                    format!("`{name}` is found in a window that depends on windows in turn"),
                    "let one of them begin at an attribute",
                ),
            };
            self.error(code::BAD_ANCHOR, at, headline, help);
        }
        pass
    }

    /// A metric that is a date or time.
    fn dated(
        &mut self,
        name: &std::sync::Arc<str>,
        at: &crate::Location,
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<MetricId> {
        let node = Node { kind: NodeKind::Name(name.clone()), at: at.clone() };
        let found = self.typing(catalog, metrics, subject).value(&node)?;
        let (headline, help) = match (found.kind, found.ty) {
            (ExprKind::Column(id), Type::Date | Type::Timestamp) => return Some(MetricId(id)),
            (ExprKind::Column(_), ty) => {
                (format!("a window begins at a date or timestamp, `{name}` is {ty}"), "name a date of the subject")
            }
            _ => (format!("`{name}` is the same for all subjects"), "name a date of the subject"),
        };
        self.error(code::BAD_ANCHOR, at, headline, help);
        None
    }

    /// `(now - before) / nullif(before, 0)` of an aggregate; the aggregate of the window before is added to the metrics.
    pub(super) fn trend(
        &mut self,
        draft: &Draft<'_>,
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &mut Metrics<'_>,
    ) -> Option<Expr> {
        let (name, at) = draft.uses.first()?;
        let node = |name: &std::sync::Arc<str>| Node { kind: NodeKind::Name(name.clone()), at: at.clone() };
        let now = self.typing(catalog, metrics, subject).value(&node(name))?;
        let aggregate = match (&now.kind, now.ty.is_numeric()) {
            (ExprKind::Column(id), true) => Some(&metrics.done[*id]),
            _ => None,
        };
        let Some((aggregate, metric)) = aggregate.and_then(|metric| match &metric.kind {
            MetricKind::Aggregate(aggregate) => Some((aggregate.clone(), metric.clone())),
            _ => None,
        }) else {
            let help = "name a metric with `aggregate` and `window` that is a number";
            self.error(code::BAD_TREND, at, format!("`{name}` has no window before its own"), help);
            return None;
        };
        let before = self.before(aggregate, metric, draft, metrics)?;
        let ratio = ratio(node(name), node(&before));
        let ratio = self.typing(catalog, metrics, subject).value(&ratio)?;
        Some(match ratio.ty {
            Type::Decimal(scale) if scale > 6 => {
                let at = ratio.at.clone();
                Expr { kind: ExprKind::Cast(Box::new(ratio)), ty: Type::Decimal(6), at }
            }
            _ => ratio,
        })
    }

    /// The same aggregate one window back, under a name that nobody can write.
    fn before(
        &mut self,
        mut aggregate: Aggregate,
        metric: Metric,
        draft: &Draft<'_>,
        metrics: &mut Metrics<'_>,
    ) -> Option<std::sync::Arc<str>> {
        let (name, at) = draft.uses.first()?;
        let window = &mut aggregate.window;
        window.offset = match (window.kind, window.offset.checked_add(1)) {
            (WindowKind::Lifetime | WindowKind::Since(_), _) | (_, None) => {
                let diagnostic =
                    Diagnostic::error(code::BAD_TREND, at, format!("the window of `{name}` has none before it"));
                let help =
                    "a trend needs a window that takes `offset`: { last = \"12 months\" }, { calendar = \"year\" } …";
                self.out.push(diagnostic.other(&metric.at, "declared here").help(help));
                return None;
            }
            (_, Some(offset)) => offset,
        };
        aggregate.window = self.bounded(aggregate.window, at)?;
        let before = in_category(name, "before");
        if metrics.scope(metric.subject).is_absent(&before) {
            let source = Source::Facts(metric.pass);
            let kind = MetricKind::Aggregate(aggregate);
            metrics.used.insert(before.clone());
            metrics.push(Metric { name: before.to_string(), kind, implicit: true, ..metric }, source);
        }
        Some(before)
    }
}

fn ratio(now: Node, before: Node) -> Node {
    let at = now.at.clone();
    let node = |kind| Node { kind, at: at.clone() };
    let zero = node(NodeKind::Integer(0));
    let divisor = node(NodeKind::Call {
        name: "nullif".to_owned(),
        name_at: at.clone(),
        distinct: false,
        star: false,
        arguments: vec![before.clone(), zero],
    });
    let change = node(NodeKind::Arith(ArithOp::Sub, Box::new(now), Box::new(before)));
    node(NodeKind::Arith(ArithOp::Div, Box::new(change), Box::new(divisor)))
}
