//! Timelines: a policy, days with what is known of a subject on them, and the level that it then holds.
//!
//! ```text
//! timeline a fall waits for thirty days
//! policy grace 30 days; keep
//! 2026-01-10  30                 platinum  first level
//! 2026-02-01  12~20 floor gold   platinum
//! ```
//!
//! A day has the number to enter levels by; with `~`, another one to keep them by; `?` for NULL; overrides that are in force; the
//! level held after the run, and the reason if it is another one than before. `UPDATE_EXPECT=1` writes levels and reasons anew.

use std::{fs, path::PathBuf};

use tierd_model::{CalendarSpan, CalendarUnit, Clock, MonthDay, parse_date};
use tierd_rules::{Lock, LockUntil, Movement, Period, Timing, Unknown};

use super::{
    super::{Settled, settle},
    base::{Conditions, Facts, LEVELS, ladder, metrics},
};
use crate::{
    history::{Held, Override, OverrideKind, PolicyState},
    levels::{NONE, grade},
    testing::clock,
};

pub(super) struct Timeline {
    pub(super) name: String,
    pub(super) movement: Movement,
    pub(super) conditions: Conditions,
    pub(super) days: Vec<Day>,
}

pub(super) struct Day {
    date: String,
    /// As written: numbers and overrides.
    given: String,
    pub(super) facts: Facts,
    pub(super) overrides: Vec<Override>,
    expected: (String, String),
}

/// All timelines of all files.
pub(super) fn timelines() -> Vec<Timeline> {
    files().into_iter().flat_map(|path| parse(&fs::read_to_string(path).unwrap())).collect()
}

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/movement");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "spec")).collect();
    files.sort();
    files
}

fn parse(text: &str) -> Vec<Timeline> {
    let mut timelines: Vec<Timeline> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("timeline ") {
            let (movement, conditions) = (Movement::AT_ONCE, Conditions::default());
            timelines.push(Timeline { name: name.to_owned(), movement, conditions, days: Vec::new() });
            continue;
        }
        let timeline = timelines.last_mut().expect("a timeline before the first day");
        match line.strip_prefix("policy ") {
            Some(options) => options.split(';').for_each(|option| timeline.option(option.trim())),
            None => timeline.days.push(day(line)),
        }
    }
    timelines
}

impl Timeline {
    fn option(&mut self, option: &str) {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        match name {
            "upgrade" => self.movement.upgrade = timing(value),
            "downgrade" => self.movement.downgrade = timing(value),
            "grace" => self.movement.grace = Some(CalendarSpan::parse(value).unwrap()),
            "steps" => self.movement.steps = Some(value.parse().unwrap()),
            "period" => self.movement.period = period(value),
            "lock" => self.movement.lock = Some(lock(value)),
            "keep" => self.conditions.keep = true,
            "conditional" => self.conditions.lowest = true,
            "unordered" => self.conditions.ordered = false,
            "unknown" if value == "lowest" => self.conditions.unknown = Unknown::Lowest,
            _ => panic!("{}: no option `{option}`", self.name),
        }
    }
}

fn timing(text: &str) -> Timing {
    match text {
        "at once" => Timing::AtOnce,
        "at period end" => Timing::AtPeriodEnd,
        "never" => Timing::Never,
        _ => panic!("no timing `{text}`"),
    }
}

fn period(text: &str) -> Period {
    match text {
        "year" => Period::Calendar(CalendarUnit::Year),
        "quarter" => Period::Calendar(CalendarUnit::Quarter),
        "month" => Period::Calendar(CalendarUnit::Month),
        day => Period::ProgramYear(MonthDay::parse(day).unwrap()),
    }
}

fn lock(text: &str) -> Lock {
    let (text, renew) = text.strip_suffix(" renew").map_or((text, false), |text| (text, true));
    let until = match text {
        "period end" => LockUntil::PeriodEnd,
        "next period end" => LockUntil::NextPeriodEnd,
        text => match parse_date(text.as_bytes()) {
            Some(day) => LockUntil::Day(day),
            None => LockUntil::Span(CalendarSpan::parse(text).unwrap()),
        },
    };
    Lock { until, renew }
}

