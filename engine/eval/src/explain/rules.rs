//! What the retention rules say of a subject: whether it is in an entry, what it waits for, what was done last.

use std::cmp::Reverse;

use tierd_model::{Clock, Date, Timestamp};
use tierd_rules::{
    MetricId, RetentionRule, RuleId, RuleSet,
    retention::{DateTrigger, Mode, Reentry, Trigger},
};

use super::{
    Row,
    clauses::{Clause, Verdict, clause},
};
use crate::{
    evaluate::{Outcome, SubjectOutcome},
    history::RuleState,
    retention::{ActKind, DateEntry, RuleOutcome, date_entry, is_held_out},
};

/// One retention rule about one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStory {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// Whether it really acts.
    pub mode: Mode,
    /// Its condition, taken apart.
    pub when: Option<Clause>,
    /// The date that it is about, of date triggers.
    pub date: Option<DateEntry>,
    /// Whether that date is personal, or computed from what is.
    pub personal_date: bool,
    /// Since when the subject has been in the entry.
    pub entered: Option<Timestamp>,
    /// The last action, in this run or before.
    pub last_acted: Option<Timestamp>,
    /// What it does in this run.
    pub acts: Option<ActKind>,
    /// What it waits for, if this run decides it.
    pub waits: Option<Waits>,
    /// Whether the subject is held out, to measure the effect.
    pub held_out: bool,
}

/// What a rule waits for before it acts on a subject in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// It has acted in this entry; the next one is waited for, or none.
    NextEntry,
    /// The entry has to last until this day.
    HoldFor(Date),
    /// The last action is too recent, until this day.
    Cooldown(Date),
    /// Its condition isn't TRUE (any more), though the entry lasts.
    Condition,
    /// The rule of its group that has this name goes first.
    Group(String),
    /// The run's limit is used up.
    Limit,
}

/// Every rule about a subject (its index) of an evaluation; `before` says what each remembered of it before the run.
pub fn rules(
    rules: &RuleSet,
    outcome: &Outcome,
    of: &SubjectOutcome,
    subject: usize,
    before: impl Fn(RuleId) -> RuleState,
    clock: &Clock,
) -> Vec<RuleStory> {
    let row = Row { of: Some(of), outcome: Some(outcome), ..Row::new(rules, &of.metrics, subject, clock) };
    let mine = || outcome.rules.iter().filter(|rule| rules.retention[rule.rule.0].subject == of.subject);
    let story = |outcome: &RuleOutcome| {
        let rule = &rules.retention[outcome.rule.0];
        let index = subject as u32;
        let state = match outcome.states.binary_search_by_key(&index, |(subject, _)| *subject) {
            Ok(at) => outcome.states[at].1,
            Err(_) => before(outcome.rule),
        };
        let act = outcome.acts.binary_search_by_key(&index, |act| act.subject).ok();
        let acts = act.map(|act| outcome.acts[act].kind);
        let when = rule.when.as_ref().map(|when| clause(&row, when));
        let date = date_entry(&rule.trigger, &of.metrics, subject, clock);
        let done = date.is_some_and(|date| state.occurrence == Some(date.day));
        let ready = when.as_ref().is_none_or(|when| when.verdict == Verdict::True);
        RuleStory {
            name: rule.name.clone(),
            title: rule.title.clone(),
            mode: rule.mode,
            when,
            date,
            personal_date: trigger_metric(&rule.trigger).is_some_and(|metric| row.personal[metric.0]),
            entered: state.entered,
            last_acted: state.last_acted,
            acts,
            waits: state.entered.filter(|_| outcome.due && acts.is_none()).map(|entered| match (done, ready) {
                (true, _) => Waits::NextEntry,
                (false, ready) => waits(rule, &state, entered, ready, clock),
            }),
            held_out: is_held_out(rule, &(of.key)(subject)),
        }
    };
    let mut stories: Vec<RuleStory> = mine().map(story).collect();
    let ids: Vec<RuleId> = mine().map(|outcome| outcome.rule).collect();
    name_winners(rules, &ids, &mut stories);
    stories
}

/// Says of each rule that only its limit seems to stop which other rule of its group goes first, if one does: of those that would
/// act, the one that is first in its group has the subject, also if its own limit stops it.
fn name_winners(rules: &RuleSet, ids: &[RuleId], stories: &mut [RuleStory]) {
    let rule = |index: usize| &rules.retention[ids[index].0];
    let would_act = |story: &RuleStory| story.acts.is_some() || story.waits == Some(Waits::Limit);
    let candidates: Vec<usize> =
        (0..ids.len()).filter(|&index| rule(index).mode == Mode::Live && would_act(&stories[index])).collect();
    for &index in &candidates {
        let rivals =
            candidates.iter().filter(|&&other| rule(index).group.is_some() && rule(other).group == rule(index).group);
        let winner = rivals.min_by_key(|&&other| (Reverse(rule(other).priority), ids[other]));
        if let Some(&winner) = winner.filter(|&&winner| winner != index) {
            stories[index].waits = Some(Waits::Group(rule(winner).name.clone()));
        }
    }
}

fn trigger_metric(trigger: &Trigger) -> Option<MetricId> {
    match trigger {
        Trigger::Date { day: DateTrigger::Anniversary(metric) | DateTrigger::On(metric), .. } => Some(*metric),
        _ => None,
    }
}

/// What a rule waits for, before it meets others; `ready` says that its condition is TRUE.
fn waits(rule: &RetentionRule, state: &RuleState, entered: Timestamp, ready: bool, clock: &Clock) -> Waits {
    let day = |at: Timestamp| clock.zone().date_of(at);
    let again = match rule.reentry {
        Reentry::OncePerEntry if state.acted => return Waits::NextEntry,
        Reentry::Once if state.last_acted.is_some() => return Waits::NextEntry,
        Reentry::Every(span) if state.acted => Some(span),
        _ => None,
    };
    if !ready {
        return Waits::Condition;
    }
    let until = |since: Timestamp, span: tierd_model::CalendarSpan| {
        Some(span.add_to(day(since))).filter(|&until| until > clock.today())
    };
    if let Some(until) = rule.hold_for.and_then(|span| until(entered, span)) {
        return Waits::HoldFor(until);
    }
    let spans = [again, rule.cooldown].into_iter().flatten();
    let cooldown = state.last_acted.and_then(|last| spans.filter_map(|span| until(last, span)).max());
    cooldown.map_or(Waits::Limit, Waits::Cooldown)
}
