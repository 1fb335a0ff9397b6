//! Retention rules about a subject, in words.

use tierd_model::{Clock, Value};
use tierd_rules::retention::Mode;

use super::{Line, Role, VERDICT, padded, table, verdict, words::Words};
use crate::{
    explain::rules::{RuleStory, Waits},
    retention::{ActKind, DateEntry},
};

/// A headline, and what each rule says, with the parts of its condition.
pub fn rule_lines(rules: &[RuleStory], clock: &Clock) -> Vec<Line> {
    if rules.is_empty() {
        return Vec::new();
    }
    let words = Words { clock };
    let width = rules.iter().map(|rule| super::columns(&rule.name)).max().unwrap_or(0);
    let mut out = vec![Line::default().push(Role::Heading, "retention rules")];
    for rule in rules {
        let line = Line::indented(2).push(Role::Rule, padded(&rule.name, width)).push(Role::Plain, "  ");
        out.push(line.push(Role::Plain, state(&words, rule)));
        if let Some(when) = &rule.when {
            out.push(verdict(Line::indented(4), when.verdict).push(Role::Rule, &when.text));
            out.extend(table(&words, when, 4 + VERDICT));
        }
    }
    out
}

/// `date 2026-12-15 (entry 2026-11-15 to 2026-12-15)`. The days of an entry give the date away, so that they are masked with it.
fn date(rule: &RuleStory, date: DateEntry) -> String {
    let DateEntry { day, first, last } = date;
    match (rule.personal_date, first == last) {
        (true, _) => format!("date {}", Value::Date(day).masked()),
        (false, true) if day == first => format!("date {day}"),
        (false, _) => format!("date {day} (entry {first} to {last})"),
    }
}

/// `in entry since 2026-03-01 09:00; last action 2026-03-01 09:00; waits for the next entry`
fn state(words: &Words<'_>, rule: &RuleStory) -> String {
    let mut parts: Vec<String> = rule.date.map(|date| self::date(rule, date)).into_iter().collect();
    match rule.entered {
        Some(entered) => parts.push(format!("in entry since {}", words.local(entered))),
        None => parts.push("not in an entry".to_owned()),
    }
    match rule.acts {
        Some(ActKind::Acted) => parts.push("the next run acts".to_owned()),
        Some(ActKind::HeldOut) => parts.push("the next run would act".to_owned()),
        Some(ActKind::Shadow) => parts.push("the next run would act, but only watches".to_owned()),
        None => {}
    }
    if let Some(last) = rule.last_acted.filter(|_| rule.acts.is_none()) {
        parts.push(format!("last action {}", words.local(last)));
    }
    match &rule.waits {
        Some(Waits::NextEntry) => parts.push("done in this entry".to_owned()),
        Some(Waits::HoldFor(until)) => parts.push(format!("waits until {until}, the time that `for` asks")),
        Some(Waits::Cooldown(until)) => parts.push(format!("waits until {until}: the last action is too recent")),
        Some(Waits::Condition) => parts.push("waits: its condition isn't true now".to_owned()),
        Some(Waits::Group(first)) => parts.push(format!("waits: `{first}` goes first")),
        Some(Waits::Limit) => parts.push("waits: the limit of the run is used up".to_owned()),
        None => {}
    }
    if rule.held_out {
        parts.push("held out, to measure the effect".to_owned());
    }
    if rule.mode == Mode::Shadow && rule.acts.is_none() {
        parts.push("only watched".to_owned());
    }
    parts.join("; ")
}
