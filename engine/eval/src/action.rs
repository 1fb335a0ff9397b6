//! What a retention rule asks to be done for one subject: its templates, filled in.
//!
//! Personal values are masked, as wherever values leave tierd. What is NULL or absent leaves an empty place.

use serde_json::{Map, Value as Json};
use tierd_model::{CalendarSpan, Clock, Date, Decimal, Key, Value};
use tierd_rules::{
    Level, MetricId, RetentionRule, RuleSet,
    retention::{Action as ActionRule, EventAction, EventValue, Part, TaskAction, Template},
};

use crate::{
    columns::value_at,
    evaluate::{Outcome, SubjectOutcome},
    plugin::ProposedAction,
    retention::RuleOutcome,
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Somebody has to do something.
    Task(Task),
    /// Another system is told.
    Event(Event),
}

/// Something to be done by somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What: `call 王*`.
    pub title: String,
    /// By whom.
    pub owner: Option<String>,
    /// By which channel.
    pub channel: Option<String>,
    /// Details.
    pub text: Option<String>,
    /// The day by which it is due.
    pub due: Option<Date>,
    /// What happens if it isn't done.
    pub escalation: Option<Escalation>,
}

/// Whose task it becomes if it isn't done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// From this day on: so long after it was due (after it was made, if it is never due).
    pub on: Date,
    /// Whose.
    pub to: String,
}

/// News for another system.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its kind: `coupon`.
    pub name: String,
    /// What goes with it.
    pub data: Map<String, Json>,
}

/// Fills in the actions of one rule.
pub struct Actions<'a> {
    rules: &'a RuleSet,
    rule: &'a RetentionRule,
    planned: &'a [(u32, ProposedAction)],
    of: &'a SubjectOutcome,
    /// Of the set whose level gives strategy and benefits, by subject.
    levels: Option<(&'a [Level], &'a [u16])>,
    personal: Vec<bool>,
    clock: &'a Clock,
}

impl<'a> Actions<'a> {
    /// Those that a rule decided on; `None` if its subjects weren't given to the evaluation.
    pub fn new(rules: &'a RuleSet, decided: &'a RuleOutcome, outcome: &'a Outcome, clock: &'a Clock) -> Option<Self> {
        let rule = &rules.retention[decided.rule.0];
        let of = outcome.subject(rule.subject)?;
        let levels =
            rule.strategy_of.map(|set| (&rules.tier_sets[set.0].levels[..], &outcome.sets[set.0].settled.held[..]));
        Some(Actions { rules, rule, planned: &decided.planned, of, levels, personal: rules.personal(), clock })
    }

    /// What is to be done for a subject, by its index, on whom the rule acts: one thing, or as many as a planner proposes.
    pub fn of(&self, subject: u32) -> Vec<Action> {
        match &self.rule.action {
            ActionRule::Task(task) => vec![Action::Task(self.task(task, subject as usize))],
            ActionRule::Event(event) => vec![Action::Event(self.event(event, subject as usize))],
            ActionRule::Planned(_) => {
                let first = self.planned.partition_point(|(of, _)| *of < subject);
                let theirs = self.planned[first..].iter().take_while(|(of, _)| *of == subject);
                theirs.map(|(_, proposed)| self.proposed(proposed)).collect()
            }
        }
    }

    fn proposed(&self, proposed: &ProposedAction) -> Action {
        match proposed.clone() {
            ProposedAction::Task { title, owner, channel, text, due_days } => {
                let due = due_days.map(|days| CalendarSpan::days(days as i32).add_to(self.clock.today()));
                Action::Task(Task { title, owner, channel, text, due, escalation: None })
            }
            ProposedAction::Event { name, data } => Action::Event(Event { name, data }),
        }
    }

