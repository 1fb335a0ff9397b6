//! Why a plugin's file can't be loaded, and how to mend it.

use tierd_rules::plugin::PluginProblem;

use crate::fault::{Fault, Reason};

/// Why a plugin's file can't be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// More bytes than a plugin may have.
    #[error("{bytes} bytes are more than the {} MiB that a plugin may have", limit >> 20)]
    TooLarge {
        /// Of the file.
        bytes: usize,
        /// At most.
        limit: usize,
    },
    /// Neither a component nor a module.
    #[error("isn't WebAssembly")]
    NotWasm,
    /// WebAssembly that ends early or is otherwise broken.
    #[error("is broken: {message}")]
    Broken {
        /// Where and how.
        message: String,
    },
    /// A module that doesn't say what its functions are.
    #[error("is a plain module without the section `component-type`")]
    NoComponentType,
    /// It wants what no plugin is given.
    #[error("imports `{name}`, and plugins are given nothing but `tierd:plugin/lookups`")]
    Import {
        /// The import.
        name: String,
    },
    /// It has no `tierd:plugin/plugin`.
    #[error("isn't a plugin for tierd: it doesn't export `tierd:plugin/plugin`")]
    NotAPlugin,
    /// Its contract is of a version that this program doesn't know.
    #[error("is built for version {version} of `tierd:plugin`, and this program knows {known}")]
    UnknownVersion {
        /// Of the plugin.
        version: String,
        /// What this program knows.
        known: String,
    },
    /// Its functions have other types than the contract says.
    #[error("doesn't keep to the contract: {message}")]
    Signature {
        /// Which, and how they differ.
        message: String,
    },
    /// It isn't valid, or uses what plugins may not.
    #[error("can't be compiled: {message}")]
    Compile {
        /// Why.
        message: String,
    },
    /// Compiling it takes more time or memory than is given.
    #[error("compiling it took more {resource} than the {limit} that are given")]
    CompileLimit {
        /// `time`, or `memory or stack`.
        resource: &'static str,
        /// How much.
        limit: String,
    },
    /// It failed when it was asked what it offers.
    #[error("failed when asked what it offers ({}): {message}", reason.word())]
    Describe {
        /// How.
        reason: Reason,
        /// In a sentence.
        message: String,
    },
    /// What it says it offers can't be.
    #[error("describes itself wrongly: {message}")]
    Description {
        /// What can't be.
        message: String,
    },
    /// The machine didn't let us.
    #[error("can't run plugins here: {message}")]
    Machine {
        /// What it said.
        message: String,
    },
}

impl PluginError {
    /// How to mend it.
    pub fn help(&self) -> String {
        match self {
            PluginError::TooLarge { .. } => "build with optimisation and without debug information".to_owned(),
            PluginError::NotWasm => "put the compiled component here, not its source".to_owned(),
            PluginError::Broken { .. } => "build it again, or copy it again: it may have been cut off".to_owned(),
            PluginError::NoComponentType => {
                "build it with bindings of `tierd:plugin` (wit-bindgen), which add the section, or make a component of it".to_owned()
            }
            PluginError::Import { name } => import_help(name),
            PluginError::NotAPlugin => {
                "export `plugin` and at least one of `scorer`, `segmenter`, `model`, `aggregator` and `planner`".to_owned()
            }
            PluginError::UnknownVersion { .. } => {
                "update tierd, or build the plugin for an earlier version of the contract".to_owned()
            }
            PluginError::Signature { .. } => "make the bindings again from the contract, without changes to it".to_owned(),
            PluginError::Compile { .. } => {
                "build for wasm32 without threads, garbage collection, exceptions and 64-bit memories".to_owned()
            }
            PluginError::CompileLimit { .. } => {
                "a function of it may be too large: split it, or build with less inlining".to_owned()
            }
            PluginError::Describe { .. } => {
                "`describe` takes no arguments and gives constants: it needs neither much time nor memory".to_owned()
            }
            PluginError::Description { .. } => "mend what `describe` gives".to_owned(),
            PluginError::Machine { .. } => {
                "see what the system says; limits of address space (`ulimit -v`) keep plugins from running".to_owned()
            }
        }
    }

    /// As diagnostics of rules show it.
    pub fn problem(&self) -> PluginProblem {
        PluginProblem { message: self.to_string(), help: self.help() }
    }
}

impl From<PluginError> for Fault {
    fn from(error: PluginError) -> Self {
        Fault::new(Reason::Compile, error.to_string())
    }
}

/// Where an import of the system comes from, and the flag that avoids it.
fn import_help(name: &str) -> String {
    if name.starts_with("wasi") {
        return "a plugin has no files, network, clock or randomness; build it so that nothing of them is linked: Rust for the \
                target wasm32-unknown-unknown; JavaScript with `jco componentize --backend qjs --backend-qjs-stub-wasi`; Python \
                with `componentize-py componentize -s`; C with `-mexec-model=reactor` and without stdio"
            .to_owned();
    }
    if name == "env" || name.starts_with("env:") {
        return "a function is declared and not defined: link what defines it".to_owned();
    }
    "a plugin may import `tierd:plugin/lookups` and nothing else".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasi_imports_are_refused_with_the_flags_that_avoid_them() {
        let error = PluginError::Import { name: "wasi:cli/environment@0.2.3".to_owned() };
        assert_eq!(
            error.to_string(),
            "imports `wasi:cli/environment@0.2.3`, and plugins are given nothing but `tierd:plugin/lookups`"
        );
        for flag in ["wasm32-unknown-unknown", "--backend-qjs-stub-wasi", "componentize -s", "-mexec-model=reactor"] {
            assert!(error.help().contains(flag), "{flag}");
        }
    }
}
