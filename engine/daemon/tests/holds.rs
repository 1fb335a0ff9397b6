//! People decide held runs through a daemon's handle, at the same time as others do, and as runs come.
#![expect(clippy::unwrap_used, reason = "this program is a test")]

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use rusqlite::Connection;
use tempfile::TempDir;
use tierd_daemon::{
    Project,
    serve::{self, Decision, Handle, RunDone, RunRequest, Serving, SystemWall, VerdictRefused},
};
use tierd_ledger::{Cause, HoldState, Outcome, Reader, RunId};
use tierd_model::Timestamp;

const CONFIG: &str = "time_zone = \"UTC\"\ndatabase.sqlite = \"shop.db\"\n
[subject.customer]\ntable = \"customers\"\nkey = \"id\"\nattributes = { visits = \"integer\" }\n";
const RULES: &str = "[tiers.value]\nguard = { moved = \"20%\" }\n
level = [{ name = \"C\" }, { name = \"A\", when = \"visits >= 10\" }]\n";

/// A served shop of 100 customers.
struct Shop {
    folder: TempDir,
    serving: Serving,
}

impl Shop {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        fs::write(folder.path().join("tierd.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("rules/value.toml"), RULES).unwrap();
        let conn = Connection::open(folder.path().join("shop.db")).unwrap();
        let all = "WITH RECURSIVE n (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM n WHERE id < 100)
                   INSERT INTO customers SELECT id, 0 FROM n";
        conn.execute_batch(&format!("CREATE TABLE customers (id INTEGER PRIMARY KEY, visits INTEGER); {all}")).unwrap();
        let serving = serve::start(Project::open(folder.path()).unwrap(), Arc::new(SystemWall)).await.unwrap();
        let shop = Shop { folder, serving };
        assert_eq!(shop.run().await.outcome, Outcome::Applied);
        shop
    }

    fn handle(&self) -> &Handle {
        self.serving.handle()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self) -> Arc<RunDone> {
        let request = RunRequest { cause: Cause::Hand, schedules: None, as_of: Some(Timestamp(1_772_323_200_000_000)) };
        self.handle().run(request).await.unwrap()
    }

    /// A run that is held, because so many customers would move.
    async fn held(&self, movers: u32) -> RunId {
        let conn = Connection::open(self.path("shop.db")).unwrap();
        conn.execute("UPDATE customers SET visits = 50 WHERE id <= ?1", [movers]).unwrap();
        let done = self.run().await;
        assert!(matches!(done.outcome, Outcome::Held(_)), "{:?}", done.outcome);
        done.run.unwrap()
    }

    fn state(&self, hold: RunId) -> HoldState {
        Reader::open(&self.path("tierd.ledger")).unwrap().hold(hold).unwrap().unwrap().state
    }

    /// How many customers have level A.
    fn top(&self) -> u64 {
        let reader = Reader::open(&self.path("tierd.ledger")).unwrap();
        reader.distribution("value").unwrap()[1].subjects
    }

    async fn stop(self) {
        assert!(self.serving.stop(Duration::from_secs(20)).await);
    }
}

fn by(name: &str, hold: RunId) -> Decision {
    Decision { hold, by: name.to_owned(), why: "checked".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_verdicts_wins() {
    let shop = Shop::new().await;
    let hold = shop.held(30).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..6 {
        let handle = shop.handle().clone();
        tasks.spawn(async move {
            match n % 2 {
                0 => handle.approve(by("Ada", hold)).await.map(|done| assert_eq!(done.outcome, Outcome::Applied)),
                _ => handle.reject(by("Bob", hold)).await,
            }
        });
    }
    let verdicts = tasks.join_all().await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(()) | Err(VerdictRefused::Over(_)))), "{verdicts:?}");
    let expected = if shop.state(hold) == HoldState::Approved { 30 } else { 0 };
    assert_eq!(shop.top(), expected);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_run() {
    let shop = Shop::new().await;
    let hold = shop.held(30).await;
    let before = shop.handle().last_run().unwrap().run;
    let refused = shop.handle().approve(by("Ada", RunId(99))).await;
    assert!(matches!(refused, Err(VerdictRefused::NoHold(_))), "{refused:?}");
    let refused = shop.handle().approve(by(" ", hold)).await;
    assert!(matches!(refused, Err(VerdictRefused::Incomplete(_))), "{refused:?}");
    let refused = shop.handle().reject(Decision { why: String::new(), ..by("Ada", hold) }).await;
    assert!(matches!(refused, Err(VerdictRefused::Incomplete(_))), "{refused:?}");
    assert_eq!((shop.state(hold), shop.handle().last_run().unwrap().run), (HoldState::Waiting, before));
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_moved_on_waits_as_another_run() {
    let shop = Shop::new().await;
    let hold = shop.held(30).await;
    Connection::open(shop.path("shop.db"))
        .unwrap()
        .execute("UPDATE customers SET visits = 50 WHERE id <= 40", [])
        .unwrap();
    let Err(VerdictRefused::MovedOn { fresh, message }) = shop.handle().approve(by("Ada", hold)).await else {
        panic!("the data has moved on");
    };
    assert!(message.contains("value: C → A: 30 then, 40 now"), "{message}");
    assert_eq!((shop.state(hold), shop.top()), (HoldState::Superseded, 0));
    let fresh = fresh.run.unwrap();
    shop.handle().approve(by("Ada", fresh)).await.unwrap();
    assert_eq!((shop.state(fresh), shop.top()), (HoldState::Approved, 40));
    shop.stop().await;
}

/// A run by another process waits for its turn, and so does an approval.
#[tokio::test(flavor = "multi_thread")]
async fn approval_waits_for_a_writer_beside_the_daemon() {
    let shop = Shop::new().await;
    let hold = shop.held(30).await;
    let ledger = tierd_ledger::Ledger::open(&shop.path("tierd.ledger"), "a test").unwrap();
    let handle = shop.handle().clone();
    let approving = tokio::spawn(async move { handle.approve(by("Ada", hold)).await });
    let mut handle_runs = shop.handle().running();
    while handle_runs.is_none() {
        tokio::task::yield_now().await;
        handle_runs = shop.handle().running();
    }
    assert_eq!(shop.state(hold), HoldState::Waiting);
    drop(ledger);
    approving.await.unwrap().unwrap();
    assert_eq!(shop.state(hold), HoldState::Approved);
    shop.stop().await;
}
