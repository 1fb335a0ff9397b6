//! An explanation as JSON. Personal values are masked, as everywhere.

use serde_json::{Value as Json, json};
use tierd_eval::{
    explain::{
        Clause, ClauseKind, Difference, Explanation, Gap, Holding, How, InputLine, LevelCheck, Lots, Need, Needed,
        ScoreLine, Side, Story, Test, Verdict, Why,
        rules::{RuleStory, Waits},
        text,
    },
    retention::{ActKind, DateEntry},
};
use tierd_model::{Clock, Value};
use tierd_rules::{RuleSet, retention::Mode};

use super::{Answer, Answers};

/// All that is said of a subject: `{"key": …, "as_of": …, "sets": […], "retention": […]}`.
pub fn document(rules: &RuleSet, answers: &Answers, clock: &Clock) -> Json {
    json!({
        "key": answers.key,
        "as_of": clock.as_of().to_string(),
        "sets": answers.sets.iter().map(|answer| set(rules, answer, clock)).collect::<Vec<_>>(),
        "retention": answers.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

/// One tier set.
fn set(rules: &RuleSet, answer: &Answer, clock: &Clock) -> Json {
    let Answer { explanation, held, overrides } = answer;
    json!({
        "set": explanation.set,
        "title": explanation.title,
        "level": level_name(rules, explanation),
        "benefits": explanation.benefits,
        "holding": explanation.holding.as_ref().map(|holding| self::holding(rules, explanation, holding)),
        "overrides": overrides.iter().map(|one| json!({
            "kind": one.kind.name(),
            "level": one.level,
            "until": one.expires.to_string(),
            "approver": one.approver,
            "reason": one.reason,
        })).collect::<Vec<_>>(),
        "held": held.as_ref().map(|held| json!({
            "level": held.level,
            "reason": held.reason,
            "since": held.since.to_string(),
            "run": held.run.0,
            "revision": held.revision.to_string(),
        })),
        "levels": explanation.levels.iter().map(level).collect::<Vec<_>>(),
        "metrics": explanation.metrics.iter().map(|metric| story(metric, clock)).collect::<Vec<_>>(),
        "missing": explanation.missing.as_ref().map(|missing| json!({
            "level": missing.name,
            "need": missing.need.as_ref().map(need),
        })),
    })
}

/// The name of the level that the explanation gives.
fn level_name<'a>(rules: &'a RuleSet, explanation: &Explanation) -> Option<&'a str> {
    name(rules, explanation, explanation.level)
}

pub(super) fn name<'a>(rules: &'a RuleSet, explanation: &Explanation, level: Option<usize>) -> Option<&'a str> {
    let set = rules.tier_set(&explanation.set)?;
    level.map(|level| set.levels[level].name.as_str())
}

fn holding(rules: &RuleSet, explanation: &Explanation, holding: &Holding) -> Json {
    json!({
        "earned": name(rules, explanation, holding.earned),
        "before": name(rules, explanation, holding.before),
        "reason": holding.moved.map(|reason| reason.name()),
        "why": holding.why.map(why),
        "locked_until": holding.locked_until.map(|day| day.to_string()),
    })
}

/// Why another level is held than the earned one.
fn why(why: Why) -> Json {
    match why {
        Why::NotDue => json!({ "what": "not due" }),
        Why::Override => json!({ "what": "override" }),
        Why::Keeps => json!({ "what": "keeps" }),
        Why::Unknown => json!({ "what": "unknown" }),
        Why::Locked(until) => json!({ "what": "locked", "until": until.to_string() }),
        Why::Grace(since, until) => {
            json!({ "what": "grace", "since": since.to_string(), "until": until.to_string() })
        }
        Why::PeriodEnd(on) => json!({ "what": "period end", "until": on.to_string() }),
        Why::Never => json!({ "what": "never" }),
        Why::Steps => json!({ "what": "steps" }),
    }
}

/// One retention rule.
fn rule(rule: &RuleStory) -> Json {
    let until = |what: &str, until: &tierd_model::Date| json!({ "for": what, "until": until.to_string() });
    json!({
        "rule": rule.name,
        "title": rule.title,
        "mode": if rule.mode == Mode::Shadow { "shadow" } else { "live" },
        "condition": rule.when.as_ref().map(clause),
        "date": rule.date.map(|date| self::date(rule, date)),
        "entered": rule.entered.map(|at| at.to_string()),
        "last_action": rule.last_acted.map(|at| at.to_string()),
        "acts": rule.acts.map(|kind| match kind {
            ActKind::Acted => "acted",
            ActKind::HeldOut => "held out",
            ActKind::Shadow => "shadow",
        }),
        "waits": rule.waits.as_ref().map(|waits| match waits {
            Waits::NextEntry => json!({ "for": "next entry" }),
            Waits::HoldFor(day) => until("hold", day),
            Waits::Cooldown(day) => until("cooldown", day),
            Waits::Condition => json!({ "for": "condition" }),
            Waits::Group(first) => json!({ "for": "group", "rule": first }),
            Waits::Limit => json!({ "for": "limit" }),
        }),
        "held_out": rule.held_out,
    })
}

/// The days of an entry give the date away, so that they are left out where it is masked.
fn date(rule: &RuleStory, date: DateEntry) -> Json {
    match rule.personal_date {
        true => json!({ "day": Value::Date(date.day).masked(), "first": null, "last": null }),
        false => json!({
            "day": date.day.to_string(),
            "first": date.first.to_string(),
            "last": date.last.to_string(),
        }),
    }
}

