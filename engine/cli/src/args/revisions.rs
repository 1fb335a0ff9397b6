//! Arguments of the commands about revisions of the rules.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The revision: what its hash begins with, at least 4 characters
    pub(crate) revision: String,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The one before: what its hash begins with, `active` for the one in force, `files` for the files on disk
    #[arg(value_name = "REV", default_value = "active")]
    pub(crate) old: String,
    /// The one after
    #[arg(value_name = "REV", default_value = "files")]
    pub(crate) new: String,
}
