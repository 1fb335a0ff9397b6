//! What is expected of a subject: levels, metrics, moves, reasons, words of the explanation.

use super::CaseChecking;
use crate::{
    TierSetId,
    cases::{Expectation, Expected, Who},
    code,
    fileset::Location,
    raw::{At, Name, Named, cases::Told},
};

/// What stands for having no level.
const NO_LEVEL: &str = "none";

impl CaseChecking<'_> {
    /// Everything that is expected of one subject.
    pub(super) fn expectations(&mut self, who: &Who, told: &Told) -> Option<Vec<Expectation>> {
        let mut out = vec![];
        for (name, level) in texts(told.expect.as_ref()) {
            let level = self.set_of(who, name).and_then(|set| Some((set, self.level_or_none(set, level)?)));
            out.push(level.map(|(set, to)| Expectation { what: Expected::Level(set, to), at: name.at.clone() }));
        }
        let metrics = self.metrics_of(who, told.expect_metrics.as_ref());
        let places = told.expect_metrics.as_ref().and_then(|values| values.value.as_ref());
        let places = places.iter().flat_map(|values| &values.0).map(|(name, _)| name.at.clone());
        match metrics {
            Some(metrics) => out.extend(
                metrics
                    .into_iter()
                    .zip(places)
                    .map(|((metric, value), at)| Some(Expectation { what: Expected::Metric(metric, value), at })),
            ),
            None => out.push(None),
        }
        for (name, change) in texts(told.expect_moves.as_ref()) {
            let what = self.set_of(who, name).and_then(|set| self.change(set, change));
            out.push(what.map(|what| Expectation { what, at: name.at.clone() }));
        }
        for (name, reason) in texts(told.expect_reason.as_ref()) {
            let what = self.set_of(who, name).zip(reason.value.clone());
            let what = what.map(|(set, reason)| Expected::Reason(set, reason));
            out.push(what.map(|what| Expectation { what, at: reason.at.clone() }));
        }
        for text in told.explain.iter().filter_map(|all| all.value.as_ref()).flatten() {
            out.push(self.explained(text));
        }
        out.into_iter().collect()
    }

    fn explained(&mut self, text: &At<String>) -> Option<Expectation> {
        let words = text.value.clone()?;
        if words.trim().is_empty() {
            self.error(code::EMPTY_VALUE, &text.at, "this is empty", "write words that the explanation must have");
            return None;
        }
        Some(Expectation { what: Expected::Explain(words), at: text.at.clone() })
    }

    /// A tier set of the subject's kind.
    fn set_of(&mut self, who: &Who, name: &Name) -> Option<TierSetId> {
        let set = self.tier_set(&name.text, &name.at)?;
        let rules = self.rules;
        let graded = rules.tier_sets[set.0].subject;
        if graded != who.subject {
            let of = |subject: crate::SubjectId| &rules.config.subjects[subject.0].name;
            let headline = format!("`{}` grades `{}`, not `{}`", name.text, of(graded), of(who.subject));
            let help = format!("expect it of a subject of `{}`", of(graded));
            self.error(code::WRONG_SUBJECT, &name.at, headline, help);
            return None;
        }
        Some(set)
    }

    fn level_or_none(&mut self, set: TierSetId, written: &At<String>) -> Option<Option<u16>> {
        self.level_named(set, written.value.as_ref()?, &written.at)
    }

    /// `none` is no level, unless a level is called so.
    fn level_named(&mut self, set: TierSetId, name: &str, at: &Location) -> Option<Option<u16>> {
        let is_level = self.rules.tier_sets[set.0].levels.iter().any(|level| level.name == NO_LEVEL);
        if name == NO_LEVEL && !is_level {
            return Some(None);
        }
        self.level(set, name, at).map(Some)
    }

    /// `C -> B`, or `stays`.
    fn change(&mut self, set: TierSetId, written: &At<String>) -> Option<Expected> {
        let text = written.value.as_ref()?;
        if text == "stays" {
            return Some(Expected::Stays(set));
        }
        let Some((from, to)) = text.split_once("->") else {
            let help = "write it as \"C -> B\", \"none -> A\" or \"stays\"";
            self.error(code::UNKNOWN_VALUE, &written.at, format!("`{text}` is no move"), help);
            return None;
        };
        let (from, to) =
            (self.level_named(set, from.trim(), &written.at), self.level_named(set, to.trim(), &written.at));
        let (from, to) = (from?, to?);
        if from == to {
            let help = "\"stays\" says that the level is as before";
            self.error(code::UNKNOWN_VALUE, &written.at, format!("`{text}` is no move"), help);
            return None;
        }
        Some(Expected::Move(set, from, to))
    }
}

fn texts(named: Option<&At<Named<String>>>) -> impl Iterator<Item = &(Name, At<String>)> {
    named.and_then(|named| named.value.as_ref()).into_iter().flat_map(|named| &named.0)
}
