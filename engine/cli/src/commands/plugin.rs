//! `tierd plugin`: plugins by themselves, without rules and without a database. What runs them is what runs them in the daemon.

mod bench;
mod cells;
mod check;
mod columns;
mod lookups;
mod new;
mod run;

use std::{env, fs, io, path::Path, process::ExitCode, slice, sync::Arc};

use serde_json::{Map, Value as Json};
use tierd_host::{COMPILE_WORD, Compiler, Host, HostOptions, Runner, compile_child};
use tierd_model::Zone;
use tierd_rules::{
    FileId, Location,
    plugin::{
        OnPluginError, Plugin, PluginCall, PluginFile as File, PluginFunction, PluginGrants, PluginId, PluginLimits,
    },
};

use crate::{
    args::{LookupFile, PluginCommand, PluginFile},
    exit::{Code, Failure},
    output::Output,
    session::{this_program, unknown},
};

/// If this program was started to compile a plugin, does that, and says how it went.
pub(crate) fn compile_plugin() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != COMPILE_WORD || arguments.next().is_some() {
        return None;
    }
    let compiled = compile_child(&mut io::stdin().lock(), &mut io::stdout().lock());
    Some(if compiled.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Carries out `tierd plugin`.
pub(crate) fn plugin(command: &PluginCommand, output: Output) -> Result<(), Failure> {
    match command {
        PluginCommand::New(args) => new::new(args, output),
        PluginCommand::Check(args) => check::check(args, output),
        PluginCommand::Run(args) => run::run(args, output),
        PluginCommand::Bench(args) => bench::bench(args, output),
    }
}

/// A plugin by itself.
struct Opened {
    host: Host,
    plugin: Plugin,
}

impl Opened {
    /// Loads a file as rules beside it would.
    fn new(args: &PluginFile) -> Result<Self, Failure> {
        let refused =
            |what: &dyn std::fmt::Display| Failure::new(Code::Failed, format!("{} {what}", args.file.display()));
        let bytes = fs::read(&args.file).map_err(|error| refused(&format!("can't be read: {error}")))?;
        let compiler = Compiler::Child { program: this_program() };
        let host = Host::new(HostOptions { cache: None, compiler });
        let description = host.describe(&bytes).map_err(|error| refused(&format!("{error}\nfix: {}", error.help())))?;
        let limits = PluginLimits { memory_bytes: args.memory, time_ms: args.time, fuel: args.fuel };
        let file = File { described: Some(Ok(Arc::clone(&description))), ..File::new(path(&args.file), bytes) };
        let lookups = (0..description.lookups.len()).collect();
        // Whatever it proposes is shown, and nothing is done.
        let grants = PluginGrants {
            lookups,
            tasks: Some(Vec::new()),
            owners: Vec::new(),
            events: Some(Vec::new()),
            per_subject: u16::MAX,
        };
        Ok(Opened { host, plugin: Plugin { name: file.name().to_owned(), file, description, limits, grants } })
    }

    /// What answers calls, with all tables that the plugin looks things up in.
    fn runner(&self, given: &[LookupFile], zone: &Zone, output: Output) -> Result<Runner, Failure> {
        let tables = lookups::tables(&self.plugin.description.lookups, given, zone, output)?;
        Ok(self.host.runner(slice::from_ref(&self.plugin), &tables))
    }

    /// The function of this name, or the only one.
    fn function(&self, name: Option<&str>) -> Result<&PluginFunction, Failure> {
        let functions = &self.plugin.description.functions;
        let names = || functions.iter().map(|function| function.name.as_str());
        match (name, &functions[..]) {
            (None, [only]) => Ok(only),
            (None, _) => {
                let all = names().collect::<Vec<_>>().join(", ");
                Err(Failure::new(Code::Usage, format!("say which function with --function: {all}")))
            }
            (Some(name), _) => {
                let found = functions.iter().find(|function| function.name == name);
                found.ok_or_else(|| unknown("the plugin has no function", name, names()))
            }
        }
    }

    /// A call of this function, as a rule makes it.
    fn call(&self, function: &PluginFunction, config: Map<String, Json>) -> PluginCall {
        let required = function.inputs.iter().enumerate().filter(|(_, input)| !input.nullable);
        PluginCall {
            plugin: PluginId(0),
            function: function.name.clone(),
            kind: function.kind,
            inputs: Vec::new(),
            required: required.map(|(index, _)| index).collect(),
            config,
            on_error: OnPluginError::Fail,
            at: Location { file: FileId(0), range: 0..0 },
        }
    }
}

fn path(file: &Path) -> String {
    file.to_string_lossy().into_owned()
}

/// The settings given as JSON.
fn settings(text: Option<&str>) -> Result<Map<String, Json>, Failure> {
    let Some(text) = text else { return Ok(Map::new()) };
    let bad = |why: String| Failure::new(Code::Usage, format!("--config is no JSON object: {why}"));
    match serde_json::from_str(text) {
        Ok(Json::Object(settings)) => Ok(settings),
        Ok(_) => Err(bad("write {\"name\": value}".to_owned())),
        Err(error) => Err(bad(error.to_string())),
    }
}
