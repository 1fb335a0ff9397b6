//! The command line, as data.

mod ledger;
mod plugin;
mod revisions;
mod runs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use ledger::{
    EventsArgs, HoldsArgs, OverrideAddArgs, OverrideCommand, OverrideEndArgs, OverrideListArgs, ReportCommand,
    ReportEffectArgs, TasksCommand, TasksDoneArgs, TasksListArgs, TasksSnoozeArgs, VerdictArgs,
};
pub(crate) use plugin::{
    Language, LookupFile, PluginBenchArgs, PluginCheckArgs, PluginCommand, PluginFile, PluginNewArgs, PluginRunArgs,
};
pub(crate) use runs::{RunsCommand, RunsFillArgs, RunsGapsArgs, RunsListArgs};

pub(crate) use revisions::{DiffArgs, RollbackArgs};

/// Grades customers by rules in TOML, beside the database that a company already has.
#[derive(Debug, Parser)]
#[command(name = "tierd", version, about, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Folder that holds tierd.toml
    #[arg(short = 'C', long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Shape of what is printed
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Colours; `auto` means on a terminal, and not where NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// No progress and no remarks, only data and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Shape of the data on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an example database with its rules, grade it, and leave a folder to go on working in
    Demo(DemoArgs),
    /// Read an existing database and write tierd.toml and a first rule file for it
    Init(InitArgs),
    /// Check configuration and rules, and the tables they name
    Check(CheckArgs),
    /// Run the test cases of the rules (*.test.toml), without the database
    Test(TestArgs),
    /// Evaluate all rules and store the levels
    Run(RunArgs),
    /// Stay: keep up with the files, run by schedule, answer over HTTP
    Serve(ServeArgs),
    /// Show how things stand: rules in force, refused files, schedules, runs that wait
    Status,
    /// Have the daemon look at the files now
    Reload,
    /// Go back to an earlier revision of the rules, until the files change
    Rollback(RollbackArgs),
    /// List the revisions of the rules: since when they were in force, and how many runs they made
    Revisions,
    /// Show what is different between two revisions, in rule terms
    Diff(DiffArgs),
    /// Look whether a daemon has what it needs here: files, database, ledger, disk, clock, limits; a fix for each thing that it lacks
    Doctor(DoctorArgs),
    /// Copy the ledger to a file, also while a daemon writes it
    Backup(BackupArgs),
    /// Show why a customer has its level, and what is missing for the next
    Explain(ExplainArgs),
    /// Show how many customers each level has
    Levels(LevelsArgs),
    /// Write the decision table: who has which level, with metrics, strategy, owner and next follow-up
    Export(ExportArgs),
    /// Show the runs that exceed a guard and wait for a person
    Holds(HoldsArgs),
    /// Apply a held run, if it would still change what it showed
    Approve(VerdictArgs),
    /// Have a held run never applied
    Reject(VerdictArgs),
    /// Pin a customer's level for a while, or limit it; with reason, approver and expiry
    #[command(subcommand)]
    Override(OverrideCommand),
    /// Show the tasks that retention rules gave, mark them as done, put them off
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// Show what came of what retention rules did
    #[command(subcommand)]
    Report(ReportCommand),
    /// Show the runs, and the times of schedules that had none; make those good
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Print what happened since a cursor: changes of level, tasks, events of rules. JSON comes as JSON Lines
    Events(EventsArgs),
    /// Make a plugin, look what one offers, try it out, time it
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Print a metric or a tier set as plain SQL for SQLite
    Sql(SqlArgs),
    /// Print the JSON Schema of tierd.toml, of rule files or of test files
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The shipped pack to show: its name, an alias, or the shop
    #[arg(long, value_name = "NAME", default_value = "shop")]
    pub(crate) pack: String,
    /// List the packs that there are
    #[arg(long)]
    pub(crate) list: bool,
    /// Folder to make; an earlier demo there is used again. Default: tierd-demo, of other packs than the shop tierd-demo-PACK
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// How many customers there are; default: 100,000 in the shop, else 10,000
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) customers: Option<u32>,
    /// Another seed gives another database
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The last day that the database has reached (YYYY-MM-DD); default: today
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The SQLite database to read; it is not changed
    #[arg(long, value_name = "FILE")]
    pub(crate) database: PathBuf,
    /// Zone in which a day begins, such as Asia/Shanghai; default: this machine's
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Overwrite files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Leave the database alone: check the files only
    #[arg(long)]
    pub(crate) offline: bool,
    /// Exit with 3 where there are warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only cases in whose file's path or name one of these texts stands
    #[arg(value_name = "FILE or NAME")]
    pub(crate) filters: Vec<String>,
    /// Show which conditions no case has seen both true and false
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Fail where fewer conditions than this share (in percent) were seen both true and false
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_coverage: Option<u8>,
    /// Also write the results as JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Evaluate as of this date or time (local if without offset); default: now
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Evaluate and show, store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Seconds that a run may still take when tierd is told to stop; after that it is abandoned, and leaves nothing
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub(crate) stop_after: u64,
    /// Seconds that a run may go on without reading a row before tierd counts as stuck, and a watchdog is no longer fed
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) stuck_after: u64,
    /// Shape of the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,
    /// The least important events that are logged
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log_level: LogLevel,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Only look whether a daemon serves this project and answers: for health checks of containers
    #[arg(long)]
    pub(crate) serving: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Where the copy goes; to restore it, stop the daemon and put it in the place of the ledger
    pub(crate) file: PathBuf,
    /// Replace an earlier backup there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Shape of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people; under systemd's journal without the time, which it keeps itself
    Human,
    /// A JSON object on a line
    Json,
}

