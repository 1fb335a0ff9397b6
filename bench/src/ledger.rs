//! What storing costs: the first levels of everyone, and a run that changes nothing beside the evaluation alone.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};
use tierd_daemon::{evaluate::Evaluator, run};
use tierd_eval::due::Due;
use tierd_ledger::Outcome;
use tierd_model::{Clock, parse_timestamp};
use tierd_sources::{Progress, ReadOptions};

use crate::{AS_OF, Failure, project};

/// Evaluations and unchanged runs take turns so often.
const ROUNDS: usize = 6;

/// Grades everyone by whole runs, as the program does.
pub(crate) fn run(database: &Path) -> Result<Value, Failure> {
    let project = project::plain(database)?;
    let rules = project.load()?.rules.ok_or("the bench's rules don't load")?;
    let at = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&rules.config.zone);
    let clock = Clock::new(at, rules.config.zone.clone());
    let progress = Progress::default();
    let evaluator = Evaluator { clock: &clock, due: &Due::ALL, options: ReadOptions::default(), progress: &progress };
    let first = run::run(&project, &rules, &evaluator, run::Asked::by_hand(at))?;
    if first.outcome != Outcome::Applied {
        return Err("the first run has stored nothing".into());
    }
    let first_write = first.write.as_secs_f64();
    drop(first);
    let (mut alone, mut unchanged) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who goes first changes with every round: the second finds memory that the first has just given back.
        for whole in [round % 2 == 0, round % 2 != 0] {
            let started = Instant::now();
            if whole {
                let again = run::run(&project, &rules, &evaluator, run::Asked::by_hand(at))?;
                unchanged.push(started.elapsed().as_secs_f64());
                if again.outcome != Outcome::Unchanged {
                    return Err("a run over unchanged data has changed levels".into());
                }
            } else {
                let found = evaluator.evaluate(&project, &rules, None)?;
                alone.push(started.elapsed().as_secs_f64());
                drop(found);
            }
        }
    }
    Ok(json!({ "first_write": first_write, "evaluation": alone, "unchanged_run": unchanged }))
}
