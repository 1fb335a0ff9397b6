//! Metrics: collected from all files, ordered by what they are made of, then typed one after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tierd_model::Type;

pub(super) use self::draft::Use;
use self::draft::{Body, Draft};
use super::{Checking, catalog::Catalog, order::order};
use crate::{
    ExprKind, Metric, MetricId, MetricKind, RankKind, RetentionRule, SubjectId, TierSet, code,
    diagnostic::Diagnostic,
    raw::{Name, RuleFile},
    syntax::{Node, NodeKind},
    typing::{Scope, Typing},
};

mod cycle;
mod draft;
mod names;

/// The metrics of all subjects, as far as they are checked.
pub(super) struct Metrics<'a> {
    /// Good ones, each after those that it is made of.
    pub(super) done: Vec<Metric>,
    /// What names stand for, by subject.
    scopes: Vec<Scope<'a>>,
    /// Declared metrics: their subject, once it is known.
    declared: HashMap<&'a str, Option<SubjectId>>,
    /// Names that something uses.
    used: HashSet<Arc<str>>,
}

impl Checking<'_> {
    /// All metrics. Where a file couldn't be read (`complete` is false), unknown names may be in it and aren't reported.
    pub(super) fn metrics<'a>(&mut self, catalog: &'a Catalog, files: &[&'a RuleFile], complete: bool) -> Metrics<'a> {
        let drafts = self.drafts(catalog, files);
        let mut metrics = Metrics::new(catalog, &drafts, complete);
        let places: HashMap<&str, usize> =
            drafts.iter().enumerate().map(|(i, draft)| (draft.name.text.as_str(), i)).collect();
        let uses: Vec<Vec<usize>> = drafts
            .iter()
            .map(|draft| draft.uses.iter().filter_map(|(name, _)| places.get(&**name).copied()).collect())
            .collect();
        let (sorted, cycles) = order(&uses);
        for cycle in cycles {
            self.cycle(&cycle.iter().map(|&i| &drafts[i]).collect::<Vec<_>>(), catalog);
        }
        let mut drafts: Vec<Option<Draft<'_>>> = drafts.into_iter().map(Some).collect();
        for draft in sorted.into_iter().filter_map(|i| drafts[i].take()) {
            self.finish_metric(draft, catalog, &mut metrics);
        }
        metrics
    }

    /// Looks up the names of a metric and types it; everything that it is made of is done.
    fn finish_metric<'a>(&mut self, draft: Draft<'a>, catalog: &'a Catalog, metrics: &mut Metrics<'a>) {
        metrics.used.extend(draft.uses.iter().map(|(name, _)| name.clone()));
        let Some(body) = draft.body else {
            return;
        };
        let subject = draft.subject.or_else(|| metrics.subject_of(&draft.uses, catalog));
        let Some(subject) = subject else {
            return self.ambiguous(&draft.name.at, catalog);
        };
        metrics.declared.insert(&draft.name.text, Some(subject));
        self.resolve(&draft.uses, subject, catalog, metrics);
        let Some((kind, ty, personal)) = self.kind(body, &draft.uses, subject, catalog, metrics) else {
            return;
        };
        if !draft.allow.iter().any(|code| code == code::SHADOWED_ATTRIBUTE) {
            self.shadowed(draft.name, subject, &kind, catalog);
        }
        let (name, at) = (draft.name.text.clone(), draft.name.at.clone());
        let (pass, scorecard) = (0, Vec::new());
        let (title, allow) = (draft.title, draft.allow);
        let metric = Metric { name, title, subject, ty, kind, implicit: false, personal, pass, scorecard, allow, at };
        metrics.push(&draft.name.text, metric);
    }

    /// How the metric is found, its type, and whether it is personal.
    fn kind(
        &mut self,
        body: Body,
        uses: &[Use],
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<(MetricKind, Type, bool)> {
        match body {
            Body::Known(kind, ty, personal) => Some((kind, ty, personal)),
            Body::Derived(node) => {
                let expr = self.typing(catalog, metrics, subject).value(&node)?;
                let ty = expr.ty;
                Some((MetricKind::Derived(expr), ty, false))
            }
            Body::Rank { descending, kind } => {
                let of = self.ranked(uses, subject, catalog, metrics)?;
                Some((MetricKind::Rank { of, descending, kind }, rank_type(kind), false))
            }
        }
    }

    /// The metric that a rank orders.
    fn ranked(
        &mut self,
        uses: &[Use],
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<MetricId> {
        let (name, at) = uses.first()?;
        let node = Node { kind: NodeKind::Name(name.clone()), at: at.clone() };
        let of = self.typing(catalog, metrics, subject).value(&node)?;
        match (of.kind, of.ty) {
            (_, Type::Text | Type::Bool) => {
                let headline = format!("`{name}` is {}, which has no order", of.ty);
                self.error(code::BAD_ORDER, at, headline, "rank numbers, dates or timestamps");
                None
            }
            (ExprKind::Column(index), _) => Some(MetricId(index)),
            _ => {
                self.error(code::BAD_ORDER, at, format!("`{name}` is the same for all subjects"), "rank a metric");
                None
            }
        }
    }

    /// Warns of a metric that hides an attribute.
    fn shadowed(&mut self, name: &Name, subject: SubjectId, kind: &MetricKind, catalog: &Catalog) {
        let Some((index, column)) = catalog.attribute(subject, &name.text) else {
            return;
        };
        if matches!(kind, MetricKind::Attribute(own) if *own == index) {
            return;
        }
        let headline = format!("metric `{}` hides the attribute of this name", name.text);
        let mut diagnostic = Diagnostic::warning(code::SHADOWED_ATTRIBUTE, &name.at, headline);
        if let Some(column) = column {
            diagnostic = diagnostic.other(&column.at, "the attribute");
        }
        self.out.push(diagnostic.help("give one of them another name"));
    }

    /// Prepares the names that an expression uses: attributes become metrics, metrics of other subjects are reported.
    pub(super) fn resolve<'a>(
        &mut self,
        uses: &[Use],
        subject: SubjectId,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) {
        for (name, at) in uses {
            metrics.used.insert(name.clone());
            match metrics.declared.get(&**name) {
                Some(Some(other)) if *other != subject => {
                    let (is, not) = (&catalog.subjects[other.0].name.text, &catalog.subjects[subject.0].name.text);
                    let headline = format!("`{name}` is a metric of subject `{is}`, not of `{not}`");
                    self.error(code::WRONG_SUBJECT, at, headline, "make a metric of the same subject");
                }
                Some(_) => {}
                None => metrics.implicit(name, subject, catalog),
            }
        }
    }

    /// Types expressions over the metrics of a subject.
    pub(super) fn typing<'s>(
        &'s mut self,
        catalog: &'s Catalog,
        metrics: &'s Metrics<'_>,
        subject: SubjectId,
    ) -> Typing<'s> {
        let scope = &metrics.scopes[subject.0];
        Typing { files: self.files, zone: &catalog.zone, scope, out: self.out }
    }

    /// Warns of metrics that nothing uses, where there is at all what could. With errors that can't be said: they may hide a use.
    pub(super) fn unused(&mut self, metrics: &Metrics<'_>, tier_sets: &[TierSet], retention: &[RetentionRule]) {
        if (tier_sets.is_empty() && retention.is_empty()) || self.out.has_errors() {
            return;
        }
        let allowed = |metric: &Metric| metric.allow.iter().any(|code| code == code::UNUSED_METRIC);
        for metric in metrics.done.iter().filter(|metric| !metrics.used.contains(&*metric.name) && !allowed(metric)) {
            let headline = format!("nothing uses metric `{}`", metric.name);
            let diagnostic = Diagnostic::warning(code::UNUSED_METRIC, &metric.at, headline);
            self.out.push(diagnostic.help("name it in a condition, or take it out"));
        }
    }
}

fn rank_type(kind: RankKind) -> Type {
    match kind {
        RankKind::Rank | RankKind::Ntile(_) => Type::Integer,
        RankKind::Percentile => Type::Decimal(6),
    }
}
