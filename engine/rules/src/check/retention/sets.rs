//! Tier sets and levels that retention rules name.

use super::Ground;
use crate::{
    SubjectId, TierSet, TierSetId,
    check::{Checking, heads::Heads},
    code,
    diagnostic::Diagnostic,
    raw::{At, RuleFile},
    suggest::nearest,
};

/// The tier sets that are good, by their index; of the others, the names.
pub(super) struct Sets<'s> {
    good: &'s [TierSet],
    wrong: Vec<&'s str>,
    /// There may be sets in files that couldn't be read.
    unread: bool,
}

impl<'s> Sets<'s> {
    pub(super) fn new(good: &'s [TierSet], heads: &'s Heads, files: &[&'s RuleFile], unread: bool) -> Self {
        let tables = files.iter().filter_map(|file| file.tiers.as_ref()?.value.as_ref()).flat_map(|named| &named.0);
        let has = |name: &str| good.iter().any(|set| set.name == name || written_name(set) == name);
        let tables = tables.map(|(name, _)| name.text.as_str()).filter(|name| !has(name));
        let full = |name: &str| good.iter().any(|set| set.name == name);
        let heads = heads.all().iter().map(|head| head.name.as_str()).filter(|name| !full(name));
        Sets { good, wrong: tables.chain(heads).collect(), unread }
    }

    /// Whether there are sets of which nothing is known.
    pub(super) fn incomplete(&self) -> bool {
        self.unread || !self.wrong.is_empty()
    }

    pub(super) fn get(&self, id: TierSetId) -> &'s TierSet {
        &self.good[id.0]
    }

    pub(super) fn find(&self, name: &str) -> Option<TierSetId> {
        self.good.iter().position(|set| set.name == name).map(TierSetId)
    }

    /// The sets that grade a subject.
    pub(super) fn of(&self, subject: SubjectId) -> Vec<TierSetId> {
        let all = self.good.iter().enumerate().filter(|(_, set)| set.subject == subject);
        all.map(|(index, _)| TierSetId(index)).collect()
    }

    fn names(&self, subject: Option<SubjectId>) -> Vec<&'s str> {
        let all = self.good.iter().filter(|set| subject.is_none_or(|subject| set.subject == subject));
        all.map(|set| set.name.as_str()).collect()
    }
}

/// The name under which a set is written: without its category.
fn written_name(set: &TierSet) -> &str {
    set.category.as_ref().map_or(&set.name, |category| &category.set)
}

impl Checking<'_> {
    /// The tier set of this name, which grades this subject.
    pub(super) fn set_named(
        &mut self,
        text: &At<String>,
        subject: Option<SubjectId>,
        ground: &Ground<'_, '_>,
    ) -> Option<TierSetId> {
        let (name, sets) = (text.value.as_ref()?, &ground.sets);
        let Some(found) = sets.find(name) else {
            if !sets.unread && !sets.wrong.contains(&name.as_str()) {
                let names = sets.names(subject);
                let help = match nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => format!("there are none; declare it: `[tiers.{name}]`"),
                    None => format!("there are {}", names.join(", ")),
                };
                self.error(code::UNKNOWN_TIER_SET, &text.at, format!("no tier set `{name}`"), help);
            }
            return None;
        };
        let of = sets.get(found).subject;
        if let Some(subject) = subject.filter(|subject| *subject != of) {
            let subjects = &ground.catalog.subjects;
            let (is, not) = (&subjects[of.0].name.text, &subjects[subject.0].name.text);
            let headline = format!("`{name}` grades subject `{is}`, not `{not}`");
            self.error(code::WRONG_SUBJECT, &text.at, headline, "name a tier set of the rule's subject");
            return None;
        }
        Some(found)
    }

    /// The only tier set of a subject, for a key that needn't name it.
    pub(super) fn only_set(
        &mut self,
        at: &crate::Location,
        subject: SubjectId,
        ground: &Ground<'_, '_>,
    ) -> Option<TierSetId> {
        let sets = ground.sets.of(subject);
        if let ([only], false) = (sets.as_slice(), ground.sets.incomplete()) {
            return Some(*only);
        }
        if ground.sets.incomplete() {
            return None;
        }
        let names = ground.sets.names(Some(subject));
        match names.first() {
            Some(first) => {
                let help = format!("write set = \"{first}\" or another of {}", names.join(", "));
                self.error(code::AMBIGUOUS_TIER_SET, at, "in which tier set?", help);
            }
            None => {
                let headline = format!("no tier set grades subject `{}`", ground.catalog.subjects[subject.0].name.text);
                self.error(code::BAD_TRIGGER, at, headline, "declare one: `[tiers.NAME]`");
            }
        }
        None
    }

    /// The levels that a list names.
    pub(super) fn levels_named(&mut self, written: Option<&At<Vec<At<String>>>>, set: &TierSet) -> Option<Vec<u16>> {
        let Some(written) = written else {
            return Some(vec![]);
        };
        let names = written.value.as_ref()?;
        if names.is_empty() {
            self.error(code::EMPTY_VALUE, &written.at, "this list is empty", "name levels, or leave it out");
            return None;
        }
        let found: Vec<_> = names.iter().map(|name| self.level_named(name, set)).collect();
        found.into_iter().collect()
    }

    fn level_named(&mut self, name: &At<String>, set: &TierSet) -> Option<u16> {
        let text = name.value.as_ref()?;
        let found = set.levels.iter().position(|level| level.name == *text);
        if found.is_none() {
            let names: Vec<&str> = set.levels.iter().map(|level| level.name.as_str()).collect();
            let help = match nearest(text, names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are {}", names.join(", ")),
            };
            let headline = format!("`{}` has no level `{text}`", set.name);
            self.out.push(Diagnostic::error(code::UNKNOWN_LEVEL, &name.at, headline).help(help));
        }
        found.and_then(|index| u16::try_from(index).ok())
    }
}
