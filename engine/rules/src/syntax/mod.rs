//! Expressions as written: the closed subset of SQL that rules may use, with the place of every part, before names and types.
//!
//! sqlparser reads the text; [`lower`] takes from its tree what the rule language has and says what to write in place of the
//! rest. sqlparser keeps only some places, so a node's place is found from its tokens ([`tokens`]).

mod lower;
mod node;
mod parse;
mod tokens;

pub(crate) use node::{CastType, Node, NodeKind};
pub use parse::is_usable_name;
pub(crate) use parse::parse;
