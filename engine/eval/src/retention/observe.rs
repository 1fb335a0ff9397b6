//! What a rule's trigger and condition say of subjects in this run.
//!
//! Trigger and `when` are one Kleene conjunction: where either is FALSE the other doesn't matter, and UNKNOWN opens and ends
//! nothing. A move is the exception, for it is an event and no state: its entry opens in the run that moved the level, if `when`
//! is TRUE then, and lasts till the next move, whatever `when` becomes; the rule acts in it only where `when` is TRUE.

use arrow_array::{Array, BooleanArray};
use tierd_model::{Clock, Date};
use tierd_rules::{
    Expr, RetentionRule, TierSet,
    retention::{Direction, Trigger},
};

use super::{
    Context, SetLevels,
    dates::{Day, DaysOn},
};
use crate::{
    derive::Metrics,
    expr::{slice, truth},
    history::RuleState,
    levels::NONE,
};

/// What is so for a subject in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Signal {
    /// The entry ends, if there is one.
    pub(super) closes: bool,
    /// A new entry opens, if there is none (any more).
    pub(super) opens: bool,
    /// The rule may act in the entry.
    pub(super) ready: bool,
    /// It can't be told.
    pub(super) unknown: bool,
    /// The date whose days the run is in.
    pub(super) occurrence: Option<Date>,
}

/// A rule's trigger and condition over all subjects.
pub(super) struct Observer<'a> {
    metrics: &'a Metrics,
    clock: &'a Clock,
    when: Option<&'a Expr>,
    columns: Vec<usize>,
    watch: Watch<'a>,
}

/// A trigger with what it looks at.
enum Watch<'a> {
    State,
    Moved { levels: SetLevels<'a>, direction: Direction, from: &'a [u16], to: &'a [u16] },
    Date { day: Day, on: DaysOn },
    FollowUp { levels: SetLevels<'a>, set: &'a TierSet },
}

impl<'a> Observer<'a> {
    pub(super) fn new(context: &Context<'a>, rule: &'a RetentionRule) -> Self {
        let when = rule.when.as_ref();
        let columns = when.map_or(Vec::new(), Expr::columns);
        let Context { metrics, clock, .. } = *context;
        Observer { metrics, clock, when, columns, watch: Watch::new(context, &rule.trigger) }
    }

    /// Evaluates the condition for some subjects.
    pub(super) fn chunk(&self, first: usize, rows: usize) -> Chunk<'_, 'a> {
        let verdicts = self.when.map(|when| {
            let columns = slice(&self.metrics.columns, &self.columns, first, rows);
            truth(when, &columns, rows, self.clock)
        });
        Chunk { observer: self, first, verdicts }
    }
}

/// Some thousand subjects, their conditions evaluated.
pub(super) struct Chunk<'o, 'a> {
    observer: &'o Observer<'a>,
    first: usize,
    /// `None` for a rule without condition.
    verdicts: Option<BooleanArray>,
}

impl Chunk<'_, '_> {
    /// What is so for the subject in this row, of which the rule remembers this.
    pub(super) fn signal(&self, row: usize, state: &RuleState) -> Signal {
        let when = match &self.verdicts {
            None => Some(true),
            Some(verdicts) => verdicts.is_valid(row).then(|| verdicts.value(row)),
        };
        let subject = self.first + row;
        let clock = self.observer.clock;
        match &self.observer.watch {
            Watch::State => while_true(when),
            Watch::Moved { levels, direction, from, to } => {
                let (was, now) = (levels.was[subject].level, levels.now[subject]);
                moved(was != now, is_move(was, now, *direction, from, to), when, state.entered.is_some())
            }
            Watch::Date { day, on } => match day.occurrence(subject, *on, clock) {
                None => while_true(Some(false)),
                Some(day) => {
                    let signal = while_true(when);
                    let other_day = state.acted && state.occurrence != Some(day);
                    Signal { closes: signal.closes || signal.opens && other_day, occurrence: Some(day), ..signal }
                }
            },
            Watch::FollowUp { levels, set } => {
                let due = is_due(set, levels, subject, state, clock);
                let signal = while_true(if due { when } else { Some(false) });
                // An action ends its entry: the next one begins a span later.
                Signal { closes: signal.closes || signal.opens && state.acted, ..signal }
            }
        }
    }
}

/// An entry for as long as something is TRUE.
fn while_true(verdict: Option<bool>) -> Signal {
    let is = |truth| verdict == Some(truth);
    Signal { closes: is(false), opens: is(true), ready: is(true), unknown: verdict.is_none(), occurrence: None }
}

/// An entry from one move to the next.
fn moved(any: bool, matching: bool, when: Option<bool>, entered: bool) -> Signal {
    let ready = when == Some(true);
    let concerned = matching || entered && !any;
    Signal { closes: any, opens: matching && ready, ready, unknown: concerned && when.is_none(), occurrence: None }
}

fn is_move(was: u16, now: u16, direction: Direction, from: &[u16], to: &[u16]) -> bool {
    // No level is below the lowest: one more than `NONE` is 0.
    let (below, above) = (was.wrapping_add(1), now.wrapping_add(1));
    let this_way = match direction {
        Direction::Up => below < above,
        Direction::Down => below > above,
        Direction::Any => below != above,
    };
    let named = |list: &[u16], level| list.is_empty() || list.contains(&level);
    was != NONE && this_way && named(from, was) && named(to, now)
}

/// Whether the follow-up of a subject's level is due.
fn is_due(set: &TierSet, levels: &SetLevels<'_>, subject: usize, state: &RuleState, clock: &Clock) -> bool {
    let (was, now) = (&levels.was[subject], levels.now[subject]);
    let Some(every) = set.levels.get(usize::from(now)).and_then(|level| level.follow_up) else { return false };
    let taken = if was.level == now { was.since } else { clock.as_of() };
    let from = state.last_acted.unwrap_or(taken);
    every.add_to(clock.zone().date_of(from)) <= clock.today()
}

impl<'a> Watch<'a> {
    fn new(context: &Context<'a>, trigger: &'a Trigger) -> Self {
        match trigger {
            Trigger::State => Watch::State,
            Trigger::Moved { set, direction, from, to } => {
                Watch::Moved { levels: (context.sets)(*set), direction: *direction, from, to }
            }
            Trigger::FollowUp(set) => {
                Watch::FollowUp { levels: (context.sets)(*set), set: &context.rules.tier_sets[set.0] }
            }
            Trigger::Date { day, from, until } => {
                let on = DaysOn::new(*from, *until, context.clock.today());
                Watch::Date { day: Day::new(context.metrics, *day, on), on }
            }
        }
    }
}
