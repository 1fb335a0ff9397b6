//! Whole runs of the department store's card, with points and retention rules, beside whole runs of the plain levels.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};
use tierd_daemon::{Project, evaluate::Evaluator, run};
use tierd_eval::due::Due;
use tierd_model::{Clock, DAY_MICROS, Timestamp, parse_timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use crate::{
    AS_OF, Failure,
    memory::{Peak, processor_seconds},
    project,
};

/// Runs of both take turns so often.
const ROUNDS: i64 = 5;

/// The seconds of each run. The card's runs go on from day to day, so that each has birthdays and reminders of its own.
pub(crate) fn run(database: &Path) -> Result<Value, Failure> {
    let plain = Graded::new(project::plain(database)?)?;
    let retail = Graded::new(project::retail(database)?)?;
    let first = (plain.run(0)?, retail.run(0)?);
    let (mut plain_runs, mut retail_runs) = (Vec::new(), Vec::new());
    for day in 1..=ROUNDS {
        for of_plain in [day % 2 == 0, day % 2 != 0] {
            if of_plain {
                plain_runs.push(plain.run(day)?);
            } else {
                retail_runs.push(retail.run(day)?);
            }
        }
    }
    Ok(json!({
        "first_plain": first.0.seconds, "first_retail": first.1.seconds, "first_acted": first.1.acted,
        "acted": retail_runs.iter().map(|run| run.acted).sum::<usize>(),
        "plain": json_of(&plain_runs), "retail": json_of(&retail_runs),
    }))
}

/// Each figure of the runs as a list.
fn json_of(runs: &[Ran]) -> Value {
    let list = |of: fn(&Ran) -> f64| runs.iter().map(of).collect::<Vec<f64>>();
    json!({
        "seconds": list(|run| run.seconds), "processor": list(|run| run.processor), "read": list(|run| run.read),
        "evaluate": list(|run| run.evaluate), "write": list(|run| run.write), "peak_mib": list(|run| run.peak_mib),
    })
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
    /// Of all threads.
    processor: f64,
    read: f64,
    evaluate: f64,
    write: f64,
    peak_mib: f64,
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
        let evaluator =
            Evaluator { clock: &clock, due: &Due::ALL, options: ReadOptions::default(), progress: &progress };
        let (peak, processor, started) = (Peak::watch(), processor_seconds(), Instant::now());
        let report = run::run(&self.project, &self.rules, &evaluator, run::Asked::by_hand(at))?;
        let seconds = started.elapsed().as_secs_f64();
        let evaluation = &report.evaluation;
        Ok(Ran {
            seconds,
            processor: processor_seconds() - processor,
            read: evaluation.read.as_secs_f64(),
            evaluate: evaluation.evaluate.as_secs_f64(),
            write: report.write.as_secs_f64(),
            peak_mib: peak.end(),
            acted: evaluation.outcome.rules.iter().map(|rule| rule.acts.len()).sum(),
        })
    }
}
