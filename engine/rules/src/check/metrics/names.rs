//! What names mean in the conditions of a subject: its metrics, its attributes, and its levels.

use std::{collections::HashSet, sync::Arc};

use tierd_model::Type;

use super::{
    Metrics,
    draft::{Draft, Use},
    own_time::Source,
};
use crate::{
    Category, Metric, MetricId, MetricKind, Standing, Step, SubjectId, TierSetId,
    check::{
        catalog::Catalog,
        categories::Categories,
        heads::{Head, Heads, standing, standings},
    },
    raw::Name,
    syntax::Node,
    typing::{Levels, Scope},
};

/// The level before the run, in a tier set's own conditions.
const WAS: &str = "was";

impl<'a> Metrics<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        heads: &'a Heads,
        categories: Categories,
        written: &[Name],
        drafts: &[Draft<'a>],
        complete: bool,
    ) -> Self {
        let kept: HashSet<&str> = drafts.iter().map(|draft| draft.name.text.as_str()).collect();
        let needed: HashSet<&str> = kept.iter().filter_map(|name| Some(name.split_once('[')?.0)).collect();
        let idle = written.iter().filter(|name| !kept.contains(&*name.text) && !needed.contains(&*name.text));
        let elsewhere = levels_in_other_categories(heads, &categories);
        let scope = |subject: SubjectId| {
            let mut scope = scope(subject, catalog, heads, complete);
            categories.names().chain(&elsewhere).for_each(|name| scope.reserve(name.to_string()));
            drafts.iter().for_each(|draft| match draft.name.text.contains('[') {
                true => scope.reserve(draft.name.text.clone()),
                false => scope.add(draft.name.text.clone(), None),
            });
            scope
        };
        Metrics {
            done: vec![],
            order: vec![],
            sources: vec![],
            scopes: (0..catalog.subjects.len()).map(|i| scope(SubjectId(i))).collect(),
            declared: drafts.iter().map(|draft| (draft.name.text.clone(), None)).collect(),
            used: HashSet::new(),
            idle: idle.cloned().collect(),
            heads,
            categories,
            own: None,
        }
    }

    /// What names stand for in the conditions of a subject.
    pub(in crate::check) fn scope(&self, subject: SubjectId) -> &Scope<'a> {
        &self.scopes[subject.0]
    }

    /// The subject that these names belong to: the only one, that of a metric or level among them, or the only one with such an
    /// attribute.
    pub(in crate::check) fn subject_of(&self, uses: &[Use], catalog: &Catalog) -> Option<SubjectId> {
        if catalog.subjects.len() == 1 {
            return Some(SubjectId(0));
        }
        let set = |name: &str| self.heads.find(standing(name)?.1)?.1.subject;
        let metric =
            uses.iter().find_map(|(name, _)| self.declared.get(&**name).copied().flatten().or_else(|| set(name)));
        metric.or_else(|| {
            let having = |name: &str| {
                let all = (0..catalog.subjects.len()).map(SubjectId);
                let mut having = all.filter(|subject| catalog.attribute(*subject, name).is_some());
                having.next().filter(|_| having.next().is_none())
            };
            uses.iter().find_map(|(name, _)| having(name))
        })
    }

    /// The other subject that a name belongs to, if it isn't one of this subject's.
    pub(in crate::check) fn elsewhere(&self, name: &str, subject: SubjectId, catalog: &Catalog) -> Option<SubjectId> {
        let of = match standing(name) {
            Some((_, set)) => self.heads.find(set)?.1.subject,
            None => self.declared.get(name).copied().flatten(),
        };
        of.filter(|of| *of != subject && catalog.attribute(subject, name).is_none())
    }

    /// The set and the category that a name asks for, where the set isn't kept for this category.
    pub(super) fn no_such_category<'n>(&self, name: &'n str) -> Option<(&'n str, &'n str)> {
        let (_, set) = standing(name)?;
        let (written, category) = set.strip_suffix(']')?.split_once('[')?;
        self.heads.find(set).is_none().then_some((written, category))
    }

    /// The attribute or level of this name as a metric, if there is one and it isn't a metric yet.
    pub(super) fn implicit(&mut self, name: &str, subject: SubjectId, catalog: &'a Catalog) {
        if !self.scopes[subject.0].is_unset(name)
            || self.declared.get(name).is_some_and(|of| of.is_none_or(|of| of == subject))
        {
            return;
        }
        let found = match standing(name) {
            Some((what, set)) => self.standing(name, what, set, subject),
            None => attribute_metric(name, subject, catalog),
        };
        if let Some((metric, source)) = found {
            self.push(metric, source);
        }
    }

    fn standing(&self, name: &str, what: Standing, set: &str, subject: SubjectId) -> Option<(Metric, Source)> {
        let (place, head) = self.heads.find(set)?;
        let ty = if what == Standing::Since { Type::Date } else { Type::Text };
        let kind = MetricKind::Standing { set: TierSetId(place), what };
        let metric = implicit_metric(name.to_owned(), subject, ty, kind, head.written.at.clone());
        (head.subject == Some(subject)).then_some((metric, Source::Later))
    }

    pub(super) fn push(&mut self, metric: Metric, source: Source) {
        let id = self.done.len();
        self.scopes[metric.subject.0].set(metric.name.clone(), id, metric.ty);
        self.order.push(Step::Metric(MetricId(id)));
        self.sources.push(source);
        self.done.push(metric);
    }

    /// What a metric of this kind is found from; `pass` is that of an aggregate.
    pub(super) fn source(&self, kind: &MetricKind, pass: u8) -> Source {
        match kind {
            MetricKind::Attribute(_) => Source::Attributes,
            MetricKind::Aggregate(_) => Source::Facts(pass),
            MetricKind::Derived(expr) => {
                expr.columns().into_iter().map(|id| self.sources[id]).max().unwrap_or(Source::Attributes)
            }
            _ => Source::Later,
        }
    }

    /// How many times facts must have been read before: for what is made of other metrics, the most of theirs.
    pub(super) fn pass(&self, kind: &MetricKind, pass: u8) -> u8 {
        let of = |ids: Vec<usize>| ids.into_iter().map(|id| self.done[id].pass).max().unwrap_or(0);
        match kind {
            MetricKind::Derived(expr) => of(expr.columns()),
            MetricKind::Rank { of: MetricId(id), .. } | MetricKind::Lookup(MetricId(id)) => of(vec![*id]),
            MetricKind::Plugin(plugin) if plugin.facts.is_none() => {
                of(plugin.metrics().into_iter().map(|MetricId(id)| id).collect())
            }
            MetricKind::Rollup(rollup) => {
                of(rollup.argument.iter().chain(&rollup.filter).flat_map(crate::Expr::columns).collect())
            }
            _ => pass,
        }
    }

    /// The names that a set's conditions use, as they are meant there.
    pub(super) fn uses_of_set(&self, place: usize) -> Vec<Use> {
        let head = &self.heads.all()[place];
        let meant = |name: Arc<str>| self.meant(&name, head).unwrap_or(name);
        head.uses().map(|(name, at)| (meant(name), at)).collect()
    }

    /// Notes that a set's levels are known from here on; what its conditions use is known before.
    pub(super) fn finish_set(&mut self, place: usize, uses: &[Use], catalog: &'a Catalog) {
        if let Some(subject) = self.heads.all()[place].subject {
            let own = uses.iter().filter(|(name, _)| self.elsewhere(name, subject, catalog).is_none());
            let own: Vec<&str> = own.map(|(name, _)| &**name).collect();
            own.into_iter().for_each(|name| self.implicit(name, subject, catalog));
        }
        self.order.push(Step::TierSet(TierSetId(place)));
    }

    /// The sets that a table stands for: several where it is per category.
    pub(in crate::check) fn sets_of(&self, written: &str) -> Vec<usize> {
        self.heads.written(written).map(|(place, _)| place).collect()
    }

    /// Says whose conditions are checked next.
    pub(in crate::check) fn enter(&mut self, place: usize) {
        self.own = Some(place);
    }

    /// Says that no set's conditions are checked any more.
    pub(in crate::check) fn leave(&mut self) {
        self.own = None;
    }

    /// The name and the category of the set whose conditions are being checked.
    pub(in crate::check) fn own_set(&self) -> Option<(String, Option<Category>)> {
        let head = &self.heads.all()[self.own?];
        let category = head.category.as_ref().and_then(|value| {
            let (set, column) = (head.written.text.clone(), self.categories.column(&head.written.text)?.to_owned());
            Some(Category { set, column, value: value.clone() })
        });
        Some((head.name.clone(), category))
    }

    /// A condition of the set that is being checked, its names as they are meant there.
    pub(in crate::check) fn as_meant(&self, node: &Node) -> Node {
        let mut node = node.clone();
        if let Some(own) = self.own {
            node.rename(&|name| self.meant(name, &self.heads.all()[own]));
        }
        node
    }

    /// What a name means in the conditions of a set, if that isn't what it means everywhere.
    fn meant(&self, name: &str, head: &Head) -> Option<Arc<str>> {
        if name == WAS {
            return Some(format!("{WAS}.{}", head.name).into());
        }
        self.categories.renamed(name, head.category.as_deref()?)
    }
}

