//! What is kept per category: a metric with `by` and all that is made of it become one metric for each category, and a tier set
//! `per = "category"` becomes one set for each.
//!
//! This is done before names are looked up, so that nothing behind it knows of categories: `points_by[shoes]` is a metric like
//! any other. A metric exists for those categories only for which some set needs it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tierd_model::{Type, Value};

use super::{
    Checking,
    catalog::Entry,
    heads::{Head, Heads, in_category, standings},
    metrics::draft::{Body, By, Draft, MAX_METRICS},
};
use crate::{
    CompareOp, Expr, ExprKind, Facts, code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{At, Name, rules::TiersTable},
};

/// The names that stand for something else in each category.
#[derive(Default)]
pub(super) struct Categories {
    names: HashSet<Arc<str>>,
    /// By the written name of a set: the column of its categories.
    columns: HashMap<String, String>,
}

impl Categories {
    /// Whether a name stands for something only within a category.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// What a name stands for in a category, if it isn't the same in all.
    pub(super) fn renamed(&self, name: &str, category: &str) -> Option<Arc<str>> {
        self.contains(name).then(|| in_category(name, category))
    }

    /// The names themselves.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter()
    }

    /// The column that holds the categories of a set.
    pub(super) fn column(&self, written: &str) -> Option<&str> {
        self.columns.get(written).map(String::as_str)
    }
}

/// Drafts by name, for walking along what they use.
struct Walk<'d, 'a> {
    drafts: &'d [Draft<'a>],
    places: HashMap<&'d str, usize>,
    names: &'d HashSet<Arc<str>>,
}

impl<'d> Walk<'d, '_> {
    /// The metrics per category that a set is made of.
    fn needed(&self, head: &Head) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<Arc<str>> = head.uses().map(|(name, _)| name).collect();
        while let Some(name) = todo.pop() {
            if let Some(&place) = self.places.get(&*name).filter(|_| self.names.contains(&name))
                && found.insert(place)
            {
                todo.extend(self.drafts[place].uses.iter().map(|(name, _)| name.clone()));
            }
        }
        found
    }
}

impl Checking<'_> {
    /// The drafts, those per category once for each category in which they are needed.
    pub(super) fn expanded<'a>(&mut self, drafts: Vec<Draft<'a>>, heads: &Heads) -> (Vec<Draft<'a>>, Categories) {
        let mut categories = Categories { names: names(&drafts, heads), columns: HashMap::new() };
        if categories.names.is_empty() {
            return (drafts, categories);
        }
        let places = drafts.iter().enumerate().map(|(place, draft)| (draft.name.text.as_str(), place)).collect();
        let walk = Walk { drafts: &drafts, places, names: &categories.names };
        let mut needed: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); drafts.len()];
        let mut columns = HashMap::new();
        for head in heads.all() {
            let Some(category) = &head.category else {
                continue;
            };
            let found = walk.needed(head);
            found.iter().for_each(|&place| _ = needed[place].insert(category));
            if !columns.contains_key(&head.written.text) && !head.conditions.is_empty() {
                let all: Vec<&By> = found.iter().filter_map(|&place| drafts[place].by.as_ref()).collect();
                columns.insert(head.written.text.clone(), self.one_column(head, &all));
            }
        }
        let mut out = vec![];
        for (draft, needed) in drafts.iter().zip(&needed) {
            if out.len() + needed.len() > MAX_METRICS {
                let headline = format!("there are more than {MAX_METRICS} metrics, counting each category");
                self.too_many(&draft.name.at, headline, "take some out, or name fewer categories");
                break;
            }
            match categories.contains(&draft.name.text) {
                false => out.push(draft.clone()),
                true => out.extend(needed.iter().map(|category| for_category(draft, category, &categories))),
            }
        }
        categories.columns = columns.into_iter().filter_map(|(set, column)| Some((set, column?))).collect();
        (out, categories)
    }

    /// The one column that all metrics of a set are `by`.
    fn one_column(&mut self, head: &Head, all: &[&By]) -> Option<String> {
        let set = &head.written;
        let Some(first) = all.first() else {
            let headline = format!("no metric of tier set `{}` is per category", set.text);
            let help = "give the metrics that its conditions name the column of the category: by = \"category\"";
            self.error(code::BAD_CATEGORY, &set.at, headline, help);
            return None;
        };
        if let Some(other) = all.iter().find(|by| by.name != first.name) {
            let headline = format!("metrics of tier set `{}` are by different columns", set.text);
            let diagnostic = Diagnostic::error(code::BAD_CATEGORY, &other.at, headline);
            let help = "a category is one column; give it the same name in all facts";
            self.out.push(diagnostic.other(&first.at, format!("by `{}`", first.name)).help(help));
            return None;
        }
        Some(first.name.clone())
    }

    /// `by = "category"`: a column of the facts that holds text.
    pub(super) fn by(&mut self, by: &At<String>, facts: &Entry<Facts>) -> Option<By> {
        let (name, columns) = (by.value.as_ref()?, facts.columns.as_ref()?);
        let Some(column) = columns.iter().position(|(column, _)| column.text == *name) else {
            let names = columns.iter().map(|(column, _)| column.text.as_str());
            let help = match crate::nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it in tierd.toml".to_owned(),
            };
            let headline = format!("`{}` has no column `{name}`", facts.name.text);
            self.error(code::UNKNOWN_NAME, &by.at, headline, help);
            return None;
        };
        let found = columns[column].1.as_ref()?;
        if found.ty != Type::Text {
            let headline = format!("a category is text, `{name}` is {}", found.ty);
            let diagnostic = Diagnostic::error(code::BAD_CATEGORY, &by.at, headline);
            self.out.push(diagnostic.other(&found.at, "declared here").help("name a column that holds text"));
            return None;
        }
        Some(By { column, name: name.clone(), at: by.at.clone() })
    }

    /// Reports `per` and `categories` that don't go together.
    pub(super) fn per_category(&mut self, name: &Name, table: &TiersTable) {
        let categories = match (&table.per, &table.categories) {
            (None, None) => return,
            (Some(_), Some(categories)) => categories,
            (Some(per), None) => {
                let help = "name them: categories = [\"shoes\", \"food\"]";
                return self.error(code::MISSING_KEY, &per.at, "a set per category has no `categories`", help);
            }
            (None, Some(categories)) => {
                let headline = format!("tier set `{}` isn't kept per category", name.text);
                return self.error(code::MISSING_KEY, &categories.at, headline, "add per = \"category\"");
            }
        };
        let Some(all) = &categories.value else {
            return;
        };
        if all.is_empty() {
            let help = "write at least one, such as \"shoes\"";
            self.error(code::EMPTY_VALUE, &categories.at, "there are no categories", help);
        }
        let mut seen: HashMap<&str, &Location> = HashMap::new();
        for category in all {
            let Some(text) = category.value.as_deref() else {
                continue;
            };
            if text.trim().is_empty() || text.contains(['[', ']']) || text.contains(char::is_control) {
                let help = "write the value of the column, without brackets";
                self.error(code::BAD_CATEGORY, &category.at, "this can't be a category", help);
            }
            if let Some(first) = seen.insert(text, &category.at) {
                let headline = format!("the category `{text}` stands here twice");
                let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, &category.at, headline);
                self.out.push(diagnostic.other(first, "the first one").help("take one out"));
            }
        }
    }
}

