//! Metrics that are made of each other.

use super::draft::Draft;
use crate::{
    SubjectId,
    check::{Checking, catalog::Catalog},
    code,
    diagnostic::Diagnostic,
};

/// How much of a long cycle is shown.
const SHOWN: usize = 10;

impl Checking<'_> {
    /// Reports a cycle once, with the place of each step.
    pub(super) fn cycle(&mut self, members: &[&Draft<'_>], catalog: &Catalog) {
        let Some(first) = members.first() else {
            return;
        };
        let names: Vec<&str> = members.iter().chain([first]).map(|draft| draft.name.text.as_str()).collect();
        let shown = names.len().min(SHOWN);
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
}