fn day(line: &str) -> Day {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |text: &str| (text != "?").then(|| text.parse().unwrap());
    let (enter, keep) = words[1].split_once('~').unwrap_or((words[1], words[1]));
    let mut next = 2;
    let mut overrides = Vec::new();
    while let Some(kind) = words.get(next).and_then(|word| override_kind(word)) {
        let level = LEVELS.iter().position(|level| *level == words[next + 1]).unwrap() as u16;
        overrides.push(Override { subject: 0, kind, level });
        next += 2;
    }
    let expected = (words.get(next).copied().unwrap_or("").to_owned(), words.get(next + 1..).unwrap_or(&[]).join(" "));
    Day {
        date: words[0].to_owned(),
        given: words[1..next].join(" "),
        facts: Facts { enter: number(enter), keep: number(keep) },
        overrides,
        expected,
    }
}

fn override_kind(word: &str) -> Option<OverrideKind> {
    match word {
        "pin" => Some(OverrideKind::Pin),
        "floor" => Some(OverrideKind::Floor),
        "ceiling" => Some(OverrideKind::Ceiling),
        _ => None,
    }
}

/// Level and reason after each day.
fn played(timeline: &Timeline) -> Vec<(String, String)> {
    let set = ladder(timeline.movement, &timeline.conditions);
    let mut held = Held::NOTHING;
    let play = |day: &Day| {
        let (metrics, clock) = (metrics(&[day.facts]), clock(&format!("{}T09:00", day.date), "Asia/Shanghai"));
        let graded = grade(&set, &metrics, &clock).unwrap();
        let settled = settle(&set, &metrics, graded, &[held], &day.overrides, &clock);
        held = kept(held, &settled, 0, &clock);
        let level = LEVELS.get(usize::from(held.level)).copied().unwrap_or("none");
        (level.to_owned(), settled.moved.first().map_or("", |(_, reason)| reason.name()).to_owned())
    };
    timeline.days.iter().map(play).collect()
}

/// What a ledger would hand to the next run.
pub(super) fn kept(before: Held, settled: &Settled, subject: u32, clock: &Clock) -> Held {
    let level = settled.held[subject as usize];
    let since = match level {
        NONE => Held::NOTHING.since,
        _ if level == before.level => before.since,
        _ => clock.as_of(),
    };
    let was_kept = Some(before.state).filter(|state| *state != PolicyState::at(before.level));
    let changed = settled.states.iter().find(|(of, _)| *of == subject).map(|(_, state)| *state);
    let state = changed.or(was_kept);
    Held { level, since, state: state.unwrap_or(PolicyState::at(level)) }
}

fn written(day: &Day, (level, reason): &(String, String)) -> String {
    format!("{}  {:24} {:9} {}", day.date, day.given, level, reason).trim_end().to_owned()
}

#[test]
fn timelines_hold_what_they_say() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        files().iter().for_each(update);
    }
    for timeline in timelines() {
        let days = timeline.days.iter().zip(played(&timeline));
        let lines: Vec<_> = days.map(|(day, found)| (written(day, &day.expected), written(day, &found))).collect();
        let (expected, found): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
        assert_eq!(expected, found, "timeline {}", timeline.name);
    }
}

fn update(path: &PathBuf) {
    let text = fs::read_to_string(path).unwrap();
    let mut found = parse(&text).into_iter().flat_map(|timeline| {
        let played = played(&timeline);
        timeline.days.into_iter().zip(played).collect::<Vec<_>>()
    });
    let mut line = |line: &str| match line.starts_with(|first: char| first.is_ascii_digit()) {
        true => found.next().map(|(day, found)| written(&day, &found)).unwrap(),
        false => line.to_owned(),
    };
    let lines: Vec<_> = text.lines().map(&mut line).collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}
