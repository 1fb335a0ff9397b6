//! Whether the timelines cover every option of a policy, and every pair of options.

use std::collections::BTreeSet;

use tierd_model::CalendarUnit;
use tierd_rules::{LockUntil, Period, Timing, Unknown};

use super::spec::{Timeline, timelines};
use crate::history::OverrideKind;

const OPTIONS: &[(&str, &[&str])] = &[
    ("upgrade", &["at once", "at period end", "never"]),
    ("downgrade", &["at once", "at period end", "never"]),
    ("grace", &["none", "some"]),
    ("steps", &["all", "1", "2"]),
    ("period", &["year", "quarter", "month", "program year"]),
    ("lock", &["none", "span", "period end", "next period end", "day"]),
    ("renew", &["no", "yes"]),
    ("keep", &["no", "yes"]),
    ("lowest", &["open", "conditional"]),
    ("unknown", &["never met", "keep", "lowest"]),
    ("overrides", &["none", "pin", "floor", "ceiling"]),
    ("levels", &["ordered", "unordered"]),
];

/// What levels without order can't have.
const MOVEMENT: [&str; 8] = ["upgrade", "downgrade", "grace", "steps", "period", "lock", "renew", "keep"];

/// The value of each option, in the order of [`OPTIONS`].
fn values(timeline: &Timeline) -> Vec<&'static str> {
    let movement = &timeline.movement;
    let timing = |timing| match timing {
        Timing::AtOnce => "at once",
        Timing::AtPeriodEnd => "at period end",
        Timing::Never => "never",
    };
    let met_unknown = timeline.days.iter().any(|day| day.facts.enter.is_none() || day.facts.keep.is_none());
    let mut overrides = timeline.days.iter().flat_map(|day| &day.overrides).map(|one| one.kind);
    vec![
        timing(movement.upgrade),
        timing(movement.downgrade),
        movement.grace.map_or("none", |_| "some"),
        movement.steps.map_or("all", |steps| if steps == 1 { "1" } else { "2" }),
        match movement.period {
            Period::Calendar(CalendarUnit::Year) => "year",
            Period::Calendar(CalendarUnit::Quarter) => "quarter",
            Period::Calendar(CalendarUnit::Month) => "month",
            Period::ProgramYear(_) => "program year",
        },
        movement.lock.map_or("none", |lock| match lock.until {
            LockUntil::Span(_) => "span",
            LockUntil::PeriodEnd => "period end",
            LockUntil::NextPeriodEnd => "next period end",
            LockUntil::Day(_) => "day",
        }),
        if movement.lock.is_some_and(|lock| lock.renew) { "yes" } else { "no" },
        if timeline.conditions.keep { "yes" } else { "no" },
        if timeline.conditions.lowest { "conditional" } else { "open" },
        match timeline.conditions.unknown {
            _ if !met_unknown => "never met",
            Unknown::Lowest => "lowest",
            Unknown::Keep | Unknown::Error => "keep",
        },
        overrides.next().map_or("none", |kind| match kind {
            OverrideKind::Pin => "pin",
            OverrideKind::Floor => "floor",
            OverrideKind::Ceiling => "ceiling",
        }),
        if timeline.conditions.ordered { "ordered" } else { "unordered" },
    ]
}

/// Pairs that no policy can have.
fn is_possible(pair: [(&str, &str); 2]) -> bool {
    let moves = |(option, value): &(&str, &str)| {
        MOVEMENT.contains(option) && !OPTIONS.iter().any(|(name, values)| name == option && values[0] == *value)
    };
    let unordered_moves = pair.contains(&("levels", "unordered")) && pair.iter().any(moves);
    let renewable = !pair.contains(&("lock", "none")) && !pair.contains(&("lock", "day"));
    let renews_nothing = pair.contains(&("renew", "yes")) && !renewable;
    !unordered_moves && !renews_nothing
}

fn pairs(options: &[(&'static str, &'static str)]) -> Vec<[(&'static str, &'static str); 2]> {
    let with_later = |i: usize| options[i + 1..].iter().map(move |later| [options[i], *later]);
    (0..options.len()).flat_map(with_later).collect()
}

#[test]
fn timelines_cover_every_pair_of_options() {
    let timelines = timelines();
    assert!(timelines.len() >= 120, "{} timelines", timelines.len());
    let names: BTreeSet<_> = timelines.iter().map(|timeline| &timeline.name).collect();
    assert_eq!(names.len(), timelines.len(), "two timelines have the same name");
    let of = |timeline| OPTIONS.iter().map(|(name, _)| *name).zip(values(timeline)).collect::<Vec<_>>();
    let covered: BTreeSet<_> = timelines.iter().flat_map(|timeline| pairs(&of(timeline))).collect();
    let every: Vec<_> = OPTIONS.iter().flat_map(|(name, values)| values.iter().map(|value| (*name, *value))).collect();
    let missing: Vec<_> = pairs(&every)
        .into_iter()
        .filter(|pair| pair[0].0 != pair[1].0 && is_possible(*pair) && !covered.contains(pair))
        .collect();
    assert_eq!(missing, [] as [[(&str, &str); 2]; 0], "pairs of options that no timeline has");
}
