//! Retention rules as written.

use schemars::{JsonSchema, Schema, json_schema};
use toml::de::DeValue;

use super::{
    data::json,
    forms::{Parsed, SpanText},
    guard::RuleGuardTable,
    plugin::{OnPlannerErrorName, Setting},
    policy::{LintCode, ShareText},
    read::{At, Item, Named, Read, Reading},
    table::{table, words},
};

table! {
    /// A condition or an event that, when it comes for a subject, starts an action, within limits.
    RetentionTable = "a retention rule" {
        /// Title for people.
        optional title: String,
        /// Whom it is about: the NAME of a `[subject.NAME]`. Needed only where it isn't clear.
        optional subject: String,
        /// Condition over metrics, attributes and levels. Needed where there is none of `on`, `moved` and `follow_up`.
        #[schemars(example = "days_idle > 1.5 * usual_gap_days")]
        optional r#when: String,
        /// A date: `"anniversary of birthday"`, a date metric or attribute such as `"contract_end"`, or a day of every year such as `"12-24"`.
        #[schemars(example = "anniversary of birthday")]
        optional on: String,
        /// With `on`: the rule may act from this long before the date up to the date.
        optional before: Parsed<SpanText>,
        /// With `on`: the rule acts this long after the date.
        optional after: Parsed<SpanText>,
        /// With `on`: the rule may still act so much later.
        optional late: Parsed<SpanText>,
        /// A level that moved: `"up"`, `"down"`, `"any"`, or a table with `set`, `direction`, `from` and `to`.
        optional moved: MovedEntry,
        /// A tier set: the follow-up that the level's `strategy.every` asks for is due.
        optional follow_up: String,
        /// When it is decided by a daemon: the NAME of a `[schedule.NAME]` of tierd.toml, or plain words such as `"daily at 02:15"`. Default: `[schedule.default]`; with `moved`, when its tier set is.
        optional schedule: String,
        /// How much it may do in a run before the run waits for a person.
        optional guard: RuleGuardTable,
        /// How long `when` must hold without a break before the rule acts: `"2 days"`.
        optional r#for: Parsed<SpanText>,
        /// Whether it acts again on the same subject: `"once per entry"` (default), `"once"` or `{ every = "30 days" }`.
        optional reentry: ReentryEntry,
        /// No action on the same subject within this span after the last one.
        optional cooldown: Parsed<SpanText>,
        /// How many subjects it may act on in one run.
        optional limit: RunLimitTable,
        /// Of all rules of one group, only the one with the highest priority acts on a subject in a run.
        optional group: String,
        /// The largest goes first. Default: 0.
        optional priority: i64,
        /// Share of subjects that are never acted on, to measure the effect: `"10%"`.
        optional holdout: Parsed<ShareText>,
        /// Whether it really acts. Default: live.
        optional mode: ModeName,
        /// The tier set whose level gives `{owner}`, `{touch}`, `{benefits.X}` … Needed only where it isn't clear.
        optional strategy: String,
        /// What it does: a task or an event.
        required action: ActionTable,
        /// What is counted as having come back.
        optional goal: GoalTable,
        /// Lints that are not to be given for this rule.
        optional allow: Vec<Parsed<LintCode>>,
    }
}

/// `"down"` or `{ set = "value", direction = "down", from = ["A"], to = ["C"] }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum MovedEntry {
    /// Only which way.
    Short(DirectionName),
    /// In which set, from and to which levels.
    Long(MovedTable),
}

words! {
    /// The way that a level moved.
    DirectionName {
        /// To a higher level.
        Up = "up",
        /// To a lower level, or to none.
        Down = "down",
        /// Whichever.
        Any = "any",
    }
}

table! {
    /// A move of level.
    MovedTable = "`moved`" {
        /// In which tier set. Needed only where the subject has several.
        optional set: String,
        /// Which way. Default: any.
        optional direction: DirectionName,
        /// From one of these levels.
        optional from: Vec<At<String>>,
        /// To one of these levels.
        optional to: Vec<At<String>>,
    }
}

impl Read for MovedEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => DirectionName::read(item, cx).map(MovedEntry::Short),
            DeValue::Table(_) => MovedTable::read(item, cx).map(MovedEntry::Long),
            _ => cx.wrong_type(item, "\"up\", \"down\", \"any\" or a table"),
        }
    }
}

