//! What retention rules do in a step: new tasks and events, and tasks that pass to somebody else because nobody did them.

use serde_json::{Map, Value as Json};
use tierd_eval::{
    action::{Action, Actions, Escalation, Task},
    evaluate::Outcome,
    retention::ActKind,
};
use tierd_model::{Clock, Key};
use tierd_rules::{
    RuleId, RuleSet,
    cases::{ExpectedEvent, ExpectedTask, Who},
};

/// A task that a step made, or handed on.
#[derive(Debug, Clone)]
pub(crate) struct FoundTask {
    pub(crate) rule: RuleId,
    pub(crate) who: Who,
    task: Task,
    escalated: bool,
}

/// An event that a step made.
#[derive(Debug, Clone)]
pub(crate) struct FoundEvent {
    pub(crate) rule: RuleId,
    pub(crate) who: Who,
    name: String,
    data: Map<String, Json>,
}

/// Tasks that nobody has done yet.
#[derive(Debug, Default)]
pub(crate) struct OpenTasks(Vec<FoundTask>);

/// What a step did.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    pub(crate) tasks: Vec<FoundTask>,
    pub(crate) events: Vec<FoundEvent>,
}

impl OpenTasks {
    /// The tasks of these rules have been done.
    pub(crate) fn done(&mut self, rules: &[RuleId]) {
        self.0.retain(|open| !rules.contains(&open.rule));
    }

    /// What a run does: tasks are handed on first, then its own are made.
    pub(crate) fn acts(&mut self, rules: &RuleSet, outcome: &Outcome, clock: &Clock) -> Acts {
        let mut acts = Acts { tasks: self.escalate(clock), events: Vec::new() };
        for of in &outcome.rules {
            let subject = rules.retention[of.rule.0].subject;
            let Some(actions) = Actions::new(rules, of, outcome, clock) else { continue };
            let Some(subjects) = outcome.subject(subject) else { continue };
            // Who is held out or only watched gets nothing.
            for act in of.acts.iter().filter(|act| act.kind == ActKind::Acted) {
                let who = Who { subject, key: (subjects.key)(act.subject as usize) };
                for action in actions.of(act.subject) {
                    self.act(of.rule, &who, action, &mut acts);
                }
            }
        }
        acts
    }

    fn act(&mut self, rule: RuleId, who: &Who, action: Action, acts: &mut Acts) {
        let who = who.clone();
        match action {
            Action::Task(task) => {
                let found = FoundTask { rule, who, task, escalated: false };
                self.0.push(found.clone());
                acts.tasks.push(found);
            }
            Action::Event(event) => {
                acts.events.push(FoundEvent { rule, who, name: event.name, data: event.data });
            }
        }
    }

    /// Hands on, once, what should have been done long ago.
    fn escalate(&mut self, clock: &Clock) -> Vec<FoundTask> {
        let mut handed_on = Vec::new();
        for open in &mut self.0 {
            if let Some(Escalation { to, .. }) =
                open.task.escalation.take_if(|escalation| escalation.on <= clock.today())
            {
                open.task.owner = Some(to);
                open.escalated = true;
                handed_on.push(open.clone());
            }
        }
        handed_on
    }
}

/// What can be compared with what is expected, and shown.
pub(crate) trait Found {
    type Expected;

    fn who(&self) -> &Who;

    /// Whether it is as expected, as far as anything is.
    fn is(&self, expected: &Self::Expected) -> bool;

    /// On one line.
    fn shown(&self, rules: &RuleSet) -> String;

    fn expected(expected: &Self::Expected, rules: &RuleSet) -> String;
}

impl Found for FoundTask {
    type Expected = ExpectedTask;

    fn who(&self) -> &Who {
        &self.who
    }

    fn is(&self, expected: &ExpectedTask) -> bool {
        let text = |expected: &Option<String>, found: Option<&String>| {
            expected.as_ref().is_none_or(|text| text.as_str() == found.map_or("", String::as_str))
        };
        expected.rule.is_none_or(|rule| rule == self.rule)
            && expected.key.as_ref().is_none_or(|key| *key == self.who.key)
            && text(&expected.title, Some(&self.task.title))
            && text(&expected.owner, self.task.owner.as_ref())
            && text(&expected.channel, self.task.channel.as_ref())
            && text(&expected.text, self.task.text.as_ref())
            && expected.due.is_none_or(|due| due == self.task.due)
            && expected.escalated.is_none_or(|escalated| escalated == self.escalated)
    }

    fn shown(&self, rules: &RuleSet) -> String {
        let mut parts = Parts::new(rules, Some(self.rule), Some(&self.who.key));
        parts.text("title", Some(&self.task.title));
        parts.text("owner", self.task.owner.as_ref());
        parts.text("channel", self.task.channel.as_ref());
        parts.text("text", self.task.text.as_ref());
        parts.plain("due", self.task.due);
        parts.plain("escalated", self.escalated.then_some(true));
        parts.line()
    }

    fn expected(expected: &ExpectedTask, rules: &RuleSet) -> String {
        let mut parts = Parts::new(rules, expected.rule, expected.key.as_ref());
        parts.text("title", expected.title.as_ref());
        parts.text("owner", expected.owner.as_ref());
        parts.text("channel", expected.channel.as_ref());
        parts.text("text", expected.text.as_ref());
        parts.plain("due", expected.due.map(|due| due.map_or_else(|| "null".to_owned(), |due| due.to_string())));
        parts.plain("escalated", expected.escalated);
        parts.line()
    }
}

impl Found for FoundEvent {
    type Expected = ExpectedEvent;

    fn who(&self) -> &Who {
        &self.who
    }

    fn is(&self, expected: &ExpectedEvent) -> bool {
        expected.rule.is_none_or(|rule| rule == self.rule)
            && expected.key.as_ref().is_none_or(|key| *key == self.who.key)
            && expected.event.as_ref().is_none_or(|name| *name == self.name)
            && expected.data.iter().all(|(key, value)| self.data.get(key) == Some(value))
    }

    fn shown(&self, rules: &RuleSet) -> String {
        let mut parts = Parts::new(rules, Some(self.rule), Some(&self.who.key));
        parts.text("event", Some(&self.name));
        parts.plain("data", Some(Json::Object(self.data.clone())));
        parts.line()
    }

    fn expected(expected: &ExpectedEvent, rules: &RuleSet) -> String {
        let mut parts = Parts::new(rules, expected.rule, expected.key.as_ref());
        parts.text("event", expected.event.as_ref());
        let data = Some(&expected.data).filter(|data| !data.is_empty());
        parts.plain("data", data.map(|data| Json::Object(data.clone())));
        parts.line()
    }
}

/// `rule = "call", key = 1, owner = "sales"`: what there is, as a test would write it.
struct Parts(Vec<String>);

impl Parts {
    fn new(rules: &RuleSet, rule: Option<RuleId>, key: Option<&Key>) -> Self {
        let mut parts = Parts(Vec::new());
        parts.text("rule", rule.map(|rule| &rules.retention[rule.0].name));
        match key {
            Some(Key::Text(key)) => parts.text("key", Some(&key.to_string())),
            key => parts.plain("key", key),
        }
        parts
    }

    fn text(&mut self, name: &str, value: Option<&String>) {
        self.0.extend(value.map(|value| format!("{name} = {value:?}")));
    }

    fn plain(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        self.0.extend(value.map(|value| format!("{name} = {value}")));
    }

    fn line(self) -> String {
        if self.0.is_empty() { "anything".to_owned() } else { self.0.join(", ") }
    }
}
