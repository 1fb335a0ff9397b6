//! A progress bar with rows per second, on a terminal only.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tierd_sources::Progress;

use crate::output::thousands;

/// The bar is drawn so often.
const REDRAW: Duration = Duration::from_millis(100);

/// A bar on standard error; none where that is no terminal or `quiet` is asked for.
pub(crate) fn bar(quiet: bool, what: &'static str) -> Option<ProgressBar> {
    if quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos} rows  {rate}  {elapsed}") {
        let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A bar that can't be drawn is no reason to fail.
            let _ = write!(out, "{} rows/s", thousands(state.per_sec() as u64));
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar.set_message(what);
    Some(bar)
}

/// How far reading has come, shown from a thread of its own, so that the readers only add to a counter.
#[derive(Debug)]
pub(crate) struct ShownProgress {
    progress: Arc<Progress>,
    ended: Arc<AtomicBool>,
    shower: Option<JoinHandle<()>>,
}

impl ShownProgress {
    pub(crate) fn new(quiet: bool) -> Self {
        let (progress, ended) = (Arc::new(Progress::default()), Arc::new(AtomicBool::new(false)));
        let shower = bar(quiet, "reading").map(|bar| {
            let (progress, ended) = (Arc::clone(&progress), Arc::clone(&ended));
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    bar.set_position(progress.rows());
                    std::thread::park_timeout(REDRAW);
                }
                bar.finish_and_clear();
            })
        });
        ShownProgress { progress, ended, shower }
    }

    /// What readers tell.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Drop for ShownProgress {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(shower) = self.shower.take() {
            shower.thread().unpark();
            // A bar that failed to draw is no reason to fail.
            let _ = shower.join();
        }
    }
}
