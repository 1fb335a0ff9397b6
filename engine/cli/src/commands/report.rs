//! `tierd report`: what came of what the rules did.

use std::path::Path;

use tierd_daemon::{effect::effects, run::RunError};
use tierd_eval::effect::{Effect, Estimate, Group};
use tierd_model::Clock;
use tierd_rules::{RetentionRule, RuleSet};

use crate::{
    args::{Format, ReportCommand, ReportEffectArgs},
    exit::Failure,
    output::{Cell, Output, Table, thousands},
    reading::with_progress,
    session::{self, Session},
};

/// Carries out one of its commands.
pub(crate) fn report(command: &ReportCommand, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    match command {
        ReportCommand::Effect(args) => report_effect(args, &session, output),
    }
}

/// A rule and what came of it.
struct Measured<'a> {
    rule: &'a RetentionRule,
    /// `None` for a rule that can't be measured.
    effect: Option<Effect>,
}

/// How many of those contacted and of those held out came back, rule by rule.
fn report_effect(args: &ReportEffectArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let rules = asked_for(args.rule.as_deref(), &session.rules)?;
    let clock = session.clock_of_last_run(args.as_of.as_deref())?;
    let all = measure(args, &rules, session, &clock, output)?;
    output.remark(&format!("as of {}", session::local_time(clock.as_of(), clock.zone())));
    if output.format != Format::Table {
        return output.table(&figures(&all), false);
    }
    if all.iter().any(|measured| measured.effect.is_some()) {
        output.table(&groups(&all), false)?;
        output.line("")?;
    }
    all.iter().try_for_each(|measured| output.line(&in_words(measured, &session.rules)))
}

fn asked_for<'a>(name: Option<&str>, rules: &'a RuleSet) -> Result<Vec<&'a RetentionRule>, Failure> {
    let Some(name) = name else { return Ok(rules.retention.iter().collect()) };
    let found = rules.retention.iter().find(|rule| rule.name == name);
    let names = rules.retention.iter().map(|rule| rule.name.as_str());
    found.map(|rule| vec![rule]).ok_or_else(|| session::unknown("no retention rule", name, names))
}

/// The database is read only for rules that can be measured.
fn measure<'a>(
    args: &ReportEffectArgs,
    rules: &[&'a RetentionRule],
    session: &Session,
    clock: &Clock,
    output: Output,
) -> Result<Vec<Measured<'a>>, Failure> {
    let measurable: Vec<&RetentionRule> = rules.iter().copied().filter(|rule| lacks(rule).is_none()).collect();
    let mut found = Vec::new();
    if !measurable.is_empty() {
        let ledger = session.reader()?;
        found = with_progress(&args.reading, session, clock, output, |evaluator| {
            effects(&session.project, &session.rules, &measurable, &ledger, evaluator).map_err(RunError::Evaluate)
        })?;
    }
    let mut found = found.into_iter();
    let of = |rule: &&'a RetentionRule| {
        let effect = if lacks(rule).is_none() { found.next().flatten() } else { None };
        Measured { rule, effect }
    };
    Ok(rules.iter().map(of).collect())
}

/// What keeps a rule from being measured.
fn lacks(rule: &RetentionRule) -> Option<&'static str> {
    match (rule.holdout > 0, rule.goal.is_some()) {
        (true, true) => None,
        (true, false) => Some("goal"),
        (false, true) => Some("holdout"),
        (false, false) => Some("holdout and goal"),
    }
}