/// Names that stand for one thing per category: metrics with `by`, what is made of them, and levels of sets per category.
fn names(drafts: &[Draft<'_>], heads: &Heads) -> HashSet<Arc<str>> {
    let mut users: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, draft) in drafts.iter().enumerate() {
        draft.uses.iter().for_each(|(name, _)| users.entry(name).or_default().push(place));
    }
    let by = drafts.iter().filter(|draft| draft.by.is_some()).map(|draft| Arc::from(draft.name.text.as_str()));
    let levels = heads.per_category().flat_map(standings).map(Arc::from);
    let mut todo: Vec<Arc<str>> = by.chain(levels).collect();
    let mut found = HashSet::new();
    while let Some(name) = todo.pop() {
        if found.insert(name.clone()) {
            let users = users.get(&*name).into_iter().flatten();
            todo.extend(users.map(|&place| Arc::from(drafts[place].name.text.as_str())));
        }
    }
    found
}

/// What a draft is for one category.
fn for_category<'a>(draft: &Draft<'a>, category: &str, categories: &Categories) -> Draft<'a> {
    let mut out = draft.clone();
    out.name.text = in_category(&draft.name.text, category).to_string();
    out.rename(&|name| categories.renamed(name, category));
    let filter = match &mut out.body {
        Some(Body::Aggregate(aggregate, _)) => Some(&mut aggregate.filter),
        Some(Body::Gathered(metric, _)) => metric.facts.as_mut().map(|facts| &mut facts.filter),
        _ => None,
    };
    if let (Some(filter), Some(by)) = (filter, &draft.by) {
        only(filter, by, category);
    }
    out
}

/// Narrows a filter to the facts of a category.
fn only(filter: &mut Option<Expr>, by: &By, category: &str) {
    let node = |kind, ty| Expr { kind, ty, at: by.at.clone() };
    let column = Box::new(node(ExprKind::Column(by.column), Type::Text));
    let text = Box::new(node(ExprKind::Literal(Value::Text(category.into())), Type::Text));
    let same = node(ExprKind::Compare(CompareOp::Eq, column, text), Type::Bool);
    *filter = Some(match filter.take() {
        Some(filter) => Expr { at: filter.at.clone(), ty: Type::Bool, kind: ExprKind::And(vec![filter, same]) },
        None => same,
    });
}
