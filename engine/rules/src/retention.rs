//! Retention rules: conditions that, when they come true for a subject, start an action, within limits.

use tierd_model::{CalendarSpan, MonthDay};

use crate::{
    checked::{FactsId, MetricId, SubjectId, TierSetId},
    expr::Expr,
    fileset::Location,
    guard::Guard,
    plugin::PluginCall,
    schedule::ScheduleId,
};

/// A retention rule.
#[derive(Debug, Clone)]
pub struct RetentionRule {
    /// Name in rules.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Whom it is about.
    pub subject: SubjectId,
    /// When it is decided, as [`crate::TierSet::schedule`]. Rules on moves go with the tier set.
    pub schedule: Option<ScheduleId>,
    /// How much it may do in a run.
    pub guard: Option<Guard>,
    /// What opens an entry, besides `when`.
    pub trigger: Trigger,
    /// Must be TRUE as well, over metrics: both to open an entry and to act in it. Only rules with another trigger than [`Trigger::State`] may leave it out.
    pub when: Option<Expr>,
    /// How long the entry must last without a break before the rule acts.
    pub hold_for: Option<CalendarSpan>,
    /// Whether it acts again.
    pub reentry: Reentry,
    /// No action on the same subject within this span after the last one.
    pub cooldown: Option<CalendarSpan>,
    /// How many subjects it may act on in one run.
    pub limit: Option<RunLimit>,
    /// Of the rules of one group only the one with the highest priority acts on a subject in a run; the others wait.
    pub group: Option<String>,
    /// The largest goes first; equal ones by name.
    pub priority: i64,
    /// Share of subjects that are never acted on, in parts per million: to measure the effect.
    pub holdout: u32,
    /// Whether it really acts.
    pub mode: Mode,
    /// What it does.
    pub action: Action,
    /// What is counted as a subject having come back.
    pub goal: Option<Goal>,
    /// The tier set whose level gives templates `strategy` and `benefits`.
    pub strategy_of: Option<TierSetId>,
    /// Codes of lints that are not to be given for this rule.
    pub allow: Vec<String>,
    /// Where it is declared.
    pub at: Location,
}

/// What opens an entry: the stretch of time in which a rule may act on a subject, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// `when` is TRUE. The entry ends when it is FALSE; UNKNOWN neither opens nor ends it.
    State,
    /// The level moved in a run. The entry opens in that run, if `when` is TRUE then, and ends with the next move of the subject
    /// in the set, whichever way; a `when` that is FALSE in between keeps the rule from acting, and doesn't end it.
    Moved {
        /// In which set.
        set: TierSetId,
        /// Which way. Sets whose levels have no order move [`Direction::Any`] way only.
        direction: Direction,
        /// From one of these levels (indices); empty for any. The first level of a subject is no move.
        from: Vec<u16>,
        /// To one of these levels; empty for any.
        to: Vec<u16>,
    },
    /// A date comes. The entry is the days from `day + from` to `day + until`, both inside; an action belongs to that `day`, and
    /// is not repeated for it. Where the days of two dates overlap, those of the later one count.
    Date {
        /// Which date.
        day: DateTrigger,
        /// Days or months before (negative) or after the date at which the entry begins.
        from: CalendarSpan,
        /// At which it ends.
        until: CalendarSpan,
    },
    /// The follow-up of the subject's level is due: `strategy.every` after the last action of this rule, or since the level was
    /// taken if there is none. Levels without `every` have none. An action ends its entry.
    FollowUp(TierSetId),
}

/// A date that comes for each subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateTrigger {
    /// Every year on the day of this date metric, from the first anniversary on; 29 February is the 28th in other years.
    Anniversary(MetricId),
    /// The date itself.
    On(MetricId),
    /// A day of every year, the same for all.
    Yearly(MonthDay),
}

/// The way that a level moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To a higher level.
    Up,
    /// To a lower level or to none.
    Down,
    /// Whichever.
    Any,
}

/// Whether a rule acts again on the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reentry {
    /// Once per entry (default): again only after the condition has been FALSE in between.
    OncePerEntry,
    /// Once and never again.
    Once,
    /// Again and again while the entry lasts, this long after the last action in it.
    Every(CalendarSpan),
}

/// A limit of actions per run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimit {
    /// At most this many subjects, held-out ones among them, so that both are chosen alike.
    pub per_run: u64,
    /// What happens if there are more.
    pub exceed: Exceed,
}

/// What happens above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exceed {
    /// The first act, by key; the others wait for the next run.
    Defer,
    /// The whole run waits for a person, as above a [`Guard`]. A rule that is only watched warns instead.
    Hold,
}

/// Whether a rule really acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does.
    Live,
    /// Whom it would act on is recorded, and nothing done. State is kept apart from that of the live mode.
    Shadow,
}

/// What a rule does.
#[derive(Debug, Clone)]
pub enum Action {
    /// A task for a person.
    Task(TaskAction),
    /// An event for another system.
    Event(EventAction),
    /// Whatever a planner proposes, over metrics of the subject. [`OnPluginError::Unknown`](crate::plugin::OnPluginError::Unknown) means that the
    /// rule acts on nobody then, and those whom it would have acted on wait for the next run.
    Planned(PluginCall),
}

/// A task for a person.
#[derive(Debug, Clone)]
pub struct TaskAction {
    /// What is to be done: `call`.
    pub title: Template,
    /// By whom.
    pub owner: Option<Template>,
    /// By which channel.
    pub channel: Option<Template>,
    /// Details.
    pub text: Option<Template>,
    /// From the run's day to the day by which it is due.
    pub due: Option<CalendarSpan>,
    /// What happens if it isn't done.
    pub escalate: Option<Escalation>,
}

/// What happens to a task that isn't done.
#[derive(Debug, Clone)]
pub struct Escalation {
    /// This long after it was due,
    pub after: CalendarSpan,
    /// it becomes the task of somebody else.
    pub to: Template,
}

/// An event for another system.
#[derive(Debug, Clone)]
pub struct EventAction {
    /// Its kind: `coupon`.
    pub name: Template,
    /// What goes with it: any JSON, the texts in which are templates.
    pub data: Vec<(String, EventValue)>,
}

/// A value in the data of an event.
#[derive(Debug, Clone)]
pub enum EventValue {
    /// A number, a truth, a date as text, or an empty text: as written.
    Json(serde_json::Value),
    /// Values one after the other.
    List(Vec<EventValue>),
    /// Values by name, in the order written.
    Table(Vec<(String, EventValue)>),
    /// A text with the subject's values. One that is a single placeholder keeps the type of the value.
    Template(Template),
}

/// A text with places for the subject's values: `{annual_spend}`, `{key}`, `{tier.value}`, `{owner}`. `{{` is a brace.
#[derive(Debug, Clone)]
pub struct Template {
    /// What it is made of, in order.
    pub parts: Vec<Part>,
    /// Where it is written.
    pub at: Location,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// The subject's key.
    Key,
    /// The value of a metric or attribute, personal ones masked; nothing for NULL.
    Metric(MetricId),
    /// What the strategy of the subject's level in [`RetentionRule::strategy_of`] has under this key; nothing without.
    Strategy(String),
    /// Likewise of its benefits: `{benefits.discount}`.
    Benefit(String),
}

/// What is counted as a subject having come back.
#[derive(Debug, Clone)]
pub struct Goal {
    /// A fact of this kind,
    pub facts: FactsId,
    /// that fulfils this, over its columns,
    pub filter: Option<Expr>,
    /// after the action and within this span.
    pub within: CalendarSpan,
}
