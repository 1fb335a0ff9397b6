//! Which conditions the tests have seen come out both ways.
//!
//! A condition that was never TRUE in any case, or never FALSE, could be changed without any case noticing. Counted are the
//! conditions of levels and retention rules, and each comparison within those that have several.

use tierd_eval::{evaluate::Outcome, expr::truth};
use tierd_model::Clock;
use tierd_rules::{Expr, ExprKind, Location, RuleSet, SubjectId};

/// How every condition of a set of rules came out.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The conditions, in the order of tier sets (each from the highest level down) and rules.
    pub conditions: Vec<Condition>,
}

/// A condition, or a comparison within one.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whose: `tiers.value A when`, `retention.win_back when`.
    pub of: String,
    /// In the rule's words, on one line.
    pub text: String,
    /// Where it is written, in the files of the rules.
    pub at: Location,
    /// Whether it is a part of the condition before it.
    pub part: bool,
    /// How often it was TRUE.
    pub seen_true: u64,
    /// How often it was FALSE.
    pub seen_false: u64,
    /// How often it was UNKNOWN.
    pub seen_unknown: u64,
    subject: SubjectId,
    expr: Expr,
}

impl Condition {
    /// Whether it was seen both TRUE and FALSE.
    pub fn is_covered(&self) -> bool {
        self.seen_true > 0 && self.seen_false > 0
    }
}

impl Coverage {
    /// Of all conditions of these rules, none of which has been seen yet.
    pub fn new(rules: &RuleSet) -> Self {
        let mut conditions = Vec::new();
        for set in &rules.tier_sets {
            for level in set.levels.iter().rev() {
                for (word, condition) in [("when", &level.when), ("keep", &level.keep)] {
                    if let Some(expr) = condition {
                        let of = format!("tiers.{} {} {word}", set.name, level.name);
                        conditions.extend(condition_and_parts(rules, &of, set.subject, expr));
                    }
                }
            }
        }
        for rule in &rules.retention {
            let of = format!("retention.{} when", rule.name);
            conditions.extend(rule.when.iter().flat_map(|expr| condition_and_parts(rules, &of, rule.subject, expr)));
        }
        Coverage { conditions }
    }

    /// Counts how the conditions came out for every subject of an evaluation.
    pub fn see(&mut self, outcome: &Outcome, clock: &Clock) {
        for condition in &mut self.conditions {
            let Some(of) = outcome.subject(condition.subject).filter(|of| of.metrics.subjects > 0) else { continue };
            for verdict in &truth(&condition.expr, &of.metrics.columns, of.metrics.subjects, clock) {
                match verdict {
                    Some(true) => condition.seen_true += 1,
                    Some(false) => condition.seen_false += 1,
                    None => condition.seen_unknown += 1,
                }
            }
        }
    }

    /// How many conditions were seen both TRUE and FALSE.
    pub fn covered(&self) -> usize {
        self.conditions.iter().filter(|condition| condition.is_covered()).count()
    }

    /// The same as a share of all, in percent; rules without any condition are covered.
    pub fn percent(&self) -> f64 {
        let all = self.conditions.len();
        if all == 0 { 100.0 } else { 100.0 * self.covered() as f64 / all as f64 }
    }
}

fn condition_and_parts(rules: &RuleSet, of: &str, subject: SubjectId, expr: &Expr) -> Vec<Condition> {
    let mut parts = Vec::new();
    comparisons(expr, &mut parts);
    // A condition that is a single comparison is counted once.
    parts.retain(|part| part.at != expr.at);
    let condition = |expr: &Expr, part| Condition {
        of: of.to_owned(),
        text: rules.quote(&expr.at).split_whitespace().collect::<Vec<_>>().join(" "),
        at: expr.at.clone(),
        part,
        seen_true: 0,
        seen_false: 0,
        seen_unknown: 0,
        subject,
        expr: expr.clone(),
    };
    std::iter::once(condition(expr, false)).chain(parts.into_iter().map(|part| condition(part, true))).collect()
}

/// The parts of a condition that aren't made of others.
fn comparisons<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|part| comparisons(part, out)),
        ExprKind::Not(part) => comparisons(part, out),
        _ => out.push(expr),
    }
}
