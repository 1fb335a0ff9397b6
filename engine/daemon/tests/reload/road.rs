//! What is decided on the way from files to rules in force.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tierd_daemon::{
    Project,
    serve::{self, FileState, Origin, ReloadCause, Reloaded, RunRequest, StartError, SystemWall},
};
use tierd_ledger::Cause;

use crate::support::*;

const FILE: &str = "rules/value.toml";

#[tokio::test]
async fn broken_edit_keeps_previous_rules_and_mending_it_goes_on() {
    let place = Place::new();
    place.write("rules/other.toml", "");
    let daemon = place.serve().await;
    place.replace(FILE, BROKEN);
    let active = daemon.until_refused().await;
    let refused = active.refused.as_ref().unwrap();
    assert_eq!(sets(&active), "g1");
    let problem = &refused.problems[0];
    let at = (problem.file.as_deref(), problem.line, problem.column);
    assert_eq!((problem.code.as_str(), at), ("unknown-name", (Some(FILE), Some(2), Some(48))));
    assert!(problem.rendered.contains("--> rules/value.toml:2:48") && problem.message.contains("vists"), "{problem:?}");
    let status = daemon.handle().reload_status();
    let states: Vec<_> = status.files.iter().map(|file| (file.path.as_str(), file.state)).collect();
    let expected =
        [("rules/other.toml", FileState::Active), (FILE, FileState::Broken), ("tierd.toml", FileState::Active)];
    assert_eq!((status.successful, status.refused, &states[..]), (false, 1, &expected[..]));

    place.replace(FILE, &generation(2));
    daemon.until_generation(2).await;
    let status = daemon.handle().reload_status();
    assert_eq!((status.successful, status.activated, status.cause), (true, 2, ReloadCause::Watch));
    assert!(status.files.iter().all(|file| file.state == FileState::Active && file.sha256.len() == 64));
    daemon.stop().await;
}

#[tokio::test]
async fn undone_edit_leaves_the_rules_as_if_nothing_had_been() {
    let place = Place::new();
    let daemon = place.serve().await;
    let before = daemon.active();
    place.replace(FILE, BROKEN);
    daemon.until_refused().await;
    place.replace(FILE, &generation(1));
    let after = daemon.until_generation(1).await;
    assert!(Arc::ptr_eq(&before.rules, &after.rules) && before.since == after.since);
    daemon.stop().await;
}

