//! Arguments of the commands that ask the ledger first, or write a person's decision to it.

use clap::{Args, Subcommand};

use super::Reading;

#[derive(Debug, Subcommand)]
pub(crate) enum OverrideCommand {
    /// Pin a customer's level, or limit it, for a while
    Add(OverrideAddArgs),
    /// Show the overrides that are in force or to come
    List(OverrideListArgs),
    /// End an override before it expires
    End(OverrideEndArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OverrideAddArgs {
    /// The tier set, such as value or price[shoes]
    pub(crate) set: String,
    /// The customer's key
    #[arg(allow_hyphen_values = true)]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) effect: OverrideEffect,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Who answers for it
    #[arg(long)]
    pub(crate) approver: String,
    /// The last day on which it is in force
    #[arg(long, value_name = "DATE")]
    pub(crate) until: String,
    /// The first day; default: from now on
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
}

/// What an override does.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct OverrideEffect {
    /// Exactly this level
    #[arg(long, value_name = "LEVEL")]
    pub(crate) pin: Option<String>,
    /// At least this level
    #[arg(long, value_name = "LEVEL")]
    pub(crate) floor: Option<String>,
    /// At most this level
    #[arg(long, value_name = "LEVEL")]
    pub(crate) ceiling: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OverrideListArgs {
    /// Also those that have expired or were ended
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OverrideEndArgs {
    /// Its number, as `tierd override list` shows it
    pub(crate) id: i64,
    /// Who ends it
    #[arg(long)]
    pub(crate) by: String,
    /// Why
    #[arg(long)]
    pub(crate) why: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// Show what is to be done
    List(TasksListArgs),
    /// Mark a task as done
    Done(TasksDoneArgs),
    /// Put a task off
    Snooze(TasksSnoozeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TasksListArgs {
    /// Only this owner's
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only of this retention rule
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// Only those that should have been done before today
    #[arg(long, conflicts_with = "all")]
    pub(crate) overdue: bool,
    /// Also those that are done or put off
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TasksDoneArgs {
    /// The task, or the first few characters of it
    pub(crate) id: String,
    /// Who did it
    #[arg(long)]
    pub(crate) by: String,
    /// What came of it
    #[arg(long)]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TasksSnoozeArgs {
    /// The task, or the first few characters of it
    pub(crate) id: String,
    /// The day on which it is to be seen again
    #[arg(long, value_name = "DATE")]
    pub(crate) until: String,
    /// Who puts it off
    #[arg(long)]
    pub(crate) by: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Compare how many of those contacted and of those held out came back, with a 95 % interval
    Effect(ReportEffectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReportEffectArgs {
    /// Only this retention rule
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// As of this date or time; default: the last run's
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only what came after this cursor
    #[arg(long, default_value_t = 0, value_name = "CURSOR")]
    pub(crate) after: i64,
    /// Only this kind, such as level.changed, task.created or event.coupon; may be given again
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// At most so many
    #[arg(long)]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct HoldsArgs {
    /// The run to show: which guards it exceeds, who would move where
    pub(crate) run: Option<i64>,
    /// Also those that wait no longer
    #[arg(long, conflicts_with = "run")]
    pub(crate) all: bool,
}

/// What a person says of a held run.
#[derive(Debug, Args)]
pub(crate) struct VerdictArgs {
    /// The held run
    pub(crate) run: i64,
    /// Who says it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// Why
    #[arg(long, value_name = "REASON")]
    pub(crate) why: String,
}
