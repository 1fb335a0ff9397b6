//! Whether retention rules work: what the ledger says they did, beside what the database says came of it.
//!
//! ```text
//! ledger: actions ─► the first one on each subject ─► sources: facts of the goal ─► tierd_eval::effect
//! ```

use std::collections::BTreeMap;

use tierd_eval::effect::{Effect, FirstAction, effect};
use tierd_ledger::{ActKind, Action, Reader};
use tierd_model::{Key, KeyType, Timestamp};
use tierd_rules::{RetentionRule, RuleSet, retention::Goal};
use tierd_sources::{FactsAfter, Keys, facts_after};

use crate::{
    Project,
    evaluate::{EvaluateError, Evaluator, open},
};

/// A rule that acted, and on whom.
struct Acted<'a> {
    goal: &'a Goal,
    keys: Keys,
    /// In the order of the keys.
    first: Vec<FirstAction>,
}

/// The effect of each of these rules as of the evaluator's clock, in their order; `None` for a rule without goal. All on one
/// snapshot of the database. What was only watched is no action; actions decided after `as_of` are left out.
///
/// # Errors
/// [`EvaluateError`] where the ledger or the database can't be read.
pub fn effects(
    project: &Project,
    rules: &RuleSet,
    of: &[&RetentionRule],
    ledger: &Reader,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Option<Effect>>, EvaluateError> {
    let acted = of.iter().map(|rule| Acted::read(rules, rule, ledger, evaluator.clock.as_of()));
    let acted = acted.collect::<Result<Vec<Option<Acted<'_>>>, _>>()?;
    let questions: Vec<FactsAfter<'_>> = acted.iter().flatten().map(Acted::question).collect();
    let database = open(project.database(&rules.config))?;
    let (clock, options) = (evaluator.clock, evaluator.options);
    let mut answers = facts_after(&database, rules, &questions, clock, options, evaluator.progress)?.into_iter();
    let mut effects = Vec::with_capacity(acted.len());
    for acted in acted {
        // There is an answer for each rule with a goal.
        effects.push(acted.map(|acted| {
            let goals = answers.next().unwrap_or_default();
            effect(&acted.first, &goals, acted.goal.within, clock)
        }));
    }
    Ok(effects)
}

impl<'a> Acted<'a> {
    /// `None` without a goal.
    fn read(
        rules: &RuleSet,
        rule: &'a RetentionRule,
        ledger: &Reader,
        as_of: Timestamp,
    ) -> Result<Option<Self>, tierd_ledger::Error> {
        let Some(goal) = &rule.goal else { return Ok(None) };
        let actions = ledger.actions(&rule.name)?;
        let key_type = rules.config.subjects[rule.subject.0].key_type;
        let (keys, first) = first_actions(actions.into_iter().filter(|action| action.as_of <= as_of), key_type);
        Ok(Some(Acted { goal, keys, first }))
    }

    fn question(&self) -> FactsAfter<'_> {
        let after = self.first.iter().map(|action| action.at).min().unwrap_or(Timestamp(0));
        FactsAfter { facts: self.goal.facts, keys: &self.keys, filter: self.goal.filter.as_ref(), after }
    }
}

/// The earliest action on each subject that was more than watched, by key, ascending. Subjects whose keys had another type once are
/// not those that the database knows now, and are left out.
fn first_actions(actions: impl Iterator<Item = Action>, key_type: KeyType) -> (Keys, Vec<FirstAction>) {
    let mut first: BTreeMap<Key, FirstAction> = BTreeMap::new();
    for action in actions {
        let is_of_type =
            matches!((&action.key, key_type), (Key::Integer(_), KeyType::Integer) | (Key::Text(_), KeyType::Text));
        if action.kind == ActKind::Shadow || !is_of_type {
            continue;
        }
        let this = FirstAction { at: action.as_of, held_out: action.kind == ActKind::HeldOut };
        let known = first.entry(action.key).or_insert(this);
        if this.at < known.at {
            *known = this;
        }
    }
    let (keys, first): (Vec<Key>, Vec<FirstAction>) = first.into_iter().unzip();
    (Keys::sorted(keys, key_type), first)
}

#[cfg(test)]
mod tests {
    use tierd_ledger::RunId;

    use super::*;

    #[test]
    fn of_several_actions_the_first_counts_and_what_was_watched_does_not() {
        let action = |key: Key, kind, at| Action {
            id: String::new(),
            key,
            kind,
            as_of: Timestamp(at),
            run: RunId(1),
            entered: Timestamp(0),
            occurrence: None,
        };
        let of = |key, kind, at| action(Key::Integer(key), kind, at);
        let actions = [
            of(7, ActKind::HeldOut, 20),
            of(7, ActKind::Acted, 30),
            of(3, ActKind::Shadow, 5),
            of(3, ActKind::Acted, 40),
            of(3, ActKind::HeldOut, 10),
            of(9, ActKind::Shadow, 5),
            action(Key::Text("x".into()), ActKind::Acted, 5),
        ];
        let (keys, first) = first_actions(actions.into_iter(), KeyType::Integer);
        assert_eq!(keys, Keys::Integer(vec![3, 7]));
        let held_out = |at| FirstAction { at: Timestamp(at), held_out: true };
        assert_eq!(first, [held_out(10), held_out(20)]);
    }
}
