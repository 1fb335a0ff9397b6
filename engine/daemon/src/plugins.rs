//! Plugins of a project: asked what they offer when rules are checked, tried out before rules come into force, and run.
//!
//! A plugin is read with the rules that it stands beside and belongs to their revision. The host that runs it begins with the first one: a
//! project without plugins has no engine, no threads and no folder for compiled ones.

pub(crate) mod lookups;

use std::{
    ffi::OsString,
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tierd_eval::plugin::{NoPlugins, Plugins as Runs};
use tierd_host::{Compiler, Host, HostOptions, LookupData, PluginStats};
use tierd_rules::{Diagnostic, FileSet, MetricKind, RuleSet, code, plugin::PluginCall, retention::Action};

use crate::{Loaded, Project};

/// What compiled plugins are kept in: beside the ledger, under its name and this.
const CACHE_END: &str = ".plugins";

/// The host of a project's plugins, once there is one.
#[derive(Clone, Default)]
pub(crate) struct Plugins {
    host: Arc<OnceLock<Host>>,
    compiler: Compiler,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins").field("compiler", &self.compiler).finish_non_exhaustive()
    }
}

impl Project {
    /// The same project, with plugins compiled by `program` in a process of its own: it must call [`tierd_host::compile_child`] when its only
    /// argument is [`tierd_host::COMPILE_WORD`]. Otherwise this process compiles, without limits.
    #[must_use]
    pub fn compiling_by(mut self, program: PathBuf) -> Self {
        self.plugins = Plugins { host: Arc::default(), compiler: Compiler::Child { program } };
        self
    }

    /// What runs the plugins of this project.
    pub fn host(&self) -> &Host {
        self.plugins.host.get_or_init(|| {
            let mut cache = OsString::from(self.ledger_as_written());
            cache.push(CACHE_END);
            let host = Host::new(HostOptions { cache: Some(cache.into()), compiler: self.plugins.compiler.clone() });
            if let Some(problem) = host.cache_problem() {
                tracing::warn!(reason = problem, "compiled plugins aren't kept: each start compiles them anew");
            }
            host
        })
    }

    /// Who runs the plugins of these rules for the length of a run: what it holds stays the same, whatever takes its place meanwhile.
    pub fn runner(&self, rules: &RuleSet, lookups: &[Option<Arc<LookupData>>]) -> Box<dyn Runs> {
        match &rules.plugins[..] {
            [] => Box::new(NoPlugins),
            plugins => Box::new(self.host().runner(plugins, lookups)),
        }
    }

    /// Who runs the plugins of these rules in tests: however often they fail, since cases have nothing to do with each other, and without
    /// tables to look things up in.
    pub fn runner_of_tests(&self, rules: &RuleSet) -> Box<dyn Runs> {
        match &rules.plugins[..] {
            [] => Box::new(NoPlugins),
            plugins => Box::new(self.host().runner(plugins, &[]).untiring()),
        }
    }

    /// What has been seen of each plugin since the program began.
    pub fn plugin_stats(&self) -> Vec<PluginStats> {
        self.plugins.host.get().map(Host::stats).unwrap_or_default()
    }

    /// Checks files that have been read, plugins among them: each is asked what it offers, and what rules call is tried out.
    pub fn check(&self, files: FileSet) -> Loaded {
        let files = match files.plugins() {
            [] => files,
            _ => files.described(|plugin| self.host().describe(&plugin.bytes).map_err(|error| error.problem())),
        };
        let tierd_rules::Loaded { files, rules, mut diagnostics } = tierd_rules::load(files);
        let failed: Vec<Diagnostic> = rules.iter().flat_map(|rules| self.tried(rules)).collect();
        let rules = rules.filter(|_| failed.is_empty());
        diagnostics.extend(failed);
        Loaded { files, rules, diagnostics }
    }

    /// Calls that don't work even for made-up rows.
    fn tried(&self, rules: &RuleSet) -> Vec<Diagnostic> {
        let failure = |call: &PluginCall| {
            let failure = self.host().self_test(&rules.plugins[call.plugin.0], call).err()?;
            let headline = format!("{failure} (for made-up rows)");
            let help = "`tierd plugin check` tries it out by itself; the rules in force stay as they are";
            Some(Diagnostic::error(code::BAD_PLUGIN, &call.at, headline).help(help))
        };
        calls(rules).filter_map(failure).collect()
    }
}

/// Every call that rules make.
fn calls(rules: &RuleSet) -> impl Iterator<Item = &PluginCall> {
    let metrics = rules.metrics.iter().filter_map(|metric| match &metric.kind {
        MetricKind::Plugin(plugin) => Some(&plugin.call),
        _ => None,
    });
    let actions = rules.retention.iter().filter_map(|rule| match &rule.action {
        Action::Planned(call) => Some(call),
        Action::Task(_) | Action::Event(_) => None,
    });
    metrics.chain(actions)
}
