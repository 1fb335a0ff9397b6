//! Times tierd's evaluation against hand-written SQL for the same rules over the same generated data.
//!
//! ```text
//! cargo run --release -p bench -- full     1,000,000 customers, 10,000,000 orders
//! cargo run --release -p bench -- quick    50,000 customers, 500,000 orders
//! cargo run --release -p bench -- retail full|quick   only the points and retention rules beside the plain levels
//! cargo run --release -p bench -- plugins  a scorer of three numbers as a plugin beside native Rust
//! cargo run --release -p bench -- explain full|quick  how long explaining one customer takes, at 200 a second
//! cargo run --release -p bench -- check    how long `tierd check` takes on large rules
//! cargo run --release -p bench -- reload   how long it takes from saving one of 200 rule files until it is in force
//! ```
//!
//! Every run is a process of its own, so that memory is honest; the programs take turns, so that a noisy machine is as noisy to
//! one as to the other. Both must agree on every customer's metrics and level.

mod check;
mod duckdb;
mod explain;
mod generate;
mod ledger;
mod memory;
mod ours;
mod outcome;
mod plugins;
mod project;
mod reload;
mod report;
mod retail;
mod sql;

use std::path::Path;

use generate::Size;
use sql::Way;
use tierd_sources::ReaderKind;

/// The local time at which everything is evaluated.
const AS_OF: &str = "2026-07-01 10:00:00";

/// Any error: the bench prints it and ends.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str =
    "usage: bench full|quick [ROUNDS] | bench retail|explain full|quick | bench check | bench reload | bench plugins";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rounds = |words: &[&str]| words.first().map_or(Ok(5), |rounds| rounds.parse::<usize>());
    match words[..] {
        ["full", ref rest @ ..] => report::compare(Size::FULL, rounds(rest)?),
        ["check"] => check::run(),
        ["reload"] => reload::run(),
        ["plugins"] => plugins::compare(Size::FULL),
        ["explain", "full"] => explain::compare(Size::FULL),
        ["explain", "quick"] => explain::compare(Size::QUICK),
        ["retail", "full"] => report::retail(Size::FULL),
        ["retail", "quick"] => report::retail(Size::QUICK),
        ["quick", ref rest @ ..] => report::compare(Size::QUICK, rounds(rest)?),
        ["worker-tierd", database] => report::print(&ours::run(Path::new(database), ReaderKind::Auto)?),
        ["worker-step", database] => report::print(&ours::run(Path::new(database), ReaderKind::Step)?),
        ["worker-ledger", database] => report::print_line(&ledger::run(Path::new(database))?),
        ["worker-explain", database] => report::print_line(&explain::run(Path::new(database))?),
        ["worker-retail", database] => report::print_line(&retail::run(Path::new(database))?),
        ["worker-sql-group", database] => report::print(&sql::run(Path::new(database), Way::Group)?),
        ["worker-sql-upsert", database] => report::print(&sql::run(Path::new(database), Way::Upsert)?),
        _ => Err(USAGE.into()),
    }
}
