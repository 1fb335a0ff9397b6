//! An explanation as lines of plain English, each piece with the role that it plays, so that a terminal can colour it.
//!
//! Personal values are masked here: what these lines are shown on isn't known. Widths count East Asian characters
//! double, as terminals do.

mod holding;
mod rules;
mod words;

use std::ops::RangeInclusive;

use serde_json::Value as Json;
use tierd_model::Clock;

use super::{
    Basis, Explanation, LevelCheck,
    clauses::{Clause, ClauseKind, Verdict},
    missing::{Missing, Need, gap},
    stories::{How, Story},
};
use words::Words;

pub use rules::rule_lines;

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Connecting words and blanks.
    Plain,
    /// A headline.
    Heading,
    /// The name of a level.
    Level,
    /// A verdict: TRUE.
    True,
    /// A verdict: FALSE.
    False,
    /// A verdict: UNKNOWN.
    Unknown,
    /// A value of the subject.
    Value,
    /// Words of a rule.
    Rule,
    /// How far a value is from what is needed.
    Gap,
    /// What may be passed over.
    Faint,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub role: Role,
    /// Its text.
    pub text: String,
}

/// A line of an explanation, without its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Its pieces, from left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// The line without roles.
    pub fn plain(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect::<String>().trim_end().to_owned()
    }

    fn push(mut self, role: Role, text: impl Into<String>) -> Self {
        self.spans.push(Span { role, text: text.into() });
        self
    }

    fn indented(by: usize) -> Self {
        Line::default().push(Role::Plain, " ".repeat(by))
    }
}

/// How a metric was found, in one line: what is aggregated over which time, or what it is computed from.
pub fn how(story: &Story, clock: &Clock) -> String {
    Words { clock }.how(&story.how)
}

/// The whole explanation; `who` names the subject, such as `customer 4711`. Times are shown in the clock's zone.
pub fn lines(explanation: &Explanation, who: &str, clock: &Clock) -> Vec<Line> {
    let words = Words { clock };
    let mut out = vec![headline(explanation, who)];
    out.extend(benefits(explanation));
    holding::holding(&words, explanation, &mut out);
    let width = explanation.levels.iter().map(|check| columns(&check.name)).max().unwrap_or(0);
    for check in &explanation.levels {
        level(&words, explanation, check, width, &mut out);
    }
    if !explanation.metrics.is_empty() {
        out.push(Line::default().push(Role::Heading, "metrics"));
        explanation.metrics.iter().for_each(|metric| story(&words, metric, &mut out));
    }
    if let Some(missing) = &explanation.missing {
        next_level(&words, missing, &mut out);
    }
    out
}

fn headline(explanation: &Explanation, who: &str) -> Line {
    let title = explanation.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    let line = Line::default().push(Role::Heading, format!("{who} · {}{title}: ", explanation.set));
    let line = match explanation.level.and_then(|level| explanation.levels.iter().find(|check| check.level == level)) {
        Some(check) => line.push(Role::Plain, "level ").push(Role::Level, &check.name),
        None => line.push(Role::Plain, "no level"),
    };
    line.push(
        Role::Unknown,
        match explanation.basis {
            Basis::Proven => "",
            Basis::ProvenDespiteUnknown => ", though a higher condition is UNKNOWN",
            Basis::Kept => ", kept because a condition is UNKNOWN",
            Basis::Lowest => ", the lowest because a condition is UNKNOWN",
            Basis::Refused => ", because a condition is UNKNOWN and the set refuses that",
        },
    )
}

/// `benefits: discount 0.9, gifts ["tea"]`: what comes with the level, if anything does.
fn benefits(explanation: &Explanation) -> Option<Line> {
    let benefit = |(name, value): (&String, &Json)| match value {
        Json::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    };
    let all: Vec<String> = explanation.benefits.iter().map(benefit).collect();
    let line = Line::default().push(Role::Plain, "benefits: ").push(Role::Value, all.join(", "));
    Some(line).filter(|_| !all.is_empty())
}

/// A level with its condition, and the condition's parts unless the decision had fallen above.
fn level(words: &Words<'_>, explanation: &Explanation, check: &LevelCheck, width: usize, out: &mut Vec<Line>) {
    let below = explanation.level.is_some_and(|level| check.level < level);
    let name = padded(&check.name, width);
    let line = Line::indented(2).push(Role::Level, name).push(Role::Plain, "  ");
    let Some(condition) = &check.condition else {
        out.push(verdict(line, check.verdict).push(Role::Faint, "no condition"));
        return;
    };
    out.push(verdict(line, check.verdict).push(if below { Role::Faint } else { Role::Rule }, &condition.text));
    if below {
        return;
    }
    out.extend(table(words, condition, width + 4 + VERDICT));
    let held = explanation.holding.as_ref().and_then(|holding| holding.before);
    if let Some(keep) = check.keep.as_ref().filter(|_| held.is_some_and(|held| held >= check.level)) {
        let line = verdict(Line::indented(width + 4), keep.verdict);
        out.push(line.push(Role::Plain, "to stay: ").push(Role::Rule, &keep.text));
        out.extend(table(words, keep, width + 6 + VERDICT));
    }
}

/// Columns that a verdict takes.
const VERDICT: usize = 6;

fn verdict(line: Line, verdict: Verdict) -> Line {
    let (role, word) = match verdict {
        Verdict::True => (Role::True, "yes"),
        Verdict::False => (Role::False, "no"),
        Verdict::Unknown => (Role::Unknown, "?"),
    };
    line.push(role, word).push(Role::Plain, " ".repeat(VERDICT - word.len()))
}

/// One row of a condition's parts.
struct Part {
    depth: usize,
    verdict: Verdict,
    /// What is tested, its value, what it has to be, by how much it misses: or just a heading.
    cells: Vec<(Role, String)>,
}

