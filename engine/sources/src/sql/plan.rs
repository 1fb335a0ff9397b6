//! What a query needs: the metrics behind the metrics asked for, in steps, and names for everything.

use tierd_model::Clock;
use tierd_rules::{
    Expiry, Expr, Metric, MetricId, MetricKind, Parent, PointsMeasure, RuleSet, Standing, SubjectId, TierSet, TierSetId,
};

use super::{
    error::NotSql,
    text::{Names, name},
};

/// What one query is about.
pub(super) struct Plan<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) clock: &'a Clock,
    /// All kinds of subjects that are read; the one whose metrics are asked for is the first.
    pub(super) subjects: Vec<SubjectId>,
    /// The metrics asked for and all that they refer to. Each step reads only earlier ones; the first reads only tables.
    pub(super) steps: Vec<Vec<MetricId>>,
    /// Quoted column names by metric, each only once; those that aren't needed have one too, unused.
    pub(super) columns: Vec<String>,
}

impl<'a> Plan<'a> {
    /// The plan for these metrics of a subject.
    pub(super) fn new(
        rules: &'a RuleSet,
        subject: SubjectId,
        asked: &[MetricId],
        clock: &'a Clock,
    ) -> Result<Self, NotSql> {
        let needed = needed(rules, asked);
        needed.iter().try_for_each(|id| expressible(rules, &rules.metrics[id.0]))?;
        let mut subjects = vec![subject];
        for id in &needed {
            let metric = &rules.metrics[id.0];
            let members = match &metric.kind {
                MetricKind::Rollup(rollup) => Some(rollup.members),
                _ => None,
            };
            for of in std::iter::once(metric.subject).chain(members) {
                if !subjects.contains(&of) {
                    subjects.push(of);
                }
            }
        }
        Ok(Plan { rules, clock, subjects, steps: steps(rules, &needed), columns: columns(rules, subject) })
    }

    /// All metrics needed, with their names' ids.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (MetricId, &'a Metric)> {
        let rules = self.rules;
        self.steps.iter().flatten().map(move |id| (*id, &rules.metrics[id.0]))
    }

    /// The metrics of these subjects in a step.
    pub(super) fn in_step(&self, step: usize, subject: SubjectId) -> Vec<MetricId> {
        let of_subject = |id: &MetricId| self.rules.metrics[id.0].subject == subject;
        self.steps[step].iter().copied().filter(of_subject).collect()
    }

    /// The groups of these subjects, if some metric goes from one to the other.
    pub(super) fn parent(&self, members: SubjectId) -> Option<Parent> {
        let goes_there = self.metrics().any(|(_, metric)| match &metric.kind {
            MetricKind::Lookup(_) => metric.subject == members,
            MetricKind::Rollup(rollup) => rollup.members == members,
            _ => false,
        });
        self.rules.config.subjects[members.0].parent.filter(|_| goes_there)
    }

    /// The attributes that the subject's table must give: those of metrics, of its filter, and what names its group.
    pub(super) fn attributes(&self, of: SubjectId) -> Vec<usize> {
        let subject = &self.rules.config.subjects[of.0];
        let filtered = subject.filter.iter().flat_map(|filter| filter.columns());
        let read = self.metrics().filter(|(_, metric)| metric.subject == of);
        let read = read.filter_map(|(_, metric)| match metric.kind {
            MetricKind::Attribute(attribute) => Some(attribute),
            _ => None,
        });
        let parent = self.parent(of).map(|parent| parent.attribute);
        let mut all: Vec<usize> = filtered.chain(read).chain(parent).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The tier sets whose levels other metrics read.
    pub(super) fn sets(&self) -> Vec<TierSetId> {
        let mut sets: Vec<TierSetId> = self.metrics().filter_map(|(_, metric)| level_of(metric)).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }
}

/// The metrics that the conditions to enter a set's levels read, in the order of [`TierSet::metrics`].
pub fn entered_by(set: &TierSet) -> Vec<MetricId> {
    let mut all: Vec<MetricId> = Vec::new();
    for condition in set.levels.iter().rev().filter_map(|level| level.when.as_ref()) {
        for column in condition.columns() {
            if !all.contains(&MetricId(column)) {
                all.push(MetricId(column));
            }
        }
    }
    all
}

