//! Version 1 of the contract: `plugins/wit/v1`.

mod types;

use std::sync::Arc;

use tierd_rules::plugin::PluginDescription;
use wasmtime::{
    Store, StoreContextMut,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Instance as Linked, InstancePre, Lift, Linker, Lower,
        TypedFunc,
    },
};

use super::{
    Aggregated, Call, Column, Facts, Fitted, Given, GivenProposal, GivenSegments, Instance, Kinds, Prepared, Said,
    Version,
};
use crate::{error::PluginError, lookups, sandbox::State};

/// Version 1.
pub(super) struct V1;

impl Version for V1 {
    fn major(&self) -> u64 {
        1
    }

    fn prepare(&self, component: &Component) -> Result<Arc<dyn Prepared>, PluginError> {
        let mut linker = Linker::new(component.engine());
        let signature = |error: wasmtime::Error| PluginError::Signature { message: format!("{error:#}") };
        add_lookups(&mut linker).map_err(signature)?;
        let pre = linker.instantiate_pre(component).map_err(signature)?;
        let exports = Exports::of(component)?;
        Ok(Arc::new(PreparedV1 { pre, exports }))
    }
}

fn add_lookups(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("tierd:plugin/lookups@1.0.0")?;
    interface.func_wrap("find", |store: StoreContextMut<'_, State>, (table, keys): (String, types::GivenTexts)| {
        let found = lookups::find(store.data().lookups(), &table, &keys.into());
        Ok((match found {
            Ok(columns) => Ok(columns.into_iter().map(types::GivenColumn::from).collect::<Vec<_>>()),
            Err(message) => Err(types::Failure { row: None, message }),
        },))
    })
}

struct PreparedV1 {
    pre: InstancePre<State>,
    exports: Exports,
}

/// Where the functions of the interfaces are that a plugin exports.
#[derive(Clone, Copy)]
struct Exports {
    describe: ComponentExportIndex,
    score: Option<ComponentExportIndex>,
    segment: Option<ComponentExportIndex>,
    model: Option<ModelExports>,
    aggregate: Option<ComponentExportIndex>,
    plan: Option<ComponentExportIndex>,
}

#[derive(Clone, Copy)]
struct ModelExports {
    part: ComponentExportIndex,
    fit: ComponentExportIndex,
    apply: ComponentExportIndex,
}

impl Exports {
    fn of(component: &Component) -> Result<Self, PluginError> {
        let interface = |name: &str| component.get_export_index(None, format!("tierd:plugin/{name}@1.0.0"));
        let function = |interface: &ComponentExportIndex, name: &str| {
            let missing =
                || PluginError::Signature { message: format!("an interface that it exports has no function `{name}`") };
            component.get_export_index(Some(interface), name).ok_or_else(missing)
        };
        let optional = |of: &str, name: &str| interface(of).map(|found| function(&found, name)).transpose();
        let plugin = interface("plugin").ok_or(PluginError::NotAPlugin)?;
        let model = interface("model").map(|model| {
            Ok::<_, PluginError>(ModelExports {
                part: function(&model, "part")?,
                fit: function(&model, "fit")?,
                apply: function(&model, "apply")?,
            })
        });
        Ok(Exports {
            describe: function(&plugin, "describe")?,
            score: optional("scorer", "score")?,
            segment: optional("segmenter", "segment")?,
            model: model.transpose()?,
            aggregate: optional("aggregator", "aggregate")?,
            plan: optional("planner", "plan")?,
        })
    }
}

impl Prepared for PreparedV1 {
    fn kinds(&self) -> Kinds {
        Kinds {
            scorer: self.exports.score.is_some(),
            segmenter: self.exports.segment.is_some(),
            model: self.exports.model.is_some(),
            aggregator: self.exports.aggregate.is_some(),
            planner: self.exports.plan.is_some(),
        }
    }

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Instance>> {
        Ok(Box::new(InstanceV1 { linked: self.pre.instantiate(store)?, exports: self.exports }))
    }
}

struct InstanceV1 {
    linked: Linked,
    exports: Exports,
}

/// Parameters and results of the functions, as the WIT has them.
mod signature {
    use super::types::{
        Aggregated, CallParam, ColumnParam, Description, Facts, Failure, Fitted, GivenColumn, Proposal, Segments,
    };

    pub(super) type Describe = ((), (Description,));
    pub(super) type Score<'a> = ((CallParam<'a>, u32, &'a [ColumnParam<'a>]), (Result<GivenColumn, Failure>,));
    pub(super) type Segment<'a> = ((CallParam<'a>, u32, &'a [ColumnParam<'a>]), (Result<Segments, Failure>,));
    pub(super) type Part<'a> = ((CallParam<'a>, &'a [u8], u32, &'a [ColumnParam<'a>]), (Result<Vec<u8>, Failure>,));
    pub(super) type Fit<'a> = ((CallParam<'a>, &'a [u8], &'a [Vec<u8>]), (Result<Fitted, Failure>,));
    pub(super) type Apply<'a> =
        ((CallParam<'a>, &'a [u8], u32, &'a [ColumnParam<'a>]), (Result<GivenColumn, Failure>,));
    pub(super) type Aggregate<'a> = ((CallParam<'a>, &'a [u8], Facts<'a>, bool), (Result<Aggregated, Failure>,));
    pub(super) type Plan<'a> = ((CallParam<'a>, u32, &'a [ColumnParam<'a>]), (Result<Vec<Proposal>, Failure>,));
}