/// The parts of a condition, in aligned columns.
fn table(words: &Words<'_>, condition: &Clause, indent: usize) -> Vec<Line> {
    let mut parts = Vec::new();
    match &condition.kind {
        ClauseKind::All(all) => all.iter().for_each(|part| rows(words, part, true, 0, &mut parts)),
        _ => rows(words, condition, true, 0, &mut parts),
    }
    let mut widths = [0; 4];
    for part in parts.iter().filter(|part| part.cells.len() > 1) {
        for (i, (_, text)) in part.cells.iter().enumerate() {
            let indent = if i == 0 { 2 * part.depth } else { 0 };
            widths[i] = widths[i].max(columns(text) + indent);
        }
    }
    parts.into_iter().map(|part| row(part, &widths, indent)).collect()
}

fn row(part: Part, widths: &[usize; 4], indent: usize) -> Line {
    let line = verdict(Line::indented(indent + 2 * part.depth), part.verdict);
    part.cells.into_iter().zip(widths).enumerate().fold(line, |line, (i, ((role, text), width))| {
        let width = if i == 0 { width.saturating_sub(2 * part.depth) } else { *width };
        line.push(role, padded(&text, width)).push(Role::Plain, "  ")
    })
}

/// A clause and its parts. Under a `not` a part is good (`yes`) if it doesn't hold, which the words say.
fn rows(words: &Words<'_>, clause: &Clause, wanted: bool, depth: usize, out: &mut Vec<Part>) {
    let verdict = if wanted { clause.verdict } else { clause.verdict.negated() };
    let (heading, parts) = match (&clause.kind, wanted) {
        (ClauseKind::All(parts), true) => ("all of", parts),
        (ClauseKind::All(parts), false) => ("not all of", parts),
        (ClauseKind::Any(parts), true) => ("any of", parts),
        (ClauseKind::Any(parts), false) => ("none of", parts),
        (ClauseKind::Not(part), _) => return rows(words, part, !wanted, depth, out),
        (ClauseKind::Test(test), _) => {
            let gap = gap(test, wanted);
            let cells = vec![
                (Role::Rule, gap.actual.text.clone()),
                (Role::Value, format!("= {}", words.value(&gap.actual))),
                (Role::Plain, words.asked(test, wanted)),
                (Role::Gap, if verdict == Verdict::False { words.shortfall(&gap) } else { String::new() }),
            ];
            out.push(Part { depth, verdict, cells });
            return;
        }
    };
    out.push(Part { depth, verdict, cells: vec![(Role::Plain, heading.to_owned())] });
    parts.iter().for_each(|part| rows(words, part, wanted, depth + 1, out));
}

fn story(words: &Words<'_>, story: &Story, out: &mut Vec<Line>) {
    let indent = 2 + 2 * story.depth;
    let line = Line::indented(indent).push(Role::Rule, &story.name).push(Role::Plain, " = ");
    let line = line.push(Role::Value, words.known(story.value.as_ref(), story.personal));
    out.push(line.push(Role::Faint, format!("  {}", words.how(&story.how))));
    if let How::Derived { rows, .. } = &story.how {
        for row in rows {
            let points = words.known(row.points.as_ref(), story.personal);
            let line = Line::indented(indent + 2).push(Role::Value, points);
            out.push(line.push(Role::Faint, format!("  {}", row.text)));
        }
    }
    if let How::Rank { buckets, .. } = &story.how {
        for bucket in buckets {
            let role = if story.value == Some(tierd_model::Value::Integer(i64::from(bucket.number))) {
                Role::Value
            } else {
                Role::Faint
            };
            out.push(Line::indented(indent + 2).push(role, words.bucket(bucket, story.personal)));
        }
    }
}

fn next_level(words: &Words<'_>, missing: &Missing, out: &mut Vec<Line>) {
    let line = Line::default().push(Role::Heading, "next level ").push(Role::Level, &missing.name);
    match &missing.need {
        None => out.push(line.push(Role::Plain, ": its condition holds; a higher one is UNKNOWN")),
        Some(Need::One(gap)) => out.push(line.push(Role::Plain, ": ").push(Role::Gap, words.gap(gap))),
        Some(need) => {
            out.push(line.push(Role::Plain, format!(" needs {}", group(need))));
            members(words, need, 2, out);
        }
    }
}

fn group(need: &Need) -> &'static str {
    match need {
        Need::Any(_) => "one of",
        Need::All(_) | Need::One(_) => "all of",
    }
}

fn members(words: &Words<'_>, need: &Need, indent: usize, out: &mut Vec<Line>) {
    let (Need::All(needs) | Need::Any(needs)) = need else { return };
    for need in needs {
        match need {
            Need::One(gap) => out.push(Line::indented(indent).push(Role::Gap, words.gap(gap))),
            need => {
                out.push(Line::indented(indent).push(Role::Plain, group(need)));
                members(words, need, indent + 2, out);
            }
        }
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Columns that a terminal gives the text: two for wide characters.
fn columns(text: &str) -> usize {
    text.chars().map(|char| if WIDE.iter().any(|wide| wide.contains(&char)) { 2 } else { 1 }).sum()
}

/// East Asian wide and full-width characters, as far as names use them (Unicode Standard Annex 11).
const WIDE: [RangeInclusive<char>; 8] = [
    '\u{1100}'..='\u{115f}',
    '\u{2e80}'..='\u{a4cf}',
    '\u{ac00}'..='\u{d7a3}',
    '\u{f900}'..='\u{faff}',
    '\u{fe30}'..='\u{fe6f}',
    '\u{ff00}'..='\u{ff60}',
    '\u{ffe0}'..='\u{ffe6}',
    '\u{20000}'..='\u{3fffd}',
];
