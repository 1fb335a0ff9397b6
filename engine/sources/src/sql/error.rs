//! What SQL can't say.

/// Why a rule has no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSql {
    /// A metric tells of an earlier run.
    #[error("`{0}` depends on what was held before, which only the ledger knows")]
    Held(String),
    /// A metric tells of lots of points: which earnings were spent first, and what of each is left to be lost.
    #[error(
        "`{0}` depends on which points are left of which earnings, for which the account is replayed, booking by booking"
    )]
    Account(String),
    /// A plugin finds a metric.
    #[error("`{0}` comes from a plugin, which no database runs")]
    Plugin(String),
    /// SQLite runs each step once, but writes its query out for every place that reads it.
    #[error(
        "it goes back and forth between groups and members so often that SQLite would write out its tables {0} times"
    )]
    TooDeep(u64),
    /// SQLite joins 64 tables at most.
    #[error("a step of it joins {0} queries, and SQLite joins 64 at most")]
    TooManyJoins(usize),
}
