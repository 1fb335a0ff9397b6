//! Metrics and tier sets that are made of each other.

use super::draft::Use;
use crate::{
    SubjectId,
    check::{Checking, catalog::Catalog},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
};

/// How much of a long cycle is shown.
const SHOWN: usize = 10;

/// A metric, or a tier set, and what it is made of.
pub(super) struct Part<'a> {
    /// What others call it: `spend`, `tier.value`.
    pub(super) name: String,
    /// The tier set's name.
    pub(super) set: Option<&'a str>,
    pub(super) uses: &'a [Use],
    pub(super) at: &'a Location,
}

impl Part<'_> {
    /// Where it names another one.
    fn reference(&self, used: &str) -> &Location {
        self.uses.iter().find(|(name, _)| **name == *used).map_or(self.at, |(_, at)| at)
    }

    fn label(&self, used: &str) -> String {
        match self.set {
            Some(set) => format!("tier set `{set}` uses `{used}`"),
            None => format!("`{}` uses `{used}`", self.name),
        }
    }
}

impl Checking<'_> {
    /// Reports a cycle once, with the place of each step.
    pub(super) fn cycle(&mut self, members: &[Part<'_>], catalog: &Catalog) {
        let Some(first) = members.first() else {
            return;
        };
        let names: Vec<&str> = members.iter().chain([first]).map(|part| part.name.as_str()).collect();
        let shown = names.len().min(SHOWN);
        let cut = if shown < names.len() { " → …" } else { "" };
        let with_sets = members.iter().any(|part| part.set.is_some());
        let headline = match (members, first.set) {
            ([_], Some(set)) => format!("tier set `{set}` asks for its own level"),
            ([alone], None) => format!("metric `{}` is made of itself", alone.name),
            _ => {
                let what = if with_sets { "metrics and levels" } else { "metrics" };
                format!("these {what} are made of each other: {}{cut}", names[..shown].join(" → "))
            }
        };
        let mut diagnostic = Diagnostic::error(code::CYCLE, first.reference(names[1]), headline);
        for (part, used) in members.iter().zip(&names[1..shown]).skip(1) {
            diagnostic = diagnostic.other(part.reference(used), part.label(used));
        }
        let attribute = (0..catalog.subjects.len()).any(|i| catalog.attribute(SubjectId(i), names[0]).is_some());
        let help = match (with_sets, attribute) {
            (true, _) => "ask for the level before the run with `was`: it depends on nothing",
            (false, true) => "for the attribute of this name, give the metric another name",
            (false, false) => "compute one of them from facts",
        };
        self.out.push(diagnostic.help(help));
    }
}
