//! Metrics as declared: how each is found, before the names that it uses are looked up.

use std::{collections::HashMap, sync::Arc};

use tierd_model::Type;

use super::plugin::Scored;
use crate::{
    Aggregate, PointsId, PointsMeasure, RankKind, SubjectId,
    check::{Checking, allow::allowed, catalog::Catalog},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    plugin::PluginMetric,
    raw::{At, Name, RuleFile, rules::MetricTable},
    syntax::Node,
};

/// More metrics than any scheme has: a bound for time and memory.
pub(in crate::check) const MAX_METRICS: usize = 10_000;

/// A name used in an expression, and where.
pub(in crate::check) type Use = (Arc<str>, Location);

/// A metric as declared, before its names are looked up.
#[derive(Clone)]
pub(in crate::check) struct Draft<'a> {
    pub(in crate::check) name: Name,
    pub(in crate::check) title: Option<String>,
    /// Lints that aren't given for it.
    pub(in crate::check) allow: Vec<String>,
    /// Whose metric it is, if that is clear.
    pub(in crate::check) subject: Option<SubjectId>,
    /// Whose names it uses, where these aren't its own subject's.
    pub(in crate::check) names_of: Option<SubjectId>,
    pub(in crate::check) body: Option<Body<'a>>,
    pub(in crate::check) uses: Vec<Use>,
    /// The column that it has a value for each category of.
    pub(in crate::check) by: Option<By>,
}

/// How a metric is found, as written.
#[derive(Clone)]
pub(in crate::check) enum Body<'a> {
    Attribute {
        index: usize,
        ty: Type,
        personal: bool,
    },
    /// From facts; the date from which its window is found, if there is one, is the only name that it uses.
    Aggregate(Aggregate, Type),
    Derived(Node),
    Scorecard(Vec<Row>, Location),
    /// Of the only name that it uses.
    Trend,
    /// Of the only name that it uses, which is the parent's.
    Lookup,
    /// From the members' metrics.
    Rollup {
        table: &'a MetricTable,
        call: Node,
        filter: Option<Node>,
    },
    /// Of the only name that it uses.
    Rank {
        descending: bool,
        kind: RankKind,
    },
    /// From a plugin, of the subject's values.
    Plugin(Box<Scored>),
    /// From a plugin, of facts; the names are as those of an aggregate.
    Gathered(Box<PluginMetric>, Type),
    /// From the account of a points program.
    Points(PointsId, PointsMeasure, Type),
}

/// The column of facts that a metric is `by`.
#[derive(Debug, Clone)]
pub(in crate::check) struct By {
    pub(in crate::check) column: usize,
    pub(in crate::check) name: String,
    pub(in crate::check) at: Location,
}

/// A row of a scorecard.
#[derive(Debug, Clone)]
pub(in crate::check) struct Row {
    pub(in crate::check) title: Option<String>,
    pub(in crate::check) when: Option<Node>,
    pub(in crate::check) points: Node,
    pub(in crate::check) at: Location,
}

impl Draft<'_> {
    /// Gives the names that it uses others, where `other` has one.
    pub(in crate::check) fn rename(&mut self, other: &dyn Fn(&str) -> Option<Arc<str>>) {
        for (name, _) in &mut self.uses {
            *name = other(name).unwrap_or_else(|| name.clone());
        }
        match &mut self.body {
            Some(Body::Derived(node)) => node.rename(other),
            Some(Body::Plugin(scored)) => scored.inputs.iter_mut().for_each(|node| node.rename(other)),
            Some(Body::Rollup { call, filter, .. }) => {
                call.rename(other);
                filter.iter_mut().for_each(|filter| filter.rename(other));
            }
            Some(Body::Scorecard(rows, _)) => {
                let nodes = rows.iter_mut().flat_map(|row| row.when.iter_mut().chain([&mut row.points]));
                nodes.for_each(|node| node.rename(other));
            }
            _ => {}
        }
    }
}

