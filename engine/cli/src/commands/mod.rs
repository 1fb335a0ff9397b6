//! One file per command.

mod backup;
mod check;
mod completions;
mod demo;
mod doctor;
mod events;
mod explain;
mod export;
mod holds;
mod init;
mod levels;
mod overrides;
mod plugin;
mod reload;
mod report;
mod revisions;
mod run;
mod runs;
mod schema;
mod serve;
mod sql;
mod status;
mod tasks;
mod test;

use crate::{
    args::{Cli, Command},
    exit::Failure,
    output::Output,
};

pub(crate) use plugin::compile_plugin;

/// Carries out the command.
pub(crate) fn dispatch(cli: &Cli, output: Output) -> Result<(), Failure> {
    let folder = &cli.common.project;
    match &cli.command {
        Command::Demo(args) => demo::demo(args, output),
        Command::Init(args) => init::init(args, folder, output),
        Command::Check(args) => check::check(args, folder, output),
        Command::Test(args) => test::test(args, folder, output),
        Command::Run(args) => run::run(args, folder, output),
        Command::Doctor(args) => doctor::doctor(args, folder, output),
        Command::Backup(args) => backup::backup(args, folder, output),
        Command::Serve(args) => serve::serve(args, folder, output),
        Command::Status => status::status(folder, output),
        Command::Reload => reload::reload(folder, output),
        Command::Rollback(args) => reload::rollback(args, folder, output),
        Command::Revisions => revisions::revisions(folder, output),
        Command::Diff(args) => revisions::diff(args, folder, output),
        Command::Explain(args) => explain::explain(args, folder, output),
        Command::Levels(args) => levels::levels(args, folder, output),
        Command::Export(args) => export::export(args, folder, output),
        Command::Holds(args) => holds::holds(args, folder, output),
        Command::Approve(args) => holds::approve(args, folder, output),
        Command::Reject(args) => holds::reject(args, folder, output),
        Command::Override(command) => overrides::overrides(command, folder, output),
        Command::Tasks(command) => tasks::tasks(command, folder, output),
        Command::Report(command) => report::report(command, folder, output),
        Command::Runs(command) => runs::runs(command, folder, output),
        Command::Events(args) => events::events(args, folder, output),
        Command::Plugin(command) => plugin::plugin(command, output),
        Command::Sql(args) => sql::sql(args, folder, output),
        Command::Schema(args) => schema::schema(args, output),
        Command::Completions(args) => completions::completions(args),
    }
}
