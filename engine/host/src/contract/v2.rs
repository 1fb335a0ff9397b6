//! A made-up version 2, for tests alone: it shows what a new version of the contract asks of this crate, and that plugins of both are
//! loaded side by side. It has scorers of real numbers and nothing else:
//!
//! ```wit
//! package tierd:plugin@2.0.0;
//! interface plugin { describe: func() -> tuple<string, list<string>>; }   // a name, and names of inputs
//! interface scorer { score: func(inputs: list<list<f64>>) -> list<f64>; }
//! ```

use std::sync::Arc;

use tierd_model::Type;
use tierd_rules::plugin::{Accepts, PluginDescription, PluginFunction, PluginInput, PluginKind};
use wasmtime::{
    Store,
    component::{Component, ComponentExportIndex, Instance as Linked, InstancePre, Linker},
};

use super::{
    Aggregated, Call, Column, Facts, Fitted, Given, GivenProposal, GivenSegments, GivenValues, Instance, Kinds,
    Prepared, Said, Values, Version,
};
use crate::{error::PluginError, sandbox::State};

pub(super) struct V2;

impl Version for V2 {
    fn major(&self) -> u64 {
        2
    }

    fn prepare(&self, component: &Component) -> Result<Arc<dyn Prepared>, PluginError> {
        let signature = |error: wasmtime::Error| PluginError::Signature { message: format!("{error:#}") };
        let pre = Linker::new(component.engine()).instantiate_pre(component).map_err(signature)?;
        let export = |interface: &str, name: &str| {
            let interface = component.get_export_index(None, format!("tierd:plugin/{interface}@2.0.0"));
            component
                .get_export_index(Some(&interface.ok_or(PluginError::NotAPlugin)?), name)
                .ok_or(PluginError::NotAPlugin)
        };
        Ok(Arc::new(PreparedV2 { pre, describe: export("plugin", "describe")?, score: export("scorer", "score")? }))
    }
}

struct PreparedV2 {
    pre: InstancePre<State>,
    describe: ComponentExportIndex,
    score: ComponentExportIndex,
}

impl Prepared for PreparedV2 {
    fn kinds(&self) -> Kinds {
        Kinds { scorer: true, ..Kinds::default() }
    }

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Instance>> {
        Ok(Box::new(InstanceV2 { linked: self.pre.instantiate(store)?, describe: self.describe, score: self.score }))
    }
}

struct InstanceV2 {
    linked: Linked,
    describe: ComponentExportIndex,
    score: ComponentExportIndex,
}

impl Instance for InstanceV2 {
    fn check_types(&self, _: &mut Store<State>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<PluginDescription> {
        let describe = self.linked.get_typed_func::<(), ((String, Vec<String>),)>(&mut *store, self.describe)?;
        let ((name, inputs),) = describe.call(store, ())?;
        let input = |name| PluginInput { name, accepts: Accepts::Number, nullable: false, doc: String::new() };
        let function = PluginFunction {
            name: "f".to_owned(),
            kind: PluginKind::Scorer,
            inputs: inputs.into_iter().map(input).collect(),
            output: Some(Type::Real),
            settings: Vec::new(),
            doc: String::new(),
        };
        Ok(PluginDescription {
            name,
            version: String::new(),
            doc: String::new(),
            functions: vec![function],
            lookups: Vec::new(),
        })
    }

    fn score(&self, store: &mut Store<State>, _: Call, _: u32, inputs: &[Column]) -> Said<Given> {
        let reals = |column: &Column| match column.values {
            Values::Reals(values) => values.to_vec(),
            _ => Vec::new(),
        };
        let inputs: Vec<Vec<f64>> = inputs.iter().map(reals).collect();
        let score = self.linked.get_typed_func::<(Vec<Vec<f64>>,), (Vec<f64>,)>(&mut *store, self.score)?;
        let (values,) = score.call(store, (inputs,))?;
        Ok(Ok(Given { values: GivenValues::Reals(values), valid: None }))
    }

    fn segment(&self, _: &mut Store<State>, _: Call, _: u32, _: &[Column]) -> Said<GivenSegments> {
        Err(wasmtime::Error::msg("version 2 has no segmenters"))
    }

    fn part(&self, _: &mut Store<State>, _: Call, _: &[u8], _: u32, _: &[Column]) -> Said<Vec<u8>> {
        Err(wasmtime::Error::msg("version 2 has no models"))
    }

    fn fit(&self, _: &mut Store<State>, _: Call, _: &[u8], _: &[Vec<u8>]) -> Said<Fitted> {
        Err(wasmtime::Error::msg("version 2 has no models"))
    }

    fn apply(&self, _: &mut Store<State>, _: Call, _: &[u8], _: u32, _: &[Column]) -> Said<Given> {
        Err(wasmtime::Error::msg("version 2 has no models"))
    }

    fn aggregate(&self, _: &mut Store<State>, _: Call, _: &[u8], _: Facts, _: bool) -> Said<Aggregated> {
        Err(wasmtime::Error::msg("version 2 has no aggregators"))
    }

    fn plan(&self, _: &mut Store<State>, _: Call, _: u32, _: &[Column]) -> Said<Vec<GivenProposal>> {
        Err(wasmtime::Error::msg("version 2 has no planners"))
    }
}

#[path = "../../tests/guests/mod.rs"]
mod guests;

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
    use serde_json::Map;
    use tierd_eval::plugin::Plugins;
    use tierd_model::{Clock, Timestamp, Zone};
    use tierd_rules::{
        FileId, Location, PluginFile, PluginId,
        plugin::{OnPluginError, Plugin, PluginCall, PluginGrants, PluginLimits},
    };