    fn task(&self, task: &TaskAction, subject: usize) -> Task {
        let optional = |template: &Option<Template>| {
            let text = template.as_ref().map(|template| self.text(template, subject));
            text.filter(|text| !text.is_empty())
        };
        let due = task.due.map(|span| span.add_to(self.clock.today()));
        Task {
            title: self.text(&task.title, subject),
            owner: optional(&task.owner),
            channel: optional(&task.channel),
            text: optional(&task.text),
            due,
            escalation: task.escalate.as_ref().map(|escalate| Escalation {
                on: escalate.after.add_to(due.unwrap_or(self.clock.today())),
                to: self.text(&escalate.to, subject),
            }),
        }
    }

    fn event(&self, event: &EventAction, subject: usize) -> Event {
        Event { name: self.text(&event.name, subject), data: self.data(&event.data, subject) }
    }

    fn data(&self, named: &[(String, EventValue)], subject: usize) -> Map<String, Json> {
        named.iter().map(|(name, value)| (name.clone(), self.datum(value, subject))).collect()
    }

    fn datum(&self, value: &EventValue, subject: usize) -> Json {
        match value {
            EventValue::Json(json) => json.clone(),
            EventValue::List(all) => all.iter().map(|value| self.datum(value, subject)).collect(),
            EventValue::Table(named) => Json::Object(self.data(named, subject)),
            EventValue::Template(template) => match &template.parts[..] {
                [part] if !matches!(part, Part::Text(_)) => self.json(part, subject),
                _ => Json::String(self.text(template, subject)),
            },
        }
    }

    fn text(&self, template: &Template, subject: usize) -> String {
        template.parts.iter().map(|part| self.words(part, subject)).collect()
    }

    /// What stands in a place of a text for people: without zeros that only a type's digits ask for.
    fn words(&self, part: &Part, subject: usize) -> String {
        if let Part::Metric(metric) = part
            && let Some(Value::Decimal(number)) = self.value(*metric, subject)
            && !self.personal[metric.0]
        {
            return shortened(number).to_string();
        }
        match self.json(part, subject) {
            Json::Null => String::new(),
            Json::String(text) => text,
            other => other.to_string(),
        }
    }

    /// The value in a place: integers and truths as JSON has them, other values as text, so that decimals stay exact.
    fn json(&self, part: &Part, subject: usize) -> Json {
        match part {
            Part::Text(text) => Json::String(text.clone()),
            Part::Key => match (self.of.key)(subject) {
                Key::Integer(key) => key.into(),
                Key::Text(key) => Json::String(key.into()),
            },
            Part::Metric(metric) => self.metric(*metric, subject),
            Part::Strategy(key) => self.level(subject).and_then(|level| level.strategy.get(key)).cloned().into(),
            Part::Benefit(key) => self.level(subject).and_then(|level| level.benefits.get(key)).cloned().into(),
        }
    }

    fn level(&self, subject: usize) -> Option<&'a Level> {
        let (levels, held) = self.levels?;
        levels.get(usize::from(held[subject]))
    }

    fn value(&self, metric: MetricId, subject: usize) -> Option<Value> {
        let column = self.of.metrics.columns[metric.0].as_ref()?;
        value_at(column, self.rules.metrics[metric.0].ty, subject)
    }

    fn metric(&self, metric: MetricId, subject: usize) -> Json {
        match self.value(metric, subject) {
            None => Json::Null,
            Some(value) if self.personal[metric.0] => Json::String(value.masked()),
            Some(Value::Integer(number)) => number.into(),
            Some(Value::Bool(truth)) => truth.into(),
            Some(value) => Json::String(value.to_string()),
        }
    }
}

/// Without zeros at the end, but for the two digits that money has: `82.500000` is `82.50`, `8000.00` stays.
fn shortened(number: Decimal) -> Decimal {
    let mut short = number;
    while short.scale > 2 && short.units % 10 == 0 {
        (short.units, short.scale) = (short.units / 10, short.scale - 1);
    }
    short
}

#[cfg(test)]
mod tests;
