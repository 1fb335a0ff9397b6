//! Metrics as declared: how each is found, before the names that it uses are looked up.

use std::{collections::HashMap, sync::Arc};

use tierd_model::Type;

use crate::{
    MetricKind, RankKind, SubjectId,
    check::{
        Checking,
        allow::allowed,
        catalog::{Catalog, unknown},
    },
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At, Name, RuleFile,
        offsets::Offsets,
        rules::{MetricTable, NtileTable},
    },
    syntax::Node,
};

/// More metrics than any scheme has: a bound for time and memory.
const MAX_METRICS: usize = 10_000;

/// A name used in an expression, and where.
pub(in crate::check) type Use = (Arc<str>, Location);

/// A metric as declared, before its names are looked up.
pub(super) struct Draft<'a> {
    pub(super) name: &'a Name,
    pub(super) title: Option<String>,
    pub(super) allow: Vec<String>,
    pub(super) subject: Option<SubjectId>,
    pub(super) body: Option<Body>,
    pub(super) uses: Vec<Use>,
}

pub(super) enum Body {
    /// From facts or an attribute: all is known.
    Known(MetricKind, Type, bool),
    Derived(Node),
    Rank {
        descending: bool,
        kind: RankKind,
    },
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
                self.error(code::TOO_MANY, &name.at, headline, "take some out");
                break;
            }
            drafts.push(self.draft(name, table, catalog));
        }
        drafts
    }

    fn draft<'a>(&mut self, name: &'a Name, table: &'a At<MetricTable>, catalog: &Catalog) -> Draft<'a> {
        let mut draft = Draft { name, title: None, allow: vec![], subject: None, body: None, uses: vec![] };
        let Some(table) = &table.value else {
            return draft;
        };
        draft.title = table.title.as_ref().and_then(|title| title.value.clone());
        draft.allow = allowed(table.allow.as_ref());
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
            ("points", table.points.as_ref().map(|points| &points.at)),
        ];
        let given: Vec<_> = kinds.iter().filter_map(|(kind, at)| at.map(|at| (kind, at))).collect();
        match given.as_slice() {
            [] => {
                let headline = format!("metric `{}` doesn't say how it is found", name.text);
                let help = "write one of `aggregate`, `attribute`, `derived`, `rank`, `percentile`, `quintile`, `ntile` and `points`";
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
        } else if let Some(text) = &table.points {
            let found = self.points_metric(draft.name, table, text, catalog);
            draft.body = found.and_then(|(kind, ty, of)| {
                let place = &catalog.subjects[of.0].name.text;
                if draft.subject.is_some_and(|subject| subject != of) {
                    let headline = format!("these are points of subject `{place}`");
                    self.error(code::WRONG_SUBJECT, &draft.name.at, headline, "leave `subject` out");
                    return None;
                }
                draft.subject = Some(of);
                Some(Body::Known(kind, ty, false))
            });
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
                    let diagnostic = unknown(code::UNKNOWN_NAME, "attribute", name, &text.at, names);
                    self.out.push(diagnostic);
                }
            }
            _ => self.ambiguous(&text.at, catalog),
        }
    }

    /// Reports that nothing says which subject is meant.
    pub(in crate::check) fn ambiguous(&mut self, at: &Location, catalog: &Catalog) {
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
}
