//! `tierd explain`: why a customer has its level.

mod document;
mod retention;

use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use tierd_daemon::evaluate::Evaluation;
use tierd_eval::explain::{
    Explanation, explain_held,
    rules::RuleStory,
    text::{Line, Role, lines, rule_lines},
};
use tierd_ledger::{Held, KeyRef, Override, OverrideFilter, Reader};
use tierd_model::{Clock, Key};
use tierd_rules::{RuleSet, TierSet};

use crate::{
    args::{ExplainArgs, Format},
    exit::{Code, Failure},
    output::Output,
    reading,
    session::{self, Session},
};

/// One tier set's explanation of one customer, with what the ledger knows.
struct Answer {
    explanation: Explanation,
    held: Option<Held>,
    /// Overrides in force, as they were recorded.
    overrides: Vec<Override>,
}

impl Answer {
    /// Whether the data or the rules give another level than the one that is held.
    fn has_moved_on(&self, rules: &RuleSet) -> bool {
        let held = self.held.as_ref().map(|held| held.level.as_deref());
        held.is_some_and(|held| held != document::level_name(rules, &self.explanation))
    }
}

/// Evaluates as of the last run (or as asked) and explains one customer.
pub(crate) fn explain(args: &ExplainArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let sets: Vec<&str> = session.tier_sets(args.set.as_deref())?.iter().map(|set| set.name.as_str()).collect();
    let clock = session.clock_of_last_run(args.as_of.as_deref())?;
    let evaluation = reading::evaluate(&args.reading, &session, &clock, output)?;
    let subjects = find(&session, &evaluation, &args.customer, &sets)?;
    let answers = subjects
        .iter()
        .map(|&(set, subject)| answer(&session, &clock, &evaluation, set, subject))
        .collect::<Result<Vec<_>, _>>()?;
    let rules = match args.set {
        Some(_) => Vec::new(),
        None => retention::stories(&session, &clock, &evaluation, &args.customer)?,
    };
    show(&session, &clock, &args.customer, &answers, &rules, output)
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
    let answer = answer(session, clock, evaluation, set, subject)?;
    show(session, clock, &key, &[answer], &[], output)
}

/// The tier sets that grade this customer, each with the customer's index.
fn find(
    session: &Session,
    evaluation: &Evaluation,
    customer: &str,
    sets: &[&str],
) -> Result<Vec<(usize, usize)>, Failure> {
    let rules = &session.rules;
    let mut found = Vec::new();
    let mut refusal = None;
    for (index, result) in evaluation.outcome.sets.iter().enumerate() {
        let set = &rules.tier_sets[result.set.0];
        if !sets.contains(&set.name.as_str()) {
            continue;
        }
        let subject = &rules.config.subjects[set.subject.0];
        match Key::parse(customer, subject.key_type) {
            None => {
                refusal = Some(format!("`{customer}` is no key of a {}: its keys are of type integer", subject.name))
            }
            Some(key) => match evaluation.source(result).keys.find(&key) {
                Some(row) => found.push((index, row)),
                None => refusal = refusal.or(Some(format!("no {} has the key {customer}", subject.name))),
            },
        }
    }
    match (found.is_empty(), refusal) {
        (false, _) => Ok(found),
        (true, Some(refusal)) => Err(Failure::new(Code::Failed, refusal)),
        (true, None) => Err(Failure::new(Code::Failed, "the rules have no tier set")),
    }
}

fn answer(
    session: &Session,
    clock: &Clock,
    evaluation: &Evaluation,
    set: usize,
    subject: usize,
) -> Result<Answer, Failure> {
    let rules = &session.rules;
    let result = &evaluation.outcome.sets[set];
    let tier_set = &rules.tier_sets[result.set.0];
    let key = evaluation.source(result).keys.key(subject);
    let (held, overrides) = stored(session, tier_set, &key, clock)?;
    let explanation = explain_held(rules, &evaluation.outcome, result.set, subject, clock);
    Ok(Answer { explanation, held, overrides })
}

/// What the ledger says of the customer, and which overrides are in force; nothing where there is no ledger yet.
fn stored(
    session: &Session,
    set: &TierSet,
    key: &Key,
    clock: &Clock,
) -> Result<(Option<Held>, Vec<Override>), Failure> {
    let path = session.project.ledger(&session.rules.config);
    if !path.exists() {
        return Ok((None, Vec::new()));
    }
    let key = KeyRef::from(key);
    let filter = OverrideFilter { set: Some(&set.name), key: Some(key), in_force: Some(clock.as_of()) };
    let read = |ledger: Reader| Ok((ledger.held(&set.name, key)?, ledger.overrides(filter)?));
    Reader::open(&path).and_then(read).map_err(|error| Failure::from_error(Code::Unreachable, &error))
}

fn show(
    session: &Session,
    clock: &Clock,
    customer: &str,
    answers: &[Answer],
    retention: &[RuleStory],
    output: Output,
) -> Result<(), Failure> {
    let rules = &session.rules;
    if output.format == Format::Json {
        let sets: Vec<_> = answers
            .iter()
            .map(|answer| document::set(rules, &answer.explanation, answer.held.as_ref(), &answer.overrides, clock))
            .collect();
        let retention: Vec<_> = retention.iter().map(document::rule).collect();
        let as_of = clock.as_of().to_string();
        return output.json(&json!({ "key": customer, "as_of": as_of, "sets": sets, "retention": retention }));
    }
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            output.line("")?;
        }
        let explained = lines(&answer.explanation, &who(rules, answer, customer), clock);
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
        return vec!["not stored yet: `tierd run` does it".to_owned()];
    };
    let name = held.level.as_deref().unwrap_or("no level");
    let revision = held.revision.to_string();
    let since = session::local_time(held.since, clock.zone());
    let reason = held.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut lines = vec![format!("{name} since {since}{reason} (run {}, revision {})", held.run.0, &revision[..12])];
    lines.extend(answer.overrides.iter().map(|one| overruled(one, clock)));
    if answer.has_moved_on(rules) {
        let now = document::level_name(rules, &answer.explanation).unwrap_or("no level");
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
