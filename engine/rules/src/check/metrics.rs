//! Metrics: collected from all files, ordered by what they are made of, then typed one after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tierd_model::Type;

pub(super) use self::draft::Use;
use self::{
    cycle::Part,
    draft::{Body, Draft, Row},
    own_time::Source,
};
use super::{
    Checking,
    allow::allows,
    catalog::Catalog,
    categories::Categories,
    heads::{Heads, standing},
    order::order,
};
use crate::{
    ExprKind, Metric, MetricId, MetricKind, RankKind, RetentionRule, ScoreRow, Standing, Step, SubjectId, TierSet,
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    plugin::PluginMetric,
    raw::{Name, RuleFile},
    syntax::{Node, NodeKind},
    typing::{Scope, Score, Typing},
};

mod cycle;
pub(super) mod draft;
mod forms;
mod frozen;
mod groups;
mod names;
mod own_time;
mod plugin;

/// The metrics of all subjects, as far as they are checked.
pub(super) struct Metrics<'a> {
    /// Good ones, each after those that it is made of.
    pub(super) done: Vec<Metric>,
    /// Metrics and tier sets, each after those that it refers to.
    pub(super) order: Vec<Step>,
    /// What each of the good ones is found from.
    sources: Vec<Source>,
    /// What names stand for, by subject.
    scopes: Vec<Scope<'a>>,
    /// Declared metrics: their subject, once it is known.
    declared: HashMap<String, Option<SubjectId>>,
    /// Names that something uses.
    used: HashSet<Arc<str>>,
    heads: &'a Heads,
    categories: Categories,
    /// Metrics per category that no set needs.
    idle: Vec<Name>,
    /// The tier set whose conditions are being checked: its place among the heads.
    own: Option<usize>,
}

/// What a metric turns out to be.
struct Kind {
    kind: MetricKind,
    ty: Type,
    personal: bool,
    pass: u8,
    scorecard: Vec<ScoreRow>,
}

impl Kind {
    fn plain(kind: MetricKind, ty: Type) -> Self {
        Kind { kind, ty, personal: false, pass: 0, scorecard: vec![] }
    }
}

