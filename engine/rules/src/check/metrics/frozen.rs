//! Buckets whose cuts are frozen: what would be a rank over all subjects becomes a comparison with values that stay.

use tierd_model::Decimal;

use super::draft::{Body, Draft, Use};
use crate::{
    CompareOp, RankKind,
    check::Checking,
    code,
    fileset::Location,
    raw::{At, rules::MetricTable, values::Constant},
    syntax::{Node, NodeKind},
};

impl Checking<'_> {
    /// The metric as a `case` over its cuts: those at which each bucket from the second on begins, in the order of the rank.
    pub(super) fn frozen(
        &mut self,
        draft: &mut Draft<'_>,
        cuts: &At<Vec<At<Constant>>>,
        (of, descending): (Use, bool),
        kind: RankKind,
    ) {
        let Some(written) = &cuts.value else {
            return;
        };
        let RankKind::Ntile(buckets) = kind else {
            let help = "buckets have cuts: write them with `quintile` or `ntile`";
            return self.error(code::CONFLICTING_KEYS, &cuts.at, "`cuts` goes with `quintile` and `ntile` only", help);
        };
        let wanted = usize::from(buckets) - 1;
        if written.len() != wanted {
            let headline = format!("{buckets} buckets have {wanted} cuts, these are {}", written.len());
            let help = "write the value at which each bucket from the second on begins, in the order of the rank";
            return self.error(code::OUT_OF_RANGE, &cuts.at, headline, help);
        }
        let values: Option<Vec<Node>> = written.iter().map(|cut| self.cut(cut)).collect();
        if values.as_ref().is_some_and(|values| !in_order(values, descending)) {
            let (order, help) = if descending { ("desc", "largest first") } else { ("asc", "smallest first") };
            let headline = format!("the rank is `{order}`, and these cuts aren't");
            return self.error(code::OUT_OF_RANGE, &cuts.at, headline, format!("write them {help}, each once"));
        }
        draft.uses = vec![of.clone()];
        draft.body = values.map(|values| Body::Derived(buckets_of(&of, descending, values, &cuts.at)));
    }

    fn cut(&mut self, cut: &At<Constant>) -> Option<Node> {
        match cut.value.as_ref()? {
            Constant::Number(digits) => self.points(digits, &cut.at),
            _ => {
                self.error(code::WRONG_VALUE_TYPE, &cut.at, "a cut is a number", "write it without quotes");
                None
            }
        }
    }

    /// `cuts` beside a metric that has no buckets.
    pub(super) fn idle_cuts(&mut self, table: &MetricTable) {
        let ranks = [&table.quintile, &table.rank, &table.percentile].into_iter().any(Option::is_some);
        if let Some(cuts) = table.cuts.as_ref().filter(|_| !ranks && table.ntile.is_none()) {
            let headline = "`cuts` goes with `quintile` and `ntile` only";
            self.error(code::CONFLICTING_KEYS, &cuts.at, headline, "leave it out");
        }
    }
}

/// Whether each cut lies beyond the one before it.
fn in_order(cuts: &[Node], descending: bool) -> bool {
    let number = |node: &Node| match node.kind {
        NodeKind::Integer(number) => Some(Decimal::new(number.into(), 0)),
        NodeKind::Decimal(number) => Some(number),
        _ => None,
    };
    cuts.windows(2).all(|pair| match (number(&pair[0]), number(&pair[1])) {
        (Some(first), Some(second)) => {
            if descending {
                first > second
            } else {
                first < second
            }
        }
        _ => true,
    })
}

/// `case when m >= cut4 then 5 … when m >= cut1 then 2 when m is not null then 1 end`, or with `<=` where the largest is first.
fn buckets_of((name, name_at): &Use, descending: bool, cuts: Vec<Node>, at: &Location) -> Node {
    let node = |kind| Node { kind, at: at.clone() };
    let metric = || Box::new(Node { kind: NodeKind::Name(name.clone()), at: name_at.clone() });
    let op = if descending { CompareOp::Le } else { CompareOp::Ge };
    let reached = |(place, cut)| {
        (node(NodeKind::Compare(op, metric(), Box::new(cut))), node(NodeKind::Integer(place as i64 + 2)))
    };
    let mut whens: Vec<(Node, Node)> = cuts.into_iter().enumerate().map(reached).rev().collect();
    whens.push((node(NodeKind::IsNull { value: metric(), negated: true }), node(NodeKind::Integer(1))));
    node(NodeKind::Case { operand: None, whens, otherwise: None })
}
