//! Explaining one subject, fast: by the decision file of the last run.
//!
//! A level is explained by the rules that gave it: where others have come into force since the last run, those of that run are taken from
//! the ledger.
//!
//! Where that file is missing, damaged or about another run, everybody is evaluated once more, as of the last run, and the file is
//! written anew. One such evaluation is made at a time; who comes meanwhile waits for it, and then finds the file. A run puts its
//! file in place right after its commit; who asks between the two waits for that.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use tierd_eval::due::Due;
use tierd_ledger::RevisionHash;
use tierd_model::Clock;
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use super::{
    Handle,
    readers::{Lent, Readers},
};
use crate::{
    Project,
    decisions::{self, DecisionFile, Stamp, Writer},
    evaluate::{Evaluation, Evaluator},
    explain::{self, Answers, ExplainError, json},
    memory,
    report::PluginFailure,
    revision,
};

/// What is kept between explanations.
#[derive(Debug, Default)]
pub(super) struct Explainer {
    open: Mutex<Option<Arc<Open>>>,
    /// Held while everybody is evaluated.
    evaluating: Mutex<()>,
    readers: Readers,
    /// Rules of the last run, where others are in force now.
    earlier: Mutex<Option<Arc<RuleSet>>>,
}

/// How long a run may take from its commit to its file. After that everybody is evaluated.
const FILE_WITHIN: Duration = Duration::from_secs(3);

/// A file that fits, and the rules that it is read by.
#[derive(Debug)]
struct Open {
    file: DecisionFile,
    spent: RuleSet,
}

/// What an explanation is asked of.
struct Asked<'a> {
    handle: &'a Handle,
    rules: Arc<RuleSet>,
    ledger: Lent<'a>,
    stamp: Stamp,
    clock: Clock,
    /// Plugins that gave nothing in the run.
    failures: Vec<PluginFailure>,
}

impl Handle {
    /// Why one subject has its levels, as of the last run: the document of `tierd explain --output json`, and `run` with the number of
    /// that run. `read_again` is true where the data had to be read again, so that it may be younger than the run. `set` is a tier
    /// set or a set that is kept per category; without it, all sets and retention rules answer.
    ///
    /// Blocks: to be called on a thread for blocking work.
    ///
    /// # Errors
    /// [`ExplainError`].
    pub fn explain(&self, key: &str, set: Option<&str>) -> Result<Json, ExplainError> {
        let asked = Asked::new(self)?;
        explain::tier_sets(&asked.rules, set)?;
        if let Some(answers) = asked.by_file(key, set)? {
            return Ok(asked.document(&answers, false));
        }
        if let Some(answers) = asked.by_awaited_file(key, set)? {
            return Ok(asked.document(&answers, false));
        }
        let _one = self.parts().explainer.evaluating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = asked.by_file(key, set)? {
            return Ok(asked.document(&answers, false));
        }
        let answers = asked.by_evaluation(key, set)?;
        Ok(asked.document(&answers, true))
    }
}

impl Explainer {
    /// The rules of this revision; the ones in force, where they are those, or where this version of tierd can't read the earlier ones.
    fn rules_of(
        &self,
        project: &Project,
        ledger: &Lent<'_>,
        hash: RevisionHash,
        active: Arc<RuleSet>,
    ) -> Result<Arc<RuleSet>, ExplainError> {
        if active.revision.0 == hash.0 {
            return Ok(active);
        }
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = earlier.as_ref().filter(|known| known.revision.0 == hash.0) {
            return Ok(Arc::clone(known));
        }
        let Ok(rules) = revision::rules_of(project, ledger, hash)? else { return Ok(active) };
        Ok(Arc::clone(earlier.insert(Arc::new(rules))))
    }
}

impl<'a> Asked<'a> {
    fn new(handle: &'a Handle) -> Result<Self, ExplainError> {
        let explainer = &handle.parts().explainer;
        let active = Arc::clone(&handle.active().rules);
        let ledger = explainer.readers.lend(&handle.project().ledger(&active.config))?;
        let run = ledger.last_applied_run()?.ok_or(ExplainError::NoRun)?;
        let rules = explainer.rules_of(handle.project(), &ledger, run.revision, active)?;
        let stamp = Stamp { run: run.id, revision: rules.revision, as_of: run.as_of };
        let clock = Clock::new(run.as_of, Arc::clone(&rules.config.zone));
        let failures = PluginFailure::of_run(&run);
        Ok(Asked { handle, rules, ledger, stamp, clock, failures })
    }

    /// `None` where the file is no good.
    fn by_file(&self, key: &str, set: Option<&str>) -> Result<Option<Answers>, ExplainError> {
        let Some(open) = self.open() else { return Ok(None) };
        let project = self.handle.project();
        let answers = explain::from_file(
            project,
            &open.spent,
            &open.file,
            &self.ledger,
            &self.clock,
            (key, set),
            &self.failures,
        )?;
        if answers.is_none() {
            *self.kept() = None;
        }
        Ok(answers)
    }

    /// As [`Asked::by_file`], of a file that a run is about to put in place; `None` at once where none runs.
    fn by_awaited_file(&self, key: &str, set: Option<&str>) -> Result<Option<Answers>, ExplainError> {
        let begun = Instant::now();
        while begun.elapsed() < FILE_WITHIN && self.handle.running().is_some() {
            std::thread::sleep(Duration::from_millis(5));
            if let Some(answers) = self.by_file(key, set)? {
                return Ok(Some(answers));
            }
        }
        Ok(None)
    }

    /// The file of the last run, opened once.
    fn open(&self) -> Option<Arc<Open>> {
        let mut kept = self.kept();
        if let Some(open) = kept.as_ref().filter(|open| *open.file.stamp() == self.stamp) {
            return Some(Arc::clone(open));
        }
        let path = decisions::path(self.ledger.path());
        *kept = DecisionFile::open(&path, &self.stamp, &self.rules)
            .map(|file| Arc::new(Open { file, spent: explain::limits_used_up(&self.rules) }));
        kept.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<Open>>> {
        self.handle.parts().explainer.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evaluates everybody, and leaves the file for the next one who asks.
    fn by_evaluation(&self, key: &str, set: Option<&str>) -> Result<Answers, ExplainError> {
        tracing::info!(run = self.stamp.run.0, "no decision file fits: everybody is evaluated for an explanation");
        let spent = explain::limits_used_up(&self.rules);
        let mut evaluation = self.evaluate(&spent)?;
        let answers = explain::of_evaluation(&spent, &evaluation, Some(&self.ledger), &self.clock, key, set);
        if self.ledger.last_applied_run()?.is_some_and(|run| run.id == self.stamp.run) {
            decisions::keep(self.ledger.path(), &self.stamp, &self.rules, &mut evaluation, Writer::Explanation);
        }
        drop(evaluation);
        memory::give_back();
        answers
    }

    fn evaluate(&self, spent: &RuleSet) -> Result<Evaluation, ExplainError> {
        let (options, progress) = (ReadOptions::default(), &Progress::default());
        let evaluator = Evaluator { clock: &self.clock, due: &Due::ALL, options, progress };
        Ok(evaluator.evaluate(self.handle.project(), spent, Some(&self.ledger))?)
    }

    fn document(&self, answers: &Answers, read_again: bool) -> Json {
        let mut document = json::document(&self.rules, answers, &self.clock);
        document["run"] = json!(self.stamp.run.0);
        document["read_again"] = json!(read_again);
        document
    }
}
