//! A project folder whose rules say which generation they are, and a daemon on it.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tierd_daemon::{
    Project,
    serve::{self, Active, Handle, Serving, StartError, SystemWall, Wall},
};
use tierd_ledger::{Reader, Reload};
use tierd_model::Timestamp;

pub(crate) const CONFIG: &str = r#"
time_zone = "UTC"
database.sqlite = "shop.db"
[subject.customer]
table = "customers"
key = "id"
attributes = { visits = "integer" }
"#;

/// How long files must have been quiet, by the documentation.
pub(crate) const SETTLE: Duration = Duration::from_millis(300);

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A save in steps is only one where it takes less than [`SETTLE`]. On a machine that is too busy for that, the case is tried again in another
/// place. `case` gives how long its saves took at most, and what was decided on.
pub(crate) async fn decided_on(case: impl AsyncFn() -> (Duration, Vec<&'static str>)) -> Vec<&'static str> {
    for _ in 0..20 {
        let (took, outcomes) = case().await;
        // Part of the time is what the daemon needs to look.
        if took < SETTLE * 2 / 3 {
            return outcomes;
        }
        eprintln!("this machine took {took:?} for a save; once more");
    }
    panic!("this machine is too busy: no save took less than {SETTLE:?}");
}

/// Rules of generation `n`: a tier set of the name `gN`.
pub(crate) fn generation(n: u32) -> String {
    format!(
        "[tiers.g{n}]\nlevel = [{{ name = \"C\" }}, {{ name = \"A\", when = \"visits >= {n}\" }}]\n# {}\n",
        "x".repeat(n as usize % 7)
    )
}

pub(crate) const BROKEN: &str = "[tiers.g9]\nlevel = [{ name = \"C\" }, { name = \"A\", when = \"vists >= 1\" }]\n";

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// `tierd.toml` and `rules/value.toml` of generation 1.
    pub(crate) fn new() -> Self {
        let place = Place { folder: TempDir::new().unwrap() };
        place.write("tierd.toml", CONFIG);
        place.write("rules/value.toml", &generation(1));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As [`Place::write`], but so that the file is never seen half-written: for tests that count what was decided on.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        replace(&self.path(name), text);
    }

    /// Waits until nothing in the folder counts as changed a moment ago.
    pub(crate) async fn rest(&self) {
        tokio::time::sleep(SETTLE + Duration::from_millis(50)).await;
    }

    /// Begins a daemon whose poll comes after an hour, so that only events make it look.
    pub(crate) async fn serve(&self) -> Daemon {
        self.try_serve(Duration::from_secs(3600)).await.unwrap()
    }

    /// Begins a daemon that polls as often as this.
    pub(crate) async fn try_serve(&self, poll: Duration) -> Result<Daemon, StartError> {
        Daemon::start(self.root(), poll).await
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path("tierd.ledger")).unwrap()
    }
}

/// Writes a file beside this one and renames it over it.
pub(crate) fn replace(path: &Path, text: &str) {
    let beside = path.with_file_name(".new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// A daemon on a place.
pub(crate) struct Daemon {
    serving: Serving,
}

impl Daemon {
    pub(crate) async fn start(folder: &Path, poll: Duration) -> Result<Self, StartError> {
        let project = Project::open(folder).unwrap();
        let serving = serve::start(project, Arc::new(PollWall { poll })).await?;
        let daemon = Daemon { serving };
        // Its first look comes after the watcher has been pointed.
        daemon.handle().reload(serve::ReloadCause::Request).await.unwrap();
        daemon.until_watching().await;
        Ok(daemon)
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.serving.handle()
    }

    pub(crate) fn active(&self) -> Arc<Active> {
        self.handle().active()
    }

    /// Names of the tier sets in force.
    pub(crate) fn sets(&self) -> String {
        sets(&self.active())
    }

    /// Waits until the rules in force are such.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Active) -> bool) -> Arc<Active> {
        let mut active = self.handle().watch_active();
        let waited = tokio::time::timeout(PATIENCE, active.wait_for(|active| is(active))).await;
        let Ok(Ok(active)) = waited else {
            let active = self.active();
            panic!("never came: {what}; in force is {}, refused: {:?}", sets(&active), active.refused);
        };
        Arc::clone(&active)
    }

    /// Waits until generation `n` is in force alone.
    pub(crate) async fn until_generation(&self, n: u32) -> Arc<Active> {
        let name = format!("g{n}");
        self.until(&name, |active| sets(active) == name && active.refused.is_none()).await
    }

    pub(crate) async fn until_refused(&self) -> Arc<Active> {
        self.until("a refusal", |active| active.refused.is_some()).await
    }

    /// Waits until the ledger has it all.
    pub(crate) async fn until_written(&self) {
        let mut left = self.handle().watch_unwritten();
        let written = tokio::time::timeout(PATIENCE, left.wait_for(|left| *left == 0)).await;
        written.unwrap().unwrap();
    }

    async fn until_watching(&self) {
        let seen = async {
            while self.handle().watching() == (serve::Watching::Events { folders: 0 }) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap();
    }

    /// Stops, and says what became of each change.
    pub(crate) async fn stop_and_tell(self, place: &Place) -> Vec<&'static str> {
        self.until_written().await;
        self.stop().await;
        outcomes(&place.reader().reloads(99).unwrap())
    }

    pub(crate) async fn stop(self) {
        assert!(self.serving.stop(PATIENCE).await);
    }
}

/// Names of their tier sets, in the order of names.
pub(crate) fn sets(active: &Active) -> String {
    let mut names: Vec<_> = active.rules.tier_sets.iter().map(|set| set.name.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// What became of each change, the first one first.
pub(crate) fn outcomes(reloads: &[Reload]) -> Vec<&'static str> {
    reloads.iter().rev().map(|reload| reload.outcome.name()).collect()
}

/// The machine's clocks, but that long waits (the poll) take as long as a test says.
#[derive(Debug)]
struct PollWall {
    poll: Duration,
}

impl Wall for PollWall {
    fn now(&self) -> Timestamp {
        SystemWall.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let duration = if duration < Duration::from_secs(10) { duration } else { self.poll };
        Box::pin(tokio::time::sleep(duration))
    }
}
