//! A naive reference: it remembers no state, but what was so in every run and on whom rules acted, and looks through all of it.

use proptest::prelude::*;
use tierd_model::{CalendarSpan, Date, MonthDay, Timestamp, Value};
use tierd_rules::{
    RetentionRule,
    retention::{DateTrigger, Direction, Exceed, Mode, Reentry, RunLimit, Trigger},
};

use super::world::{BIRTHDAY, Now, SET, World, idle, rule};
use crate::{levels::NONE, retention::holdout::is_held_out, testing::clock};

const SUBJECTS: usize = 4;
const EVERY: [Option<i32>; 3] = [None, Some(3), Some(1)];

/// One subject and one rule in one run.
#[derive(Debug, Clone)]
struct Seen {
    day: Date,
    when: Option<bool>,
    was: u16,
    now: u16,
    birthday: Option<Date>,
    acted: bool,
}

/// What the reference says of a subject in the last run.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Verdict {
    entered: Option<usize>,
    acts: bool,
}

/// The date in whose days this is, found by trying all.
fn occurrence(trigger: &Trigger, seen: &Seen) -> Option<Date> {
    let Trigger::Date { day, from, until } = trigger else { return None };
    let years = |first: i32, date: Date| (first..200).map(move |n| CalendarSpan::months(12 * n).add_to(date)).collect();
    let all: Vec<Date> = match day {
        DateTrigger::On(_) => seen.birthday.into_iter().collect(),
        DateTrigger::Anniversary(_) => seen.birthday.map_or(vec![], |date| years(1, date)),
        DateTrigger::Yearly(day) => (2000..2060).map(|year| day.in_year(year)).collect(),
    };
    all.into_iter().rfind(|day| (from.add_to(*day)..=until.add_to(*day)).contains(&seen.day))
}

/// Trigger and condition in the run at `index`.
fn verdict(rule: &RetentionRule, history: &[Seen], index: usize) -> Option<bool> {
    let seen = &history[index];
    let triggered = match rule.trigger {
        Trigger::State | Trigger::Moved { .. } => true,
        Trigger::Date { .. } => occurrence(&rule.trigger, seen).is_some(),
        Trigger::FollowUp(_) => {
            let every = EVERY.get(usize::from(seen.now)).copied().flatten();
            let taken = history[..=index].iter().rfind(|seen| seen.was != seen.now).map(|seen| seen.day);
            let acted = history[..index].iter().rfind(|seen| seen.acted).map(|seen| seen.day);
            every.is_some_and(|months| {
                acted.or(taken).is_some_and(|day| CalendarSpan::months(months).add_to(day) <= seen.day)
            })
        }
    };
    if triggered { seen.when } else { Some(false) }
}

/// The run in which the entry opened that the last run is in.
fn entered(rule: &RetentionRule, history: &[Seen]) -> Option<usize> {
    let last = history.len() - 1;
    if let Trigger::Moved { direction, from, to, .. } = &rule.trigger {
        let at = history.iter().rposition(|seen| seen.was != seen.now)?;
        let Seen { was, now, when, .. } = history[at];
        let up = was != NONE && now != NONE && now > was;
        let way = match direction {
            Direction::Any => true,
            Direction::Up => up,
            Direction::Down => !up,
        };
        let named = (from.is_empty() || from.contains(&was)) && (to.is_empty() || to.contains(&now));
        return (was != NONE && way && named && when == Some(true)).then_some(at);
    }
    // Where the entry is broken: the first run that may open one again.
    let mut first = 0;
    for index in 0..=last {
        let day = occurrence(&rule.trigger, &history[index]);
        let other = |acted: usize| day.is_some() && occurrence(&rule.trigger, &history[acted]) != day;
        let acted = history[first..index].iter().rposition(|seen| seen.acted).map(|at| first + at);
        match verdict(rule, history, index) {
            Some(false) => first = index + 1,
            Some(true) if matches!(rule.trigger, Trigger::FollowUp(_)) && acted.is_some() => first = index,
            Some(true) if acted.is_some_and(other) => first = index,
            _ => {}
        }
    }
    (first..=last).find(|index| verdict(rule, history, *index) == Some(true))
}