/// A function of the contract: parameters and results.
trait Signature {
    type Params: ComponentNamedList + Lower;
    type Results: ComponentNamedList + Lift;
}

impl<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift> Signature for (P, R) {
    type Params = P;
    type Results = R;
}

impl InstanceV1 {
    /// The function at an export, if it has the types of the contract.
    fn typed<S: Signature>(
        &self,
        store: &mut Store<State>,
        export: Option<ComponentExportIndex>,
    ) -> wasmtime::Result<TypedFunc<S::Params, S::Results>> {
        let export = export.ok_or_else(|| wasmtime::Error::msg("the plugin has no function of this kind"))?;
        self.linked.get_typed_func(store, export)
    }

    fn check<S: Signature>(
        &self,
        store: &mut Store<State>,
        export: Option<ComponentExportIndex>,
    ) -> wasmtime::Result<()> {
        if export.is_some() {
            self.typed::<S>(store, export)?;
        }
        Ok(())
    }
}

impl Instance for InstanceV1 {
    fn check_types(&self, store: &mut Store<State>) -> wasmtime::Result<()> {
        let exports = &self.exports;
        self.check::<signature::Describe>(store, Some(exports.describe))?;
        self.check::<signature::Score>(store, exports.score)?;
        self.check::<signature::Segment>(store, exports.segment)?;
        self.check::<signature::Part>(store, exports.model.map(|model| model.part))?;
        self.check::<signature::Fit>(store, exports.model.map(|model| model.fit))?;
        self.check::<signature::Apply>(store, exports.model.map(|model| model.apply))?;
        self.check::<signature::Aggregate>(store, exports.aggregate)?;
        self.check::<signature::Plan>(store, exports.plan)
    }

    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<PluginDescription> {
        let describe = self.typed::<signature::Describe>(store, Some(self.exports.describe))?;
        let (description,) = describe.call(store, ())?;
        Ok(description.into())
    }

    fn score(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<Given> {
        let inputs = types::columns(inputs);
        let score = self.typed::<signature::Score>(store, self.exports.score)?;
        let (said,) = score.call(store, (call.into(), rows, &inputs))?;
        Ok(said.map(Given::from).map_err(types::Failure::into))
    }

    fn segment(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<GivenSegments> {
        let inputs = types::columns(inputs);
        let segment = self.typed::<signature::Segment>(store, self.exports.segment)?;
        let (said,) = segment.call(store, (call.into(), rows, &inputs))?;
        Ok(said.map(GivenSegments::from).map_err(types::Failure::into))
    }

    fn part(&self, store: &mut Store<State>, call: Call, model: &[u8], rows: u32, inputs: &[Column]) -> Said<Vec<u8>> {
        let inputs = types::columns(inputs);
        let part = self.typed::<signature::Part>(store, self.exports.model.map(|model| model.part))?;
        let (said,) = part.call(store, (call.into(), model, rows, &inputs))?;
        Ok(said.map_err(types::Failure::into))
    }

    fn fit(&self, store: &mut Store<State>, call: Call, model: &[u8], parts: &[Vec<u8>]) -> Said<Fitted> {
        let fit = self.typed::<signature::Fit>(store, self.exports.model.map(|model| model.fit))?;
        let (said,) = fit.call(store, (call.into(), model, parts))?;
        Ok(said.map(Fitted::from).map_err(types::Failure::into))
    }

    fn apply(&self, store: &mut Store<State>, call: Call, model: &[u8], rows: u32, inputs: &[Column]) -> Said<Given> {
        let inputs = types::columns(inputs);
        let apply = self.typed::<signature::Apply>(store, self.exports.model.map(|model| model.apply))?;
        let (said,) = apply.call(store, (call.into(), model, rows, &inputs))?;
        Ok(said.map(Given::from).map_err(types::Failure::into))
    }

    fn aggregate(
        &self,
        store: &mut Store<State>,
        call: Call,
        carried: &[u8],
        facts: Facts,
        more: bool,
    ) -> Said<Aggregated> {
        let inputs = types::columns(facts.inputs);
        let facts = types::Facts { rows_of: facts.rows_of, times: facts.times, inputs: &inputs };
        let aggregate = self.typed::<signature::Aggregate>(store, self.exports.aggregate)?;
        let (said,) = aggregate.call(store, (call.into(), carried, facts, more))?;
        Ok(said.map(Aggregated::from).map_err(types::Failure::into))
    }

    fn plan(&self, store: &mut Store<State>, call: Call, rows: u32, inputs: &[Column]) -> Said<Vec<GivenProposal>> {
        let inputs = types::columns(inputs);
        let plan = self.typed::<signature::Plan>(store, self.exports.plan)?;
        let (said,) = plan.call(store, (call.into(), rows, &inputs))?;
        Ok(said.map(|proposals| proposals.into_iter().map(GivenProposal::from).collect()).map_err(types::Failure::into))
    }
}
