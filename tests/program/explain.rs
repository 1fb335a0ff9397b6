//! Explaining one customer from the decision file, against an evaluation of everybody.

use std::{fs, future::Future, path::Path, sync::Arc};

use serde_json::{Value as Json, json};
use tierd_daemon::{
    Project as Folder,
    evaluate::{Evaluation, Evaluator},
    explain::{self, ExplainError},
    run::evaluate_with_held,
    serve::{self, Handle, ReloadCause, RunRequest, SystemWall},
};
use tierd_eval::due::Due;
use tierd_ledger::{Cause, Reader};
use tierd_model::{Clock, Timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};

use crate::support::Project;

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

/// Every subject answers from the file as an evaluation of everybody does.
fn agree(folder: &Path) {
    let slow = Slow::new(folder);
    served(folder, move |handle| {
        for key in slow.keys(1) {
            assert_eq!(fast(handle, &key, None, false), slow.explain(&key, None), "{key}");
        }
    });
}

/// A rule for everything that isn't in the file but in the ledger.
const REMEMBERED: &str = r#"
[metric.was_value]
derived = "was.value"
[metric.value_for]
derived = "since.value"
[metric.spend_half]
ntile = { of = "annual_spend desc", buckets = 2 }
[tiers.again]
downgrade = { when = "at once", after = "30 days" }
schedule = "monthly"
[[tiers.again.level]]
name = "low"
[[tiers.again.level]]
name = "high"
when = "annual_spend >= 5000 and spend_half <= 2 or was_value = 'A'"
[retention.greeting]
when   = "annual_spend > 0 and value_for is not null"
limit  = { per_run = 1 }
action = { task = "Greet {key}" }
"#;

#[test]
fn what_the_ledger_remembers_is_in_the_answer() {
    let project = Project::shop();
    project.write("rules/remembered.toml", REMEMBERED);
    project.run();
    agree(project.folder());
    project.tierd(&["run", "--as-of", "2026-04-02"]).ok();
    agree(project.folder());
    let floor = ["override", "add", "value", "3", "--floor", "B", "--until", "2099-01-01"];
    project.tierd(&[&floor[..], &["--reason", "a promise", "--approver", "wang"]].concat()).ok();
    agree(project.folder());
    project.sql("DELETE FROM orders WHERE customer_id = 1");
    project.tierd(&["run", "--as-of", "2026-05-02"]).ok();
    agree(project.folder());
}

#[test]
fn personal_values_are_masked_and_not_in_the_file() {
    let project = Project::shop();
    project.write(
        "rules/named.toml",
        "[metric.is_wang]\nderived = \"name like '王%'\"\n[tiers.named]\n[[tiers.named.level]]\nname = \"other\"\n\
         [[tiers.named.level]]\nname = \"wang\"\nwhen = \"is_wang\"\n",
    );
    project.run();
    let file = fs::read(project.path("tierd.ledger.decisions")).unwrap();
    let has = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("annual_spend") && !has("王小明") && !has("王"));
    agree(project.folder());
    served(project.folder(), |handle| {
        let answer = fast(handle, "1", Some("named"), false).to_string();
        assert!(answer.contains("王*") && !answer.contains("王小"), "{answer}");
    });
}

#[test]
fn sets_that_were_not_due_are_explained_too() {
    let project = Project::shop();
    project.write("rules/remembered.toml", REMEMBERED);
    let config = fs::read_to_string(project.path("tierd.toml")).unwrap();
    project.write("tierd.toml", &format!("{config}\n[schedule.default]\nevery = \"daily at 02:15\"\n"));
    project.run();
    // What moves everybody, decided for the value alone.
    project.sql("UPDATE orders SET amount = 12000000 - amount");
    served(project.folder(), |handle| {
        let schedules = Some(vec!["default".to_owned()]);
        let as_of = Some(Timestamp(handle.now().0));
        let run = block_on(handle.run(RunRequest { cause: Cause::Hand, schedules, as_of })).unwrap();
        assert_eq!(run.sets.len(), 1);
    });
    agree(project.folder());
}

#[test]
fn a_damaged_file_is_noticed_and_written_again() {
    let project = Project::empty();
    let demo = ["demo", "--pack", "telecom-vip", "--customers", "300", "--as-of", "2026-06-30", "--dir", "d", "-q"];
    project.tierd(&demo).ok();
    let (slow, path) = (Slow::new(&project.path("d")), project.path("d/tierd.ledger.decisions"));
    served(&project.path("d"), move |handle| {
        let (good, keys) = (fs::read(&path).unwrap(), slow.keys(1));
        let (mut again, mut random) = (0, 0x9e37_79b9_7f4a_7c15_u64);
        for round in 0..60 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = (random >> 33) as usize % good.len();
            let mut damaged = good.clone();
            match round % 3 {
                0 => damaged.truncate(place),
                _ => damaged[place] ^= 1 << (random >> 20 & 7),
            }
            fs::write(&path, damaged).unwrap();
            let key = &keys[round % keys.len()];
            let mut answer = handle.explain(key, None).unwrap();
            again += i32::from(answer["read_again"] == json!(true));
            let object = answer.as_object_mut().unwrap();
            object.retain(|name, _| name != "run" && name != "read_again");
            assert_eq!(answer, slow.explain(key, None), "round {round}, byte {place}");
        }
        assert!(again > 20, "{again}");
    });
}

#[test]
fn a_file_of_another_run_or_of_other_rules_is_of_no_use() {
    let project = Project::shop();
    served(project.folder(), |handle| {
        assert!(matches!(handle.explain("1", None), Err(ExplainError::Ledger(_) | ExplainError::NoRun)));
    });
    project.run();
    let path = project.path("tierd.ledger.decisions");
    let first = fs::read(&path).unwrap();
    project.tierd(&["run", "--as-of", "2026-04-02"]).ok();
    let second = fs::read(&path).unwrap();
    served(project.folder(), |handle| {
        assert_eq!(fast(handle, "1", None, false)["as_of"], json!("2026-04-02T00:00:00Z"));
    });
    // As if the machine had stopped before the file was in its place.
    fs::write(&path, &first).unwrap();
    fs::write(project.path("tierd.ledger.decisions.new"), &second[..second.len() / 2]).unwrap();
    let rule = project.path("rules/value.toml");
    served(project.folder(), move |handle| {
        fast(handle, "1", None, true);
        fast(handle, "1", None, false);
        let text = fs::read_to_string(&rule).unwrap().replace("10000", "13000");
        fs::write(&rule, text).unwrap();
        block_on(handle.reload(ReloadCause::Request)).unwrap();
        // The level is still the one that the run gave, by its rules.
        assert_eq!(fast(handle, "1", None, false)["sets"][0]["level"], json!("A"));
        // What is open stays open.
        fs::remove_file(&path).unwrap();
        fast(handle, "2", None, false);
    });
}

#[test]
fn nobody_and_no_set_are_told_apart() {
    let project = Project::shop();
    project.run();
    served(project.folder(), |handle| {
        let refusal = |key: &str, set: Option<&str>| handle.explain(key, set).unwrap_err();
        assert!(matches!(refusal("1", Some("vip")), ExplainError::NoSet(_)));
        assert_eq!(refusal("99", None).to_string(), "no customer has the key 99");
        assert_eq!(refusal("x", None).to_string(), "`x` is no key of a customer: its keys are of type integer");
    });
}
