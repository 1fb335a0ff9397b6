//! What the retention rules say of a subject: whether it is in an entry, what it waits for, what was done last.

use tierd_model::{Clock, Date, Timestamp};
use tierd_rules::{
    RetentionRule, RuleId, RuleSet,
    retention::{Mode, Reentry},
};

use super::{
    Row,
    clauses::{Clause, clause},
};
use crate::{
    evaluate::{Outcome, SubjectOutcome},
    history::RuleState,
    retention::{ActKind, is_held_out},
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
    /// Since when the subject has been in the entry.
    pub entered: Option<Timestamp>,
    /// The last action, in this run or before.
    pub last_acted: Option<Timestamp>,
    /// What it does in this run.
    pub acts: Option<ActKind>,
    /// What it waits for.
    pub waits: Option<Waits>,
    /// Whether the subject is held out, to measure the effect.
    pub held_out: bool,
}

/// What a rule waits for before it acts on a subject in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It has acted in this entry; the next one is waited for, or none.
    NextEntry,
    /// The entry has to last until this day.
    HoldFor(Date),
    /// The last action is too recent, until this day.
    Cooldown(Date),
    /// Another rule of its group goes first, its limit is used up, or its condition isn't TRUE.
    Turn,
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
    let mine = outcome.rules.iter().filter(|rule| rules.retention[rule.rule.0].subject == of.subject);
    mine.map(|outcome| {
        let rule = &rules.retention[outcome.rule.0];
        let index = subject as u32;
        let state = match outcome.states.binary_search_by_key(&index, |(subject, _)| *subject) {
            Ok(at) => outcome.states[at].1,
            Err(_) => before(outcome.rule),
        };
        let act = outcome.acts.binary_search_by_key(&index, |act| act.subject).ok();
        let acts = act.map(|act| outcome.acts[act].kind);
        RuleStory {
            name: rule.name.clone(),
            title: rule.title.clone(),
            mode: rule.mode,
            when: rule.when.as_ref().map(|when| clause(&row, when)),
            entered: state.entered,
            last_acted: state.last_acted,
            acts,
            waits: state.entered.filter(|_| acts.is_none()).map(|entered| waits(rule, &state, entered, clock)),
            held_out: is_held_out(rule, &(of.key)(subject)),
        }
    })
    .collect()
}

fn waits(rule: &RetentionRule, state: &RuleState, entered: Timestamp, clock: &Clock) -> Waits {
    let day = |at: Timestamp| clock.zone().date_of(at);
    let again = match rule.reentry {
        Reentry::OncePerEntry if state.acted => return Waits::NextEntry,
        Reentry::Once if state.last_acted.is_some() => return Waits::NextEntry,
        Reentry::Every(span) if state.acted => Some(span),
        _ => None,
    };
    let until = |since: Timestamp, span: tierd_model::CalendarSpan| {
        Some(span.add_to(day(since))).filter(|&until| until > clock.today())
    };
    if let Some(until) = rule.hold_for.and_then(|span| until(entered, span)) {
        return Waits::HoldFor(until);
    }
    let spans = [again, rule.cooldown].into_iter().flatten();
    let cooldown = state.last_acted.and_then(|last| spans.filter_map(|span| until(last, span)).max());
    cooldown.map_or(Waits::Turn, Waits::Cooldown)
}