fn level(check: &LevelCheck) -> Json {
    json!({
        "level": check.name,
        "title": check.title,
        "verdict": verdict(check.verdict),
        "condition": check.condition.as_ref().map(clause),
        "keep": check.keep.as_ref().map(clause),
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::True => "true",
        Verdict::False => "false",
        Verdict::Unknown => "unknown",
    }
}

fn clause(clause: &Clause) -> Json {
    let mut document = json!({ "verdict": verdict(clause.verdict), "text": clause.text });
    match &clause.kind {
        ClauseKind::All(parts) => document["all"] = parts.iter().map(self::clause).collect(),
        ClauseKind::Any(parts) => document["any"] = parts.iter().map(self::clause).collect(),
        ClauseKind::Not(part) => document["not"] = self::clause(part),
        ClauseKind::Test(test) => document["values"] = sides(test).into_iter().map(side).collect(),
    }
    document
}

/// What a test looks at, in the order written.
fn sides(test: &Test) -> Vec<&Side> {
    match test {
        Test::Compare { left, right, .. } => vec![left, right],
        Test::Between { value, low, high, .. } => vec![value, low, high],
        Test::In { value, .. } | Test::IsNull { value, .. } | Test::StartsWith { value, .. } | Test::Flag(value) => {
            vec![value]
        }
    }
}

fn side(side: &Side) -> Json {
    json!({ "text": side.text, "value": value(side.value.as_ref(), side.personal) })
}

fn value(value: Option<&Value>, personal: bool) -> Json {
    match value {
        Some(value) if personal => json!(value.masked()),
        Some(Value::Bool(truth)) => json!(truth),
        Some(value @ (Value::Integer(_) | Value::Decimal(_) | Value::Real(_))) => number(&value.to_string()),
        Some(value) => json!(value.to_string()),
        None => Json::Null,
    }
}

/// A number where JSON can hold it exactly, else a text: a double can't hold all decimals.
fn number(digits: &str) -> Json {
    digits.parse::<i64>().map_or_else(|_| json!(digits), |integer| json!(integer))
}

fn story(story: &Story, clock: &Clock) -> Json {
    let (inputs, config, failed) = match &story.how {
        How::Plugin { inputs, config, failed, .. } => {
            (inputs.iter().map(input).collect(), json!(config), json!(failed))
        }
        _ => (Json::Null, Json::Null, Json::Null),
    };
    json!({
        "metric": story.name,
        "title": story.title,
        "value": value(story.value.as_ref(), story.personal),
        "how": text::how(story, clock),
        "rows": match &story.how {
            How::Derived { rows, .. } if !rows.is_empty() => rows.iter().map(|row| score(row, story.personal)).collect(),
            _ => Json::Null,
        },
        "inputs": inputs,
        "config": config,
        "failed": failed,
        "account": match &story.how {
            How::Points { account: Some(account), .. } => self::account(account),
            _ => Json::Null,
        },
    })
}

/// A row of a scorecard.
fn score(row: &ScoreLine, personal: bool) -> Json {
    json!({ "row": row.text, "points": value(row.points.as_ref(), personal) })
}

/// What a plugin was given.
fn input(line: &InputLine) -> Json {
    json!({ "input": line.name, "from": line.text, "value": value(line.value.as_ref(), line.personal) })
}

fn account(account: &Lots) -> Json {
    let lots = account
        .lots
        .iter()
        .map(|(expires, points)| json!({ "points": points.to_string(), "expires": expires.map(|at| at.to_string()) }));
    json!({
        "balance": account.balance.to_string(),
        "debt": account.debt.to_string(),
        "lots": lots.collect::<Vec<_>>(),
    })
}

fn need(need: &Need) -> Json {
    match need {
        Need::All(parts) => json!({ "all": parts.iter().map(self::need).collect::<Vec<_>>() }),
        Need::Any(parts) => json!({ "any": parts.iter().map(self::need).collect::<Vec<_>>() }),
        Need::One(gap) => self::gap(gap),
    }
}

fn gap(gap: &Gap) -> Json {
    json!({
        "actual": side(&gap.actual),
        "needed": needed(&gap.needed),
        "difference": gap.difference.as_ref().map(difference),
    })
}

fn needed(needed: &Needed) -> Json {
    let values = |list: &[Value]| list.iter().map(|v| value(Some(v), false)).collect::<Vec<_>>();
    match needed {
        Needed::Compared(op, other) => json!({ "op": op.symbol(), "value": side(other) }),
        Needed::Within(low, high) => json!({ "between": [side(low), side(high)] }),
        Needed::Outside(low, high) => json!({ "not_between": [side(low), side(high)] }),
        Needed::OneOf(list) => json!({ "in": values(list) }),
        Needed::NoneOf(list) => json!({ "not_in": values(list) }),
        Needed::StartingWith(prefix) => json!({ "starts_with": &**prefix }),
        Needed::NotStartingWith(prefix) => json!({ "not_starts_with": &**prefix }),
        Needed::Null => json!({ "null": true }),
        Needed::Known => json!({ "null": false }),
        Needed::Flag(flag) => json!({ "value": flag }),
    }
}

fn difference(difference: &Difference) -> Json {
    match difference {
        Difference::Exact(number) => json!({ "number": number.to_string() }),
        Difference::Real(number) => json!({ "number": number }),
        Difference::Days(days) => json!({ "days": days }),
        Difference::Micros(micros) => json!({ "microseconds": micros }),
    }
}