/// The tier set whose present level a metric is.
fn level_of(metric: &Metric) -> Option<TierSetId> {
    match metric.kind {
        MetricKind::Standing { set, what: Standing::Level } => Some(set),
        _ => None,
    }
}

/// The metrics that this one is computed from.
fn references(rules: &RuleSet, id: MetricId) -> Vec<MetricId> {
    let of = |exprs: &[&Option<Expr>]| -> Vec<MetricId> {
        exprs.iter().filter_map(|expr| expr.as_ref()).flat_map(Expr::columns).map(MetricId).collect()
    };
    match &rules.metrics[id.0].kind {
        MetricKind::Derived(expr) => expr.columns().into_iter().map(MetricId).collect(),
        MetricKind::Rank { of, .. } | MetricKind::Lookup(of) => vec![*of],
        MetricKind::Rollup(rollup) => of(&[&rollup.argument, &rollup.filter]),
        MetricKind::Aggregate(aggregate) => aggregate.window.anchor().map(MetricId).into_iter().collect(),
        MetricKind::Standing { set, what: Standing::Level } => entered_by(&rules.tier_sets[set.0]),
        MetricKind::Plugin(plugin) => plugin.metrics(),
        MetricKind::Standing { .. } | MetricKind::Attribute(_) | MetricKind::Points { .. } => Vec::new(),
    }
}

fn expressible(rules: &RuleSet, metric: &Metric) -> Result<(), NotSql> {
    match metric.kind {
        MetricKind::Plugin(_) => Err(NotSql::Plugin(metric.name.clone())),
        MetricKind::Standing { what: Standing::Was | Standing::Since, .. } => Err(NotSql::Held(metric.name.clone())),
        MetricKind::Points { program, measure } => match measure {
            PointsMeasure::Earned(_) | PointsMeasure::Spent(_) => Ok(()),
            // Without expiry, lots make no difference.
            _ if rules.points[program.0].expiry == Expiry::Never => Ok(()),
            _ => Err(NotSql::Account(metric.name.clone())),
        },
        _ => Ok(()),
    }
}

/// These metrics and all behind them, each after those that it refers to.
fn needed(rules: &RuleSet, asked: &[MetricId]) -> Vec<MetricId> {
    let mut needed = vec![false; rules.metrics.len()];
    asked.iter().for_each(|id| needed[id.0] = true);
    // References point backwards only, so that one pass from the end finds them all.
    for id in (0..needed.len()).rev() {
        if needed[id] {
            references(rules, MetricId(id)).iter().for_each(|reference| needed[reference.0] = true);
        }
    }
    (0..needed.len()).filter(|id| needed[*id]).map(MetricId).collect()
}

/// The metrics by step: each step reads only earlier ones.
fn steps(rules: &RuleSet, needed: &[MetricId]) -> Vec<Vec<MetricId>> {
    let mut step_of = vec![0; rules.metrics.len()];
    let mut steps = vec![Vec::new()];
    for id in needed {
        let from_tables = matches!(
            rules.metrics[id.0].kind,
            MetricKind::Attribute(_) | MetricKind::Aggregate(_) | MetricKind::Points { .. }
        );
        // What is computed has no place in the first step, even where it refers to nothing.
        let first = usize::from(!from_tables);
        let step = references(rules, *id).iter().map(|r| step_of[r.0] + 1).max().unwrap_or(first);
        step_of[id.0] = step;
        if steps.len() <= step {
            steps.resize(step + 1, Vec::new());
        }
        steps[step].push(*id);
    }
    steps
}

/// A column name for each metric; where names meet, those of the subject asked for stay as they are.
fn columns(rules: &RuleSet, subject: SubjectId) -> Vec<String> {
    // Names that columns of the query's own have beside those of metrics.
    let subjects = rules.config.subjects.iter().map(|subject| subject.name.as_str());
    let mut names = Names::without(&["key", "level", "nth"].into_iter().chain(subjects).collect::<Vec<_>>());
    let mut columns = vec![String::new(); rules.metrics.len()];
    for own in [true, false] {
        for (column, metric) in columns.iter_mut().zip(&rules.metrics) {
            if (metric.subject == subject) == own {
                *column = name(&names.take(&metric.name));
            }
        }
    }
    columns
}
