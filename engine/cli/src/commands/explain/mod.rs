//! `tierd explain`: why a customer has its level.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use tierd_daemon::{
    evaluate::Evaluation,
    explain::{Answer, Answers, ExplainError, json, limits_used_up, of_evaluation, one_set},
};
use tierd_eval::explain::text::{Line, Role, lines, rule_lines};
use tierd_ledger::{Override, Reader};
use tierd_model::Clock;
use tierd_rules::{RuleSet, TierSetId};

use crate::{
    args::{ExplainArgs, Format},
    exit::{Code, Failure},
    output::Output,
    reading,
    session::{self, Session},
};

/// Evaluates as of the last run (or as asked) and explains one customer.
pub(crate) fn explain(args: &ExplainArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut session = Session::in_force(folder, output)?;
    session.tier_sets(args.set.as_deref())?;
    let clock = session.clock_of_last_run(args.as_of.as_deref())?;
    if args.as_of.is_none() && is_of_last_run(&session)? {
        session.rules = limits_used_up(&session.rules);
    }
    let evaluation = reading::evaluate(&args.reading, &session, &clock, output)?;
    let (ledger, set) = (ledger(&session)?, args.set.as_deref());
    let answers = of_evaluation(&session.rules, &evaluation, ledger.as_ref(), &clock, &args.customer, set);
    show(&session, &clock, &answers.map_err(|error| failure(&error))?, output)
}

/// Whether the rules are those of the last run.
fn is_of_last_run(session: &Session) -> Result<bool, Failure> {
    let run = ledger(session)?.map(|ledger| ledger.last_applied_run()).transpose();
    let run = run.map_err(|error| Failure::from_error(Code::Unreachable, &error))?.flatten();
    Ok(run.is_some_and(|run| run.revision.to_string() == session.rules.revision.to_string()))
}

/// Explains a subject of an evaluation that is at hand, in one tier set.
pub(crate) fn print(
    session: &Session,
    clock: &Clock,
    evaluation: &Evaluation,
    subject: usize,
    set: usize,
    output: Output,
) -> Result<(), Failure> {
    let key = evaluation.source(&evaluation.outcome.sets[set]).keys.key(subject).to_string();
    let (ledger, outcome) = (ledger(session)?, &evaluation.outcome);
    let answer = one_set(&session.rules, outcome, (TierSetId(set), subject), ledger.as_ref(), clock);
    let answers = Answers { key, sets: vec![answer.map_err(|error| failure(&error))?], rules: Vec::new() };
    show(session, clock, &answers, output)
}

/// The ledger; none before the first run.
fn ledger(session: &Session) -> Result<Option<Reader>, Failure> {
    let path = session.project.ledger(&session.rules.config);
    let ledger = path.exists().then(|| Reader::open(&path)).transpose();
    ledger.map_err(|error| Failure::from_error(Code::Unreachable, &error))
}

fn failure(error: &ExplainError) -> Failure {
    match error {
        ExplainError::Ledger(error) => Failure::from_error(Code::Unreachable, error),
        error => Failure::from_error(Code::Failed, error),
    }
}

fn show(session: &Session, clock: &Clock, answers: &Answers, output: Output) -> Result<(), Failure> {
    let rules = &session.rules;
    if output.format == Format::Json {
        return output.json(&json::document(rules, answers, clock));
    }
    let Answers { key, sets, rules: retention } = answers;
    for (index, answer) in sets.iter().enumerate() {
        if index > 0 {
            output.line("")?;
        }
        let explained = lines(&answer.explanation, &who(rules, answer, key), clock);
        let explained = explained.iter().map(|line| painted(line, output.color_stdout()));
        let standing = standing(rules, answer, clock);
        let all: Vec<String> = match answer.has_moved_on(rules) {
            // What is held comes first where the explanation is about another level.
            true => standing.into_iter().chain(explained).collect(),
            false => explained.chain(standing).collect(),
        };
        all.iter().try_for_each(|line| output.line(line))?;
    }
    if !retention.is_empty() {
        output.line("")?;
    }
    rule_lines(retention, clock).iter().try_for_each(|line| output.line(&painted(line, output.color_stdout())))
}

fn who(rules: &RuleSet, answer: &Answer, customer: &str) -> String {
    let subject = rules.tier_set(&answer.explanation.set).map_or("", |set| &rules.config.subjects[set.subject.0].name);
    format!("{subject} {customer}")
}

/// Since when the level is held, under which rules, and whether the next run would change it.
fn standing(rules: &RuleSet, answer: &Answer, clock: &Clock) -> Vec<String> {
    let Some(held) = &answer.held else {
        return vec![match answer.level(rules) {
            Some(_) => "not stored yet: `tierd run` does it".to_owned(),
            None => "no level is held".to_owned(),
        }];
    };
    let name = held.level.as_deref().unwrap_or("no level");
    let revision = held.revision.to_string();
    let since = session::local_time(held.since, clock.zone());
    let reason = held.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut lines = vec![format!("{name} since {since}{reason} (run {}, revision {})", held.run.0, &revision[..12])];
    lines.extend(answer.overrides.iter().map(|one| overruled(one, clock)));
    if answer.has_moved_on(rules) {
        let now = answer.level(rules).unwrap_or("no level");
        lines.push(format!("data or rules have changed since: the next run would give {now}"));
    }
    lines
}

/// `override: floor B until 2026-12-31 00:00, approved by wang: a promise`
fn overruled(one: &Override, clock: &Clock) -> String {
    let until = session::local_time(one.expires, clock.zone());
    format!("override: {} {} until {until}, approved by {}: {}", one.kind.name(), one.level, one.approver, one.reason)
}

fn painted(line: &Line, color: bool) -> String {
    if !color {
        return line.plain();
    }
    line.spans.iter().map(|span| paint(span.role, &span.text)).collect()
}

fn paint(role: Role, text: &str) -> String {
    let style = match role {
        Role::Plain => return text.to_owned(),
        Role::Heading => Style::new().bold(),
        Role::Level => Style::new().bold().fg_color(Some(AnsiColor::Cyan.into())),
        Role::True => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Role::False => Style::new().fg_color(Some(AnsiColor::Red.into())),
        Role::Unknown | Role::Gap => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Role::Value => Style::new().bold(),
        Role::Rule => Style::new(),
        Role::Faint => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}
