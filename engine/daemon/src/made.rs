//! A run between its evaluation and its writing: where it is decided whether it is applied or waits for a person.

use std::{path::Path, time::Instant};

use tierd_eval::guard::Violation;
use tierd_ledger::{HoldDigest, NewHold, Outcome, Reader, RunId, RunRecord, RunWriter, Verdict};
use tierd_model::Clock;
use tierd_rules::RuleSet;

use crate::{
    Project,
    decisions::{self, Stamp, Writer},
    evaluate::{Evaluation, Evaluator},
    guards,
    handed::Handed,
    report::{PluginFailure, RuleReport, SetReport},
    run::{RunError, RunReport},
    shown::Shown,
};

/// A run that is evaluated, and not written yet.
pub(crate) struct Made<'a> {
    rules: &'a RuleSet,
    clock: &'a Clock,
    ledger: &'a Path,
    before: &'a Reader,
    writer: RunWriter<'a>,
    evaluation: Evaluation,
    /// Guards that it exceeds.
    pub(crate) violations: Vec<Violation>,
}

impl<'a> Made<'a> {
    /// Evaluates; `before` is the ledger (which is at `ledger`) as it is before this run. A failure is recorded.
    pub(crate) fn new(
        project: &Project,
        rules: &'a RuleSet,
        evaluator: &Evaluator<'a>,
        (ledger, before): (&'a Path, &'a Reader),
        writer: RunWriter<'a>,
    ) -> Result<Self, RunError> {
        let evaluation = match evaluator.evaluate(project, rules, Some(before)) {
            Ok(evaluation) => evaluation,
            Err(error) => {
                let error = RunError::from(error);
                if !error.is_temporary() {
                    // Where the ledger can't be written either, what is told is what came first.
                    let _ = writer.fail(&RunRecord::default(), &error.to_string());
                }
                return Err(error);
            }
        };
        for failure in evaluation.plugin_failures(rules) {
            let PluginFailure { metric, rule, plugin, function, reason, message, subjects } = failure;
            tracing::warn!(metric, rule, plugin, function, reason, subjects, error = message, "plugin failed");
        }
        let violations = guards::check(rules, &evaluation, Some(before), evaluator.clock)?;
        Ok(Made { rules, clock: evaluator.clock, ledger, before, writer, evaluation, violations })
    }

    fn handed(&self) -> Handed<'_> {
        Handed::new(self.rules, &self.evaluation, self.before, self.clock)
    }

    /// Over everything that it would write.
    pub(crate) fn digest(&self) -> Result<HoldDigest, RunError> {
        let as_of = self.clock.as_of();
        Ok(self.handed().to(|sets, rules| self.before.digest(as_of, sets, rules))?)
    }

    /// Writes it; by that a person approves a hold, where one is given.
    pub(crate) fn apply(self, approves: Option<(RunId, Verdict<'_>)>) -> Result<RunReport, RunError> {
        let Made { rules, clock, ledger, before, writer, mut evaluation, violations } = self;
        let handed = Handed::new(rules, &evaluation, before, clock);
        let summary = Recorded::new(rules, &evaluation).with(|record| {
            handed.to(|sets, rules| match approves {
                Some((hold, verdict)) => writer.approving(hold, verdict).apply(record, sets, rules),
                None => writer.apply(record, sets, rules),
            })
        })?;
        drop(handed);
        let stamp = Stamp { run: summary.run, revision: rules.revision, as_of: clock.as_of() };
        decisions::keep(ledger, &stamp, rules, &mut evaluation, Writer::Run);
        let outcomes = &evaluation.outcome;
        let sets = outcomes.sets_due().zip(summary.sets).map(|(set, stored)| SetReport::stored(set, stored)).collect();
        let (run, outcome, write) = (Some(summary.run), summary.outcome, summary.write);
        let (revision, rules) = (rules.revision, RuleReport::all(rules, outcomes));
        Ok(RunReport { run, revision, outcome, violations, sets, rules, evaluation, write })
    }

    /// Has it wait for a person, who sees what is returned.
    pub(crate) fn hold(self, message: &str) -> Result<(RunReport, Shown), RunError> {
        let writing = Instant::now();
        let (shown, digest) = (self.shown()?, self.digest()?);
        let sets = self.compared()?;
        let Made { rules, writer, evaluation, violations, .. } = self;
        let text = serde_json::json!(shown).to_string();
        let new = NewHold { message, shown: &text, digest };
        let run = Recorded::new(rules, &evaluation).with(|record| writer.hold(record, &new))?;
        let (run, outcome, write) = (Some(run), Outcome::Held(message.to_owned()), writing.elapsed());
        let (revision, rules) = (rules.revision, RuleReport::all(rules, &evaluation.outcome));
        Ok((RunReport { run, revision, outcome, violations, sets, rules, evaluation, write }, shown))
    }

    fn shown(&self) -> Result<Shown, RunError> {
        Ok(Shown::new(self.rules, &self.evaluation, self.before, &self.violations, self.clock)?)
    }

    fn compared(&self) -> Result<Vec<SetReport>, RunError> {
        let sets = self.evaluation.outcome.sets_due();
        let sets = sets.map(|set| SetReport::compared(self.rules, &self.evaluation, set, Some(self.before)));
        Ok(sets.collect::<Result<_, tierd_ledger::Error>>()?)
    }
}

/// Why a run is held, in one line.
pub(crate) fn message(violations: &[Violation]) -> String {
    let messages = violations.iter().filter(|violation| violation.holds()).map(|violation| violation.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}

/// What the ledger notes of what was read.
struct Recorded<'a> {
    evaluation: &'a Evaluation,
    data_version: String,
    cut_points: String,
    table_rows: String,
    plugin_failures: Option<String>,
}

impl<'a> Recorded<'a> {
    fn new(rules: &RuleSet, evaluation: &'a Evaluation) -> Self {
        let failures = evaluation.plugin_failures(rules);
        Recorded {
            evaluation,
            data_version: evaluation.data_version(),
            cut_points: evaluation.cut_points(rules).to_string(),
            table_rows: guards::table_rows(rules, evaluation).to_string(),
            plugin_failures: (!failures.is_empty()).then(|| serde_json::json!(failures).to_string()),
        }
    }

    fn with<T>(&self, write: impl FnOnce(&RunRecord<'_>) -> T) -> T {
        write(&RunRecord {
            data_version: &self.data_version,
            subjects: self.evaluation.subject_count(),
            fact_rows: self.evaluation.fact_rows(),
            bad_values: self.evaluation.bad_values(),
            unknown_subjects: self.evaluation.unknown_subjects(),
            read: self.evaluation.read,
            evaluate: self.evaluation.evaluate,
            cut_points: Some(&self.cut_points),
            table_rows: Some(&self.table_rows),
            plugin_failures: self.plugin_failures.as_deref(),
        })
    }
}
