//! Reading a company's database: one pass over each fact table, or SQL.

pub mod init;
pub mod sql;