#[tokio::test]
async fn reloading_identical_files_is_a_no_op() {
    let place = Place::new();
    let daemon = place.serve().await;
    let (before, status) = (daemon.active(), daemon.handle().reload_status());
    let mut told = daemon.handle().watch_active();
    told.mark_unchanged();
    for _ in 0..3 {
        place.replace(FILE, &generation(1));
        let reloaded = daemon.handle().reload(ReloadCause::Request).await.unwrap();
        assert!(matches!(reloaded, Reloaded::Unchanged(active) if Arc::ptr_eq(&active, &before)));
    }
    assert!(!told.has_changed().unwrap());
    assert_eq!(daemon.handle().reload_status(), status);
    daemon.until_written().await;
    assert_eq!(place.reader().reloads(9).unwrap().len(), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn restart_with_broken_files_keeps_the_last_good_rules() {
    let place = Place::new();
    let daemon = place.serve().await;
    daemon.until_written().await;
    let in_force = daemon.active().since;
    place.replace(FILE, BROKEN);
    let since = daemon.until_refused().await.refused.as_ref().unwrap().since;
    daemon.until_written().await;
    daemon.stop().await;

    let daemon = place.serve().await;
    let active = daemon.active();
    let refused = active.refused.as_ref().unwrap();
    assert_eq!((sets(&active).as_str(), active.origin), ("g1", Origin::LastGood));
    assert_eq!((refused.since, active.since), (since, in_force), "known from before the restart");
    daemon.until_written().await;
    assert_eq!(outcomes(&place.reader().reloads(9).unwrap()), ["activated", "refused"], "a restart is no change");
    place.replace(FILE, &generation(2));
    assert_eq!(daemon.until_generation(2).await.origin, Origin::Files);
    daemon.stop().await;
}

#[tokio::test]
async fn files_broken_while_no_daemon_runs_are_refused_at_the_start() {
    let place = Place::new();
    place.serve().await.stop().await;
    for broken in ["", "time_zone = [", "rules = 7"] {
        place.write("tierd.toml", broken);
        let daemon = place.serve().await;
        let active = daemon.active();
        assert_eq!((sets(&active).as_str(), active.origin), ("g1", Origin::LastGood), "{broken:?}");
        daemon.stop().await;
    }
    fs::remove_dir_all(place.path("rules")).unwrap();
    let daemon = place.serve().await;
    assert_eq!(daemon.sets(), "g1");
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_that_has_begun_can_be_killed_without_losing_its_rules() {
    let place = Place::new();
    let project = Project::open(place.root()).unwrap();
    drop(serve::start(project.clone(), Arc::new(SystemWall)).await.unwrap());
    let good = serve::last_good(&project, &place.path("tierd.ledger")).unwrap().unwrap();
    assert_eq!(good.tier_sets[0].name, "g1");
}

#[tokio::test]
async fn broken_configuration_is_read_for_the_place_of_its_ledger() {
    let place = Place::new();
    let config = format!("{CONFIG}\n[ledger]\npath = \"state/own.ledger\"\n");
    fs::create_dir(place.path("state")).unwrap();
    place.write("tierd.toml", &config);
    place.serve().await.stop().await;
    place.write("tierd.toml", &format!("{config}\nnonsense = 1\n[http"));
    let daemon = place.serve().await;
    assert_eq!((daemon.sets().as_str(), daemon.active().origin), ("g1", Origin::LastGood));
    assert!(!place.path("tierd.ledger").exists());
    daemon.stop().await;
}

#[tokio::test]
async fn first_start_with_broken_files_says_why_not() {
    let place = Place::new();
    place.write(FILE, BROKEN);
    let Err(StartError::NoRules { problems }) = place.try_serve(Duration::from_secs(60)).await else { panic!() };
    assert!(problems.len() == 1 && problems[0].contains("rules/value.toml:2:48"), "{problems:?}");
}

#[tokio::test]
async fn setting_that_needs_a_restart_is_refused_by_name() {
    let place = Place::new();
    let daemon = place.serve().await;
    let changed = format!("{CONFIG}\n[http]\nlisten = \"127.0.0.1:7999\"\n[ledger]\npath = \"other.ledger\"\n");
    place.write("tierd.toml", &changed);
    place.write(FILE, &generation(2));
    let active = daemon.until_refused().await;
    let problems = &active.refused.as_ref().unwrap().problems;
    assert_eq!((sets(&active).as_str(), problems.len()), ("g1", 2));
    assert!(problems.iter().all(|problem| problem.code == "settings" && problem.message.contains("restart")));
    assert!(problems[0].message.contains("[http] listen") && problems[1].message.contains("[ledger] path"));
    // Everything else follows the files, the database and the zone among them.
    let other = CONFIG.replace("UTC", "Asia/Shanghai").replace("shop.db", "store.db");
    place.write("tierd.toml", &other);
    let active = daemon.until_generation(2).await;
    assert_eq!(active.rules.config.database, "store.db");
    daemon.stop().await;
}

#[tokio::test]
async fn warnings_refuse_nothing() {
    let place = Place::new();
    let daemon = place.serve().await;
    let warned = "[metric.unused]\nderived = \"visits + 1\"\n";
    place.write("rules/unused.toml", warned);
    place.write(FILE, &generation(2));
    daemon.until_generation(2).await;
    daemon.stop().await;
}

/// Two files that must change together, written one after the other again and again. A pair that this machine took too long for is
/// none; it isn't counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_change_together_come_into_force_together() {
    let place = Place::new();
    place.write("rules/other.toml", &generation(1001));
    let daemon = place.serve().await;
    let writing = PairWriter::begin(&place);
    let mut active = daemon.handle().watch_active();
    let (began, mut pairs, mut mixes) = (Instant::now(), 0, Vec::new());
    while pairs < 5 {
        assert!(began.elapsed() < Duration::from_secs(120), "only {pairs} pairs came into force");
        if tokio::time::timeout(Duration::from_millis(500), active.changed()).await.is_ok() {
            let sets = sets(&active.borrow_and_update());
            let numbers: Vec<u32> = sets.split(' ').map(|name| name[1..].parse().unwrap()).collect();
            let (left, right) = (numbers[0].min(numbers[1]), numbers[0].max(numbers[1]) - 1000);
            if left == right { pairs += 1 } else { mixes.push((left, right)) }
        }
    }
    let (last, slow) = writing.end();
    let mut last = [format!("g{last}"), format!("g{}", 1000 + last)];
    last.sort_unstable();
    daemon.until("the last pair", |active| sets(active) == last.join(" ")).await;
    // The left one is written first.
    mixes.retain(|(left, right)| *left != right + 1 || !slow.contains(left));
    assert!(mixes.is_empty(), "of the left file and the right one: {mixes:?}");
    daemon.stop().await;
}

/// Writes a pair of files after the other, with at most 120 ms between the two of one.
struct PairWriter {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(u32, Vec<u32>)>,
}

impl PairWriter {
    fn begin(place: &Place) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, left, right) = (Arc::clone(&stop), place.path(FILE), place.path("rules/other.toml"));
        let write = move || {
            let (mut n, mut slow) = (1, Vec::new());
            while !told.load(Ordering::Relaxed) {
                n += 1;
                let began = Instant::now();
                replace(&left, &generation(n));
                std::thread::sleep(Duration::from_millis(u64::from(n * 37 % 120)));
                replace(&right, &generation(1000 + n));
                if began.elapsed() > SETTLE * 9 / 10 {
                    slow.push(n);
                }
                std::thread::sleep(Duration::from_millis(u64::from(n * 53 % 450)));
            }
            (n, slow)
        };
        PairWriter { stop, thread: std::thread::spawn(write) }
    }

    /// The number of the last pair, and of those that took nearly as long as files must have been quiet.
    fn end(self) -> (u32, Vec<u32>) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

#[tokio::test]
async fn change_without_an_event_is_found_by_the_poll() {
    let place = Place::new();
    // A file of another folder, by a link made of the same inode: no watched folder tells of it.
    place.write("elsewhere/value.toml", &generation(1));
    fs::remove_file(place.path(FILE)).unwrap();
    fs::hard_link(place.path("elsewhere/value.toml"), place.path(FILE)).unwrap();
    let daemon = place.try_serve(Duration::from_millis(100)).await.unwrap();
    place.write("elsewhere/value.toml", &generation(2));
    daemon.until_generation(2).await;
    assert_eq!(daemon.handle().reload_status().cause, ReloadCause::Poll);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_come_meanwhile_share_an_answer() {
    let place = Place::new();
    let daemon = place.serve().await;
    place.replace(FILE, &generation(2));
    let asked = (0..200).map(|_| {
        let handle = daemon.handle().clone();
        tokio::spawn(async move { handle.reload(ReloadCause::Request).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        let reloaded = answer.await.unwrap().unwrap();
        assert_eq!(sets(reloaded.active()), "g2");
    }
    assert_eq!(daemon.handle().reload_status().activated, 2);
    daemon.stop().await;
}

/// A run holds the rules that it began with, whatever comes into force meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_in_progress_finishes_on_its_own_rules() {
    let place = Place::new();
    let database = Connection::open(place.path("shop.db")).unwrap();
    database.execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, visits INTEGER);").unwrap();
    database.execute_batch("INSERT INTO customers VALUES (1, 5)").unwrap();
    let daemon = place.serve().await;
    daemon.until_written().await;
    let old = daemon.active().rules.revision;
    // The run waits for this to end.
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = tokio::spawn({
        let handle = daemon.handle().clone();
        async move { handle.run(RunRequest { cause: Cause::Hand, schedules: None, as_of: None }).await }
    });
    while daemon.handle().running().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    place.write(FILE, &generation(2));
    daemon.handle().reload(ReloadCause::Request).await.unwrap();
    assert!(daemon.handle().running().is_some() && daemon.sets() == "g2", "a reload waits for no run");
    database.execute_batch("ROLLBACK").unwrap();
    let done = run.await.unwrap().unwrap();
    assert_eq!(done.sets[0].name, "g1");
    daemon.until_written().await;
    let reader = place.reader();
    let run = reader.run(done.run.unwrap()).unwrap().unwrap();
    assert_eq!(run.revision.0, old.0);
    assert_eq!(reader.revision_in_force().unwrap().unwrap().0, daemon.active().rules.revision.0);
    daemon.stop().await;
}
