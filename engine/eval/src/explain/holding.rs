//! How a subject came to hold its level, where that isn't just what its conditions give: why it stays above or below what it has
//! earned, or why it moved.

use tierd_model::Date;
use tierd_rules::{TierSet, Timing};

use super::Row;
use crate::{
    derive::Metrics,
    evaluate::SetOutcome,
    history::{OverrideKind, PolicyState},
    levels::{NONE, grade_rows},
    movement::{self, Reason, is_at_once},
};

/// What a movement policy and overrides made of what a subject has earned.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// Index of the level held from now on.
    pub level: Option<usize>,
    /// Index of the level that the conditions alone give.
    pub earned: Option<usize>,
    /// Index of the level held before.
    pub before: Option<usize>,
    /// Why another level is held than before.
    pub moved: Option<Reason>,
    /// Why another level is held than the earned one.
    pub why: Option<Why>,
    /// Overrides in force, with the index of the level.
    pub overrides: Vec<(OverrideKind, usize)>,
    /// The first day on which the level may be lost, if that is to come.
    pub locked_until: Option<Date>,
}

/// Why another level is held than the one that is earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The run doesn't decide the set.
    NotDue,
    /// An override says so.
    Override,
    /// The condition to stay holds.
    Keeps,
    /// A condition is UNKNOWN.
    Unknown,
    /// The level can't be lost before this day.
    Locked(Date),
    /// The subject has been below its level since the first day, and may fall from the second on.
    Grace(Date, Date),
    /// Levels move in this direction only when the period ends: this is the first day of the next.
    PeriodEnd(Date),
    /// Levels never move in this direction.
    Never,
    /// It falls step by step.
    Steps,
}

/// `None` for a set that holds whatever is earned, unless something happened to this subject all the same.
pub(super) fn holding(row: &Row<'_>, set: &TierSet, of: &SetOutcome) -> Option<Holding> {
    let was = of.was.as_ref()?.get(row.subject)?;
    let held = of.settled.held[row.subject];
    let one = Metrics { columns: row.columns.clone(), cut_points: Vec::new(), subjects: 1 };
    let graded = grade_rows(set, &one, 0, 1, row.clock).ok()?;
    let earned = graded.earned[0];
    let subject = row.subject as u32;
    let mine = of.overrides.iter().filter(|one| one.subject == subject);
    let overrides: Vec<_> = mine.map(|one| (one.kind, usize::from(one.level))).collect();
    if is_at_once(set) && held == earned && overrides.is_empty() && was.level == held {
        return None;
    }
    let state = state(of, was.state, was.level, row.subject);
    let supported = movement::supported(set, &one, &graded, 0, was.state.level, row.clock);
    let moved = of.settled.moved.iter().find(|(moved, _)| *moved == subject).map(|(_, reason)| *reason);
    let why = match held {
        _ if held == earned => None,
        _ if !of.due => Some(Why::NotDue),
        _ if held != state.level => Some(Why::Override),
        _ => why(row, set, state, earned, supported),
    };
    Some(Holding {
        level: index(held),
        earned: index(earned),
        before: index(was.level),
        moved,
        why,
        overrides,
        locked_until: state.locked_until.filter(|&until| until > row.clock.today()),
    })
}

fn index(level: u16) -> Option<usize> {
    (level != NONE).then_some(usize::from(level))
}

/// What the policy remembers after the run.
fn state(of: &SetOutcome, before: PolicyState, level_before: u16, subject: usize) -> PolicyState {
    let states = &of.settled.states;
    match states.binary_search_by_key(&(subject as u32), |(subject, _)| *subject) {
        Ok(at) => states[at].1,
        Err(_) if before == PolicyState::at(level_before) => PolicyState::at(of.settled.held[subject]),
        Err(_) => before,
    }
}

/// Why the policy gives another level than the earned one. `supported` is `None` where that isn't known.
fn why(row: &Row<'_>, set: &TierSet, state: PolicyState, earned: u16, supported: Option<u16>) -> Option<Why> {
    let (movement, today) = (&set.movement, row.clock.today());
    let period_end = || Why::PeriodEnd(movement.period.next(movement.period.first_day(row.clock)));
    let Some(supported) = supported else { return Some(Why::Unknown) };
    let rank = |level: u16| level.wrapping_add(1);
    if rank(earned) > rank(state.level) {
        return match movement.upgrade {
            Timing::AtOnce => None,
            Timing::AtPeriodEnd => Some(period_end()),
            Timing::Never => Some(Why::Never),
        };
    }
    if rank(supported) >= rank(state.level) {
        return Some(Why::Keeps);
    }
    if let Some(until) = state.locked_until.filter(|&until| until > today) {
        return Some(Why::Locked(until));
    }
    let grace = state.below_since.zip(movement.grace).map(|(since, grace)| (since, grace.add_to(since)));
    match (grace.filter(|&(_, until)| until > today), movement.downgrade) {
        (_, Timing::Never) => Some(Why::Never),
        (Some((since, until)), _) => Some(Why::Grace(since, until)),
        (None, Timing::AtPeriodEnd) => Some(period_end()),
        (None, Timing::AtOnce) => Some(Why::Steps),
    }
}