    use super::*;
    use crate::{Host, HostOptions};

    /// Of version 2: twice the first input.
    const TWICE: &str = r#"
        (component
          (core module $m
            (memory (export "memory") 8)
            (global $next (mut i32) (i32.const 4096))
            (data (i32.const 16) "\40\00\00\00\05\00\00\00\50\00\00\00\01\00\00\00")
            (data (i32.const 64) "Twice")
            (data (i32.const 80) "\60\00\00\00\01\00\00\00")
            (data (i32.const 96) "a")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
              (global.get $next)
              (global.set $next (i32.add (global.get $next) (local.get 3))))
            (func (export "describe") (result i32) (i32.const 16))
            (func (export "score") (param $inputs i32) (param $count i32) (result i32)
              (local $at i32) (local $left i32)
              (local.set $at (i32.load (local.get $inputs)))
              (local.set $left (i32.load offset=4 (local.get $inputs)))
              (i32.store (i32.const 32) (local.get $at))
              (i32.store (i32.const 36) (local.get $left))
              (block $done (loop $row
                (br_if $done (i32.eqz (local.get $left)))
                (f64.store (local.get $at) (f64.mul (f64.load (local.get $at)) (f64.const 2)))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br $row)))
              (i32.const 32)))
          (core instance $i (instantiate $m))
          (func $describe (result (tuple string (list string)))
            (canon lift (core func $i "describe") (memory $i "memory")))
          (func $score (param "inputs" (list (list f64))) (result (list f64))
            (canon lift (core func $i "score") (memory $i "memory") (realloc (func $i "realloc"))))
          (instance $plugin (export "describe" (func $describe)))
          (instance $scorer (export "score" (func $score)))
          (export "tierd:plugin/plugin@2.0.0" (instance $plugin))
          (export "tierd:plugin/scorer@2.0.0" (instance $scorer)))"#;

    fn call(plugin: usize) -> PluginCall {
        PluginCall {
            plugin: PluginId(plugin),
            function: "f".to_owned(),
            kind: PluginKind::Scorer,
            inputs: Vec::new(),
            required: Vec::new(),
            config: Map::new(),
            on_error: OnPluginError::Fail,
            at: Location { file: FileId(0), range: 0..0 },
        }
    }

    #[test]
    fn plugins_of_an_older_version_go_on_beside_those_of_a_newer_one() {
        let host = Host::new(HostOptions::default());
        let older = guests::good("weighted").bytes;
        let newer = wat::parse_str(TWICE).unwrap();
        let plugins = [older, newer].map(|bytes| Plugin {
            name: "scorer".to_owned(),
            description: host.describe(&bytes).unwrap(),
            file: PluginFile::new("rules/scorer.wasm", bytes),
            limits: PluginLimits::default(),
            grants: PluginGrants::default(),
        });
        assert_eq!(plugins[1].description.name, "Twice");

        let runner = host.runner(&plugins, &[]);
        let clock = Clock::new(Timestamp(0), Arc::new(Zone::utc()));
        let column = |value: f64| Arc::new(Float64Array::from(vec![value; 20_000])) as ArrayRef;
        let both = [(0, vec![column(1.0), column(2.0), column(4.0)], 1.5), (1, vec![column(21.0)], 42.0)];
        for (plugin, inputs, expected) in both {
            let given = runner.column(&call(plugin), &inputs, 20_000, &clock).unwrap().column;
            let given = given.as_primitive::<Float64Type>();
            assert!(given.len() == 20_000 && given.values().iter().all(|value| *value == expected), "plugin {plugin}");
        }
        for (at, plugin) in plugins.iter().enumerate() {
            host.self_test(plugin, &call(at)).unwrap();
        }
    }

    #[test]
    fn a_version_that_nobody_knows_is_refused_by_its_number() {
        let host = Host::new(HostOptions::default());
        let later = wat::parse_str(TWICE.replace("@2.0.0", "@3.1.0")).unwrap();
        let error = host.describe(&later).unwrap_err();
        assert_eq!(error.to_string(), "is built for version 3.1.0 of `tierd:plugin`, and this program knows 1 and 2");
    }
}
