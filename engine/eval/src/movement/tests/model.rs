//! A naive reference: it remembers no state, but looks through all earlier runs each time.

use proptest::prelude::*;
use tierd_model::{CalendarSpan, CalendarUnit, Clock, Date, MonthDay};
use tierd_rules::{Lock, LockUntil, Movement, Period, Timing, Unknown};

use super::{
    super::{Reason, reason_at_once, settle},
    base::{Conditions, ENTER, Facts, KEEP, ladder, metrics},
    spec::kept,
};
use crate::{
    history::{Held, Override, OverrideKind, PolicyState},
    levels::{NONE, grade},
    testing::clock,
};

/// One run, as the reference remembers it. Levels are ranks: 0 for none.
#[derive(Debug, Clone, Copy)]
struct Past {
    day: Date,
    /// `None` where it wasn't known.
    supported: Option<u16>,
    /// What the policy gave before and after.
    before: u16,
    after: u16,
}

impl Past {
    fn took(&self) -> bool {
        self.after > self.before
    }

    fn qualified(&self) -> Option<bool> {
        self.supported.map(|supported| supported >= self.before)
    }
}

fn reaches(value: Option<i64>, bound: i64) -> Option<bool> {
    value.map(|value| value >= bound)
}

/// The rank that is supported; `None` if that isn't known.
fn supported(conditions: &Conditions, facts: Facts, level: u16) -> Option<u16> {
    let enter = |rank: u16| match rank {
        1 if !conditions.lowest => Some(true),
        rank => reaches(facts.enter, ENTER[usize::from(rank) - 1]),
    };
    let keep = |rank: u16| if rank > 1 { reaches(facts.keep, KEEP[usize::from(rank) - 1]) } else { Some(false) };
    let met_unknown = (1..=4).any(|rank| enter(rank).is_none());
    let mut earned = (1..=4).rev().find(|rank| enter(*rank) == Some(true)).unwrap_or(0);
    if met_unknown && conditions.unknown == Unknown::Lowest {
        earned = 1;
    }
    let may_keep: Vec<u16> = if conditions.keep { (1..=level).collect() } else { vec![] };
    let best = may_keep.iter().copied().filter(|rank| keep(*rank) == Some(true)).fold(earned, u16::max);
    let open = (best + 1..=4).any(|rank| enter(rank).is_none())
        || may_keep.iter().any(|rank| *rank > best && keep(*rank).is_none());
    (best >= level || !open || conditions.unknown == Unknown::Lowest).then_some(best)
}

/// The policy's level after a run, from everything before.
fn next(movement: &Movement, history: &[Past], supported: Option<u16>, clock: &Clock) -> (u16, Option<Reason>) {
    let level = history.last().map_or(0, |past| past.after);
    let Some(supported) = supported else { return (level, None) };
    if level == 0 {
        return (supported, (supported > 0).then_some(Reason::First));
    }
    let first_day = |day: Date| match movement.period {
        Period::Calendar(unit) => unit.first_day(day),
        Period::ProgramYear(first) => first.on_or_before(day),
    };
    let last_known = history.iter().rev().find(|past| past.supported.is_some()).expect("a level was taken once");
    let ended = first_day(clock.today()) > first_day(last_known.day);
    if supported > level {
        return match movement.upgrade {
            Timing::AtOnce => (supported, Some(Reason::Upgraded)),
            Timing::AtPeriodEnd if ended => (supported, Some(Reason::UpgradedAtPeriodEnd)),
            _ => (level, None),
        };
    }
    let grace_over = movement.grace.is_none_or(|grace| {
        let since = below_since(history).unwrap_or(clock.today());
        grace.add_to(since) <= clock.today()
    });
    if supported == level || is_locked(movement, history, clock.today()) || !grace_over {
        return (level, None);
    }
    let to = supported.max(level.saturating_sub(movement.steps.unwrap_or(99)));
    match (movement.downgrade, movement.grace) {
        (Timing::AtOnce, None) => (to, Some(Reason::Downgraded)),
        (Timing::AtOnce, Some(_)) => (to, Some(Reason::DowngradedAfterGrace)),
        (Timing::AtPeriodEnd, _) if ended => (to, Some(Reason::DowngradedAtPeriodEnd)),
        _ => (level, None),
    }
}

