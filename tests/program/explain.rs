//! Explaining one customer from the decision file, against an evaluation of everybody.

use std::{fs, future::Future, path::Path, sync::Arc};

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tierd_daemon::{
    Project as Folder,
    evaluate::{Evaluation, Evaluator},
    explain::{self, ExplainError},
    run::evaluate_with_held,
    serve::{self, Handle, SystemWall},
};
use tierd_eval::due::Due;
use tierd_ledger::Reader;
use tierd_model::Clock;
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use crate::support::{AS_OF, Project};

/// Everything as `tierd explain` sees it: evaluated again.
struct Slow {
    rules: RuleSet,
    ledger: Reader,
    clock: Clock,
    evaluation: Evaluation,
}

impl Slow {
    fn new(folder: &Path) -> Self {
        let project = Folder::open(folder).unwrap();
        let rules = explain::limits_used_up(&project.load().unwrap().rules.unwrap());
        let ledger = Reader::open(&project.ledger(&rules.config)).unwrap();
        let run = ledger.last_applied_run().unwrap().unwrap();
        let clock = Clock::new(run.as_of, Arc::clone(&rules.config.zone));
        let evaluator = Evaluator {
            clock: &clock,
            due: &Due::ALL,
            options: ReadOptions::default(),
            progress: &Progress::default(),
        };
        let evaluation = evaluate_with_held(&project, &rules, &evaluator).unwrap();
        Slow { rules, ledger, clock, evaluation }
    }

    fn explain(&self, key: &str, set: Option<&str>) -> Json {
        let Slow { rules, ledger, clock, evaluation } = self;
        let answers = explain::of_evaluation(rules, evaluation, Some(ledger), clock, key, set).unwrap();
        explain::json::document(rules, &answers, clock)
    }

    /// Every `step`th key of every kind of subject.
    fn keys(&self, step: usize) -> Vec<String> {
        let keys = self.evaluation.sources.iter().map(|source| &source.keys);
        keys.flat_map(|keys| (0..keys.len()).step_by(step).map(|subject| keys.key(subject).to_string())).collect()
    }
}

/// Serves a folder as long as `ask` runs, on a thread for blocking work.
fn served<T: Send + 'static>(folder: &Path, ask: impl FnOnce(&Handle) -> T + Send + 'static) -> T {
    let project = Folder::open(folder).unwrap();
    let asked = async move {
        let serving = serve::start(project, Arc::new(SystemWall)).await.unwrap();
        let handle = serving.handle().clone();
        tokio::task::spawn_blocking(move || ask(&handle)).await.unwrap()
    };
    block_on(asked)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

/// The daemon's answer without what only it says; `read_again` must be so.
fn fast(handle: &Handle, key: &str, set: Option<&str>, read_again: bool) -> Json {
    let mut answer = handle.explain(key, set).unwrap();
    assert_eq!(answer["read_again"], json!(read_again), "{key}");
    let object = answer.as_object_mut().unwrap();
    assert!(object.remove("run").unwrap().is_i64() && object.remove("read_again").is_some());
    answer
}

fn packs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let packs = entries.filter(|entry| entry.path().is_dir());
    packs.map(|entry| entry.file_name().into_string().unwrap()).chain(["shop".to_owned()]).collect()
}

#[test]
fn the_file_explains_as_an_evaluation_of_everybody_does_in_every_pack() {
    let project = Project::empty();
    for pack in packs() {
        let demo = ["demo", "--pack", &pack, "--customers", "700", "--as-of", "2026-06-30", "--dir", &pack, "-q"];
        project.tierd(&demo).ok();
        let slow = Slow::new(&project.path(&pack));
        served(&project.path(&pack), move |handle| {
            for key in slow.keys(7) {
                assert_eq!(fast(handle, &key, None, false), slow.explain(&key, None), "{pack} {key}");
            }
        });
    }
}
