//! Tasks and events that a step expects: of all its subjects together, or of one.

use tierd_model::{Date, Key, Type, Value};

use super::{CaseChecking, Cast, StepWritten};
use crate::{
    cases::{ActsOf, ExpectedEvent, ExpectedTask, Who},
    code,
    fileset::Location,
    raw::{
        At,
        cases::{EventEntry, TaskEntry, Told},
        values::Constant,
    },
};

impl CaseChecking<'_> {
    /// The tasks that a step expects.
    pub(super) fn tasks(&mut self, cast: &Cast, step: &StepWritten<'_>) -> Option<Vec<ActsOf<ExpectedTask>>> {
        let mut out = vec![];
        for (who, told) in self.tellers(step) {
            let Some(written) = &told.expect_tasks else { continue };
            let all = written.value.iter().flatten().filter_map(|entry| entry.value.as_ref());
            let all: Vec<_> = all.map(|entry| self.task(cast, entry)).collect();
            out.push(all.into_iter().collect::<Option<_>>().map(|all| ActsOf { who, all, at: written.at.clone() }));
        }
        out.into_iter().collect()
    }

    /// The events that a step expects.
    pub(super) fn events(&mut self, cast: &Cast, step: &StepWritten<'_>) -> Option<Vec<ActsOf<ExpectedEvent>>> {
        let mut out = vec![];
        for (who, told) in self.tellers(step) {
            let Some(written) = &told.expect_events else { continue };
            let all = written.value.iter().flatten().filter_map(|entry| entry.value.as_ref());
            let all: Vec<_> = all.map(|entry| self.event(cast, entry)).collect();
            out.push(all.into_iter().collect::<Option<_>>().map(|all| ActsOf { who, all, at: written.at.clone() }));
        }
        out.into_iter().collect()
    }

    /// Where a step may expect something: of all subjects, and of each of several. What is wrong with these is reported elsewhere.
    fn tellers<'a>(&self, step: &StepWritten<'a>) -> Vec<(Option<Who>, &'a Told)> {
        let mut out = vec![(None, step.told)];
        let kinds = step.subjects.and_then(|subjects| subjects.value.as_ref());
        for (name, entries) in kinds.into_iter().flat_map(|kinds| &kinds.0) {
            let Some(subject) = self.rules.config.subjects.iter().position(|subject| subject.name == name.text) else {
                continue;
            };
            let subject = crate::SubjectId(subject);
            for entry in entries.value.iter().flatten().filter_map(|entry| entry.value.as_ref()) {
                if let Some(key) = self.known_key(&entry.key, subject) {
                    out.push((Some(Who { subject, key }), &entry.told));
                }
            }
        }
        out
    }

    fn task(&mut self, cast: &Cast, entry: &TaskEntry) -> Option<ExpectedTask> {
        let rule = entry.rule.as_ref().map(|rule| self.rule(rule));
        let key = self.acted_on(cast, entry.key.as_ref());
        let due = entry.due.as_ref().map(|due| self.due(due));
        Some(ExpectedTask {
            rule: transposed(rule)?,
            key: key?,
            title: text(entry.title.as_ref())?,
            owner: text(entry.owner.as_ref())?,
            channel: text(entry.channel.as_ref())?,
            text: text(entry.text.as_ref())?,
            due: transposed(due)?,
            escalated: At::value_or(entry.escalated.as_ref(), None, |is| Some(*is))?,
        })
    }

    fn event(&mut self, cast: &Cast, entry: &EventEntry) -> Option<ExpectedEvent> {
        let rule = entry.rule.as_ref().map(|rule| self.rule(rule));
        let key = self.acted_on(cast, entry.key.as_ref());
        Some(ExpectedEvent {
            rule: transposed(rule)?,
            key: key?,
            event: text(entry.event.as_ref())?,
            data: At::value_or(entry.data.as_ref(), Default::default(), |data| data.0.clone())?,
        })
    }

    fn due(&mut self, written: &At<Constant>) -> Option<Option<Date>> {
        match self.value(written, Type::Date, "`due`")? {
            Some(Value::Date(date)) => Some(Some(date)),
            _ => Some(None),
        }
    }

    /// The key of one of the case's subjects; `Some(None)` where none is written.
    fn acted_on(&mut self, cast: &Cast, written: Option<&At<Constant>>) -> Option<Option<Key>> {
        let Some(written) = written else {
            return Some(None);
        };
        let found = cast.all.iter().find(|who| self.known_key(written, who.subject).as_ref() == Some(&who.key));
        if found.is_none() {
            self.nobody(&written.at, cast);
        }
        found.map(|who| Some(who.key.clone()))
    }

    fn nobody(&mut self, at: &Location, cast: &Cast) {
        let keys: Vec<String> = cast.all.iter().map(|who| who.key.to_string()).collect();
        let help = format!("its subjects have the keys {}", keys.join(", "));
        self.error(code::UNKNOWN_NAME, at, "the case has no subject of this key", help);
    }
}

/// A text that may be absent: `None` where it couldn't be read.
fn text(written: Option<&At<String>>) -> Option<Option<String>> {
    At::value_or(written, None, |text| Some(text.clone()))
}

/// `None` where something was written and couldn't be read.
fn transposed<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}