impl Checking<'_> {
    pub(super) fn drafts<'a>(&mut self, catalog: &Catalog, files: &[&'a RuleFile]) -> Vec<Draft<'a>> {
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
                self.too_many(&name.at, headline, "take some out");
                break;
            }
            drafts.push(self.draft(name, table, catalog));
        }
        drafts
    }

    fn draft<'a>(&mut self, name: &Name, table: &'a At<MetricTable>, catalog: &Catalog) -> Draft<'a> {
        let name = name.clone();
        let (title, allow, subject, names_of, body, uses, by) = (None, vec![], None, None, None, vec![], None);
        let mut draft = Draft { name, title, allow, subject, names_of, body, uses, by };
        let Some(table) = &table.value else {
            return draft;
        };
        draft.title = table.title.as_ref().and_then(|title| title.value.clone());
        draft.allow = allowed(table.allow.as_ref());
        let explicit = table.subject.as_ref().map(|subject| self.subject_named(subject, catalog));
        draft.subject = explicit.flatten();
        if self.one_kind(&draft.name, table) && explicit != Some(None) {
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
            ("scorecard", table.scorecard.as_ref().map(|rows| &rows.at)),
            ("trend", table.trend.as_ref().map(|text| &text.at)),
            ("lookup", table.lookup.as_ref().map(|text| &text.at)),
            ("rank", table.rank.as_ref().map(|text| &text.at)),
            ("percentile", table.percentile.as_ref().map(|text| &text.at)),
            ("quintile", table.quintile.as_ref().map(|text| &text.at)),
            ("ntile", table.ntile.as_ref().map(|ntile| &ntile.at)),
            ("points", table.points.as_ref().map(|points| &points.at)),
            ("plugin", table.plugin.as_ref().map(|plugin| &plugin.at)),
        ];
        let given: Vec<_> = kinds.iter().filter_map(|(kind, at)| at.map(|at| (kind, at))).collect();
        match given.as_slice() {
            [] => {
                let headline = format!("metric `{}` doesn't say how it is found", name.text);
                let help = "write one of `aggregate`, `attribute`, `derived`, `scorecard`, `trend`, `lookup`, `rank`, `percentile`, \
                     `quintile`, `ntile`, `points` and `plugin`";
                self.error(code::METRIC_KIND, &name.at, headline, help);
            }
            [_] => {}
            [(first, first_at), (second, second_at), ..] => {
                let headline = format!("`{second}` excludes `{first}`");
                let diagnostic = Diagnostic::error(code::METRIC_KIND, second_at, headline);
                self.out.push(diagnostic.other(first_at, "").help("make two metrics of it"));
            }
        }
        if table.plugin.is_none() {
            self.only_with_plugin(table);
        }
        if table.aggregate.is_none() && table.plugin.is_none() {
            self.only_with_aggregate(table);
        }
        self.idle_cuts(table);
        if let (Some(within), None) = (&table.within, &table.points) {
            self.error(code::CONFLICTING_KEYS, &within.at, "`within` goes with `points` only", "leave it out");
        }
        given.len() == 1
    }

    fn only_with_aggregate(&mut self, table: &MetricTable) {
        let keys = [
            ("from", table.from.as_ref().map(|text| &text.at)),
            ("where", table.r#where.as_ref().map(|text| &text.at)),
            ("window", table.window.as_ref().filter(|_| table.points.is_none()).map(|window| &window.at)),
            ("per", table.per.as_ref().map(|per| &per.at)),
            ("empty", table.empty.as_ref().map(|empty| &empty.at)),
            ("by", table.by.as_ref().map(|by| &by.at)),
        ];
        for (key, at) in keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` goes with `aggregate` only");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out");
        }
    }

    fn body<'a>(&mut self, draft: &mut Draft<'a>, table: &'a MetricTable, catalog: &Catalog) {
        if let Some(text) = &table.aggregate {
            match self.members_of(table, catalog) {
                Some(members) => self.rollup(draft, members, table, text, catalog),
                None => self.of_facts(draft, table, text, catalog),
            }
        } else if let Some(text) = &table.attribute {
            self.attribute(draft, text, catalog);
        } else if let Some(text) = &table.derived {
            let node = self.parse(text);
            draft.uses = node.as_ref().map(Node::names).unwrap_or_default();
            draft.body = node.map(Body::Derived);
        } else if let Some(rows) = &table.scorecard {
            self.scorecard(draft, rows);
        } else if let Some(text) = &table.trend {
            draft.uses = text.value.iter().map(|name| (name.trim().into(), text.at.clone())).collect();
            draft.body = text.value.is_some().then_some(Body::Trend);
        } else if let Some(text) = &table.lookup {
            self.lookup(draft, text, catalog);
        } else if let Some(text) = &table.points {
            self.points_metric(draft, table, text, catalog);
        } else if let Some(text) = &table.plugin {
            self.plugin_metric(draft, table, text, catalog);
        } else {
            self.rank(draft, table);
        }
    }

    fn of_facts(&mut self, draft: &mut Draft<'_>, table: &MetricTable, text: &At<String>, catalog: &Catalog) {
        let Some(found) = self.aggregate(&draft.name, table, text, catalog) else {
            return;
        };
        let Some(of) = catalog.facts[found.aggregate.facts.0].subject else {
            return;
        };
        let by = match &table.by {
            Some(by) => match self.by(by, &catalog.facts[found.aggregate.facts.0]) {
                None => return,
                by => by,
            },
            None => None,
        };
        if self.agrees(draft, of, catalog) {
            let anchor =
                found.anchor.and_then(|anchor| Some((anchor.value.as_deref()?.trim().into(), anchor.at.clone())));
            draft.uses = anchor.into_iter().collect();
            (draft.subject, draft.by) = (Some(of), by);
            draft.body = Some(Body::Aggregate(found.aggregate, found.ty));
        }
    }

    /// Reports an aggregate whose facts, or members' groups, are another subject than the one that it names.
    pub(in crate::check) fn agrees(&mut self, draft: &Draft<'_>, of: SubjectId, catalog: &Catalog) -> bool {
        if let Some(subject) = draft.subject.filter(|subject| *subject != of) {
            let (is, not) = (&catalog.subjects[of.0].name.text, &catalog.subjects[subject.0].name.text);
            let headline = format!("it is about subject `{is}`, not `{not}`");
            self.error(code::WRONG_SUBJECT, &draft.name.at, headline, "leave `subject` out");
            return false;
        }
        true
    }
}
