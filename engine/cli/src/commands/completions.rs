use clap::CommandFactory;

use crate::{
    args::{Cli, CompletionsArgs},
    exit::Failure,
    output::write_stdout,
};

/// Prints the completion script of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tierd", &mut script);
    write_stdout(|out| out.write_all(&script))
}
