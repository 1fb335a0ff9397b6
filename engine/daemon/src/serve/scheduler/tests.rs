//! A daemon with a clock that the test turns: from slots to runs and gaps in a real ledger.
//!
//! Time is paused: it passes at once while nobody works, and not at all while a thread does. So a run takes no time.

use std::{
    fs,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::atomic::{AtomicI64, Ordering},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tierd_eval::due::Due;
use tierd_ledger::{Ledger, Reader};
use tierd_model::{Clock, parse_timestamp};
use tierd_sources::{Progress, ReadOptions};

use super::*;
use crate::{
    Project,
    evaluate::Evaluator,
    run::{self, Asked},
    serve::{self, ReloadCause, Serving, Wall},
};

const BEGIN: &str = "2026-03-10T12:00:30";
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// A clock that goes on with tokio's time, and can be turned.
#[derive(Debug)]
struct TurnedWall {
    shows: AtomicI64,
    from: Instant,
}

impl Wall for TurnedWall {
    fn now(&self) -> Timestamp {
        Timestamp(self.shows.load(Ordering::Relaxed) + self.from.elapsed().as_micros() as i64)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

struct World {
    folder: TempDir,
    wall: Arc<TurnedWall>,
}

fn at(text: &str) -> Timestamp {
    parse_timestamp(text.as_bytes()).unwrap().instant(&tierd_model::Zone::utc())
}

impl World {
    fn new(schedule: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wall = Arc::new(TurnedWall { shows: AtomicI64::new(at(BEGIN).0), from: Instant::now() });
        let world = World { folder, wall };
        world.write(schedule);
        fs::create_dir(world.path("rules")).unwrap();
        let rules = "[tiers.value]\n[[tiers.value.level]]\nname = \"C\"\n[[tiers.value.level]]\nname = \"A\"\nwhen = \"points >= 10\"\n";
        fs::write(world.path("rules/value.toml"), rules).unwrap();
        world.shop("CREATE TABLE customers (id INTEGER PRIMARY KEY, points INTEGER); INSERT INTO customers VALUES (1, 5), (2, 20)");
        world
    }

    fn write(&self, schedule: &str) {
        let config = format!(
            "time_zone = \"UTC\"\n[database]\nsqlite = \"shop.db\"\n[subject.customer]\ntable = \"customers\"\nkey = \"id\"\n\
             [subject.customer.attributes]\npoints = \"integer\"\n{schedule}\n"
        );
        fs::write(self.path("tierd.toml"), config).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shop(&self, sql: &str) {
        Connection::open(self.path("shop.db")).unwrap().execute_batch(sql).unwrap();
    }

    fn project(&self) -> Project {
        Project::open(self.folder.path()).unwrap()
    }

    async fn start(&self) -> Serving {
        let serving = serve::start(self.project(), Arc::clone(&self.wall) as Arc<dyn Wall>).await.unwrap();
        self.pass(1).await;
        serving
    }

    async fn pass(&self, seconds: i64) {
        tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())).await;
    }

    /// The clock jumps; the machine may have slept.
    fn jump(&self, seconds: i64) {
        self.wall.shows.fetch_add(seconds * MICROS, Ordering::Relaxed);
    }

    /// Runs in their order: cause, minute of `as_of`, outcome.
    fn runs(&self) -> Vec<String> {
        let Ok(reader) = Reader::open(&self.path("tierd.ledger")) else { return Vec::new() };
        let runs = reader.runs(1000).unwrap();
        let run = |run: &tierd_ledger::Run| {
            format!("{} {} {}", run.cause.name(), &run.as_of.to_string()[5..16], run.outcome.name())
        };
        runs.iter().rev().map(run).collect()
    }

    fn gaps(&self) -> Vec<String> {
        let gaps = Reader::open(&self.path("tierd.ledger")).unwrap().gaps(None).unwrap();
        let minute = |at: Timestamp| at.to_string()[5..16].to_owned();
        let gap = |gap: &tierd_ledger::Gap| {
            format!(
                "{} to {}: {} {} {}",
                minute(gap.first),
                minute(gap.last),
                gap.slots,
                gap.reason.name(),
                gap.state.name()
            )
        };
        gaps.iter().map(gap).collect()
    }
}

fn every(every: &str, more: &str) -> String {
    format!("[schedule.default]\nevery = \"{every}\"\n{more}")
}

#[tokio::test(start_paused = true)]
async fn slots_are_run_as_of_their_time() {
    let world = World::new(&every("10 minutes", "jitter = \"2 minutes\""));
    let serving = world.start().await;
    assert_eq!(world.runs(), [""; 0]);
    world.pass(22 * MINUTE).await;
    assert_eq!(world.runs(), ["schedule 03-10T12:10 applied", "schedule 03-10T12:20 unchanged"]);
    let schedules = serving.handle().schedules();
    let [next] = schedules.schedules.as_slice() else { panic!("{schedules:?}") };
    assert_eq!((next.slot, next.busy, next.retry), (Some(at("2026-03-10T12:30:00")), None, None));
    let delay = next.begins.unwrap().0 - next.slot.unwrap().0;
    assert!((1..120 * MICROS).contains(&delay), "{delay}");
    assert_eq!(next.last.as_ref().map(|last| (last.slot, last.run)), Some((at("2026-03-10T12:20:00"), Some(RunId(2)))));
    assert!(serving.stop(Duration::from_secs(5)).await);
}

#[tokio::test(start_paused = true)]
async fn missed_slots_after_a_stop_go_the_way_that_the_schedule_says() {
    for (missed, runs, gaps) in [
        ("latest", &["schedule 03-10T12:50 unchanged"][..], &["03-10T12:20 to 03-10T12:40: 3 missed overtaken"][..]),
        ("skip", &[], &["03-10T12:20 to 03-10T12:50: 4 missed open"]),
        (
            "all",
            &[
                "schedule 03-10T12:20 unchanged",
                "schedule 03-10T12:30 unchanged",
                "schedule 03-10T12:40 unchanged",
                "schedule 03-10T12:50 unchanged",
            ],
            &[],
        ),
    ] {
        let world = World::new(&every("10 minutes", &format!("missed = \"{missed}\"")));
        let serving = world.start().await;
        world.pass(12 * MINUTE).await;
        assert!(serving.stop(Duration::from_secs(5)).await);
        world.jump(43 * MINUTE);
        let serving = world.start().await;
        world.pass(60).await;
        let all = [&["schedule 03-10T12:10 applied"], runs].concat();
        assert_eq!(world.runs(), all, "{missed}");
        assert_eq!(world.gaps(), gaps, "{missed}");
        let open = if missed == "skip" { 4 } else { 0 };
        assert_eq!(serving.handle().schedules().schedules[0].open_gaps, open, "{missed}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_that_slept_finds_what_it_missed() {
    let world = World::new(&every("daily at 02:15", "deadline = \"6 hours\""));
    let serving = world.start().await;
    // From noon of the 10th to one minute before 03:00 of the 13th.
    world.jump(2 * DAY + 15 * 3600 - MINUTE);
    world.pass(60).await;
    assert_eq!(world.runs(), ["schedule 03-13T02:15 applied"]);
    assert_eq!(world.gaps(), ["03-11T02:15 to 03-12T02:15: 2 deadline overtaken"]);
    drop(serving);
}

#[tokio::test(start_paused = true)]
async fn clock_that_is_set_back_runs_nothing_twice() {
    let world = World::new(&every("10 minutes", ""));
    let _serving = world.start().await;
    world.pass(10 * MINUTE).await;
    for back in [3 * MINUTE, 3600, 2 * DAY] {
        world.jump(-back);
        world.pass(back + MINUTE).await;
        assert_eq!(world.runs(), ["schedule 03-10T12:10 applied"], "back by {back}");
    }
    world.pass(10 * MINUTE).await;
    assert_eq!(world.runs().len(), 2);
    assert_eq!(world.gaps(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn failed_run_is_tried_again_and_then_given_up() {
    let world = World::new(&every("10 minutes", ""));
    let serving = world.start().await;
    world.shop("ALTER TABLE customers RENAME TO gone");
    world.pass(10 * MINUTE).await;
    let failed = world.runs();
    assert_eq!(failed, ["schedule 03-10T12:10 failed"]);
    let retry = serving.handle().schedules().schedules[0].retry.unwrap();
    assert_eq!((retry.slot, retry.times), (at("2026-03-10T12:10:00"), 1));
    world.pass(2 * MINUTE).await;
    assert!(world.runs().len() > 1, "{:?}", world.runs());
    world.pass(8 * MINUTE).await;
    assert_eq!(world.gaps(), ["03-10T12:10 to 03-10T12:10: 1 failed open"]);
    world.shop("ALTER TABLE gone RENAME TO customers");
    world.pass(5 * MINUTE).await;
    assert_eq!(world.runs().last().unwrap(), "schedule 03-10T12:20 applied");
    assert_eq!(serving.handle().schedules().schedules[0].retry, None);
}

#[tokio::test(start_paused = true)]
async fn locked_ledger_defers_the_run() {
    let world = World::new(&every("10 minutes", ""));
    let _serving = world.start().await;
    let other = Ledger::open(&world.path("tierd.ledger"), "somebody else").unwrap();
    let mut done = _serving.handle().watch_runs();
    done.changed().await.unwrap();
    assert_eq!(world.runs(), [""; 0], "a run that is deferred is no failed one");
    drop(other);
    world.pass(2 * MINUTE).await;
    assert_eq!(world.runs(), ["schedule 03-10T12:10 applied"]);
}

/// The daemon was killed after the commit and before it knew of it.
#[tokio::test(start_paused = true)]
async fn slot_that_was_run_before_a_crash_is_not_run_again() {
    let world = World::new(&every("10 minutes", ""));
    drop(world.start().await);
    let (project, loaded) = (world.project(), world.project().load().unwrap());
    let rules = loaded.rules.unwrap();
    let clock = Clock::new(at("2026-03-10T12:10:00"), Arc::clone(&rules.config.zone));
    let evaluator =
        Evaluator { clock: &clock, due: &Due::ALL, options: ReadOptions::default(), progress: &Progress::default() };
    let names = ["default".to_owned()];
    let asked = Asked { cause: Cause::Schedule, schedules: Some(&names), started: clock.as_of(), activates: true };
    run::run(&project, &rules, &evaluator, asked).unwrap();
    world.jump(15 * MINUTE);
    let _serving = world.start().await;
    assert_eq!(world.runs(), ["schedule 03-10T12:10 applied"]);
    assert_eq!(world.gaps(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn unchanged_schedule_goes_on_and_a_changed_one_counts_from_then_on() {
    let world = World::new(&every("20 minutes", "missed = \"skip\""));
    let serving = world.start().await;
    let reload = async || serving.handle().reload(ReloadCause::Request).await;
    world.pass(20 * MINUTE).await;
    // Something else changes.
    world.write(&every("20 minutes", "missed = \"latest\""));
    reload().await;
    world.shop("ALTER TABLE customers RENAME TO gone");
    world.pass(20 * MINUTE).await;
    assert_eq!(world.runs(), ["schedule 03-10T12:20 applied", "schedule 03-10T12:40 failed"]);
    world.shop("ALTER TABLE gone RENAME TO customers");
    // Between two tries.
    world.write(&every("30 minutes", ""));
    reload().await;
    world.pass(MINUTE).await;
    assert_eq!(world.gaps(), ["03-10T12:40 to 03-10T12:40: 1 changed open"]);
    world.pass(20 * MINUTE).await;
    assert_eq!(world.runs()[2..], ["schedule 03-10T13:00 unchanged"]);
    world.write("");
    reload().await;
    world.pass(2 * 3600).await;
    assert_eq!(world.runs().len(), 3);
    assert_eq!(Reader::open(&world.path("tierd.ledger")).unwrap().followed_schedules().unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn change_of_the_data_is_followed_once_it_is_quiet() {
    let world = World::new("[schedule.default]\non_change = \"30 seconds\"");
    let serving = world.start().await;
    world.pass(MINUTE).await;
    assert_eq!(world.runs(), ["change 03-10T12:01 applied"], "the start counts as a change");
    for _ in 0..3 {
        world.shop("UPDATE customers SET points = points + 10");
        world.pass(20).await;
    }
    assert_eq!(world.runs().len(), 1, "it isn't quiet yet");
    world.pass(MINUTE).await;
    assert_eq!(world.runs().len(), 2);
    world.pass(DAY).await;
    assert_eq!(world.runs().len(), 2);
    assert!(serving.handle().schedules().schedules[0].on_change);
}

/// `[database]` may be edited while the daemon lives.
#[tokio::test(start_paused = true)]
async fn changes_are_followed_in_the_database_that_the_rules_in_force_name() {
    let world = World::new("[schedule.default]\non_change = \"30 seconds\"");
    let serving = world.start().await;
    world.pass(MINUTE).await;
    fs::copy(world.path("shop.db"), world.path("store.db")).unwrap();
    let config = fs::read_to_string(world.path("tierd.toml")).unwrap();
    fs::write(world.path("tierd.toml"), config.replace("shop.db", "store.db")).unwrap();
    serving.handle().reload(ReloadCause::Request).await.unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.runs().len(), 2, "another database is a change");
    world.shop("UPDATE customers SET points = points + 10");
    world.pass(MINUTE).await;
    assert_eq!(world.runs().len(), 2, "the one before is nobody's business any more");
    let store = Connection::open(world.path("store.db")).unwrap();
    store.execute_batch("UPDATE customers SET points = points + 10").unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.runs().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn gaps_are_made_good_in_their_order_unless_a_later_run_has_decided_the_same() {
    let world = World::new(&every("10 minutes", "missed = \"skip\""));
    let serving = world.start().await;
    world.pass(10 * MINUTE).await;
    world.jump(34 * MINUTE);
    world.pass(MINUTE).await;
    let planned = serving.handle().fill(None, true).await.unwrap();
    assert_eq!((planned.plan.runs.len(), planned.done.len()), (3, 0));
    let filled = serving.handle().fill(Some("default".to_owned()), false).await.unwrap();
    assert_eq!((filled.done.len(), filled.stopped), (3, None));
    world.pass(5).await;
    let slots = ["12:20", "12:30", "12:40"].map(|slot| format!("fill 03-10T{slot} unchanged"));
    assert_eq!(world.runs()[1..], slots);
    assert_eq!(world.gaps(), ["03-10T12:20 to 03-10T12:40: 3 missed filled"]);
    assert_eq!(serving.handle().schedules().schedules[0].open_gaps, 0);

    world.jump(34 * MINUTE);
    world.pass(10 * MINUTE).await;
    assert_eq!(world.runs().len(), 5);
    let late = serving.handle().fill(None, false).await.unwrap();
    assert_eq!((late.plan.runs.len(), late.plan.refused.len()), (0, 1));
    assert_eq!(world.runs().len(), 5);
}

/// Later slots would overtake the one that fails.
#[tokio::test(start_paused = true)]
async fn filling_stops_at_a_run_that_fails() {
    let world = World::new(&every("10 minutes", "missed = \"skip\""));
    let serving = world.start().await;
    world.jump(34 * MINUTE);
    world.pass(MINUTE).await;
    world.shop("ALTER TABLE customers RENAME TO gone");
    let filled = serving.handle().fill(None, false).await.unwrap();
    assert_eq!(filled.done.len(), 0);
    assert!(filled.stopped.unwrap().contains("customers"));
    assert_eq!(world.runs(), ["fill 03-10T12:10 failed"]);
    assert_eq!(world.gaps(), ["03-10T12:10 to 03-10T12:30: 3 missed open"]);
}
