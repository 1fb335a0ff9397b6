//! Who would move where: what a person looks at before a run is applied.

use std::cmp::Reverse;

use tierd_model::{Key, Value};
use tierd_rules::{MetricId, RuleSet};

use crate::{
    columns::value_at,
    evaluate::{Outcome, SetOutcome},
    history::Held,
    levels::NONE,
};

/// How many subjects have each pair of levels before and after, the same level twice among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// By the level before and the one after: lowest first, none last.
    counts: Vec<Vec<u64>>,
}

impl Matrix {
    /// Of so many levels. Levels that the rules have no longer count as none.
    pub fn new(was: impl IntoIterator<Item = u16>, now: &[u16], levels: usize) -> Self {
        let mut counts = vec![vec![0; levels + 1]; levels + 1];
        let place = |level: u16| usize::from(level).min(levels);
        for (from, &to) in was.into_iter().zip(now) {
            counts[place(from)][place(to)] += 1;
        }
        Matrix { counts }
    }

    /// From, to and how many, where there is anybody: lowest level first, none (`None`) last.
    pub fn cells(&self) -> impl Iterator<Item = (Option<usize>, Option<usize>, u64)> + '_ {
        let none = self.counts.len() - 1;
        let level = move |place: usize| (place != none).then_some(place);
        let rows = self.counts.iter().enumerate();
        rows.flat_map(move |(from, row)| {
            let cells = row.iter().enumerate().filter(|(_, subjects)| **subjects > 0);
            cells.map(move |(to, &subjects)| (level(from), level(to), subjects))
        })
    }
}

/// A subject that would move.
#[derive(Debug, Clone, PartialEq)]
pub struct Mover {
    /// Its index.
    pub subject: u32,
    /// Its key.
    pub key: Key,
    /// Index of the level before.
    pub from: usize,
    /// Index of the level after.
    pub to: Option<usize>,
    /// The metrics that the set's conditions read. Of a personal one there is no more than its mask.
    pub metrics: Vec<(MetricId, Option<Value>)>,
}

/// The subjects of a set that move furthest, and of those that move as far the first by key: at most this many.
///
/// `was` has what each subject held before. First levels are no moves; in a set whose levels have no order all moves are alike.
pub fn largest(rules: &RuleSet, outcome: &Outcome, of: &SetOutcome, was: &[Held], most: usize) -> Vec<Mover> {
    let ordered = rules.tier_sets[of.set.0].ordered;
    let levels = was.iter().map(|held| held.level).zip(&of.settled.held).zip(0u32..);
    let moved = levels.filter(|((from, to), _)| *from != NONE && from != *to);
    let mut movers: Vec<(Reverse<u16>, u32)> =
        moved.map(|((from, &to), subject)| (Reverse(if ordered { steps(from, to) } else { 1 }), subject)).collect();
    if movers.len() > most {
        movers.select_nth_unstable(most);
        movers.truncate(most);
    }
    movers.sort_unstable();
    let shown = Shown::new(rules, outcome, of);
    movers.into_iter().map(|(_, subject)| shown.mover(subject, was[subject as usize].level)).collect()
}

/// How many levels lie between; none is one below the lowest.
fn steps(from: u16, to: u16) -> u16 {
    from.wrapping_add(1).abs_diff(to.wrapping_add(1))
}

/// What is shown of a mover.
struct Shown<'a> {
    rules: &'a RuleSet,
    outcome: &'a Outcome,
    of: &'a SetOutcome,
    metrics: Vec<MetricId>,
    personal: Vec<bool>,
}

impl<'a> Shown<'a> {
    fn new(rules: &'a RuleSet, outcome: &'a Outcome, of: &'a SetOutcome) -> Self {
        let metrics = rules.tier_sets[of.set.0].metrics();
        Shown { rules, outcome, of, metrics, personal: rules.personal() }
    }

    fn mover(&self, subject: u32, from: u16) -> Mover {
        let (index, subjects) = (subject as usize, &self.outcome.subjects[self.of.subject]);
        let to = self.of.settled.held[index];
        let value = |&metric: &MetricId| {
            let value = value_at(subjects.metrics.column(metric), self.rules.metrics[metric.0].ty, index);
            let masked =
                |value: Value| if self.personal[metric.0] { Value::Text(value.masked().into()) } else { value };
            (metric, value.map(masked))
        };
        Mover {
            subject,
            key: (subjects.key)(index),
            from: usize::from(from),
            to: (to != NONE).then_some(usize::from(to)),
            metrics: self.metrics.iter().map(value).collect(),
        }
    }
}