/// How important an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Something failed
    Error,
    /// Somebody should look
    Warn,
    /// What happens
    Info,
    /// And how
    Debug,
    /// In every detail
    Trace,
}

/// How the database is read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// How rows leave the database; `step` is the slow cross-check of the fast one
    #[arg(long, value_enum, default_value_t = Reader::Auto, hide_short_help = true)]
    pub(crate) reader: Reader,
    /// Reading threads; default: 2, or 1 where there is one processor
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64), hide_short_help = true)]
    pub(crate) threads: Option<u8>,
}

/// How rows leave the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reader {
    /// The fastest that a table allows
    Auto,
    /// Plain stepping
    Step,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The customer's key
    pub(crate) customer: String,
    /// Only this tier set
    #[arg(long, value_name = "SET")]
    pub(crate) set: Option<String>,
    /// Evaluate as of this date or time; default: the last run's
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct LevelsArgs {
    /// Only this tier set
    #[arg(long, value_name = "SET")]
    pub(crate) set: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The tier set; may be left out where there is one
    #[arg(long, value_name = "SET")]
    pub(crate) set: Option<String>,
    /// A metric to show beside the level; may be given again. Default: those that the set's conditions read
    #[arg(long = "metric", value_name = "METRIC")]
    pub(crate) metrics: Vec<String>,
    /// An attribute to show, personal ones masked (王*); may be given again
    #[arg(long = "attribute", value_name = "COLUMN")]
    pub(crate) attributes: Vec<String>,
    /// A benefit of the level to show, by its key in the rules; may be given again
    #[arg(long = "benefit", value_name = "KEY")]
    pub(crate) benefits: Vec<String>,
    /// Only customers of this level; may be given again
    #[arg(long = "level", value_name = "LEVEL")]
    pub(crate) levels: Vec<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Begin CSV with a byte order mark, so that Excel reads it as UTF-8
    #[arg(long)]
    pub(crate) excel: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// Name of a metric or tier set; SUBJECT.NAME where subjects share a name
    pub(crate) rule: String,
    /// Windows end at this date or time; default: now
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which kind of file
    #[arg(value_enum)]
    pub(crate) kind: SchemaKind,
}

/// The kinds of file that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// tierd.toml
    Config,
    /// Files in the rules folder
    Rules,
    /// Test files (*.test.toml)
    Tests,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
