//! The service as others meet it: bytes over TCP and over the Unix socket, answered by a daemon on a small shop.

#![expect(clippy::unwrap_used, reason = "a test that panics is a failed test")]

mod access;
mod answers;
mod changes;
mod client;
mod limits;
mod openapi;
mod support;