/// For programs: one row per rule, shares from 0 to 1.
fn figures(all: &[Measured<'_>]) -> Table {
    let mut table = Table::new([
        "rule",
        "contacted",
        "contacted_came_back",
        "contacted_rate",
        "contacted_open",
        "held_out",
        "held_out_came_back",
        "held_out_rate",
        "held_out_open",
        "difference",
        "low",
        "high",
        "contains_zero",
        "lacks",
    ]);
    for measured in all {
        let mut row = vec![Cell::text(&measured.rule.name)];
        for group in [measured.effect.map(|effect| effect.treated), measured.effect.map(|effect| effect.held_out)] {
            let count = |of: fn(Group) -> u64| group.map_or(Cell::Null, |group| Cell::number(of(group)));
            row.extend([count(|group| group.subjects), count(|group| group.came_back)]);
            row.push(share(group.and_then(|group| group.rate()).map(|rate| rate.value)));
            row.push(count(|group| group.open));
        }
        let difference = measured.effect.and_then(|effect| effect.difference());
        row.push(share(difference.map(|it| it.value)));
        row.push(share(difference.map(|it| it.low)));
        row.push(share(difference.map(|it| it.high)));
        row.push(Cell::optional(difference.map(|it| if it.contains_zero() { "yes" } else { "no" })));
        row.push(Cell::optional(lacks(measured.rule)));
        table.push(row);
    }
    table
}

fn share(share: Option<f64>) -> Cell {
    share.map_or(Cell::Null, |share| Cell::number(format!("{:.6}", rounded(share, 1e6))))
}

/// For people: one row per group.
fn groups(all: &[Measured<'_>]) -> Table {
    let mut table = Table::new(["rule", "group", "customers", "came back", "share", "still open"]);
    for Measured { rule, effect } in all {
        let Some(Effect { treated, held_out }) = effect else { continue };
        for (name, group) in [("contacted", treated), ("held out", held_out)] {
            table.push(vec![
                Cell::text(&rule.name),
                Cell::text(name),
                Cell::number(thousands(group.subjects)),
                Cell::number(thousands(group.came_back)),
                group.rate().map_or(Cell::Null, |rate| Cell::number(percent(rate.value))),
                Cell::number(thousands(group.open)),
            ]);
        }
    }
    table
}

/// What the figures of one rule mean.
fn in_words(Measured { rule, effect }: &Measured<'_>, rules: &RuleSet) -> String {
    let Some(effect) = effect else {
        let lacks = lacks(rule).unwrap_or("goal");
        return format!("{}: no effect can be measured; the rule lacks {lacks}", rule.name);
    };
    let compared = match (effect.treated.rate(), effect.held_out.rate(), effect.difference()) {
        (Some(treated), Some(held_out), Some(difference)) => format!(
            "came back: {} of {} contacted, {} of {} held out: {}\n  {}",
            percent(treated.value),
            thousands(effect.treated.subjects),
            percent(held_out.value),
            thousands(effect.held_out.subjects),
            in_points(difference),
            verdict(difference),
        ),
        _ => "nothing to compare yet: it takes customers of both kinds whose time to come back is over".to_owned(),
    };
    format!("{}: {compared}{}", rule.name, goal_in_words(rule, rules))
}

fn goal_in_words(rule: &RetentionRule, rules: &RuleSet) -> String {
    let Some(goal) = &rule.goal else { return String::new() };
    let facts = &rules.config.facts[goal.facts.0].name;
    let filter = goal.filter.as_ref().map(|filter| format!(" where {}", rules.quote(&filter.at)));
    format!("\n  coming back means: {facts}{} within {}", filter.unwrap_or_default(), goal.within)
}

/// `+6.4 points (95 %: +1.9 to +10.6)`
fn in_points(difference: Estimate) -> String {
    let points = |share: f64| format!("{:+.1}", rounded(share * 100.0, 10.0));
    format!("{} points (95 %: {} to {})", points(difference.value), points(difference.low), points(difference.high))
}

fn verdict(difference: Estimate) -> &'static str {
    if difference.contains_zero() {
        "0 is in between: this may be chance; more customers or time will tell"
    } else if difference.value > 0.0 {
        "0 is not in between: the rule brings customers back"
    } else {
        "0 is not in between: fewer come back than without the rule"
    }
}

/// `31.2 %`
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Rounded to a fraction of 1; never a negative zero.
fn rounded(number: f64, fraction: f64) -> f64 {
    (number * fraction).round() / fraction + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(treated: (u64, u64), held_out: (u64, u64)) -> Estimate {
        let group = |(came_back, subjects)| Group { subjects, came_back, open: 0 };
        Effect { treated: group(treated), held_out: group(held_out) }.difference().unwrap()
    }

    #[test]
    fn differences_are_written_in_points_and_judged() {
        let better = difference((56, 70), (48, 80));
        assert_eq!(in_points(better), "+20.0 points (95 %: +5.2 to +33.4)");
        assert!(verdict(better).contains("brings customers back"));
        let worse = difference((48, 80), (56, 70));
        assert_eq!(in_points(worse), "-20.0 points (95 %: -33.4 to -5.2)");
        assert!(verdict(worse).contains("fewer come back"));
        let none = difference((4_999, 10_000), (5_000, 10_000));
        assert!(in_points(none).starts_with("+0.0 points"), "no negative zero: {}", in_points(none));
        assert!(verdict(none).contains("may be chance"));
    }
}
