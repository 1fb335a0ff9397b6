//! Tier sets and their levels.

use std::collections::HashMap;

use super::{Checking, allow::allowed, catalog::Catalog, metrics::Metrics, threshold::Place};
use crate::{
    Level, SubjectId, TierSet, Unknown, code,
    diagnostic::Diagnostic,
    expr::Expr,
    fileset::Location,
    raw::{
        At, Name, RuleFile,
        rules::{LevelTable, TiersTable, UnknownName},
    },
    syntax::Node,
};

/// More levels than any set has: a bound for time and memory.
const MAX_LEVELS: usize = 1_000;

impl Checking<'_> {
    /// Tier sets of all files, by name. Their heads have bounded how many there are.
    pub(super) fn tier_sets<'a>(
        &mut self,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
        files: &[&RuleFile],
    ) -> Vec<TierSet> {
        let mut sets = vec![];
        let tables = files.iter().filter_map(|file| file.tiers.as_ref()?.value.as_ref());
        for (name, table) in self.by_name(tables.flat_map(|named| &named.0), "tier set", usize::MAX) {
            let Some(table) = &table.value else {
                continue;
            };
            self.per_category(name, table);
            for place in metrics.sets_of(&name.text) {
                metrics.enter(place);
                sets.extend(self.tier_set(name, table, catalog, metrics));
            }
        }
        metrics.leave();
        sets.sort_by(|a, b| a.name.cmp(&b.name));
        sets
    }

    fn tier_set<'a>(
        &mut self,
        name: &Name,
        table: &TiersTable,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<TierSet> {
        let subject = self.graded(name, table, catalog);
        let unknown = At::value_or(table.unknown.as_ref(), Unknown::Keep, |unknown| match unknown {
            UnknownName::Keep => Unknown::Keep,
            UnknownName::Lowest => Unknown::Lowest,
            UnknownName::Error => Unknown::Error,
        });
        let written = table.level.value.as_ref()?;
        self.level_names(written);
        if written.is_empty() {
            let help = format!("write `[[tiers.{}.level]]`, the lowest level first", name.text);
            self.error(code::EMPTY_VALUE, &table.level.at, "a tier set has at least one level", help);
            return None;
        }
        if written.len() > MAX_LEVELS {
            let headline = format!("there are more than {MAX_LEVELS} levels");
            self.error(code::TOO_MANY, &table.level.at, headline, "take some out");
            return None;
        }
        let ordered = At::value_or(table.ordered.as_ref(), true, |ordered| *ordered);
        let movement = ordered.and_then(|ordered| self.movement(table, ordered));
        let schedule = self.schedule_of(table.schedule.as_ref(), &catalog.zone);
        let guard = self.tiers_guard(table);
        let measure = self.measure_of(table, subject, catalog, metrics);
        let levels: Vec<_> = written
            .iter()
            .enumerate()
            .map(|(i, level)| {
                let place = Place { lowest: i == 0, set: table, measure: measure.as_ref(), subject };
                self.level(level, &place, catalog, metrics)
            })
            .collect();
        let (set, category) = metrics.own_set()?;
        Some(TierSet {
            name: set,
            title: table.title.as_ref().and_then(|title| title.value.clone()),
            subject: subject?,
            unknown: unknown?,
            ordered: ordered?,
            movement: movement?,
            schedule: schedule?,
            guard: guard?,
            category,
            allow: allowed(table.allow.as_ref()),
            levels: levels.into_iter().collect::<Option<_>>()?,
            at: name.at.clone(),
        })
    }

    fn graded(&mut self, name: &Name, table: &TiersTable, catalog: &Catalog) -> Option<SubjectId> {
        match &table.subject {
            Some(subject) => self.subject_named(subject, catalog),
            None if catalog.subjects.len() == 1 => Some(SubjectId(0)),
            None if catalog.subjects.is_empty() => None,
            None => {
                self.ambiguous(&name.at, catalog);
                None
            }
        }
    }

    fn level_names(&mut self, levels: &[At<LevelTable>]) {
        let mut places: HashMap<&str, &Location> = HashMap::new();
        for name in levels.iter().filter_map(|level| level.value.as_ref()).map(|level| &level.name) {
            let Some(text) = self.text(name).and(name.value.as_deref()) else {
                continue;
            };
            if let Some(first) = places.get(text) {
                let headline = format!("there are two levels `{text}` in this set");
                let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, &name.at, headline);
                self.out.push(diagnostic.other(first, "the first one").help("give one of them another name"));
            } else {
                places.insert(text, &name.at);
            }
        }
    }

    fn level<'a>(
        &mut self,
        level: &At<LevelTable>,
        place: &Place<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Level> {
        let table = level.value.as_ref()?;
        let when = match (&table.when, &table.from) {
            (Some(when), None) => {
                self.parse(when).and_then(|node| self.when(&node, place.subject?, catalog, metrics)).map(Some)
            }
            (None, Some(from)) => self.threshold(from, place, catalog, metrics).map(Some),
            (Some(when), Some(from)) => {
                let headline = "`from` excludes `when`";
                let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, &from.at, headline);
                let help = "write all of it as `when`: \"annual_spend >= 5000 and …\"";
                self.out.push(diagnostic.other(&when.at, "").help(help));
                None
            }
            (None, None) if place.lowest => Some(None),
            (None, None) => {
                let help = "only the first, lowest level may leave `when` out; levels are written lowest first";
                self.error(code::MISSING_WHEN, &table.name.at, "this level has no `when`", help);
                None
            }
        };
        let keep = self.keep(table, place, catalog, metrics);
        let benefits = At::value_or(table.benefits.as_ref(), Default::default(), |data| data.0.clone());
        let strategy = At::value_or(table.strategy.as_ref(), None, Some)?;
        let every = strategy.and_then(|strategy| strategy.every.as_ref());
        Some(Level {
            name: table.name.value.clone()?,
            title: table.title.as_ref().and_then(|title| title.value.clone()),
            when: when?,
            keep: keep?,
            benefits: benefits?,
            strategy: strategy.map(|strategy| strategy.data.0.clone()).unwrap_or_default(),
            follow_up: At::value_or(every, None, |every| Some(every.0))?,
            at: table.name.at.clone(),
        })
    }

    /// A condition over the metrics of a subject.
    pub(super) fn when<'a>(
        &mut self,
        node: &Node,
        subject: SubjectId,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Expr> {
        let node = metrics.as_meant(node);
        self.resolve(&node.names(), subject, catalog, metrics);
        self.typing(catalog, metrics, subject).condition(&node)
    }
}