/// The first day of the unbroken stretch of runs below the level that reaches up to the last run.
fn below_since(history: &[Past]) -> Option<Date> {
    let mut since = None;
    for past in history.iter().rev().filter(|past| past.supported.is_some()) {
        if past.supported >= Some(past.after) {
            return since;
        }
        since = Some(past.day);
        if past.after != past.before {
            return since;
        }
    }
    since
}

fn is_locked(movement: &Movement, history: &[Past], today: Date) -> bool {
    let Some(lock) = movement.lock else { return false };
    let end_from = |day: Date| {
        let clock = clock(&format!("{day}T09:00"), "UTC");
        let end = movement.period.next(movement.period.first_day(&clock));
        match lock.until {
            LockUntil::Span(span) => span.add_to(day),
            LockUntil::PeriodEnd => end,
            LockUntil::NextPeriodEnd => movement.period.next(end),
            LockUntil::Day(day) => day,
        }
    };
    let taken = history.iter().rposition(Past::took).expect("a level was taken once");
    let mut end = end_from(history[taken].day);
    for past in &history[taken + 1..] {
        match past.qualified() {
            Some(true) if past.day >= end && lock.renew => end = end_from(past.day),
            Some(_) if past.day >= end => return false,
            _ => {}
        }
    }
    today < end
}

fn overruled(overrides: &[Override], subject: u32, level: u16, ordered: bool) -> u16 {
    let mut pinned = None;
    let (mut floor, mut ceiling) = (0, u16::MAX);
    for one in overrides.iter().filter(|one| one.subject == subject) {
        match one.kind {
            OverrideKind::Pin => pinned = Some(one.level + 1),
            OverrideKind::Floor if ordered => floor = floor.max(one.level + 1),
            OverrideKind::Ceiling if ordered => ceiling = ceiling.min(one.level + 1),
            _ => {}
        }
    }
    pinned.unwrap_or(level.max(floor).min(ceiling))
}

fn movements() -> impl Strategy<Value = Movement> {
    let timing = || prop_oneof![Just(Timing::AtOnce), Just(Timing::AtPeriodEnd), Just(Timing::Never)];
    let down = prop_oneof![3 => Just(Timing::AtOnce), 2 => Just(Timing::AtPeriodEnd), 1 => Just(Timing::Never)];
    let span = || prop_oneof![(1..60).prop_map(CalendarSpan::days), (1..5).prop_map(CalendarSpan::months)];
    let unit = prop_oneof![Just(CalendarUnit::Year), Just(CalendarUnit::Quarter), Just(CalendarUnit::Month)];
    let program_year = Period::ProgramYear(MonthDay::parse("04-01").unwrap());
    let period = prop_oneof![3 => unit.prop_map(Period::Calendar), 1 => Just(program_year)];
    let until = prop_oneof![
        span().prop_map(LockUntil::Span),
        Just(LockUntil::PeriodEnd),
        Just(LockUntil::NextPeriodEnd),
        (20_450..21_000).prop_map(|day| LockUntil::Day(Date(day))),
    ];
    let lock = (until, any::<bool>()).prop_map(|(until, renew)| Lock { until, renew });
    let rest = (prop::option::of(span()), prop::option::of(1..3u16), period, prop::option::of(lock));
    (timing(), down, rest).prop_map(|(upgrade, downgrade, (grace, steps, period, lock))| Movement {
        upgrade,
        downgrade,
        grace,
        steps,
        period,
        lock,
    })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let unknown = prop_oneof![3 => Just(Unknown::Keep), 1 => Just(Unknown::Lowest)];
    (any::<bool>(), any::<bool>(), unknown).prop_map(|(keep, lowest, unknown)| Conditions {
        keep,
        lowest,
        unknown,
        ordered: true,
    })
}

const SUBJECTS: usize = 3;