/// `"once per entry"`, `"once"` or `{ every = "30 days" }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum ReentryEntry {
    /// Once.
    Short(ReentryName),
    /// Again and again.
    Long(EveryTable),
}

words! {
    /// Whether a rule acts again.
    ReentryName {
        /// Again only after the condition has been false in between.
        OncePerEntry = "once per entry",
        /// Never again.
        Once = "once",
    }
}

table! {
    /// Again and again while the condition lasts.
    EveryTable = "`reentry`" {
        /// This long after the last action.
        required every: Parsed<SpanText>,
    }
}

impl Read for ReentryEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => ReentryName::read(item, cx).map(ReentryEntry::Short),
            DeValue::Table(_) => EveryTable::read(item, cx).map(ReentryEntry::Long),
            _ => cx.wrong_type(item, "\"once per entry\", \"once\" or { every = \"30 days\" }"),
        }
    }
}

table! {
    /// How many subjects a rule may act on in one run.
    RunLimitTable = "`limit`" {
        /// At most this many.
        required per_run: u64,
        /// What happens if there are more. Default: defer.
        optional exceed: ExceedName,
    }
}

words! {
    /// What happens above the limit.
    ExceedName {
        /// The first act, by key; the others wait for the next run.
        Defer = "defer",
        /// The whole run waits, unapplied, for a person.
        Hold = "hold",
    }
}

words! {
    /// Whether a rule really acts.
    ModeName {
        /// It does.
        Live = "live",
        /// Whom it would act on is recorded, and nothing done.
        Shadow = "shadow",
    }
}

table! {
    /// A task for a person (`task`), an event for another system (`event`), or what a plugin proposes (`plugin`). Texts of tasks and events may hold `{places}` for the subject's values.
    ActionTable = "an action" {
        /// What a person is to do: `"call {name}"`.
        optional task: String,
        /// Of a task: by whom.
        optional owner: String,
        /// Of a task: by which channel.
        optional channel: String,
        /// Of a task: how long it may take.
        optional due: Parsed<SpanText>,
        /// Of a task: details.
        optional text: String,
        /// Of a task with `due`: what happens if it isn't done.
        optional escalate: EscalateTable,
        /// The kind of an event for another system: `"coupon"`.
        optional event: String,
        /// Of an event: what goes with it.
        optional data: Named<DataEntry>,
        /// The NAME of a `NAME.wasm` beside the rules, whose planner proposes what is to be done.
        #[schemars(example = &"offers")]
        optional plugin: String,
        /// Of a plugin: which function.
        #[schemars(example = &"plan")]
        optional function: String,
        /// Of a plugin: for each input of the function an expression over metrics, attributes and levels.
        #[schemars(example = serde_json::json!({ "spend": "annual_spend" }))]
        optional inputs: Named<String>,
        /// Of a plugin: settings of the function.
        optional config: Named<Setting>,
        /// Of a plugin: what becomes of its failure. Default: fail.
        optional on_plugin_error: OnPlannerErrorName,
    }
}

table! {
    /// What happens to a task that isn't done.
    EscalateTable = "`escalate`" {
        /// How long after it was due.
        required after: Parsed<SpanText>,
        /// Whose task it becomes.
        required to: String,
    }
}

/// A value in the data of an event. TOML's own depth limit bounds how deep they stand in each other.
#[derive(Debug, Clone)]
pub(crate) enum DataEntry {
    /// A text with places for values.
    Text(String),
    List(Vec<At<DataEntry>>),
    Table(Named<DataEntry>),
    /// Anything else.
    Json(serde_json::Value),
}

impl Read for DataEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(text) => Some(DataEntry::Text(text.to_string())),
            DeValue::Array(_) => Read::read(item, cx).map(DataEntry::List),
            DeValue::Table(_) => Read::read(item, cx).map(DataEntry::Table),
            _ => json(item, cx).map(DataEntry::Json),
        }
    }
}

impl JsonSchema for DataEntry {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventData".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any data; a text may hold `{places}` for the subject's values." })
    }
}

table! {
    /// What is counted as having come back.
    GoalTable = "`goal`" {
        /// Facts: the NAME of a `[facts.NAME]`.
        required from: String,
        /// Which of them count: a condition over their columns.
        optional r#where: String,
        /// How long after the action.
        required within: Parsed<SpanText>,
    }
}
