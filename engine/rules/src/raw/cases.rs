//! A test file as written: cases, what is so in them, and what is expected.

use schemars::JsonSchema;

use super::{
    At,
    data::Data,
    forms::{Parsed, SpanText},
    read::{Item, Named, Read, Reading},
    table::{Fields, Table, table, words},
    values::Constant,
};

/// Values under the names of attributes, columns or metrics.
pub(crate) type Values = Named<Constant>;

table! {
    /// Tests of rules.
    TestFile = "a test file" {
        /// Time of all cases that name none: a date (its midnight), or a date and time, local where it has no offset.
        optional as_of: Constant,
        /// Cases: `[[case]]`.
        required case: Vec<At<CaseTable>>,
    }
}

table! {
    /// A case: what is so, when, and what is expected.
    CaseTable = "a case" {
        /// What the case shows, unique in its file.
        required name: String,
        /// Time of the first run.
        optional as_of: Constant,
        /// Whose case it is: the NAME of a `[subject.NAME]`. Default: the first in tierd.toml.
        optional kind: String,
        /// Attributes of the one subject; those that aren't named are NULL. `key` is its key (default: 1).
        optional subject: Values,
        /// Several subjects, by kind: `[[case.subjects.customer]]`.
        optional subjects: Named<Vec<At<SubjectEntry>>>,
        /// Overrides: `[[case.override]]`.
        optional r#override: Vec<At<OverrideTable>>,
        /// Later runs, in order: `[[case.step]]`. Levels, what rules remember, and facts are carried on.
        optional step: Vec<At<StepTable>>,
    }
    with told: Told
}

table! {
    /// A later run of the same case.
    StepTable = "a step" {
        /// Its time, later than that of the run before.
        required as_of: Constant,
        /// Attributes of the one subject that changed.
        optional subject: Values,
        /// What is new of several subjects, by kind: `[[case.step.subjects.customer]]`.
        optional subjects: Named<Vec<At<SubjectEntry>>>,
        /// Retention rules whose open tasks have been done since the run before.
        optional done: Vec<At<String>>,
    }
    with told: Told
}

table! {
    /// What is told of a subject, and expected of it.
    Told = "a case" {
        /// Values in place of what would be computed: metrics by name.
        optional metrics: Values,
        /// Facts, by kind: `facts.orders = [{ … }]`. A fact with `every` and `times` stands for several.
        optional facts: Named<Vec<At<FactEntry>>>,
        /// Level in each of these tier sets, or `"none"`.
        optional expect: Named<String>,
        /// Values of metrics, or `"null"`.
        optional expect_metrics: Values,
        /// Exactly the tasks of this run: those that are new, and those that pass to somebody else. Keys left out aren't compared.
        optional expect_tasks: Vec<At<TaskEntry>>,
        /// Exactly the events of this run. Keys left out aren't compared.
        optional expect_events: Vec<At<EventEntry>>,
        /// Moves of this run: `"C -> B"`, `"none -> A"` or `"stays"`, by tier set.
        optional expect_moves: Named<String>,
        /// Why the level moved in this run: `"downgraded after grace"`, by tier set.
        optional expect_reason: Named<String>,
        /// Texts, each of which stands in the explanation.
        optional explain: Vec<At<String>>,
    }
}

/// One of several subjects. Keys that have no meaning of their own are attributes.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(extend("additionalProperties" = { "type": ["number", "string", "boolean"] }))]
pub(crate) struct SubjectEntry {
    /// Its key, different from those of the others.
    pub(crate) key: At<Constant>,
    #[schemars(flatten)]
    pub(crate) told: Told,
    #[schemars(skip)]
    pub(crate) attributes: Values,
}

impl Read for SubjectEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let table = Table::open_to_others(item, "a subject", cx)?;
        let known = [vec!["key"], Told::keys()].concat();
        let attributes = table.others(&known, cx);
        Some(SubjectEntry { key: table.required("key", cx), told: Told::fields(&table, cx), attributes })
    }
}

/// One fact, or several at equal distances. Keys that have no meaning of their own are columns.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(extend("additionalProperties" = { "type": ["number", "string", "boolean"] }))]
pub(crate) struct FactEntry {
    /// From one to the next: `"1 month"`.
    pub(crate) every: Option<At<Parsed<SpanText>>>,
    /// How many there are.
    pub(crate) times: Option<At<u16>>,
    #[schemars(skip)]
    pub(crate) columns: Values,
}

impl Read for FactEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let table = Table::open_to_others(item, "a fact", cx)?;
        let columns = table.others(&["every", "times"], cx);
        Some(FactEntry { every: table.optional("every", cx), times: table.optional("times", cx), columns })
    }
}

table! {
    /// A person's decision that overrules the rules for a while.
    OverrideTable = "an override" {
        /// Whose, where the case has several subjects.
        optional key: Constant,
        /// In which tier set.
        required set: String,
        /// What it does.
        required kind: OverrideName,
        /// The level.
        required level: String,
        /// From when on. Default: the beginning.
        optional from: Constant,
        /// The last day on which it is in force, or the time at which it ends. Default: for good.
        optional until: Constant,
    }
}

words! {
    /// What an override does.
    OverrideName {
        /// Exactly this level.
        Pin = "pin",
        /// At least this level.
        Floor = "floor",
        /// At most this level.
        Ceiling = "ceiling",
    }
}

table! {
    /// A task.
    TaskEntry = "a task" {
        /// The retention rule.
        optional rule: String,
        /// Whose, where the case has several subjects.
        optional key: Constant,
        /// What is to be done.
        optional title: String,
        /// By whom; after it has passed on, by whom then.
        optional owner: String,
        /// By which channel.
        optional channel: String,
        /// Details.
        optional text: String,
        /// By when.
        optional due: Constant,
        /// Whether it is a task of an earlier run that passes to somebody else, because it wasn't done.
        optional escalated: bool,
    }
}

table! {
    /// An event.
    EventEntry = "an event" {
        /// The retention rule.
        optional rule: String,
        /// Whose, where the case has several subjects.
        optional key: Constant,
        /// Its kind.
        optional event: String,
        /// What goes with it. Keys left out aren't compared.
        optional data: Data,
    }
}
