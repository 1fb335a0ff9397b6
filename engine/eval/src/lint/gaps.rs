//! Gaps: subjects whom one measure would put high, and the set puts low, because another measure doesn't go with it.

use std::cmp::Reverse;

use arrow_buffer::BooleanBuffer;
use tierd_model::Clock;
use tierd_rules::{Diagnostic, Expr, ExprKind, MetricId, RuleSet, TierSet, code};

use super::{grid::Grid, witness};

/// Levels that a subject falls below what a measure alone says before that is worth a word.
const FALL: usize = 2;

/// The first gap of an ordered set whose levels ask for thresholds of several metrics at once.
pub(super) fn lints(rules: &RuleSet, set: &TierSet, clock: &Clock) -> Option<Diagnostic> {
    let wants: Vec<Vec<Want<'_>>> =
        set.levels.iter().map(|level| level.when.as_ref().map_or(Some(Vec::new()), wants)).collect::<Option<_>>()?;
    if !set.ordered || set.levels.len() <= FALL || wants.iter().all(|wants| wants.len() < 2) {
        return None;
    }
    let grid = Grid::new(rules, set.levels.iter().filter_map(|level| level.when.as_ref()), clock);
    let verdicts: Vec<Vec<(MetricId, BooleanBuffer)>> = wants
        .iter()
        .map(|wants| wants.iter().map(|want| (want.metric, grid.fulfilling(want.condition))).collect())
        .collect();
    let metrics = measures(&verdicts);
    if metrics.len() < 2 {
        return None;
    }
    let level = |row: usize| highest(&verdicts, row, |_| true);
    let alone = |row: usize, metric: MetricId| highest(&verdicts, row, |of| of == metric);
    let fall = |row: usize, metric: MetricId| alone(row, metric).saturating_sub(level(row));
    let worst = |metric: MetricId| (0..grid.rows()).map(|row| fall(row, metric)).max().unwrap_or(0);
    let (metric, by) = metrics.into_iter().map(|metric| (metric, worst(metric))).min_by_key(|(_, by)| Reverse(*by))?;
    if by < FALL {
        return None;
    }
    let row = grid.plainest(|row| fall(row, metric) == by)?;
    let (says, is) = (&set.levels[alone(row, metric)], &set.levels[level(row)]);
    let name = &rules.metrics[metric.0].name;
    let headline = format!("`{name}` alone says `{}`, and the set says `{}`", says.name, is.name);
    let at = says.when.as_ref().map_or(&says.at, |when| &when.at);
    let lint = Diagnostic::warning(code::LEVEL_GAP, at, headline);
    let lint = lint.label(format!("not with {}", witness::words(rules, &grid, row)));
    Some(lint.help(
        "give such subjects a level between with `or`; if the lowest measure is to decide, say allow = [\"level-gap\"]",
    ))
}

/// One condition on one metric that a level asks for, among others.
struct Want<'a> {
    metric: MetricId,
    condition: &'a Expr,
}

/// The parts of a condition that must all hold, if each is about a single metric.
fn wants(when: &Expr) -> Option<Vec<Want<'_>>> {
    let parts: Vec<&Expr> = match &when.kind {
        ExprKind::And(all) => all.iter().collect(),
        _ => vec![when],
    };
    let want = |condition: &'_ Expr| match condition.columns()[..] {
        [metric] => Some(MetricId(metric)),
        _ => None,
    };
    parts.into_iter().map(|condition| Some(Want { metric: want(condition)?, condition })).collect()
}

/// Metrics that levels differ by: a part that all of them ask for alike (`orders > 0`) says nothing of a level.
fn measures(verdicts: &[Vec<(MetricId, BooleanBuffer)>]) -> Vec<MetricId> {
    let mut metrics: Vec<MetricId> = verdicts.iter().flatten().map(|(metric, _)| *metric).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let parts = |level: &[(MetricId, BooleanBuffer)], metric: MetricId| -> Vec<BooleanBuffer> {
        level.iter().filter(|(of, _)| *of == metric).map(|(_, verdict)| verdict.clone()).collect()
    };
    metrics.retain(|&metric| {
        let mut asked = verdicts.iter().map(|level| parts(level, metric)).filter(|parts| !parts.is_empty());
        let first = asked.next();
        asked.any(|parts| Some(parts) != first)
    });
    metrics
}

/// The highest level whose parts on these metrics hold; the lowest where there is none.
fn highest(verdicts: &[Vec<(MetricId, BooleanBuffer)>], row: usize, of: impl Fn(MetricId) -> bool) -> usize {
    let holds = |parts: &Vec<(MetricId, BooleanBuffer)>| {
        let mut own = parts.iter().filter(|(metric, _)| of(*metric)).peekable();
        own.peek().is_some() && own.all(|(_, verdict)| verdict.value(row))
    };
    verdicts.iter().rposition(holds).unwrap_or(0)
}