/// Before groups and limits.
fn decide_one(rule: &RetentionRule, history: &[Seen]) -> Verdict {
    let today = history.last().unwrap();
    let Some(entry) = entered(rule, history) else { return Verdict { entered: None, acts: false } };
    let past = &history[..history.len() - 1];
    let last_act = past.iter().rfind(|seen| seen.acted);
    let act_in_entry = past.iter().skip(entry).rfind(|seen| seen.acted);
    let passed = |since: Date, span: CalendarSpan| span.add_to(since) <= today.day;
    let again = match rule.reentry {
        Reentry::OncePerEntry => act_in_entry.is_none(),
        Reentry::Once => last_act.is_none(),
        Reentry::Every(span) => act_in_entry.is_none_or(|seen| passed(seen.day, span)),
    };
    let day = occurrence(&rule.trigger, today);
    let greeted = day.is_some() && past.iter().any(|seen| seen.acted && occurrence(&rule.trigger, seen) == day);
    let acts = verdict(rule, history, history.len() - 1) == Some(true)
        && again
        && !greeted
        && rule.hold_for.is_none_or(|span| passed(history[entry].day, span))
        && rule.cooldown.is_none_or(|span| last_act.is_none_or(|seen| passed(seen.day, span)));
    Verdict { entered: Some(entry), acts }
}

/// By rule and subject, after groups and limits.
fn decide_all(rules: &[RetentionRule], histories: &[Vec<Vec<Seen>>]) -> Vec<Vec<Verdict>> {
    let of_rule = |(rule, histories): (&RetentionRule, &Vec<Vec<Seen>>)| {
        histories.iter().map(|history| decide_one(rule, history)).collect()
    };
    let mut all: Vec<Vec<Verdict>> = rules.iter().zip(histories).map(of_rule).collect();
    let before = all.clone();
    let beats = |other: usize, mine: usize| {
        let (a, b) = (&rules[other], &rules[mine]);
        let together = a.group.is_some() && a.group == b.group && a.mode == Mode::Live && b.mode == Mode::Live;
        together && (a.priority > b.priority || a.priority == b.priority && other < mine)
    };
    for (mine, of_rule) in all.iter_mut().enumerate() {
        for (subject, verdict) in of_rule.iter_mut().enumerate() {
            verdict.acts &= !(0..rules.len()).any(|other| beats(other, mine) && before[other][subject].acts);
        }
        if let Some(limit) = rules[mine].limit {
            let wanted = of_rule.iter().filter(|verdict| verdict.acts).count() as u64;
            let mut left = if limit.exceed == Exceed::Hold { wanted } else { limit.per_run };
            for verdict in of_rule.iter_mut().filter(|verdict| verdict.acts) {
                verdict.acts = left > 0;
                left = left.saturating_sub(1);
            }
        }
    }
    all
}

fn triggers() -> impl Strategy<Value = Trigger> {
    let way = prop_oneof![Just(Direction::Up), Just(Direction::Down), Just(Direction::Any)];
    let levels = || prop_oneof![2 => Just(vec![]), 1 => Just(vec![1, 2]), 1 => Just(vec![0])];
    let moved = (way, levels(), levels());
    let moved = moved.prop_map(|(direction, from, to)| Trigger::Moved { set: SET, direction, from, to });
    let day = prop_oneof![
        Just(DateTrigger::On(BIRTHDAY)),
        Just(DateTrigger::Anniversary(BIRTHDAY)),
        Just(DateTrigger::Yearly(MonthDay::parse("12-24").unwrap())),
        Just(DateTrigger::Yearly(MonthDay::parse("02-29").unwrap())),
    ];
    let span = || prop_oneof![(-60..60).prop_map(CalendarSpan::days), (-2..2).prop_map(CalendarSpan::months)];
    let date = (day, span(), 0..200i32).prop_map(|(day, from, more)| {
        let until = CalendarSpan { days: from.days + more, ..from };
        Trigger::Date { day, from, until }
    });
    prop_oneof![2 => Just(Trigger::State), 2 => moved, 2 => date, 1 => Just(Trigger::FollowUp(SET))]
}

fn rules() -> impl Strategy<Value = Vec<RetentionRule>> {
    let span = || (1..40).prop_map(CalendarSpan::days);
    let reentry = prop_oneof![
        3 => Just(Reentry::OncePerEntry),
        1 => Just(Reentry::Once),
        1 => span().prop_map(Reentry::Every)
    ];
    let exceed = prop_oneof![Just(Exceed::Defer), Just(Exceed::Hold)];
    let limit = prop::option::weighted(0.3, (0..4u64, exceed));
    let group = prop::option::of(prop::sample::select(vec!["x", "y"]));
    let holdout = prop_oneof![Just(0), Just(400_000u32)];
    let mode = prop_oneof![4 => Just(Mode::Live), 1 => Just(Mode::Shadow)];
    let times = (prop::option::weighted(0.3, span()), prop::option::weighted(0.3, span()), reentry);
    let one = (triggers(), prop::option::of(0..9i64), times, limit, (group, 0..2i64, holdout, mode));
    let one =
        one.prop_map(|(trigger, bound, (hold_for, cooldown, reentry), limit, (group, priority, holdout, mode))| {
            // A state without condition is no rule.
            let when = bound.or((trigger == Trigger::State).then_some(5)).and_then(idle);
            RetentionRule {
                hold_for,
                cooldown,
                reentry,
                limit: limit.map(|(per_run, exceed)| RunLimit { per_run, exceed }),
                group: group.map(str::to_owned),
                priority,
                holdout,
                mode,
                ..rule("", trigger, when)
            }
        });
    prop::collection::vec(one, 1..5).prop_map(|mut rules| {
        rules.iter_mut().zip("abcd".chars()).for_each(|(rule, name)| rule.name = name.to_string());
        rules
    })
}

