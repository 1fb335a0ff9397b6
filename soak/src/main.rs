//! Treats a running tierd badly for a long time, and looks whether anything was lost.
//!
//! ```text
//! cargo build --release
//! cargo run --release -p soak -- kill 300 [SEED]   kill -9 at random moments of runs, of a daemon and of commands
//! cargo run --release -p soak -- load 10 1000000   ten minutes of reloads, runs, 200 requests a second and a writing application
//! cargo run --release -p soak -- swaps 200         a plugin exchanged 200 times under runs and explanations
//! cargo run --release -p soak -- idle 1000000 60   what a daemon takes from the machine while nothing happens
//! ```
//!
//! Each works on folders of its own in the system's temporary folder, with the `tierd` that lies beside this program. What is measured
//! is printed as JSON; anything wrong ends the program with an error.

mod compare;
mod http;
mod idle;
mod kill;
mod load;
mod process;
mod random;
mod shop;
mod swaps;

/// Any error: printed, and the end.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str =
    "usage: soak kill ROUNDS [SEED] | soak load MINUTES CUSTOMERS | soak swaps TIMES | soak idle CUSTOMERS SECONDS";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["kill", rounds] => kill::run(rounds.parse()?, random::any_seed()),
        ["kill", rounds, seed] => kill::run(rounds.parse()?, seed.parse()?),
        ["load", minutes, customers] => load::run(minutes.parse()?, customers.parse()?),
        ["swaps", times] => swaps::run(times.parse()?),
        ["idle", customers, seconds] => idle::run(customers.parse()?, seconds.parse()?),
        _ => Err(USAGE.into()),
    }
}

/// Prints a line of data.
#[expect(clippy::print_stdout, reason = "this program's data is its output")]
fn print(line: &serde_json::Value) {
    println!("{line}");
}