/// Names that conditions of sets per category may come to, although the set that they ask for hasn't the category.
fn levels_in_other_categories(heads: &Heads, categories: &Categories) -> Vec<Arc<str>> {
    let mut out = HashSet::new();
    for head in heads.all() {
        let renamed = head.uses().filter(|(name, _)| standing(name).is_some());
        out.extend(renamed.filter_map(|(name, _)| categories.renamed(&name, head.category.as_deref()?)));
    }
    out.into_iter().collect()
}

/// A scope with a subject's attributes and levels.
fn scope<'a>(subject: SubjectId, catalog: &'a Catalog, heads: &'a Heads, complete: bool) -> Scope<'a> {
    let entry = &catalog.subjects[subject.0];
    let hint = "conditions name metrics and attributes of the subject; text is written 'in single quotes'".to_owned();
    let mut scope = Scope::new(format!("subject `{}`", entry.name.text), "metric or attribute", hint);
    if !complete || entry.columns.is_none() {
        scope.incomplete();
    }
    for (name, _) in entry.columns.iter().flatten() {
        scope.add(name.text.as_str(), None);
    }
    for (facts, column) in fact_columns(catalog, subject) {
        scope.hint(column, format!("`{column}` is a column of `{facts}`: use it in a metric from \"{facts}\""));
    }
    for head in heads.all() {
        let [level, was, since] = standings(&head.name);
        let levels = Levels { set: &head.written.text, names: &head.levels, ordered: head.ordered };
        scope.add_levels(level.clone(), levels);
        scope.add_levels(was.clone(), levels);
        for name in [level, was, since] {
            if head.category.is_some() { scope.reserve(name) } else { scope.add(name, None) }
        }
    }
    scope
}

fn attribute_metric(name: &str, subject: SubjectId, catalog: &Catalog) -> Option<(Metric, Source)> {
    let (index, column) = catalog.attribute(subject, name)?;
    let column = column.as_ref()?;
    let kind = MetricKind::Attribute(index);
    let metric = implicit_metric(column.name.clone(), subject, column.ty, kind, column.at.clone());
    Some((Metric { personal: column.personal, ..metric }, Source::Attributes))
}

/// A metric that nobody has declared.
fn implicit_metric(name: String, subject: SubjectId, ty: Type, kind: MetricKind, at: crate::Location) -> Metric {
    let (pass, scorecard, allow) = (0, vec![], vec![]);
    Metric { name, title: None, subject, ty, kind, implicit: true, personal: false, pass, scorecard, allow, at }
}

fn fact_columns(catalog: &Catalog, subject: SubjectId) -> impl Iterator<Item = (&str, &str)> {
    let facts = catalog.facts.iter().filter(move |facts| facts.subject == Some(subject));
    facts.flat_map(|facts| {
        let columns = facts.columns.iter().flatten();
        columns.map(|(name, _)| (facts.name.text.as_str(), name.text.as_str()))
    })
}