impl Checking<'_> {
    /// All metrics, in one order with the tier sets.
    pub(super) fn metrics<'a>(
        &mut self,
        catalog: &'a Catalog,
        heads: &'a Heads,
        files: &[&'a RuleFile],
    ) -> Metrics<'a> {
        let written = self.drafts(catalog, files);
        let linted = written.iter().filter(|draft| !allows(&draft.allow, code::UNUSED_METRIC));
        let names: Vec<Name> = linted.map(|draft| draft.name.clone()).collect();
        let (drafts, categories) = self.expanded(written, heads);
        let mut metrics = Metrics::new(catalog, heads, categories, &names, &drafts, !self.incomplete);
        let sets: Vec<Vec<Use>> = (0..heads.all().len()).map(|place| metrics.uses_of_set(place)).collect();
        let (sorted, cycles) = order(&dependencies(&drafts, &sets, heads, catalog));
        for cycle in cycles {
            let parts: Vec<Part<'_>> = cycle.iter().map(|&i| part(i, &drafts, &sets, heads)).collect();
            self.cycle(&parts, catalog);
        }
        let declared = drafts.len();
        let mut drafts: Vec<Option<Draft<'_>>> = drafts.into_iter().map(Some).collect();
        for i in sorted {
            match drafts.get_mut(i).and_then(Option::take) {
                Some(draft) => self.finish_metric(draft, catalog, &mut metrics),
                None => metrics.finish_set(i - declared, &sets[i - declared], catalog),
            }
        }
        metrics
    }

    /// Looks up the names of a metric and types it; everything that it is made of is done.
    fn finish_metric<'a>(&mut self, draft: Draft<'a>, catalog: &'a Catalog, metrics: &mut Metrics<'a>) {
        metrics.used.extend(draft.uses.iter().map(|(name, _)| name.clone()));
        let Some(body) = &draft.body else {
            return;
        };
        let subject = draft.subject.or_else(|| metrics.subject_of(&draft.uses, catalog));
        let Some(subject) = subject else {
            return self.ambiguous(&draft.name.at, catalog);
        };
        metrics.declared.insert(draft.name.text.clone(), Some(subject));
        self.resolve(&draft.uses, draft.names_of.unwrap_or(subject), catalog, metrics);
        let Some(found) = self.kind(body, &draft, subject, catalog, metrics) else {
            return;
        };
        if !allows(&draft.allow, code::SHADOWED_ATTRIBUTE) {
            self.shadowed(&draft.name, subject, &found.kind, catalog);
        }
        let Kind { kind, ty, personal, pass, scorecard } = found;
        let source = metrics.source(&kind, pass);
        let pass = metrics.pass(&kind, pass);
        let Draft { name: Name { text: name, at }, title, allow, .. } = draft;
        let metric = Metric { name, title, subject, ty, kind, implicit: false, personal, pass, scorecard, allow, at };
        metrics.push(metric, source);
    }

    /// What the metric is.
    fn kind(
        &mut self,
        body: &Body<'_>,
        draft: &Draft<'_>,
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &mut Metrics<'_>,
    ) -> Option<Kind> {
        match body {
            Body::Attribute { index, ty, personal } => {
                Some(Kind { personal: *personal, ..Kind::plain(MetricKind::Attribute(*index), *ty) })
            }
            Body::Aggregate(aggregate, ty) => {
                let mut aggregate = aggregate.clone();
                let pass = self.anchored(&mut aggregate.window, &draft.uses, subject, catalog, metrics)?;
                Some(Kind { pass, ..Kind::plain(MetricKind::Aggregate(aggregate), *ty) })
            }
            Body::Derived(node) => {
                let expr = self.typing(catalog, metrics, subject).value(node)?;
                let ty = expr.ty;
                Some(Kind::plain(MetricKind::Derived(expr), ty))
            }
            Body::Scorecard(rows, at) => self.scored(rows, at, subject, catalog, metrics),
            Body::Trend => {
                let expr = self.trend(draft, subject, catalog, metrics)?;
                let ty = expr.ty;
                Some(Kind::plain(MetricKind::Derived(expr), ty))
            }
            Body::Lookup => {
                let (id, ty) = self.looked_up(draft, catalog, metrics)?;
                Some(Kind::plain(MetricKind::Lookup(id), ty))
            }
            Body::Rollup { table, call, filter } => {
                let members = draft.names_of?;
                let (kind, ty) = self.rolled_up(members, table, call, filter.as_ref(), catalog, metrics)?;
                Some(Kind::plain(kind, ty))
            }
            Body::Rank { descending, kind } => {
                let of = self.ranked(&draft.uses, subject, catalog, metrics)?;
                Some(Kind::plain(MetricKind::Rank { of, descending: *descending, kind: *kind }, rank_type(*kind)))
            }
            Body::Plugin(scored) => {
                let call = scored.call.typed(&scored.inputs, &mut self.typing(catalog, metrics, subject))?;
                Some(Kind::plain(MetricKind::Plugin(Box::new(PluginMetric { call, facts: None })), scored.ty))
            }
            Body::Gathered(metric, ty) => {
                let mut metric = metric.clone();
                let window = metric.facts.as_mut().map(|facts| &mut facts.window)?;
                let pass = self.anchored(window, &draft.uses, subject, catalog, metrics)?;
                Some(Kind { pass, ..Kind::plain(MetricKind::Plugin(metric), *ty) })
            }
            Body::Points(program, measure, ty) => {
                Some(Kind::plain(MetricKind::Points { program: *program, measure: *measure }, *ty))
            }
        }
    }

    /// A scorecard: the sum of its rows.
    fn scored(
        &mut self,
        rows: &[Row],
        at: &Location,
        subject: SubjectId,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<Kind> {
        let scores = rows.iter().map(|row| Score { when: row.when.as_ref(), points: &row.points, at: &row.at });
        let scores: Vec<Score<'_>> = scores.collect();
        let (points, sum) = self.typing(catalog, metrics, subject).scorecard(&scores, at)?;
        let row = |(row, points): (&Row, _)| ScoreRow { title: row.title.clone(), points, at: row.at.clone() };
        let scorecard = rows.iter().zip(points).map(row).collect();
        let ty = sum.ty;
        Some(Kind { scorecard, ..Kind::plain(MetricKind::Derived(sum), ty) })
    }

    /// The metric of the parent that a look-up gives.
    fn looked_up(&mut self, draft: &Draft<'_>, catalog: &Catalog, metrics: &Metrics<'_>) -> Option<(MetricId, Type)> {
        let ((name, at), parent) = (draft.uses.first()?, draft.names_of?);
        let node = Node { kind: NodeKind::Name(name.clone()), at: at.clone() };
        let found = self.typing(catalog, metrics, parent).value(&node)?;
        match found.kind {
            ExprKind::Column(id) => Some((MetricId(id), found.ty)),
            _ => {
                let headline = format!("`{name}` is the same for all subjects");
                self.error(code::BAD_LOOKUP, at, headline, "name a metric or attribute of the group");
                None
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

    /// Prepares the names that an expression uses: attributes and levels become metrics; what belongs to other subjects or to a
    /// category is reported.
    pub(super) fn resolve<'a>(
        &mut self,
        uses: &[Use],
        subject: SubjectId,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) {
        for (name, at) in uses {
            metrics.used.insert(name.clone());
            if let Some((set, category)) = metrics.no_such_category(name) {
                let headline = format!("tier set `{set}` has no category `{category}`");
                let help = "a set asks for another one's level in its own category";
                self.error(code::BAD_CATEGORY, at, headline, help);
            } else if metrics.categories.contains(name) {
                let headline = format!("`{name}` has a value for each category");
                let help = "use it in a tier set with per = \"category\", or in what such a set uses";
                self.error(code::BAD_CATEGORY, at, headline, help);
            } else if let Some(other) = metrics.elsewhere(name, subject, catalog) {
                let (is, not) = (&catalog.subjects[other.0].name.text, &catalog.subjects[subject.0].name.text);
                let what = if standing(name).is_some() { "the level" } else { "a metric" };
                let headline = format!("`{name}` is {what} of subject `{is}`, not of `{not}`");
                self.error(code::WRONG_SUBJECT, at, headline, "make a metric of the same subject");
            } else {
                metrics.implicit(name, subject, catalog);
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
        let done = metrics.done.iter().filter(|metric| !allows(&metric.allow, code::UNUSED_METRIC));
        let done = done.map(|metric| (metric.name.as_str(), &metric.at));
        let idle = metrics.idle.iter().map(|name| (name.text.as_str(), &name.at));
        for (name, at) in done.chain(idle).filter(|(name, _)| !metrics.used.contains(*name)) {
            let headline = format!("nothing uses metric `{name}`");
            let diagnostic = Diagnostic::warning(code::UNUSED_METRIC, at, headline);
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

/// For each draft, and after them for each set, what must be done before.
fn dependencies(drafts: &[Draft<'_>], sets: &[Vec<Use>], heads: &Heads, catalog: &Catalog) -> Vec<Vec<usize>> {
    let places: HashMap<&str, usize> =
        drafts.iter().enumerate().map(|(i, draft)| (draft.name.text.as_str(), i)).collect();
    let place = |name: &str, subject: Option<SubjectId>| match standing(name) {
        Some((Standing::Level, set)) => heads.find(set).map(|(place, _)| drafts.len() + place),
        Some(_) => None,
        None => places.get(name).copied().filter(|&i| {
            // The name may be that of an attribute of the user's own subject.
            let other = drafts[i].subject.zip(subject).is_some_and(|(of, own)| of != own);
            !other || subject.is_none_or(|own| catalog.attribute(own, name).is_none())
        }),
    };
    let of_drafts = drafts.iter().map(|draft| (&draft.uses, draft.names_of.or(draft.subject)));
    let of_sets = sets.iter().zip(heads.all()).map(|(uses, head)| (uses, head.subject));
    let places = |(uses, subject): (&Vec<Use>, _)| uses.iter().filter_map(|(name, _)| place(name, subject)).collect();
    of_drafts.chain(of_sets).map(places).collect()
}

/// A draft or, after them, a set, as a part of a cycle.
fn part<'p>(i: usize, drafts: &'p [Draft<'_>], sets: &'p [Vec<Use>], heads: &'p Heads) -> Part<'p> {
    match drafts.get(i) {
        Some(draft) => Part { name: draft.name.text.clone(), set: None, uses: &draft.uses, at: &draft.name.at },
        None => {
            let (head, uses) = (&heads.all()[i - drafts.len()], &sets[i - drafts.len()]);
            Part { name: format!("tier.{}", head.name), set: Some(&head.name), uses, at: &head.written.at }
        }
    }
}
