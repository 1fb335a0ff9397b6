//! The log of a daemon, on standard error.
//!
//! One line for each event: constant messages, and what varies in fields. For people by default; under systemd's journal, which
//! keeps the time itself, a line begins with its priority instead (sd-daemon(3)). Nothing else than tierd's own crates is heard,
//! but for warnings.

use std::{fmt, os::unix::fs::MetadataExt, panic};

use tierd_model::Timestamp;
use tracing::{Event, Level, Subscriber, error, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
};

use crate::{
    args::{LogFormat, LogLevel},
    session,
};

/// Begins to log; to be called once.
pub(super) fn begin(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let heard = Targets::new().with_target("tierd", level).with_default(level.min(LevelFilter::WARN));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Human => layer.with_ansi(false).event_format(Line { journal: is_journal() }).boxed(),
    };
    // Fails only where a log has begun already.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer.with_filter(heard)));
    panic::set_hook(Box::new(|panicked| {
        // What a panic says may quote a value of the database; where it happened can't.
        let at = panicked.location().map(ToString::to_string);
        error!(at, "tierd made a mistake");
    }));
}

/// Whether standard error is the journal: systemd names the device and inode of the stream that it gave us.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let ours = std::fs::metadata("/proc/self/fd/2").map(|meta| format!("{}:{}", meta.dev(), meta.ino()));
    ours.is_ok_and(|ours| ours == stream)
}

/// `2026-03-31T02:15:00Z info run finished run=41 outcome="applied"`
struct Line {
    journal: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (name, priority) = match *event.metadata().level() {
            Level::ERROR => ("error", 3),
            Level::WARN => ("warn", 4),
            Level::INFO => ("info", 6),
            Level::DEBUG => ("debug", 7),
            Level::TRACE => ("trace", 7),
        };
        if self.journal {
            write!(out, "<{priority}>")?;
        } else {
            let now = session::now();
            write!(out, "{} {name} ", Timestamp(now.0 - now.0.rem_euclid(tierd_model::MICROS)))?;
        }
        context.format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}
