//! One digest over everything that a run says: whether a run that is made again says the same.

use sha2::{Digest, Sha256};
use tierd_model::{Date, Timestamp};

use crate::{
    decisions::{SetDecisions, StateRow, hash_in_blocks},
    error::{At, Result},
    hold::HoldDigest,
    key::KeyRef,
    reader::Reader,
    retention::{ActRow, NewTask, Outgoing, RuleDecisions, RuleState, RuleStateRow},
};

impl Reader {
    /// SHA-256 over everything that a run would write about levels, states and actions, on top of what is held now: keys, the levels
    /// before and after, what is remembered from then on, actions with what goes out. Metrics and reasons of changes follow from
    /// the same data, and aren't hashed.
    ///
    /// # Errors
    /// [`crate::ErrorKind`] where what is held can't be read, or the decisions contradict themselves.
    pub fn digest(
        &self,
        as_of: Timestamp,
        sets: &[SetDecisions<'_>],
        rules: &[RuleDecisions<'_>],
    ) -> Result<HoldDigest> {
        let mut all = Written::default();
        all.number(as_of.0);
        all.number(sets.len() as i64);
        for set in sets {
            set.check().at(self.path())?;
            all.0.update(set.digest());
            let held = self.held_levels(set.name, set.keys, set.levels)?;
            hash_in_blocks(&mut all.0, &held, |level| level.to_le_bytes());
            all.list(set.states, Written::standing);
        }
        all.number(rules.len() as i64);
        for rule in rules {
            rule.check().at(self.path())?;
            all.text(rule.rule);
            all.number(i64::from(rule.shadow));
            all.list(Some(rule.states), |all, row| {
                all.key(rule.keys.get(row.subject as usize));
                all.remembered(row);
            });
            all.list(Some(rule.acts), |all, act| {
                all.text(&rule.action_code(as_of, act));
                all.act(act);
            });
        }
        Ok(HoldDigest(all.0.finalize().into()))
    }
}

/// What is hashed, each part with its length or marked where it is absent, so that no two lists of parts are the same bytes.
#[derive(Default)]
struct Written(Sha256);

impl Written {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.update(text);
    }

    fn key(&mut self, key: KeyRef<'_>) {
        match key {
            KeyRef::Integer(key) => self.number(key),
            KeyRef::Text(key) => self.text(key),
        }
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.number(i64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, list: Option<&[T]>, mut write: impl FnMut(&mut Self, &T)) {
        self.optional(list, |all, list| {
            all.number(list.len() as i64);
            list.iter().for_each(|item| write(all, item));
        });
    }

    fn day(&mut self, day: Option<Date>) {
        self.optional(day, |all, day| all.number(day.0.into()));
    }

    fn time(&mut self, at: Option<Timestamp>) {
        self.optional(at, |all, at| all.number(at.0));
    }

    fn words(&mut self, words: Option<&String>) {
        self.optional(words, |all, words| all.text(words));
    }

    fn standing(&mut self, row: &StateRow) {
        let StateRow { subject, policy, below_since, locked_until, decided } = *row;
        self.number(subject.into());
        self.number(policy.into());
        [below_since, locked_until, decided].into_iter().for_each(|day| self.day(day));
    }

    fn remembered(&mut self, row: &RuleStateRow) {
        let RuleState { entered, acted, last_acted, occurrence } = row.state;
        self.time(entered);
        self.number(acted.into());
        self.time(last_acted);
        self.day(occurrence);
    }

    fn act(&mut self, act: &ActRow) {
        self.text(act.kind.name());
        self.number(act.entered.0);
        self.optional(act.outgoing.as_ref(), |all, outgoing| match outgoing {
            Outgoing::Task(task) => all.task(task),
            Outgoing::Event { name, data } => {
                all.text("event");
                all.text(name);
                all.text(data);
            }
        });
    }

    fn task(&mut self, task: &NewTask) {
        let NewTask { title, owner, channel, text, due, escalate } = task;
        self.text("task");
        self.text(title);
        [owner, channel, text].into_iter().for_each(|words| self.words(words.as_ref()));
        self.day(*due);
        self.optional(escalate.as_ref(), |all, (on, to)| {
            all.number(on.0.into());
            all.text(to);
        });
    }
}
