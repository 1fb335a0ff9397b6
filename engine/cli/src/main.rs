//! `tierd`: the command line.

mod args;
mod commands;
mod demo;
mod exit;
mod output;
mod progress;
mod reading;
mod session;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::Cli,
    exit::{Code, Failure},
    output::Output,
};

fn main() -> ExitCode {
    if let Some(code) = commands::compile_plugin() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(Code::Usage as u8) } else { ExitCode::SUCCESS };
        }
    };
    let output = Output::new(&cli.common);
    match commands::dispatch(&cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            if let Some(message) = message {
                eprintln!("tierd: {message}");
            }
            ExitCode::from(code as u8)
        }
    }
}
