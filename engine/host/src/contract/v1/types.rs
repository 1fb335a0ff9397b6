//! The types of `plugins/wit/v1`, name for name, and how they become those of the newest form. A name or an order that differs from the WIT is
//! refused by wasmtime when a plugin is loaded.

use tierd_model::Type;
use tierd_rules::plugin::{
    Accepts, LookupTable, PluginDescription, PluginFunction, PluginInput, PluginKind, PluginSetting, SettingType,
};
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::{self as newest, GivenAction, SaysFailed};

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(variant)]
pub(super) enum ValueType {
    #[component(name = "integer")]
    Integer,
    #[component(name = "decimal")]
    Decimal(u8),
    #[component(name = "real")]
    Real,
    #[component(name = "boolean")]
    Boolean,
    #[component(name = "text")]
    Text,
    #[component(name = "date")]
    Date,
    #[component(name = "timestamp")]
    Timestamp,
}

impl From<ValueType> for Type {
    fn from(ty: ValueType) -> Self {
        match ty {
            ValueType::Integer => Type::Integer,
            ValueType::Decimal(scale) => Type::Decimal(scale),
            ValueType::Real => Type::Real,
            ValueType::Boolean => Type::Bool,
            ValueType::Text => Type::Text,
            ValueType::Date => Type::Date,
            ValueType::Timestamp => Type::Timestamp,
        }
    }
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct TextsParam<'a> {
    offsets: &'a [u32],
    bytes: &'a [u8],
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(variant)]
pub(super) enum ValuesParam<'a> {
    #[component(name = "integers")]
    Integers(&'a [i64]),
    #[component(name = "decimals")]
    Decimals(&'a [i64]),
    #[component(name = "reals")]
    Reals(&'a [f64]),
    #[component(name = "booleans")]
    Booleans(&'a [u8]),
    #[component(name = "texts")]
    Texts(TextsParam<'a>),
    #[component(name = "dates")]
    Dates(&'a [i32]),
    #[component(name = "timestamps")]
    Timestamps(&'a [i64]),
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct ColumnParam<'a> {
    values: ValuesParam<'a>,
    valid: Option<&'a [u8]>,
}

/// The columns of a call.
pub(super) fn columns<'a>(columns: &[newest::Column<'a>]) -> Vec<ColumnParam<'a>> {
    columns.iter().map(|column| ColumnParam { values: column.values.into(), valid: column.valid }).collect()
}

impl<'a> From<newest::Values<'a>> for ValuesParam<'a> {
    fn from(values: newest::Values<'a>) -> Self {
        match values {
            newest::Values::Integers(values) => ValuesParam::Integers(values),
            newest::Values::Decimals(values) => ValuesParam::Decimals(values),
            newest::Values::Reals(values) => ValuesParam::Reals(values),
            newest::Values::Booleans(values) => ValuesParam::Booleans(values),
            newest::Values::Texts(newest::Texts { offsets, bytes }) => {
                ValuesParam::Texts(TextsParam { offsets, bytes })
            }
            newest::Values::Dates(values) => ValuesParam::Dates(values),
            newest::Values::Timestamps(values) => ValuesParam::Timestamps(values),
        }
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct GivenTexts {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
}

impl From<GivenTexts> for newest::GivenTexts {
    fn from(GivenTexts { offsets, bytes }: GivenTexts) -> Self {
        newest::GivenTexts { offsets, bytes }
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub(super) enum GivenValues {
    #[component(name = "integers")]
    Integers(Vec<i64>),
    #[component(name = "decimals")]
    Decimals(Vec<i64>),
    #[component(name = "reals")]
    Reals(Vec<f64>),
    #[component(name = "booleans")]
    Booleans(Vec<u8>),
    #[component(name = "texts")]
    Texts(GivenTexts),
    #[component(name = "dates")]
    Dates(Vec<i32>),
    #[component(name = "timestamps")]
    Timestamps(Vec<i64>),
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct GivenColumn {
    values: GivenValues,
    valid: Option<Vec<u8>>,
}

impl From<GivenColumn> for newest::Given {
    fn from(GivenColumn { values, valid }: GivenColumn) -> Self {
        let values = match values {
            GivenValues::Integers(values) => newest::GivenValues::Integers(values),
            GivenValues::Decimals(values) => newest::GivenValues::Decimals(values),
            GivenValues::Reals(values) => newest::GivenValues::Reals(values),
            GivenValues::Booleans(values) => newest::GivenValues::Booleans(values),
            GivenValues::Texts(texts) => newest::GivenValues::Texts(texts.into()),
            GivenValues::Dates(values) => newest::GivenValues::Dates(values),
            GivenValues::Timestamps(values) => newest::GivenValues::Timestamps(values),
        };
        newest::Given { values, valid }
    }
}

/// What is looked up goes to the plugin.
impl From<newest::Given> for GivenColumn {
    fn from(newest::Given { values, valid }: newest::Given) -> Self {
        let values = match values {
            newest::GivenValues::Integers(values) => GivenValues::Integers(values),
            newest::GivenValues::Decimals(values) => GivenValues::Decimals(values),
            newest::GivenValues::Reals(values) => GivenValues::Reals(values),
            newest::GivenValues::Booleans(values) => GivenValues::Booleans(values),
            newest::GivenValues::Texts(newest::GivenTexts { offsets, bytes }) => {
                GivenValues::Texts(GivenTexts { offsets, bytes })
            }
            newest::GivenValues::Dates(values) => GivenValues::Dates(values),
            newest::GivenValues::Timestamps(values) => GivenValues::Timestamps(values),
        };
        GivenColumn { values, valid }
    }
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct CallParam<'a> {
    function: &'a str,
    #[component(name = "as-of")]
    as_of: i64,
    today: i32,
    config: &'a str,
}

impl<'a> From<newest::Call<'a>> for CallParam<'a> {
    fn from(newest::Call { function, as_of, today, config }: newest::Call<'a>) -> Self {
        CallParam { function, as_of, today, config }
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Failure {
    pub(super) row: Option<u32>,
    pub(super) message: String,
}

impl From<Failure> for SaysFailed {
    fn from(Failure { row, message }: Failure) -> Self {
        SaysFailed { row, message }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Segments {
    labels: Vec<String>,
    #[component(name = "of-rows")]
    of_rows: Vec<u32>,
}

impl From<Segments> for newest::GivenSegments {
    fn from(Segments { labels, of_rows }: Segments) -> Self {
        newest::GivenSegments { labels, of_rows }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Fitted {
    model: Vec<u8>,
    done: bool,
    summary: String,
}

impl From<Fitted> for newest::Fitted {
    fn from(Fitted { model, done, summary }: Fitted) -> Self {
        newest::Fitted { model, done, summary }
    }
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct Facts<'a> {
    #[component(name = "rows-of")]
    pub(super) rows_of: &'a [u32],
    pub(super) times: &'a [i64],
    pub(super) inputs: &'a [ColumnParam<'a>],
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Aggregated {
    values: GivenColumn,
    carry: Vec<u8>,
}

impl From<Aggregated> for newest::Aggregated {
    fn from(Aggregated { values, carry }: Aggregated) -> Self {
        newest::Aggregated { values: values.into(), carry }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Task {
    title: String,
    owner: Option<String>,
    channel: Option<String>,
    text: Option<String>,
    #[component(name = "due-days")]
    due_days: Option<u32>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Event {
    name: String,
    data: String,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(super) enum Action {
    #[component(name = "task")]
    Task(Task),
    #[component(name = "event")]
    Event(Event),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Proposal {
    row: u32,
    action: Action,
}

impl From<Proposal> for newest::GivenProposal {
    fn from(Proposal { row, action }: Proposal) -> Self {
        let action = match action {
            Action::Task(Task { title, owner, channel, text, due_days }) => {
                GivenAction::Task { title, owner, channel, text, due_days }
            }
            Action::Event(Event { name, data }) => GivenAction::Event { name, data },
        };
        newest::GivenProposal { row, action }
    }
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "made of its number by what `Lift` derives")]
pub(super) enum Kind {
    #[component(name = "scorer")]
    Scorer,
    #[component(name = "segmenter")]
    Segmenter,
    #[component(name = "model")]
    Model,
    #[component(name = "aggregator")]
    Aggregator,
    #[component(name = "planner")]
    Planner,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(variant)]
pub(super) enum AcceptsType {
    #[component(name = "exactly")]
    Exactly(ValueType),
    #[component(name = "number")]
    Number,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Input {
    name: String,
    accepts: AcceptsType,
    nullable: bool,
    doc: String,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "made of its number by what `Lift` derives")]
pub(super) enum SettingKind {
    #[component(name = "boolean")]
    Boolean,
    #[component(name = "integer")]
    Integer,
    #[component(name = "number")]
    Number,
    #[component(name = "text")]
    Text,
    #[component(name = "any")]
    Any,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Setting {
    name: String,
    #[component(name = "setting-type")]
    setting_type: SettingKind,
    required: bool,
    doc: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Function {
    name: String,
    kind: Kind,
    inputs: Vec<Input>,
    output: Option<ValueType>,
    settings: Vec<Setting>,
    doc: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct LookupColumn {
    name: String,
    #[component(name = "column-type")]
    column_type: ValueType,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Lookup {
    name: String,
    columns: Vec<LookupColumn>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Description {
    name: String,
    version: String,
    doc: String,
    functions: Vec<Function>,
    lookups: Vec<Lookup>,
}

impl From<Description> for PluginDescription {
    fn from(said: Description) -> Self {
        PluginDescription {
            name: said.name,
            version: said.version,
            doc: said.doc,
            functions: said.functions.into_iter().map(Into::into).collect(),
            lookups: said.lookups.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Function> for PluginFunction {
    fn from(said: Function) -> Self {
        let kind = match said.kind {
            Kind::Scorer => PluginKind::Scorer,
            Kind::Segmenter => PluginKind::Segmenter,
            Kind::Model => PluginKind::Model,
            Kind::Aggregator => PluginKind::Aggregator,
            Kind::Planner => PluginKind::Planner,
        };
        PluginFunction {
            name: said.name,
            kind,
            inputs: said.inputs.into_iter().map(Into::into).collect(),
            output: said.output.map(Type::from),
            settings: said.settings.into_iter().map(Into::into).collect(),
            doc: said.doc,
        }
    }
}

impl From<Input> for PluginInput {
    fn from(said: Input) -> Self {
        let accepts = match said.accepts {
            AcceptsType::Exactly(ty) => Accepts::Exactly(ty.into()),
            AcceptsType::Number => Accepts::Number,
        };
        PluginInput { name: said.name, accepts, nullable: said.nullable, doc: said.doc }
    }
}

impl From<Setting> for PluginSetting {
    fn from(said: Setting) -> Self {
        let ty = match said.setting_type {
            SettingKind::Boolean => SettingType::Boolean,
            SettingKind::Integer => SettingType::Integer,
            SettingKind::Number => SettingType::Number,
            SettingKind::Text => SettingType::Text,
            SettingKind::Any => SettingType::Any,
        };
        PluginSetting { name: said.name, ty, required: said.required, doc: said.doc }
    }
}

impl From<Lookup> for LookupTable {
    fn from(said: Lookup) -> Self {
        let columns = said.columns.into_iter().map(|column| (column.name, column.column_type.into()));
        LookupTable { name: said.name, columns: columns.collect() }
    }
}