/// A run: days since the one before, and each subject.
fn runs() -> impl Strategy<Value = Vec<(i32, Vec<Now>)>> {
    let gap = prop_oneof![Just(0), Just(1), 2..10, 20..40, 80..200];
    let idle = prop_oneof![5 => (0..10i64).prop_map(Some), 1 => Just(None)];
    let level = prop_oneof![4 => 0..3u16, 1 => Just(NONE)];
    let now = (idle, level).prop_map(|(idle, level)| Now { idle, birthday: None, level });
    // Levels change now and then only.
    let stays = prop::collection::vec(prop::bool::weighted(0.6), SUBJECTS);
    let run = (gap, prop::collection::vec(now, SUBJECTS), stays);
    prop::collection::vec(run, 1..25).prop_map(|mut runs| {
        for index in 1..runs.len() {
            for subject in (0..SUBJECTS).filter(|subject| runs[index].2[*subject]).collect::<Vec<_>>() {
                runs[index].1[subject].level = runs[index - 1].1[subject].level;
            }
        }
        runs.into_iter().map(|(gap, subjects, _)| (gap, subjects)).collect()
    })
}

fn when(rule: &RetentionRule, now: &Now) -> Option<bool> {
    use tierd_rules::ExprKind::{Compare, Literal};
    let Some(condition) = &rule.when else { return Some(true) };
    let Compare(_, _, bound) = &condition.kind else { unreachable!() };
    let Literal(Value::Integer(bound)) = bound.kind else { unreachable!() };
    now.idle.map(|idle| idle >= bound)
}

proptest! {
    #[test]
    fn deciding_run_after_run_is_what_a_look_at_the_whole_history_gives(
        rules in rules(),
        runs in runs(),
        birthdays in prop::collection::vec(prop::option::of(7000..21_000i32), SUBJECTS),
    ) {
        let mut world = World::new(rules.clone());
        let mut histories = vec![vec![Vec::<Seen>::new(); SUBJECTS]; rules.len()];
        let mut levels = [NONE; SUBJECTS];
        let mut day = Date::from_ymd(2026, 1, 10).unwrap();
        let mut times: Vec<Timestamp> = Vec::new();
        for (gap, mut subjects) in runs {
            day = Date(day.0 + gap);
            for (subject, birthday) in subjects.iter_mut().zip(&birthdays) {
                subject.birthday = birthday.map(|days| Value::Date(Date(days)));
            }
            for (rule, histories) in rules.iter().zip(&mut histories) {
                for (subject, now) in subjects.iter().enumerate() {
                    let birthday = birthdays[subject].map(Date);
                    let (was, when) = (levels[subject], when(rule, now));
                    histories[subject].push(Seen { day, when, was, now: now.level, birthday, acted: false });
                }
            }
            subjects.iter().zip(&mut levels).for_each(|(now, level)| *level = now.level);
            let at = format!("{day}T09:00");
            times.push(clock(&at, "Asia/Shanghai").as_of());
            let expected = decide_all(&rules, &histories);
            let outcomes = world.run(&at, &subjects);
            for (rule, outcome) in outcomes.iter().enumerate() {
                let acts = (0..SUBJECTS).filter(|subject| expected[rule][*subject].acts);
                let acts: Vec<_> = acts.map(|subject| subject as u32).collect();
                let found: Vec<_> = outcome.acts.iter().map(|act| act.subject).collect();
                prop_assert_eq!(&found, &acts, "rule {} on {}", rule, day);
                let entered = expected[rule].iter().filter(|verdict| verdict.entered.is_some()).count();
                prop_assert_eq!(outcome.entered, entered as u64, "rule {} on {}", rule, day);
                for act in &outcome.acts {
                    let subject = act.subject as usize;
                    let key = tierd_model::Key::Integer(subject as i64);
                    let is_treated = rules[rule].mode == Mode::Live && !is_held_out(&rules[rule], &key);
                    prop_assert_eq!(act.kind == crate::retention::ActKind::Acted, is_treated);
                    let entry = expected[rule][subject].entered.map(|run| times[run]);
                    prop_assert_eq!(Some(act.entered), entry);
                    let seen = histories[rule][subject].last_mut().unwrap();
                    prop_assert_eq!(act.occurrence, occurrence(&rules[rule].trigger, seen));
                    seen.acted = true;
                }
            }
        }
    }
}
