//! Whole runs of the department store's card, with points and retention rules, beside whole runs of the plain levels.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};
use tierd_daemon::{Project, evaluate::Evaluator, run};
use tierd_model::{Clock, DAY_MICROS, Timestamp, parse_timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use crate::{AS_OF, Failure, project};

/// Runs of both take turns so often.
const ROUNDS: i64 = 5;

/// The seconds of each run. The card's runs go on from day to day, so that each has birthdays and reminders of its own.
pub(crate) fn run(database: &Path) -> Result<Value, Failure> {
    let plain = Graded::new(project::plain(database)?)?;
    let retail = Graded::new(project::retail(database)?)?;
    let first = (plain.run(0)?, retail.run(0)?);
    let (mut plain_runs, mut retail_runs, mut acted) = (Vec::new(), Vec::new(), 0);
    for day in 1..=ROUNDS {
        for of_plain in [day % 2 == 0, day % 2 != 0] {
            if of_plain {
                plain_runs.push(plain.run(day)?.seconds);
            } else {
                let ran = retail.run(day)?;
                retail_runs.push(ran.seconds);
                acted += ran.acted;
            }
        }
    }
    Ok(json!({
        "first_plain": first.0.seconds, "first_retail": first.1.seconds, "first_acted": first.1.acted,
        "plain": plain_runs, "retail": retail_runs, "acted": acted,
    }))
}

/// A project whose rules are loaded.
struct Graded {
    project: Project,
    rules: RuleSet,
    at: Timestamp,
}

/// A run that is over.
struct Ran {
    seconds: f64,
    acted: usize,
}

impl Graded {
    fn new(project: Project) -> Result<Self, Failure> {
        let loaded = project.load()?;
        let rules = loaded.rules.ok_or_else(|| format!("the rules don't load: {:#?}", loaded.diagnostics))?;
        let at = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&rules.config.zone);
        Ok(Graded { project, rules, at })
    }

    /// A whole run, so many days after the first.
    fn run(&self, day: i64) -> Result<Ran, Failure> {
        let at = Timestamp(self.at.0 + day * DAY_MICROS);
        let clock = Clock::new(at, self.rules.config.zone.clone());
        let progress = Progress::default();
        let evaluator = Evaluator { clock: &clock, options: ReadOptions::default(), progress: &progress };
        let started = Instant::now();
        let report = run::run(&self.project, &self.rules, &evaluator, at)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Ran { seconds, acted: report.evaluation.outcome.rules.iter().map(|rule| rule.acts.len()).sum() })
    }
}
