//! Cases run, one after the other, each step with what the steps before it left.

use std::sync::Arc;

use tierd_eval::{
    due::Due,
    evaluate::{Asker, Outcome, evaluate},
    guard::{self, Seen, Which},
    plugin::Plugins,
};
use tierd_model::Clock;
use tierd_rules::{
    FileSet, RuleSet,
    cases::{Case, CaseStep, TestFile},
};

use crate::{
    Coverage,
    acts::{Acts, OpenTasks},
    compare::Ran,
    past::Past,
    results::{CaseResult, Failure, FileResult},
    same::local_time,
    world::World,
};

/// Which cases are meant: those in whose file's path or name one of the texts stands; all where there is none.
#[derive(Debug, Clone, Default)]
pub struct Filters(pub Vec<String>);

impl Filters {
    fn take(&self, path: &str, case: &Case) -> bool {
        self.0.is_empty() || self.0.iter().any(|text| path.contains(text) || case.name.contains(text))
    }
}

/// Runs the cases that are meant. Files without any of them are left out.
///
/// `tests` and `files` are as [`crate::load`] gives them for these rules, and `plugins` runs those of the rules. Where `coverage` is given, what conditions came out as
/// is counted in it.
pub fn run(
    rules: &RuleSet,
    plugins: &dyn Plugins,
    tests: &[TestFile],
    files: &FileSet,
    filters: &Filters,
    mut coverage: Option<&mut Coverage>,
) -> Vec<FileResult> {
    let mut results = Vec::new();
    for test in tests {
        let path = &files.file(test.file).path;
        let meant = test.cases.iter().filter(|case| filters.take(path, case));
        let cases: Vec<CaseResult> =
            meant.map(|case| run_case(rules, plugins, case, coverage.as_deref_mut())).collect();
        if !cases.is_empty() {
            results.push(FileResult { file: test.file, cases });
        }
    }
    results
}

fn run_case(rules: &RuleSet, plugins: &dyn Plugins, case: &Case, mut coverage: Option<&mut Coverage>) -> CaseResult {
    let (world, past, open) = (World::new(rules, case), Past::default(), OpenTasks::default());
    let mut state = State { plugins, world, past, open };
    let mut failures = Vec::new();
    for step in &case.steps {
        match state.step(rules, case, step, coverage.as_deref_mut()) {
            Ok(found) => failures.extend(found),
            // Later steps have nothing to go on from.
            Err(refused) => {
                failures.push(*refused);
                break;
            }
        }
    }
    CaseResult { name: case.name.clone(), at: case.at.clone(), failures }
}

/// What is carried from step to step.
struct State<'a> {
    plugins: &'a dyn Plugins,
    world: World<'a>,
    past: Past,
    open: OpenTasks,
}

impl State<'_> {
    /// One run. `Err` where the rules refuse to grade.
    fn step(
        &mut self,
        rules: &RuleSet,
        case: &Case,
        step: &CaseStep,
        coverage: Option<&mut Coverage>,
    ) -> Result<Vec<Failure>, Box<Failure>> {
        step.told.iter().for_each(|told| self.world.tell(told));
        self.open.done(&step.done);
        let clock = Clock::new(step.as_of, Arc::clone(&rules.config.zone));
        let outcome = self.evaluated(rules, case, step, &Due::ALL, &clock)?;
        if let Some(coverage) = coverage {
            coverage.see(&outcome, &clock);
        }
        let held = exceeded(rules, &outcome, &clock);
        if !held.is_empty() {
            // A run that decides nothing leaves everything as it was, and so does one that waits for a person.
            let outcome = self.evaluated(rules, case, step, &Due::by(Vec::new()), &clock)?;
            let mut failures = ran(rules, case, &outcome, &Acts::default(), &clock).failures(step);
            failures.iter_mut().for_each(|failure| failure.detail.splice(0..0, held.iter().cloned()).for_each(drop));
            return Ok(failures);
        }
        let acts = self.open.acts(rules, &outcome, &clock);
        let mut failures = ran(rules, case, &outcome, &acts, &clock).failures(step);
        if let Some(first) = failures.first_mut() {
            first.detail.extend(unknown(rules, &outcome));
        }
        self.past.take(rules, &outcome, &clock);
        Ok(failures)
    }

    fn evaluated(
        &self,
        rules: &RuleSet,
        case: &Case,
        step: &CaseStep,
        due: &Due,
        clock: &Clock,
    ) -> Result<Outcome, Box<Failure>> {
        let given = self.world.given(clock);
        let past = self.past.of(rules, &given, &case.overrides, step.as_of);
        evaluate(rules, given, &past, self.plugins, due, clock).map_err(|error| refused(step, &error, clock))
    }
}

fn ran<'a>(rules: &'a RuleSet, case: &Case, outcome: &'a Outcome, acts: &'a Acts, clock: &'a Clock) -> Ran<'a> {
    let several = case.steps.iter().any(|step| step.told.len() > 1);
    Ran { rules, outcome, acts, clock, several }
}

/// Limits of rules that make the run wait for a person, in words. Guards don't count: they are about a whole business, of which a
/// case has a few customers.
fn exceeded(rules: &RuleSet, outcome: &Outcome, clock: &Clock) -> Vec<String> {
    let seen = Seen { tables: &[], rows_before: &|_, _| None, clock };
    let broken = guard::check(rules, outcome, &seen).into_iter();
    let limits = broken.filter(|violation| violation.which == Which::Limit && violation.holds());
    limits.map(|violation| format!("the run waits for a person: {}", violation.message)).collect()
}

/// Metrics that are NULL, and rules that act on nobody, because a plugin gave nothing, and why.
fn unknown<'a>(rules: &'a RuleSet, outcome: &'a Outcome) -> impl Iterator<Item = String> {
    let failures = outcome.plugin_failures.iter();
    failures.map(|failed| match failed.asker {
        Asker::Metric(metric) => format!("{} is unknown: {}", rules.metrics[metric.0].name, failed.failure),
        Asker::Rule(rule) => format!("{} acts on nobody: {}", rules.retention[rule.0].name, failed.failure),
    })
}

fn refused(step: &CaseStep, error: &dyn std::error::Error, clock: &Clock) -> Box<Failure> {
    Box::new(Failure {
        at: step.at.clone(),
        as_of: local_time(clock.as_of(), clock),
        who: None,
        what: "run".to_owned(),
        expected: "levels".to_owned(),
        found: error.to_string(),
        detail: Vec::new(),
    })
}
