//! One rule and its subjects: entries that open and end, and on whom it would act.

use tierd_model::{CalendarSpan, Clock, Date, Timestamp};
use tierd_rules::{RetentionRule, RuleId, retention::Reentry};

use super::{
    Context, Remembered, Waiting,
    observe::{Observer, Signal},
};
use crate::{expr::chunks, history::RuleState};

/// A rule before groups and limits.
pub(super) struct Draft<'a> {
    pub(super) rule: RuleId,
    pub(super) of: &'a RetentionRule,
    restarts: bool,
    /// Subjects of which something was remembered or is now, ascending.
    pub(super) known: Vec<Known>,
    /// On whom it would act: indices of `known`, ascending.
    pub(super) candidates: Vec<usize>,
    pub(super) waiting: Waiting,
    pub(super) unknown: u64,
}

/// What is remembered of a subject.
pub(super) struct Known {
    pub(super) subject: u32,
    pub(super) before: RuleState,
    pub(super) after: RuleState,
    /// The date whose days the run is in, of date triggers.
    pub(super) occurrence: Option<Date>,
}

/// Looks at every subject once.
pub(super) fn draft<'a>(context: &Context<'a>, remembered: &Remembered) -> Draft<'a> {
    let &Remembered { rule, ref states, restarts } = remembered;
    let of = &context.rules.retention[rule.0];
    let mut draft = Draft {
        rule,
        of,
        restarts,
        known: Vec::new(),
        candidates: Vec::new(),
        waiting: Waiting::default(),
        unknown: 0,
    };
    let observer = Observer::new(context, of);
    let mut states = states.iter().peekable();
    for (first, rows) in chunks(context.metrics.subjects) {
        let observed = observer.chunk(first, rows);
        for row in 0..rows {
            let subject = (first + row) as u32;
            let before = states.next_if(|(of, _)| *of == subject).map_or(RuleState::default(), |(_, state)| *state);
            draft.look(subject, before, observed.signal(row, &before), context.clock);
        }
    }
    draft
}

impl Draft<'_> {
    fn look(&mut self, subject: u32, before: RuleState, signal: Signal, clock: &Clock) {
        self.unknown += u64::from(signal.unknown);
        let mut after = tracked(before, &signal, clock);
        if self.restarts && !after.acted {
            after.entered = after.entered.map(|_| clock.as_of());
        }
        if before == RuleState::default() && after == before {
            return;
        }
        if after.entered.is_some() && signal.ready {
            match self.verdict(&after, signal.occurrence, clock) {
                Verdict::Acts => self.candidates.push(self.known.len()),
                Verdict::HoldFor => self.waiting.hold_for += 1,
                Verdict::Cooldown => self.waiting.cooldown += 1,
                Verdict::Done => {}
            }
        }
        self.known.push(Known { subject, before, after, occurrence: signal.occurrence });
    }

    /// Whether the rule would act on a subject in an entry whose condition is TRUE.
    fn verdict(&self, state: &RuleState, occurrence: Option<Date>, clock: &Clock) -> Verdict {
        let passed = |since: Option<Timestamp>, span: CalendarSpan| {
            since.is_none_or(|since| span.add_to(clock.zone().date_of(since)) <= clock.today())
        };
        let done = match self.of.reentry {
            Reentry::OncePerEntry => state.acted,
            Reentry::Once => state.last_acted.is_some(),
            Reentry::Every(span) => state.acted && !passed(state.last_acted, span),
        };
        if done || occurrence.is_some() && occurrence == state.occurrence {
            return Verdict::Done;
        }
        if self.of.hold_for.is_some_and(|span| !passed(state.entered, span)) {
            return Verdict::HoldFor;
        }
        if self.of.cooldown.is_some_and(|span| !passed(state.last_acted, span)) {
            return Verdict::Cooldown;
        }
        Verdict::Acts
    }
}

enum Verdict {
    Acts,
    /// It has acted, and doesn't again.
    Done,
    HoldFor,
    Cooldown,
}

/// The entry after this run: one may end and another open in the same run.
fn tracked(before: RuleState, signal: &Signal, clock: &Clock) -> RuleState {
    let mut after = before;
    if signal.closes {
        (after.entered, after.acted) = (None, false);
    }
    if signal.opens && after.entered.is_none() {
        (after.entered, after.acted) = (Some(clock.as_of()), false);
    }
    after
}
