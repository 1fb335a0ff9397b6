//! Metrics: collected from all files, ordered by what they are made of, then typed one after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tierd_model::Type;

use super::{Checking, catalog::Catalog, order::order};
use crate::{
    Column, Metric, MetricId, MetricKind, RankKind, Severity, SubjectId, TierSet, code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At, Name, RuleFile,
        offsets::Offsets,
        rules::{MetricTable, NtileTable},
    },
    syntax::Node,
    typing::{Scope, Typing},
};

/// More metrics than any scheme has: a bound for time and memory.
const MAX_METRICS: usize = 10_000;

/// How much of a long cycle is shown.
const SHOWN_OF_CYCLE: usize = 10;

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

/// A name used in an expression, and where.
type Use = (Arc<str>, Location);

/// A metric as declared, before its names are looked up.
struct Draft<'a> {
    name: &'a Name,
    title: Option<String>,
    subject: Option<SubjectId>,
    body: Option<Body>,
    uses: Vec<Use>,
}

enum Body {
    /// From facts or an attribute: all is known.
    Known(MetricKind, Type, bool),
    Derived(Node),
    Rank {
        descending: bool,
        kind: RankKind,
    },
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

    fn drafts<'a>(&mut self, catalog: &Catalog, files: &[&'a RuleFile]) -> Vec<Draft<'a>> {
        let mut places: HashMap<&str, &Location> = HashMap::new();
        let mut drafts = vec![];
        let tables = files.iter().filter_map(|file| file.metric.as_ref()?.value.as_ref());
        for (name, table) in tables.flat_map(|named| &named.0) {
            self.expression_name(name, "");
            if let Some(first) = places.insert(&name.text, &name.at) {
                places.insert(&name.text, first);
                let headline = format!("there are two metrics `{}`", name.text);
                let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, &name.at, headline);
                self.out.push(diagnostic.other(first, "the first one").help("give one of them another name"));
                continue;
            }
            if drafts.len() == MAX_METRICS {
                let headline = format!("there are more than {MAX_METRICS} metrics");
                self.error(code::TOO_MANY, &name.at, headline, "take some out");
                break;
            }
            drafts.push(self.draft(name, table, catalog));
        }
        drafts
    }

    fn draft<'a>(&mut self, name: &'a Name, table: &'a At<MetricTable>, catalog: &Catalog) -> Draft<'a> {
        let mut draft = Draft { name, title: None, subject: None, body: None, uses: vec![] };
        let Some(table) = &table.value else {
            return draft;
        };
        draft.title = table.title.as_ref().and_then(|title| title.value.clone());
        let explicit = table.subject.as_ref().map(|subject| self.subject_named(subject, catalog));
        draft.subject = explicit.flatten();
        if explicit != Some(None) && self.one_kind(name, table) {
            self.body(&mut draft, table, catalog);
        }
        draft
    }

    /// Whether the table says in exactly one way how the metric is found.
    fn one_kind(&mut self, name: &Name, table: &MetricTable) -> bool {
        let kinds = [
            ("aggregate", table.aggregate.as_ref().map(|text| &text.at)),
            ("attribute", table.attribute.as_ref().map(|text| &text.at)),
            ("derived", table.derived.as_ref().map(|text| &text.at)),
            ("rank", table.rank.as_ref().map(|text| &text.at)),
            ("percentile", table.percentile.as_ref().map(|text| &text.at)),
            ("quintile", table.quintile.as_ref().map(|text| &text.at)),
            ("ntile", table.ntile.as_ref().map(|ntile| &ntile.at)),
        ];
        let given: Vec<_> = kinds.iter().filter_map(|(kind, at)| at.map(|at| (kind, at))).collect();
        match given.as_slice() {
            [] => {
                let headline = format!("metric `{}` doesn't say how it is found", name.text);
                let help =
                    "write one of `aggregate`, `attribute`, `derived`, `rank`, `percentile`, `quintile` and `ntile`";
                self.error(code::METRIC_KIND, &name.at, headline, help);
            }
            [_] => {}
            [(first, first_at), (second, second_at), ..] => {
                let headline = format!("`{second}` excludes `{first}`");
                let diagnostic = Diagnostic::error(code::METRIC_KIND, second_at, headline);
                self.out.push(diagnostic.other(first_at, "").help("make two metrics of it"));
            }
        }
        if table.aggregate.is_none() {
            self.only_with_aggregate(table);
        }
        given.len() == 1
    }

    fn only_with_aggregate(&mut self, table: &MetricTable) {
        let keys = [
            ("from", table.from.as_ref().map(|text| &text.at)),
            ("where", table.r#where.as_ref().map(|text| &text.at)),
            ("window", table.window.as_ref().map(|window| &window.at)),
            ("per", table.per.as_ref().map(|per| &per.at)),
            ("empty", table.empty.as_ref().map(|empty| &empty.at)),
        ];
        for (key, at) in keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` goes with `aggregate` only");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out");
        }
    }

    fn body(&mut self, draft: &mut Draft<'_>, table: &MetricTable, catalog: &Catalog) {
        if let Some(text) = &table.aggregate {
            let found = self.aggregate(draft.name, table, text, catalog);
            draft.body = found.and_then(|(aggregate, ty)| {
                let of = catalog.facts[aggregate.facts.0].subject?;
                if !self.agrees(draft, of, catalog) {
                    return None;
                }
                draft.subject = Some(of);
                Some(Body::Known(MetricKind::Aggregate(aggregate), ty, false))
            });
        } else if let Some(text) = &table.attribute {
            self.attribute(draft, text, catalog);
        } else if let Some(text) = &table.derived {
            let node = self.parse(text);
            draft.uses = node.as_ref().map(Node::names).unwrap_or_default();
            draft.body = node.map(Body::Derived);
        } else {
            self.rank(draft, table);
        }
    }

    /// Reports an aggregate whose facts are about another subject than the one that it names.
    fn agrees(&mut self, draft: &Draft<'_>, of: SubjectId, catalog: &Catalog) -> bool {
        if let Some(subject) = draft.subject.filter(|subject| *subject != of) {
            let (is, not) = (&catalog.subjects[of.0].name.text, &catalog.subjects[subject.0].name.text);
            let headline = format!("its facts are about subject `{is}`, not `{not}`");
            self.error(code::WRONG_SUBJECT, &draft.name.at, headline, "leave `subject` out");
            return false;
        }
        true
    }

    fn attribute(&mut self, draft: &mut Draft<'_>, text: &At<String>, catalog: &Catalog) {
        let Some(name) = &text.value else {
            return;
        };
        let having: Vec<SubjectId> = (0..catalog.subjects.len())
            .map(SubjectId)
            .filter(|subject| draft.subject.is_none_or(|explicit| explicit == *subject))
            .filter(|subject| catalog.attribute(*subject, name).is_some())
            .collect();
        match having.as_slice() {
            [subject] => {
                draft.subject = Some(*subject);
                let found = catalog.attribute(*subject, name);
                draft.body = found.and_then(|(index, column)| {
                    let column = column.as_ref()?;
                    Some(Body::Known(MetricKind::Attribute(index), column.ty, column.personal))
                });
            }
            [] => {
                let subjects = catalog.subjects.iter().enumerate();
                let subjects = subjects.filter(|(i, _)| draft.subject.is_none_or(|explicit| explicit.0 == *i));
                let known: Vec<_> = subjects.map(|(_, entry)| &entry.columns).collect();
                if known.iter().all(|columns| columns.is_some()) {
                    let names = known.into_iter().flatten().flatten().map(|(name, _)| name.text.as_str());
                    let diagnostic = super::catalog::unknown(code::UNKNOWN_NAME, "attribute", name, &text.at, names);
                    self.out.push(diagnostic);
                }
            }
            _ => self.ambiguous(&text.at, catalog),
        }
    }

    /// Reports that nothing says which subject is meant.
    pub(super) fn ambiguous(&mut self, at: &Location, catalog: &Catalog) {
        let names: Vec<&str> = catalog.subjects.iter().map(|entry| entry.name.text.as_str()).collect();
        let help = format!("write subject = \"{}\" or another of {}", names.first().unwrap_or(&""), names.join(", "));
        self.error(code::AMBIGUOUS_SUBJECT, at, "of which subject?", help);
    }

    fn rank(&mut self, draft: &mut Draft<'_>, table: &MetricTable) {
        let quintile = table.quintile.as_ref().map(|text| (text, RankKind::Ntile(5)));
        let ranked = table.rank.as_ref().map(|text| (text, RankKind::Rank));
        let percentile = table.percentile.as_ref().map(|text| (text, RankKind::Percentile));
        let ntile = table.ntile.as_ref().and_then(|ntile| ntile.value.as_ref()).and_then(|ntile| self.ntile(ntile));
        let Some((text, kind)) = quintile.or(ranked).or(percentile).or(ntile) else {
            return;
        };
        if let Some((of, descending)) = self.direction(text) {
            draft.uses = vec![of];
            draft.body = Some(Body::Rank { descending, kind });
        }
    }

    fn ntile<'t>(&mut self, table: &'t NtileTable) -> Option<(&'t At<String>, RankKind)> {
        let buckets = table.buckets.value?;
        if buckets < 2 {
            self.error(code::OUT_OF_RANGE, &table.buckets.at, "there are at least 2 buckets", "write buckets = 10");
            return None;
        }
        Some((&table.of, RankKind::Ntile(buckets)))
    }

    /// `METRIC desc`: the metric, and whether the largest is first.
    fn direction(&mut self, text: &At<String>) -> Option<(Use, bool)> {
        let value = text.value.as_ref()?;
        let words: Vec<&str> = value.split_whitespace().collect();
        let (name, descending) = match words.as_slice() {
            [name, word] if word.eq_ignore_ascii_case("desc") => (name, true),
            [name, word] if word.eq_ignore_ascii_case("asc") => (name, false),
            _ => {
                let name = words.first().copied().unwrap_or("annual_spend");
                let headline = "an order is a metric and `desc` or `asc`";
                let help =
                    format!("write \"{name} desc\" for the largest first, \"{name} asc\" for the smallest first");
                self.error(code::BAD_ORDER, &text.at, headline, help);
                return None;
            }
        };
        let start = value.find(name).unwrap_or(0);
        let offsets = Offsets::new(self.files.file(text.at.file), &text.at, value);
        Some(((Arc::from(*name), offsets.locate(start..start + name.len())), descending))
    }

    fn cycle(&mut self, members: &[&Draft<'_>], catalog: &Catalog) {
        let Some(first) = members.first() else {
            return;
        };
        let names: Vec<&str> = members.iter().chain([first]).map(|draft| draft.name.text.as_str()).collect();
        let shown = names.len().min(SHOWN_OF_CYCLE);
        let cut = if shown < names.len() { " → …" } else { "" };
        let reference = |draft: &Draft<'_>, used: &str| {
            draft.uses.iter().find(|(name, _)| **name == *used).map_or(draft.name.at.clone(), |(_, at)| at.clone())
        };
        let headline = match members {
            [alone] => format!("metric `{}` is made of itself", alone.name.text),
            _ => format!("these metrics are made of each other: {}{cut}", names[..shown].join(" → ")),
        };
        let mut diagnostic = Diagnostic::error(code::CYCLE, &reference(first, names[1]), headline);
        for (draft, used) in members.iter().zip(&names[1..shown]).skip(1) {
            diagnostic = diagnostic.other(&reference(draft, used), format!("`{}` uses `{used}`", draft.name.text));
        }
        let attribute = (0..catalog.subjects.len()).any(|i| catalog.attribute(SubjectId(i), names[0]).is_some());
        let help = match attribute {
            true => "for the attribute of this name, give the metric another name",
            false => "compute one of them from facts",
        };
        self.out.push(diagnostic.help(help));
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
        let (kind, ty, personal) = match body {
            Body::Known(kind, ty, personal) => (kind, ty, personal),
            Body::Derived(node) => {
                self.resolve(&draft.uses, subject, catalog, metrics);
                let Some(expr) = self.typing(catalog, metrics, subject).value(&node) else {
                    return;
                };
                let ty = expr.ty;
                (MetricKind::Derived(expr), ty, false)
            }
            Body::Rank { descending, kind } => {
                self.resolve(&draft.uses, subject, catalog, metrics);
                match self.ranked(&draft.uses, subject, catalog, metrics) {
                    Some(of) => (MetricKind::Rank { of, descending, kind }, rank_type(kind), false),
                    None => return,
                }
            }
        };
        self.shadowed(draft.name, subject, &kind, catalog);
        let (name, at) = (draft.name.text.clone(), draft.name.at.clone());
        let metric = Metric { name, title: draft.title, subject, ty, kind, implicit: false, personal, at };
        metrics.push(&draft.name.text, metric);
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
        let node = Node { kind: crate::syntax::NodeKind::Name(name.clone()), at: at.clone() };
        let of = self.typing(catalog, metrics, subject).value(&node)?;
        match (of.kind, of.ty) {
            (_, Type::Text | Type::Bool) => {
                let headline = format!("`{name}` is {}, which has no order", of.ty);
                self.error(code::BAD_ORDER, at, headline, "rank numbers, dates or timestamps");
                None
            }
            (crate::ExprKind::Column(index), _) => Some(MetricId(index)),
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

    /// Warns of metrics that nothing uses, where there are tier sets at all. With errors that can't be said: they may hide a use.
    pub(super) fn unused(&mut self, metrics: &Metrics<'_>, tier_sets: &[TierSet]) {
        let wrong = self.out.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if tier_sets.is_empty() || wrong {
            return;
        }
        for metric in metrics.done.iter().filter(|metric| !metrics.used.contains(&*metric.name)) {
            let headline = format!("nothing uses metric `{}`", metric.name);
            let diagnostic = Diagnostic::warning(code::UNUSED_METRIC, &metric.at, headline);
            self.out.push(diagnostic.help("name it in a condition, or take it out"));
        }
    }
}

impl<'a> Metrics<'a> {
    fn new(catalog: &'a Catalog, drafts: &[Draft<'a>], complete: bool) -> Self {
        let scope = |subject: SubjectId| {
            let entry = &catalog.subjects[subject.0];
            let hint =
                "conditions name metrics and attributes of the subject; text is written 'in single quotes'".to_owned();
            let mut scope = Scope::new(format!("subject `{}`", entry.name.text), "metric or attribute", hint);
            if !complete || entry.columns.is_none() {
                scope.incomplete();
            }
            let attributes = entry.columns.iter().flatten().map(|(name, _)| name);
            for name in drafts.iter().map(|draft| draft.name).chain(attributes) {
                scope.add(&name.text, None);
            }
            for (facts, column) in fact_columns(catalog, subject) {
                scope.hint(column, format!("`{column}` is a column of `{facts}`: use it in a metric from \"{facts}\""));
            }
            scope
        };
        Metrics {
            done: vec![],
            scopes: (0..catalog.subjects.len()).map(|i| scope(SubjectId(i))).collect(),
            declared: drafts.iter().map(|draft| (draft.name.text.as_str(), None)).collect(),
            used: HashSet::new(),
        }
    }

    /// The subject that these names belong to: the only one, that of a metric among them, or the only one with such an attribute.
    fn subject_of(&self, uses: &[Use], catalog: &Catalog) -> Option<SubjectId> {
        if catalog.subjects.len() == 1 {
            return Some(SubjectId(0));
        }
        let metric = uses.iter().find_map(|(name, _)| self.declared.get(&**name).copied().flatten());
        metric.or_else(|| {
            let having = |name: &str| {
                let all = (0..catalog.subjects.len()).map(SubjectId);
                let mut having = all.filter(|subject| catalog.attribute(*subject, name).is_some());
                having.next().filter(|_| having.next().is_none())
            };
            uses.iter().find_map(|(name, _)| having(name))
        })
    }

    /// The attribute of this name as a metric, if there is one and it isn't a metric yet.
    fn implicit(&mut self, name: &str, subject: SubjectId, catalog: &'a Catalog) {
        let Some((index, Some(column))) = catalog.attribute(subject, name) else {
            return;
        };
        if self.scopes[subject.0].is_unset(&column.name) {
            self.push(&column.name, attribute_metric(subject, index, column));
        }
    }

    fn push(&mut self, name: &'a str, metric: Metric) {
        self.scopes[metric.subject.0].set(name, self.done.len(), metric.ty);
        self.done.push(metric);
    }
}

fn attribute_metric(subject: SubjectId, index: usize, column: &Column) -> Metric {
    Metric {
        name: column.name.clone(),
        title: None,
        subject,
        ty: column.ty,
        kind: MetricKind::Attribute(index),
        implicit: true,
        personal: column.personal,
        at: column.at.clone(),
    }
}

fn fact_columns(catalog: &Catalog, subject: SubjectId) -> impl Iterator<Item = (&str, &str)> {
    let facts = catalog.facts.iter().filter(move |facts| facts.subject == Some(subject));
    facts.flat_map(|facts| {
        let columns = facts.columns.iter().flatten();
        columns.map(|(name, _)| (facts.name.text.as_str(), name.text.as_str()))
    })
}

fn rank_type(kind: RankKind) -> Type {
    match kind {
        RankKind::Rank | RankKind::Ntile(_) => Type::Integer,
        RankKind::Percentile => Type::Decimal(6),
    }
}
