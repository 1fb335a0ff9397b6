//! `tierd explain`: why a customer has its level.

mod document;

use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use tierd_daemon::evaluate::Evaluation;
use tierd_eval::explain::{
    Explanation, explain as explain_level,
    text::{Line, Role, lines},
};
use tierd_ledger::{Held, KeyRef, Reader};
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
    if let Some(name) = &args.set {
        session.tier_set(Some(name))?;
    }
    let clock = session.clock_of_last_run(args.as_of.as_deref())?;
    let evaluation = reading::evaluate(&args.reading, &session, &clock, output)?;
    let subjects = find(&session, &evaluation, &args.customer, args.set.as_deref())?;
    let answers = subjects
        .into_iter()
        .map(|(set, subject)| answer(&session, &clock, &evaluation, set, subject))
        .collect::<Result<Vec<_>, _>>()?;
    show(&session, &clock, &args.customer, &answers, output)
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
    let key = evaluation.subject(&evaluation.sets[set]).source.keys.key(subject).to_string();
    let answer = answer(session, clock, evaluation, set, subject)?;
    show(session, clock, &key, &[answer], output)
}

/// The tier sets that grade this customer, each with the customer's index.
fn find(
    session: &Session,
    evaluation: &Evaluation,
    customer: &str,
    only: Option<&str>,
) -> Result<Vec<(usize, usize)>, Failure> {
    let rules = &session.rules;
    let mut found = Vec::new();
    let mut refusal = None;
    for (index, result) in evaluation.sets.iter().enumerate() {
        let set = &rules.tier_sets[result.set];
        if only.is_some_and(|only| only != set.name) {
            continue;
        }
        let subject = &rules.config.subjects[set.subject.0];
        match Key::parse(customer, subject.key_type) {
            None => {
                refusal = Some(format!("`{customer}` is no key of a {}: its keys are of type integer", subject.name))
            }
            Some(key) => match evaluation.subject(result).source.keys.find(&key) {
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
    let result = &evaluation.sets[set];
    let tier_set = &rules.tier_sets[result.set];
    let of = evaluation.subject(result);
    let held = held_now(session, tier_set, &of.source.keys.key(subject))?;
    let level = held.as_ref().and_then(|held| held.level.as_deref());
    let level = level.and_then(|name| tier_set.levels.iter().position(|l| l.name == name));
    let explanation = explain_level(rules, tier_set, &of.metrics, subject, level.map(|l| l as u16), clock);
    Ok(Answer { explanation, held })
}

/// What the ledger says of the customer; nothing where there is no ledger yet.
fn held_now(session: &Session, set: &TierSet, key: &Key) -> Result<Option<Held>, Failure> {
    let path = session.project.ledger(&session.rules.config);
    if !path.exists() {
        return Ok(None);
    }
    let held = Reader::open(&path).and_then(|ledger| ledger.held(&set.name, KeyRef::from(key)));
    held.map_err(|error| Failure::from_error(Code::Unreachable, &error))
}

fn show(session: &Session, clock: &Clock, customer: &str, answers: &[Answer], output: Output) -> Result<(), Failure> {
    let rules = &session.rules;
    if output.format == Format::Json {
        let sets: Vec<_> = answers
            .iter()
            .map(|answer| document::set(rules, &answer.explanation, answer.held.as_ref(), clock))
            .collect();
        return output.json(&json!({ "key": customer, "as_of": clock.as_of().to_string(), "sets": sets }));
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
    Ok(())
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
    let mut lines = vec![format!("{name} since {since} (run {}, revision {})", held.run.0, &revision[..12])];
    if answer.has_moved_on(rules) {
        let now = document::level_name(rules, &answer.explanation).unwrap_or("no level");
        lines.push(format!("data or rules have changed since: the next run would give {now}"));
    }
    lines
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
