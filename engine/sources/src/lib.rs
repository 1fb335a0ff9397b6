//! sources

pub mod init;
