//! What a step tells of its subjects: attributes, given metrics, facts.

use std::sync::Arc;

use tierd_model::{CalendarSpan, Clock, Value};

use super::{CaseChecking, Cast, StepWritten, is_key};
use crate::{
    FactsId, MetricId,
    cases::{CaseStep, Fact, Told, Who},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At, Name, Named,
        cases::{self as written, FactEntry, SubjectEntry, Values},
    },
};

/// More facts than anyone writes by hand; a bound for time and memory.
const MAX_TIMES: u16 = 10_000;

impl CaseChecking<'_> {
    /// What is told of every subject in one step.
    pub(super) fn told(&mut self, cast: &Cast, step: &StepWritten<'_>) -> Option<Vec<Told>> {
        match &cast.only {
            Some(who) => {
                if let Some(subjects) = step.subjects {
                    let help = "write what changes of it as `subject = { … }`";
                    self.error(code::CONFLICTING_KEYS, &subjects.at, "this case has one subject", help);
                }
                let attributes = step.subject.and_then(|subject| subject.value.as_ref());
                self.told_of(who, attributes, step.told).map(|told| vec![told])
            }
            None => self.told_of_several(cast, step),
        }
    }

    fn told_of_several(&mut self, cast: &Cast, step: &StepWritten<'_>) -> Option<Vec<Told>> {
        self.nothing_of_one(step);
        let mut all = vec![];
        let kinds = step.subjects.and_then(|subjects| subjects.value.as_ref());
        for (name, entries) in kinds.iter().flat_map(|kinds| &kinds.0) {
            for entry in entries.value.iter().flatten() {
                let told = entry.value.as_ref().and_then(|table| self.told_in_entry(cast, name, table));
                all.push(told);
            }
        }
        all.into_iter().collect()
    }

    fn told_in_entry(&mut self, cast: &Cast, kind: &Name, entry: &SubjectEntry) -> Option<Told> {
        let subject = self.subject(&kind.text, &kind.at)?;
        let who = Who { subject, key: self.key(&entry.key, subject)? };
        if !cast.all.contains(&who) {
            let headline = format!("the case has no {} with the key {}", kind.text, who.key);
            self.error(code::UNKNOWN_NAME, &entry.key.at, headline, "subjects are all there from the first run on");
            return None;
        }
        self.told_of(&who, Some(&entry.attributes), &entry.told)
    }

    /// In a case of several subjects everything but tasks and events stands with one of them.
    fn nothing_of_one(&mut self, step: &StepWritten<'_>) {
        let told = step.told;
        let places = [
            step.subject.map(|written| &written.at),
            told.metrics.as_ref().map(|written| &written.at),
            told.facts.as_ref().map(|written| &written.at),
            told.expect.as_ref().map(|written| &written.at),
            told.expect_metrics.as_ref().map(|written| &written.at),
            told.expect_moves.as_ref().map(|written| &written.at),
            told.expect_reason.as_ref().map(|written| &written.at),
            told.explain.as_ref().map(|written| &written.at),
        ];
        for at in places.into_iter().flatten() {
            let headline = "this case has several subjects, and this says of none which one is meant";
            self.error(code::AMBIGUOUS_SUBJECT, at, headline, "write it with one of `[[case.subjects.NAME]]`");
        }
    }

    fn told_of(&mut self, who: &Who, attributes: Option<&Values>, told: &written::Told) -> Option<Told> {
        let attributes = self.attributes(who, attributes);
        let metrics = self.metrics_of(who, told.metrics.as_ref());
        let facts = self.facts_of(who, told.facts.as_ref());
        let expect = self.expectations(who, told);
        Some(Told { who: who.clone(), attributes: attributes?, metrics: metrics?, facts: facts?, expect: expect? })
    }

    fn attributes(&mut self, who: &Who, written: Option<&Values>) -> Option<Vec<(usize, Option<Value>)>> {
        let rules = self.rules;
        let subject = &rules.config.subjects[who.subject.0];
        let mut out = vec![];
        for (name, value) in written.iter().flat_map(|values| &values.0).filter(|(name, _)| !is_key(name)) {
            let found = subject.attributes.iter().position(|column| column.name == name.text);
            if found.is_none() {
                let headline = format!("subject `{}` has no attribute `{}`", subject.name, name.text);
                let known = subject.attributes.iter().map(|column| column.name.as_str());
                self.unknown(code::UNKNOWN_NAME, headline, &name.text, &name.at, known);
            }
            let value = found.and_then(|index| {
                let what = format!("attribute `{}`", name.text);
                self.value(value, subject.attributes[index].ty, &what).map(|value| (index, value))
            });
            out.push(value);
        }
        out.into_iter().collect()
    }

    /// Metrics of a subject with values.
    pub(super) fn metrics_of(
        &mut self,
        who: &Who,
        written: Option<&At<Values>>,
    ) -> Option<Vec<(MetricId, Option<Value>)>> {
        let mut out = vec![];
        for (name, value) in written.and_then(|values| values.value.as_ref()).iter().flat_map(|values| &values.0) {
            let found = self.metric(who, name);
            let value = found.and_then(|id| {
                let (ty, what) = (self.rules.metrics[id.0].ty, format!("metric `{}`", name.text));
                self.value(value, ty, &what).map(|value| (id, value))
            });
            out.push(value);
        }
        out.into_iter().collect()
    }

    fn metric(&mut self, who: &Who, name: &Name) -> Option<MetricId> {
        let rules = self.rules;
        if let Some((id, _)) = rules.metric_of(who.subject, &name.text) {
            return Some(id);
        }
        let kind = &rules.config.subjects[who.subject.0].name;
        if let Some((_, metric)) = rules.metric(&name.text) {
            let owner = &rules.config.subjects[metric.subject.0].name;
            let headline = format!("`{}` is a metric of `{owner}`, not of `{kind}`", name.text);
            self.error(code::WRONG_SUBJECT, &name.at, headline, format!("write it with a subject of `{owner}`"));
            return None;
        }
        let known = rules.metrics.iter().filter(|metric| metric.subject == who.subject);
        let known = known.map(|metric| metric.name.as_str());
        self.unknown(code::UNKNOWN_NAME, format!("no metric `{}`", name.text), &name.text, &name.at, known);
        None
    }

    fn facts_of(&mut self, who: &Who, written: Option<&At<Named<Vec<At<FactEntry>>>>>) -> Option<Vec<Fact>> {
        let mut good = true;
        let mut out = vec![];
        for (name, entries) in written.and_then(|facts| facts.value.as_ref()).iter().flat_map(|facts| &facts.0) {
            let Some(facts) = self.facts_named(who, name) else {
                good = false;
                continue;
            };
            for entry in entries.value.iter().flatten() {
                match entry.value.as_ref().and_then(|table| self.repeated(facts, table, &entry.at)) {
                    Some(facts) => out.extend(facts),
                    None => good = false,
                }
            }
        }
        good.then_some(out)
    }

    fn facts_named(&mut self, who: &Who, name: &Name) -> Option<FactsId> {
        let rules = self.rules;
        let Some(index) = rules.config.facts.iter().position(|facts| facts.name == name.text) else {
            let known = rules.config.facts.iter().map(|facts| facts.name.as_str());
            self.unknown(code::UNKNOWN_FACTS, format!("no facts `{}`", name.text), &name.text, &name.at, known);
            return None;
        };
        let facts = &rules.config.facts[index];
        if facts.subject != who.subject {
            let of = |subject: crate::SubjectId| &rules.config.subjects[subject.0].name;
            let headline =
                format!("`{}` are facts of `{}`, not of `{}`", name.text, of(facts.subject), of(who.subject));
            let help = format!("write them with a subject of `{}`", of(facts.subject));
            let diagnostic = Diagnostic::error(code::WRONG_SUBJECT, &name.at, headline);
            self.out.push(diagnostic.help(help));
            return None;
        }
        Some(FactsId(index))
    }

    /// A fact, or as many as it stands for.
    fn repeated(&mut self, facts: FactsId, entry: &FactEntry, at: &Location) -> Option<Vec<Fact>> {
        let fact = self.fact(facts, &entry.columns, at);
        let every = At::value_or(entry.every.as_ref(), None, |every| Some(every.0))?;
        let times = At::value_or(entry.times.as_ref(), None, |times| Some(*times))?;
        let (every, times) = match (every, times) {
            (None, None) => return fact.map(|fact| vec![fact]),
            (Some(every), Some(times)) => (every, times),
            (every, _) => {
                let missing = if every.is_some() { "times" } else { "every" };
                let headline = format!("a fact that is repeated has no `{missing}`");
                self.error(code::MISSING_KEY, at, headline, "write both, such as `every = \"1 month\", times = 12`");
                return None;
            }
        };
        if times == 0 || times > MAX_TIMES {
            let at = entry.times.as_ref().map_or(at, |times| &times.at);
            let help = format!("`times` counts the first one as well: 1 to {MAX_TIMES}");
            self.error(code::OUT_OF_RANGE, at, "this is no number of facts", help);
            return None;
        }
        let time = self.rules.config.facts[facts.0].time;
        let fact = fact?;
        Some((0..times).map(|n| self.moved(&fact, time, every.times(i32::from(n)))).collect())
    }

    /// The fact so much later, at the same local time of day.
    fn moved(&self, fact: &Fact, time: usize, by: CalendarSpan) -> Fact {
        let mut fact = fact.clone();
        fact.values[time] = fact.values[time].take().map(|value| match value {
            Value::Date(date) => Value::Date(by.add_to(date)),
            Value::Timestamp(at) => {
                Value::Timestamp(Clock::new(at, Arc::clone(&self.rules.config.zone)).as_of_plus(by))
            }
            other => other,
        });
        fact
    }

    fn fact(&mut self, id: FactsId, written: &Values, at: &Location) -> Option<Fact> {
        let rules = self.rules;
        let facts = &rules.config.facts[id.0];
        let mut values = vec![None; facts.columns.len()];
        let mut good = true;
        for (name, value) in &written.0 {
            let Some(index) = facts.columns.iter().position(|column| column.name == name.text) else {
                let headline = format!("`{}` have no column `{}`", facts.name, name.text);
                let known = facts.columns.iter().map(|column| column.name.as_str());
                self.unknown(code::UNKNOWN_NAME, headline, &name.text, &name.at, known);
                good = false;
                continue;
            };
            let what = format!("column `{}`", name.text);
            match self.value(value, facts.columns[index].ty, &what) {
                Some(value) => values[index] = value,
                None => good = false,
            }
        }
        if good && values[facts.time].is_none() {
            let headline = format!("this fact has no `{}`", facts.columns[facts.time].name);
            self.error(code::MISSING_KEY, at, headline, "say when it happened");
            return None;
        }
        good.then_some(Fact { facts: id, values })
    }

    /// Metrics given in a case, ascending. Each is given for all subjects of its kind, from the first run on.
    pub(super) fn given(&mut self, steps: &[CaseStep], cast: &Cast, at: &Location) -> Vec<MetricId> {
        let told = || steps.iter().flat_map(|step| &step.told);
        let mut given: Vec<MetricId> = told().flat_map(|told| &told.metrics).map(|(metric, _)| *metric).collect();
        given.sort_unstable();
        given.dedup();
        for &id in &given {
            let metric = &self.rules.metrics[id.0];
            let has = |who: &Who| {
                steps.first().is_some_and(|step| {
                    step.told.iter().any(|told| told.who == *who && told.metrics.iter().any(|(of, _)| *of == id))
                })
            };
            if cast.all.iter().any(|who| who.subject == metric.subject && !has(who)) {
                let headline = format!("metric `{}` is given for some subjects or runs of this case only", metric.name);
                self.error(code::MISSING_KEY, at, headline, "give it for all of them, from the first run on");
            }
        }
        given
    }
}
