//! Arguments of `tierd runs`.

use clap::{Args, Subcommand};

use super::Reading;

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Show the latest runs, and how each ended
    List(RunsListArgs),
    /// Show the times of schedules that had no run
    Gaps(RunsGapsArgs),
    /// Make these times good, each by a run as of then
    Fill(RunsFillArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunsListArgs {
    /// At most so many
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
    /// Only runs that decided this schedule
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsGapsArgs {
    /// Only of this schedule
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<String>,
    /// Also those that were made good, and those for which it is too late
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsFillArgs {
    /// Only of this schedule
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<String>,
    /// Show what would be run, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}
