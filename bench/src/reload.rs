//! How long it takes from saving one of 200 rule files until a daemon has the new rules in force.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tierd_daemon::{
    Project,
    serve::{self, Handle, SystemWall},
};

use crate::{Failure, check, report};

const ROUNDS: usize = 21;
/// Half of the saves may take longer.
const MOST: Duration = Duration::from_millis(500);

/// Saves one file after the other under a daemon in this process, and prints the times.
///
/// # Errors
/// Where rules don't come into force, or the median is above what it may be.
pub(crate) fn run() -> Result<(), Failure> {
    let folder = check::write("reload", &check::files())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut times = runtime.block_on(measure(&folder))?;
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    report::print_line(&json!({
        "rule_files": check::files().len() - 1,
        "saves": times.len(),
        "fastest_ms": ms(times[0]),
        "median_ms": ms(median),
        "slowest_ms": ms(slowest),
        "median_at_most_ms": ms(MOST),
    }))?;
    if median > MOST { Err("that is too long".into()) } else { Ok(()) }
}

async fn measure(folder: &Path) -> Result<Vec<Duration>, Failure> {
    let serving = serve::start(Project::open(folder)?, Arc::new(SystemWall)).await?;
    let handle = serving.handle();
    handle.reload(serve::ReloadCause::Request).await.ok_or("the daemon has stopped")?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        times.push(save(handle, folder, round).await?);
    }
    serving.stop(Duration::from_secs(10)).await;
    Ok(times)
}

async fn save(handle: &Handle, folder: &Path, round: usize) -> Result<Duration, Failure> {
    let file = folder.join(format!("rules/{round}.toml"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let before = handle.active().rules.revision;
    let mut active = handle.watch_active();
    let saved = Instant::now();
    fs::write(file, format!("{}# saved {now}\n", check::rules(round)))?;
    let activated = active.wait_for(|active| active.rules.revision != before);
    drop(tokio::time::timeout(Duration::from_secs(10), activated).await??);
    Ok(saved.elapsed())
}
