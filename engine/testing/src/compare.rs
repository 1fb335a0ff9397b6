//! What a step found against what was expected of it.

use tierd_eval::{
    columns::value_at,
    evaluate::{Outcome, SetOutcome},
    explain::{explain_held, text},
    levels::NONE,
};
use tierd_model::Clock;
use tierd_rules::{
    RuleSet, TierSetId,
    cases::{ActsOf, CaseStep, Expectation, Expected, Told, Who},
};

use crate::{
    acts::{Acts, Found},
    results::Failure,
    same::{local_time, same, shown},
};

/// One step that was evaluated.
pub(crate) struct Ran<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) outcome: &'a Outcome,
    pub(crate) acts: &'a Acts,
    pub(crate) clock: &'a Clock,
    /// Whether failures have to say whom they are about.
    pub(crate) several: bool,
}

/// A subject in the outcome.
struct Place<'a> {
    who: &'a Who,
    index: usize,
}

impl Ran<'_> {
    /// Everything that isn't as the step expects.
    pub(crate) fn failures(&self, step: &CaseStep) -> Vec<Failure> {
        let mut out: Vec<Failure> = step.told.iter().flat_map(|told| self.of_subject(told)).collect();
        out.extend(step.tasks.iter().filter_map(|expected| self.acts("tasks", expected, &self.acts.tasks)));
        out.extend(step.events.iter().filter_map(|expected| self.acts("events", expected, &self.acts.events)));
        out
    }

    fn of_subject(&self, told: &Told) -> Vec<Failure> {
        let of = self.outcome.subject(told.who.subject);
        let index = of.and_then(|of| (0..of.metrics.subjects).find(|&index| (of.key)(index) == told.who.key));
        match (index, told.expect.first()) {
            (Some(index), _) => {
                let place = Place { who: &told.who, index };
                told.expect.iter().filter_map(|expectation| self.failure(&place, expectation)).collect()
            }
            (None, None) => Vec::new(),
            (None, Some(first)) => {
                let filter = "nobody: the filter in tierd.toml leaves this subject out".to_owned();
                vec![self.not(first, &told.who, "subject", "somebody to grade".to_owned(), filter, Vec::new())]
            }
        }
    }

    fn failure(&self, place: &Place<'_>, expectation: &Expectation) -> Option<Failure> {
        let not =
            |what: &str, expected, found, detail| Some(self.not(expectation, place.who, what, expected, found, detail));
        match &expectation.what {
            Expected::Level(set, expected) => {
                let found = self.set(*set).settled.held[place.index];
                if found == expected.unwrap_or(NONE) {
                    return None;
                }
                let (what, expected) = (format!("level in {}", self.set_name(*set)), expected.unwrap_or(NONE));
                not(&what, self.level(*set, expected), self.level(*set, found), self.explained(*set, place))
            }
            Expected::Metric(metric, expected) => {
                let of = &self.rules.metrics[metric.0];
                let column = self.outcome.subject(of.subject).and_then(|of| of.metrics.columns[metric.0].as_ref());
                let found = column.and_then(|column| value_at(column, of.ty, place.index));
                if same(expected.as_ref(), found.as_ref()) {
                    return None;
                }
                let (expected, found) = (shown(expected.as_ref(), self.clock), shown(found.as_ref(), self.clock));
                not(&format!("metric {}", of.name), expected, found, Vec::new())
            }
            Expected::Move(set, from, to) => {
                let expected = (from.unwrap_or(NONE), to.unwrap_or(NONE));
                self.moved(*set, place, expected).and_then(|found| {
                    let expected = format!("{} -> {}", self.level(*set, expected.0), self.level(*set, expected.1));
                    not(&self.move_in(*set), expected, found, self.explained(*set, place))
                })
            }
            Expected::Stays(set) => {
                let before = self.before(*set, place);
                self.moved(*set, place, (before, before))
                    .and_then(|found| not(&self.move_in(*set), "stays".to_owned(), found, self.explained(*set, place)))
            }
            Expected::Reason(set, expected) => {
                let found = self.reason(*set, place);
                if found == Some(expected) {
                    return None;
                }
                let what = format!("reason of the move in {}", self.set_name(*set));
                let found = found.unwrap_or("none, it stays").to_owned();
                not(&what, expected.clone(), found, self.explained(*set, place))
            }
            Expected::Explain(words) => {
                let lines = self.explanation(place);
                if plain(&lines.join(" ")).contains(&plain(words)) {
                    return None;
                }
                not("explanation", words.clone(), "other words".to_owned(), lines)
            }
        }
    }

    fn not(
        &self,
        expectation: &Expectation,
        who: &Who,
        what: &str,
        expected: String,
        found: String,
        detail: Vec<String>,
    ) -> Failure {
        let who = self.several.then(|| self.who(who));
        let (at, what) = (expectation.at.clone(), what.to_owned());
        Failure { at, as_of: local_time(self.clock.as_of(), self.clock), who, what, expected, found, detail }
    }

    fn set(&self, set: TierSetId) -> &SetOutcome {
        &self.outcome.sets[set.0]
    }

    fn set_name(&self, set: TierSetId) -> &str {
        &self.rules.tier_sets[set.0].name
    }

    fn move_in(&self, set: TierSetId) -> String {
        format!("move in {}", self.set_name(set))
    }

    fn level(&self, set: TierSetId, level: u16) -> String {
        let level = self.rules.tier_sets[set.0].levels.get(usize::from(level));
        level.map_or("none", |level| &level.name).to_owned()
    }

    fn before(&self, set: TierSetId, place: &Place<'_>) -> u16 {
        self.set(set).was.as_ref().and_then(|was| was.get(place.index)).map_or(NONE, |held| held.level)
    }

    /// The move in words, if it isn't from and to these levels.
    fn moved(&self, set: TierSetId, place: &Place<'_>, expected: (u16, u16)) -> Option<String> {
        let found = (self.before(set, place), self.set(set).settled.held[place.index]);
        let (from, to) = (self.level(set, found.0), self.level(set, found.1));
        let words = if found.0 == found.1 { format!("stays {to}") } else { format!("{from} -> {to}") };
        (found != expected).then_some(words)
    }

    fn reason(&self, set: TierSetId, place: &Place<'_>) -> Option<&'static str> {
        let moved = &self.set(set).settled.moved;
        moved.iter().find(|(subject, _)| *subject as usize == place.index).map(|(_, reason)| reason.name())
    }

    /// The explanation of one level, as lines.
    fn explained(&self, set: TierSetId, place: &Place<'_>) -> Vec<String> {
        let explanation = explain_held(self.rules, self.outcome, set, place.index, self.clock);
        text::lines(&explanation, &self.who(place.who), self.clock).iter().map(text::Line::plain).collect()
    }

    /// The explanations of all levels of a subject.
    fn explanation(&self, place: &Place<'_>) -> Vec<String> {
        let sets = self.rules.tier_sets.iter().enumerate().filter(|(_, set)| set.subject == place.who.subject);
        sets.flat_map(|(set, _)| self.explained(TierSetId(set), place)).collect()
    }

    fn who(&self, who: &Who) -> String {
        format!("{} {}", self.rules.config.subjects[who.subject.0].name, who.key)
    }

    /// Compares exactly these tasks or events.
    fn acts<F: Found>(&self, noun: &str, expected: &ActsOf<F::Expected>, found: &[F]) -> Option<Failure> {
        let found: Vec<&F> =
            found.iter().filter(|found| expected.who.as_ref().is_none_or(|who| who == found.who())).collect();
        let partners = partners(&expected.all, &found);
        let missing = expected.all.iter().zip(&partners).filter(|(_, partner)| partner.is_none());
        let mut detail: Vec<String> =
            missing.map(|(expected, _)| format!("- {}", F::expected(expected, self.rules))).collect();
        let extra = found.iter().enumerate().filter(|(place, _)| !partners.contains(&Some(*place)));
        detail.extend(extra.map(|(_, found)| format!("+ {}", found.shown(self.rules))));
        if detail.is_empty() {
            return None;
        }
        let matched = partners.iter().flatten().map(|&place| format!("  {}", found[place].shown(self.rules)));
        detail.extend(matched);
        Some(Failure {
            at: expected.at.clone(),
            as_of: local_time(self.clock.as_of(), self.clock),
            who: expected.who.as_ref().map(|who| self.who(who)),
            what: noun.to_owned(),
            expected: format!("{} (-)", expected.all.len()),
            found: format!("{} (+)", found.len()),
            detail,
        })
    }
}

/// For each expectation the place of what fulfils it, so that as many as possible have one of their own.
fn partners<F: Found>(expected: &[F::Expected], found: &[&F]) -> Vec<Option<usize>> {
    let fits: Vec<Vec<usize>> =
        expected.iter().map(|expected| (0..found.len()).filter(|&place| found[place].is(expected)).collect()).collect();
    let mut of_found: Vec<Option<usize>> = vec![None; found.len()];
    for one in 0..expected.len() {
        settle(one, &fits, &mut of_found, &mut vec![false; found.len()]);
    }
    (0..expected.len()).map(|one| of_found.iter().position(|of| *of == Some(one))).collect()
}

/// Finds a partner for one expectation, moving others to partners that do as well (augmenting paths).
fn settle(one: usize, fits: &[Vec<usize>], of_found: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &place in &fits[one] {
        if std::mem::replace(&mut tried[place], true) {
            continue;
        }
        if of_found[place].is_none_or(|other| settle(other, fits, of_found, tried)) {
            of_found[place] = Some(one);
            return true;
        }
    }
    false
}

/// Words without what is there for the eye: blanks, and the sign before a value.
fn plain(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "=").collect::<Vec<_>>().join(" ")
}
