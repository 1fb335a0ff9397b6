//! From files to rules: parsing, checking, and every mistake reported at its place.
//!
//! ```text
//! files ─► FileSet ─► raw (as written, with spans) ─► checked (typed, resolved) ─► RuleSet
//! ```
//!
//! A [`RuleSet`] exists only if every file is good; a later stage never checks again what this crate has proved.
//! Nothing here touches a file, a database or the clock.

pub mod cases;
pub mod checked;
pub mod code;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod expr;
pub mod fileset;
pub mod guard;
pub mod movement;
pub mod plugin;
pub mod points;
pub mod retention;
pub mod schedule;

mod check;
mod raw;
mod render;
mod report;
mod schema;
mod suggest;
mod syntax;
mod typing;

pub use check::{CONFIG_FILE, Loaded, ledger_path, load, rules_folder, socket_path};
pub use checked::{
    Aggregate, AggregateFn, FactsId, Level, Metric, MetricId, MetricKind, PointsId, RankKind, Rollup, RuleId, RuleSet,
    ScoreRow, Standing, Step, SubjectId, TierSet, TierSetId, Unknown,
};
pub use config::{AmountEncoding, Column, Config, Encoding, Facts, Http, Limit, Lookup, Parent, Subject, TimeEncoding};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use diff::{Change, ChangeKind, diff, diff_files};
pub use expr::{ArithOp, CompareOp, Expr, ExprKind};
pub use fileset::{File, FileId, FileSet, Location, Revision};
pub use guard::{Guard, GuardExceed};
pub use movement::{Category, Lock, LockUntil, Movement, Period, Timing};
pub use plugin::{PluginFile, PluginHash, PluginId};
pub use points::{Booking, BookingKind, Expiry, PointsMeasure, PointsProgram};
pub use retention::RetentionRule;
pub use schedule::{DEFAULT_SCHEDULE, Missed, Schedule, ScheduleId};
pub use schema::{config_schema, rules_schema, tests_schema};
pub use suggest::nearest;
pub use syntax::is_usable_name;