/// A run: days since the one before, what is known of each subject, overrides.
type Run = (i32, Vec<Facts>, Vec<Override>);

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let gap = prop_oneof![Just(0), Just(1), 2..15, 20..40, 80..200];
    let value = || prop_oneof![6 => (0..40i64).prop_map(Some), 1 => Just(None)];
    let facts = (value(), value(), any::<bool>()).prop_map(|(enter, keep, same)| {
        let keep = if same { enter } else { keep };
        Facts { enter, keep }
    });
    let kind = prop_oneof![Just(OverrideKind::Pin), Just(OverrideKind::Floor), Just(OverrideKind::Ceiling)];
    let one = (0..SUBJECTS as u32, kind, 0..4u16);
    let one = one.prop_map(|(subject, kind, level)| Override { subject, kind, level });
    let overrides = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(one, 1..4)];
    let sorted = overrides.prop_map(|mut overrides| {
        overrides.sort_by_key(|one| one.subject);
        overrides
    });
    prop::collection::vec((gap, prop::collection::vec(facts, SUBJECTS), sorted), 1..25)
}

proptest! {
    #[test]
    fn settling_run_after_run_is_what_a_look_at_the_whole_history_gives(
        movement in movements(),
        conditions in conditions(),
        runs in runs(),
    ) {
        let set = ladder(movement, &conditions);
        let mut held = [Held::NOTHING; SUBJECTS];
        let mut histories = vec![Vec::<Past>::new(); SUBJECTS];
        let mut day = Date::from_ymd(2026, 1, 10).unwrap();
        for (gap, facts, overrides) in runs {
            day = Date(day.0 + gap);
            let clock = clock(&format!("{day}T09:00"), "UTC");
            let metrics = metrics(&facts);
            let graded = grade(&set, &metrics, &clock).unwrap();
            let settled = settle(&set, &metrics, graded, &held, &overrides, &clock);
            for subject in 0..SUBJECTS {
                let history = &mut histories[subject];
                let before = history.last().map_or(0, |past| past.after);
                let supported = supported(&conditions, facts[subject], before);
                let (after, reason) = next(&movement, history, supported, &clock);
                history.push(Past { day, supported, before, after });

                let was = held[subject];
                held[subject] = kept(was, &settled, subject as u32, &clock);
                let expected = overruled(&overrides, subject as u32, after, true);
                prop_assert_eq!(held[subject].level.wrapping_add(1), expected, "{} on {}", subject, day);
                prop_assert_eq!(held[subject].state.level.wrapping_add(1), after, "{} on {}", subject, day);
                let found = settled.moved.iter().find(|(of, _)| *of == subject as u32).map(|(_, reason)| *reason);
                prop_assert_eq!(found.is_some(), was.level != held[subject].level);
                if expected != after {
                    prop_assert!(matches!(found, None | Some(Reason::Override)));
                } else if was.level == was.state.level {
                    prop_assert_eq!(found, reason);
                } else {
                    prop_assert!(found != Some(Reason::Override));
                }
                prop_assert!(held[subject].level == NONE || usize::from(held[subject].level) < set.levels.len());
            }
        }
    }

    /// Without movement policy and keep conditions, settling is what grading alone gives.
    #[test]
    fn a_policy_without_options_is_no_policy(lowest in any::<bool>(), ordered in any::<bool>(), runs in runs()) {
        let set = ladder(Movement::AT_ONCE, &Conditions { lowest, ordered, ..Conditions::default() });
        let mut held = [Held::NOTHING; SUBJECTS];
        for (gap, facts, _) in runs {
            let clock = clock(&format!("2026-01-{:02}T09:00", 1 + gap % 28), "UTC");
            let metrics = metrics(&facts);
            let mut graded = grade(&set, &metrics, &clock).unwrap();
            let settled = settle(&set, &metrics, graded.clone(), &held, &[], &clock);
            graded.settle(|subject| Some(held[subject].level).filter(|level| *level != NONE));
            prop_assert_eq!(&settled.held, &graded.earned);
            // Nothing has to be remembered but the level, which is told of those who move.
            let plain = settled.moved.iter().map(|(subject, _)| {
                (*subject, PolicyState::at(settled.held[*subject as usize]))
            });
            prop_assert_eq!(&settled.states, &plain.collect::<Vec<_>>());
            for &(subject, reason) in &settled.moved {
                let now = settled.held[subject as usize];
                prop_assert_eq!(reason_at_once(&set, &held[subject as usize], now), reason);
            }
            held.iter_mut().zip(0..).for_each(|(held, subject)| *held = kept(*held, &settled, subject, &clock));
        }
    }
}
