//! Why a level is held that isn't the earned one, in words.

use super::{Line, Role, words::Words};
use crate::{
    explain::{Explanation, Holding, Why},
    history::OverrideKind,
};

/// Lines after the headline.
pub(super) fn holding(words: &Words<'_>, explanation: &Explanation, out: &mut Vec<Line>) {
    let Some(holding) = &explanation.holding else { return };
    let line = Line::indented(2);
    if let Some(why) = holding.why {
        let line = line.clone().push(Role::Plain, "earned ").push(Role::Level, name(explanation, holding.earned));
        out.push(line.push(Role::Plain, format!(": {}", because(words, holding, why))));
    }
    if let Some(reason) = holding.moved {
        out.push(match holding.before {
            None => line.clone().push(Role::Plain, reason.name()),
            before => line
                .clone()
                .push(Role::Plain, "before ")
                .push(Role::Level, name(explanation, before))
                .push(Role::Plain, format!(": {}", reason.name())),
        });
    }
    for &(kind, level) in &holding.overrides {
        let kind = match kind {
            OverrideKind::Pin => "pinned to",
            OverrideKind::Floor => "at least",
            OverrideKind::Ceiling => "at most",
        };
        let line = line.clone().push(Role::Plain, format!("override: {kind} "));
        out.push(line.push(Role::Level, name(explanation, Some(level))));
    }
    if let Some(until) = holding.locked_until.filter(|_| !matches!(holding.why, Some(Why::Locked(_)))) {
        out.push(line.push(Role::Plain, format!("locked until {until}")));
    }
}

fn name(explanation: &Explanation, level: Option<usize>) -> String {
    let check = level.and_then(|level| explanation.levels.iter().find(|check| check.level == level));
    check.map_or_else(|| "no level".to_owned(), |check| check.name.clone())
}

fn because(words: &Words<'_>, holding: &Holding, why: Why) -> String {
    let rises = holding.earned > holding.level;
    match why {
        Why::NotDue => "this run doesn't decide the set".to_owned(),
        Why::Override => "an override says otherwise".to_owned(),
        Why::Keeps => "it stays, because its condition to stay is true".to_owned(),
        Why::Unknown => "it stays, because a condition is UNKNOWN".to_owned(),
        Why::Locked(until) => format!("locked until {until}"),
        Why::Grace(since, until) => format!("below since {since}, grace until {until}"),
        Why::PeriodEnd(on) if rises => format!("it rises when the period ends, on {on}"),
        Why::PeriodEnd(on) => format!("it falls when the period ends, on {on}"),
        Why::Never if rises => "this set never raises a level".to_owned(),
        Why::Never => "this set never takes a level away".to_owned(),
        Why::Steps => format!("it falls step by step; this was the step of {}", words.clock.today()),
    }
}
