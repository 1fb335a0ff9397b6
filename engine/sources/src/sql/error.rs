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
}
