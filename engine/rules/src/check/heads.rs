//! What is known of tier sets before any name is looked up: who is graded, which levels there are, what their conditions name.
//!
//! Metrics may ask for levels (`tier.value`) and levels for metrics. So all sets must be known before the first metric is
//! checked, and metrics and sets are put in one order.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Checking, catalog::Catalog, metrics::draft::Use};
use crate::{
    Standing, SubjectId,
    raw::{At, Name, RuleFile, rules::TiersTable},
    syntax::Node,
};

/// More tier sets, and levels of all of them together, than any scheme has: bounds for time and memory. A set per category counts
/// once for each.
const MAX_TIER_SETS: usize = 1_000;
const MAX_LEVELS: usize = 50_000;

/// Tier sets of all files, by name: their place here is their place among the rules.
pub(super) struct Heads {
    all: Vec<Head>,
    /// By full name.
    places: HashMap<String, usize>,
    /// By the name as written.
    written: HashMap<String, Vec<usize>>,
}

/// A tier set, of a set per category one for each.
pub(super) struct Head {
    /// Its name: `value`, `price[shoes]`.
    pub(super) name: String,
    /// The name as written: `price`.
    pub(super) written: Name,
    /// The category, of a set per category.
    pub(super) category: Option<String>,
    /// Who is graded, if that is clear.
    pub(super) subject: Option<SubjectId>,
    /// Names of the levels, lowest first.
    pub(super) levels: Vec<String>,
    /// Whether a level is higher than another.
    pub(super) ordered: bool,
    /// What its conditions are, and what its thresholds are about, as written.
    pub(super) conditions: Vec<Node>,
}

impl Head {
    /// The names in its conditions, as written, with their places.
    pub(super) fn uses(&self) -> impl Iterator<Item = Use> {
        self.conditions.iter().flat_map(Node::names)
    }
}

impl Heads {
    pub(super) fn all(&self) -> &[Head] {
        &self.all
    }

    /// The set of this full name.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &Head)> {
        self.places.get(name).map(|&place| (place, &self.all[place]))
    }

    /// The sets of one table: several where it is per category.
    pub(super) fn written(&self, name: &str) -> impl Iterator<Item = (usize, &Head)> {
        self.written.get(name).into_iter().flatten().map(|&place| (place, &self.all[place]))
    }

    /// Names of sets that are kept per category, as written.
    pub(super) fn per_category(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|head| head.category.is_some()).map(|head| head.written.text.as_str())
    }
}

/// What a name with a point asks, and of which set: `tier.value`.
pub(super) fn standing(name: &str) -> Option<(Standing, &str)> {
    let (what, set) = name.split_once('.')?;
    let what = match what {
        "tier" => Standing::Level,
        "was" => Standing::Was,
        "since" => Standing::Since,
        _ => return None,
    };
    Some((what, set))
}

/// All names that ask for a set.
pub(super) fn standings(set: &str) -> [String; 3] {
    ["tier", "was", "since"].map(|what| format!("{what}.{set}"))
}

/// The name of a thing for one category.
pub(super) fn in_category(name: &str, category: &str) -> Arc<str> {
    format!("{name}[{category}]").into()
}

/// How many sets a table stands for, and how many levels each has.
fn size(table: &TiersTable) -> (usize, usize) {
    let categories = table.categories.as_ref().and_then(|categories| categories.value.as_ref());
    let sets = if table.per.is_some() { categories.map_or(0, Vec::len) } else { 1 };
    (sets, table.level.value.as_ref().map_or(0, Vec::len))
}

impl Checking<'_> {
    /// The heads of all tier sets. What is wrong with a set is reported where the set itself is checked.
    pub(super) fn heads(&mut self, catalog: &Catalog, files: &[&RuleFile]) -> Heads {
        let mut heads: Vec<Head> = vec![];
        let mut seen: HashSet<&str> = HashSet::new();
        let mut levels = 0;
        let tables = files.iter().filter_map(|file| file.tiers.as_ref()?.value.as_ref());
        for (name, table) in tables.flat_map(|named| &named.0) {
            let (true, Some(table)) = (seen.insert(&name.text), &table.value) else {
                continue;
            };
            let (sets, of_each) = size(table);
            levels += sets * of_each;
            if heads.len() + sets > MAX_TIER_SETS || levels > MAX_LEVELS {
                let headline = format!(
                    "there are more than {MAX_TIER_SETS} tier sets, or more than {MAX_LEVELS} levels, counting each category"
                );
                self.too_many(&name.at, headline, "take some out");
                break;
            }
            heads.extend(self.heads_of(name, table, catalog));
        }
        heads.sort_by(|a, b| a.name.cmp(&b.name));
        heads.dedup_by(|a, b| a.name == b.name);
        let places = heads.iter().enumerate().map(|(place, head)| (head.name.clone(), place)).collect();
        let mut written: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, head) in heads.iter().enumerate() {
            written.entry(head.written.text.clone()).or_default().push(place);
        }
        Heads { all: heads, places, written }
    }

    fn heads_of(&mut self, name: &Name, table: &TiersTable, catalog: &Catalog) -> Vec<Head> {
        let subject = match &table.subject {
            Some(subject) => subject.value.as_deref().and_then(|subject| catalog.subject(subject)),
            None => Some(SubjectId(0)).filter(|_| catalog.subjects.len() == 1),
        };
        let levels = table.level.value.iter().flatten().filter_map(|level| level.value.as_ref());
        let conditions = levels.clone().flat_map(|level| level.when.iter().chain(&level.keep));
        let conditions: Vec<&At<String>> = table.of.iter().chain(conditions).collect();
        let conditions: Vec<Node> = conditions.into_iter().filter_map(|condition| self.parse(condition)).collect();
        let head = |category: Option<&str>| Head {
            name: category.map_or(name.text.clone(), |category| in_category(&name.text, category).to_string()),
            written: name.clone(),
            category: category.map(str::to_owned),
            subject,
            levels: levels.clone().filter_map(|level| level.name.value.clone()).collect(),
            ordered: table.ordered.as_ref().and_then(|ordered| ordered.value) != Some(false),
            conditions: conditions.clone(),
        };
        match (&table.per, &table.categories) {
            (None, _) => vec![head(None)],
            (Some(_), None) => vec![],
            (Some(_), Some(categories)) => {
                let texts = categories.value.iter().flatten().filter_map(|category| category.value.as_deref());
                texts.map(|category| head(Some(category))).collect()
            }
        }
    }
}
