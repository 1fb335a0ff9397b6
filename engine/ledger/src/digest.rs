//! One digest over everything that a run says: whether a run that is made again says the same.

use sha2::{Digest, Sha256};
use tierd_model::{Date, Timestamp};

use crate::{
    decisions::SetDecisions,
    error::{At, Result},
    hold::HoldDigest,
    key::KeyRef,
    reader::{Reader, Standing},
    retention::{ActRow, NewTask, Outgoing, RuleDecisions, RuleState, RuleStateRow},
};

impl Reader {
    /// SHA-256 over everything that a run would write about levels, states and actions, on top of what is held now: changes of level with
    /// the level before, what is remembered from then on, actions with what goes out. Metrics and reasons of changes follow from the
    /// same data, and aren't hashed.
    ///
    /// The first level of a subject isn't hashed either, unless it is the first time that anybody gets one in its set: new subjects may
    /// come at any moment, and nobody had to be asked about theirs.
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
            all.set(set, &self.standings(set.name, set.keys, set.levels)?);
        }
        all.number(rules.len() as i64);
        for rule in rules {
            rule.check().at(self.path())?;
            all.rule(rule, as_of);
        }
        Ok(HoldDigest(all.0.finalize().into()))
    }
}

/// What is hashed: each part with its length or a mark, so that no two lists of parts are the same bytes.
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

    /// One of a list that isn't counted beforehand.
    fn item(&mut self, what: &str, key: KeyRef<'_>) {
        self.text(what);
        self.key(key);
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

    fn day(&mut self, day: Option<Date>) {
        self.optional(day, |all, day| all.number(day.0.into()));
    }

    fn time(&mut self, at: Option<Timestamp>) {
        self.optional(at, |all, at| all.number(at.0));
    }

    fn words(&mut self, words: Option<&String>) {
        self.optional(words, |all, words| all.text(words));
    }

    fn set(&mut self, set: &SetDecisions<'_>, held: &[Standing]) {
        self.text(set.name);
        let is_first = held.iter().all(|held| *held == Standing::NOTHING);
        let counts = |subject: usize| is_first || held[subject] != Standing::NOTHING;
        let level = |level: u16| set.levels.get(usize::from(level)).copied().unwrap_or("");
        for (subject, (was, &now)) in held.iter().zip(set.assigned).enumerate() {
            if was.level != now && counts(subject) {
                self.item("change", set.keys.get(subject));
                self.text(level(was.level));
                self.text(level(now));
            }
        }
        self.optional(set.states, |all, states| {
            for row in states.iter().filter(|row| counts(row.subject as usize)) {
                all.item("state", set.keys.get(row.subject as usize));
                all.text(level(row.policy));
                [row.below_since, row.locked_until, row.decided].into_iter().for_each(|day| all.day(day));
            }
        });
    }

    fn rule(&mut self, rule: &RuleDecisions<'_>, as_of: Timestamp) {
        self.text(rule.rule);
        self.number(rule.shadow.into());
        self.number(rule.states.len() as i64);
        for row in rule.states {
            self.key(rule.keys.get(row.subject as usize));
            self.remembered(row);
        }
        self.number(rule.acts.len() as i64);
        for act in rule.acts {
            // What goes out has ids that follow from the first.
            self.text(&rule.action_code(as_of, act, 0));
            self.act(act);
        }
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
        self.number(act.outgoing.len() as i64);
        for outgoing in &act.outgoing {
            match outgoing {
                Outgoing::Task(task) => self.task(task),
                Outgoing::Event { name, data } => {
                    self.text("event");
                    self.text(name);
                    self.text(data);
                }
            }
        }
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
