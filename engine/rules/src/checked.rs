//! What the rule files mean, once everything in them is proved good.

use tierd_model::{Per, Type, Value, Window};

use crate::{
    config::Config,
    diagnostic::Diagnostic,
    expr::Expr,
    fileset::{FileSet, Location, Revision},
    guard::Guard,
    movement::{Category, Movement},
    plugin::{Plugin, PluginMetric},
    points::{PointsMeasure, PointsProgram},
    retention::RetentionRule,
    schedule::{Schedule, ScheduleId},
};

/// Index into [`Config::subjects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(pub usize);

/// Index into [`Config::facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactsId(pub usize);

/// Index into [`RuleSet::metrics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricId(pub usize);

/// Index into [`RuleSet::tier_sets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TierSetId(pub usize);

/// Index into [`RuleSet::points`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointsId(pub usize);

/// Index into [`RuleSet::retention`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub usize);

/// One step of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A metric of all its subjects.
    Metric(MetricId),
    /// A tier set: its levels are known from here on.
    TierSet(TierSetId),
}

/// One immutable revision: configuration and all rules, checked together.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// Hash of all files.
    pub revision: Revision,
    /// The files themselves, for the ledger and for quoting conditions.
    pub files: FileSet,
    /// Where the data is.
    pub config: Config,
    /// Metrics, each after those that it refers to.
    pub metrics: Vec<Metric>,
    /// Tier sets, by name.
    pub tier_sets: Vec<TierSet>,
    /// Points programs, by name.
    pub points: Vec<PointsProgram>,
    /// Retention rules, by name.
    pub retention: Vec<RetentionRule>,
    /// Plugins beside the rules, by name.
    pub plugins: Vec<Plugin>,
    /// Schedules of the configuration, by name; then those that sets and rules give in words.
    pub schedules: Vec<Schedule>,
    /// Every metric and every tier set, each after those that it refers to. Metrics appear in the order of `metrics`.
    pub order: Vec<Step>,
    /// Warnings that checking gave.
    pub warnings: Vec<Diagnostic>,
}

impl RuleSet {
    /// The metric of this name. Only attributes that rules name without declaring a metric may share a name, if they belong to
    /// different subjects: then it is the first; see [`RuleSet::metric_of`].
    pub fn metric(&self, name: &str) -> Option<(MetricId, &Metric)> {
        self.metrics.iter().enumerate().find(|(_, m)| m.name == name).map(|(i, m)| (MetricId(i), m))
    }

    /// The metric of this name that belongs to this kind of subject.
    pub fn metric_of(&self, subject: SubjectId, name: &str) -> Option<(MetricId, &Metric)> {
        let mut all = self.metrics.iter().enumerate();
        all.find(|(_, m)| m.subject == subject && m.name == name).map(|(i, m)| (MetricId(i), m))
    }

    /// The tier set of this name.
    pub fn tier_set(&self, name: &str) -> Option<&TierSet> {
        self.tier_sets.iter().find(|set| set.name == name)
    }

    /// By metric, whether it is personal or computed from what is: such values are stored nowhere, and shown only masked.
    pub fn personal(&self) -> Vec<bool> {
        let mut out: Vec<bool> = Vec::with_capacity(self.metrics.len());
        for metric in &self.metrics {
            // Metrics stand after those that they refer to.
            let inherited = match &metric.kind {
                MetricKind::Attribute(_) => false,
                MetricKind::Derived(expr) => expr.columns().into_iter().any(|input| out[input]),
                MetricKind::Rank { of, .. } | MetricKind::Lookup(of) => out[of.0],
                MetricKind::Rollup(rollup) => {
                    let read = rollup.argument.as_ref().map(Expr::columns).unwrap_or_default();
                    read.into_iter().any(|input| out[input])
                }
                MetricKind::Points { .. } | MetricKind::Standing { .. } => false,
                MetricKind::Plugin(plugin) => match &plugin.facts {
                    None => plugin.metrics().into_iter().any(|input| out[input.0]),
                    Some(of) => {
                        let mut read = plugin.call.inputs.iter().flat_map(Expr::columns);
                        let facts = self.config.facts.get(of.facts.0);
                        facts.is_some_and(|facts| read.any(|column| facts.columns[column].personal))
                    }
                },
                MetricKind::Aggregate(aggregate) => {
                    let facts = self.config.facts.get(aggregate.facts.0);
                    let read = aggregate.argument.as_ref().map(Expr::columns).unwrap_or_default();
                    facts.is_some_and(|facts| read.into_iter().any(|column| facts.columns[column].personal))
                }
            };
            out.push(metric.personal || inherited);
        }
        out
    }

    /// The text of the rule between these bytes.
    pub fn quote(&self, at: &Location) -> &str {
        self.files.file(at.file).text.get(at.range.clone()).unwrap_or("")
    }
}

/// A number, text or date per subject.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Name in conditions.
    pub name: String,
    /// For people; any script.
    pub title: Option<String>,
    /// Whose metric it is.
    pub subject: SubjectId,
    /// Its type; may be NULL.
    pub ty: Type,
    /// How it is found.
    pub kind: MetricKind,
    /// An attribute that a rule named without declaring a metric.
    pub implicit: bool,
    /// Marked personal in the configuration (attributes only).
    pub personal: bool,
    /// How many times facts must have been read before those that it is found from: 0 for attributes and for aggregates whose
    /// windows begin alike for all or at an attribute; 1 for those whose windows begin at a date that is an aggregate of pass 0.
    pub pass: u8,
    /// For a derived metric written as a scorecard: its rows, for explaining it.
    pub scorecard: Vec<ScoreRow>,
    /// Codes of lints that are not to be given for this metric.
    pub allow: Vec<String>,
    /// Where it is declared.
    pub at: Location,
}

/// How a metric is found.
#[derive(Debug, Clone)]
pub enum MetricKind {
    /// From facts in a window.
    Aggregate(Aggregate),
    /// Index into the subject's attributes.
    Attribute(usize),
    /// From other metrics of the same subject.
    Derived(Expr),
    /// From the order of all subjects.
    Rank {
        /// What is ordered.
        of: MetricId,
        /// Largest first.
        descending: bool,
        /// What is given.
        kind: RankKind,
    },
    /// The value that a metric has for the subject's parent (a member's group); NULL without a parent.
    Lookup(MetricId),
    /// From the metrics of the group's members.
    Rollup(Rollup),
    /// From the points account.
    Points {
        /// Which program.
        program: PointsId,
        /// What of it.
        measure: PointsMeasure,
    },
    /// Where the subject stands in a tier set: `tier.NAME`, `was.NAME`, `since.NAME`.
    Standing {
        /// Which set.
        set: TierSetId,
        /// What of it.
        what: Standing,
    },
    /// From a plugin.
    Plugin(Box<PluginMetric>),
}

/// What a condition may ask of a tier set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Name of the level after this run, overrides and movement policy included (text; NULL for none): `tier.value`.
    Level,
    /// Name of the level before this run (text): `was.value`, in the set's own conditions also `was`.
    Was,
    /// Day since which the subject has had the level of `was` (date; NULL for none): `since.value`.
    Since,
}

/// One number from the metrics of a group's members.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// Who the members are: subjects whose parent is of this metric's subject.
    pub members: SubjectId,
    /// What is done. Never `First`, `Last`, `DaysSince`, `MeanGap` or `MedianGap`.
    pub function: AggregateFn,
    /// Of what, over the members' metrics; `None` for `count(*)`.
    pub argument: Option<Expr>,
    /// Of which members, over their metrics.
    pub filter: Option<Expr>,
    /// What a group has for which no member counts; `None` for NULL.
    pub empty: Option<Value>,
}

/// A row of a scorecard.
#[derive(Debug, Clone)]
pub struct ScoreRow {
    /// For people.
    pub title: Option<String>,
    /// What it adds, of the metric's type: 0 where its condition isn't TRUE. The metric is the sum of all rows.
    pub points: Expr,
    /// Where it is written.
    pub at: Location,
}

/// What a rank metric gives. Subjects whose metric is NULL have NULL; ties are broken by key, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankKind {
    /// 1 for the first (integer).
    Rank,
    /// `100 * rank / ranked subjects`, decimal(6): `<= 1` is the first percent.
    Percentile,
    /// Bucket 1 to n in the order given, as SQL's NTILE: earlier buckets are larger by one (integer).
    Ntile(u16),
}

/// One number from many facts.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which facts.
    pub facts: FactsId,
    /// What is done.
    pub function: AggregateFn,
    /// Of what, over [`crate::Facts::columns`]; `None` for `count(*)`. Rows where it is NULL are passed over.
    pub argument: Option<Expr>,
    /// Which rows, over [`crate::Facts::columns`], besides [`crate::Facts::filter`].
    pub filter: Option<Expr>,
    /// Which time.
    pub window: Window,
    /// Divide by the window's length in these units: the metric is then decimal(max(6, scale)), halves away from zero.
    pub per: Option<Per>,
    /// What a subject has for which no row counts, of the metric's type; `None` for NULL.
    pub empty: Option<Value>,
}

/// Aggregate functions. The result's type for an argument of type `T`:
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateFn {
    /// `T` (integer, decimal or real). Reals are added in fixed point of 2^-40, so that the order of rows doesn't matter.
    Sum,
    /// Integer.
    Count,
    /// Integer.
    CountDistinct,
    /// decimal(max(6, scale)) for exact numbers, rounded half away from zero; real for reals.
    Avg,
    /// `T`, any type but text and bool.
    Min,
    /// `T`, any type but text and bool.
    Max,
    /// `T`: of the earliest row; among equal times the smallest value.
    First,
    /// `T`: of the latest row; among equal times the largest value.
    Last,
    /// Integer: calendar days from the latest date (or the local day of the latest timestamp) to today.
    DaysSince,
    /// decimal(6): mean number of calendar days between neighbouring days (each counted once) of dates or timestamps: the
    /// customer's own cycle. Rounded half away from zero. With fewer than two different days there is no gap: `empty`.
    MeanGap,
    /// decimal(6): the median of these gaps; of an even number of them the mean of the middle two.
    MedianGap,
}

/// What happens where a level's condition is UNKNOWN before any is TRUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// The level held stays, unless a lower condition that is TRUE proves a better one. UNKNOWN never promotes or demotes.
    Keep,
    /// The lowest level.
    Lowest,
    /// The run fails and names subjects.
    Error,
}

/// Ordered levels with conditions.
#[derive(Debug, Clone)]
pub struct TierSet {
    /// Name in rules.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Who is graded.
    pub subject: SubjectId,
    /// What UNKNOWN does.
    pub unknown: Unknown,
    /// Whether levels are higher and lower than each other. Segments and stages of life aren't: they move neither up nor down.
    pub ordered: bool,
    /// How the level that is earned becomes the one that is held.
    pub movement: Movement,
    /// When it is decided; `None` only by hand, because there is no `[schedule.default]`.
    pub schedule: Option<ScheduleId>,
    /// How much of it may change in a run.
    pub guard: Option<Guard>,
    /// The category that this set is about, of a set that is kept per category. The set is then named `price[shoes]`.
    pub category: Option<Category>,
    /// Codes of lints that are not to be given for this set.
    pub allow: Vec<String>,
    /// Lowest first; at least one.
    pub levels: Vec<Level>,
    /// Where it is declared.
    pub at: Location,
}

/// One step of a tier set.
#[derive(Debug, Clone)]
pub struct Level {
    /// Name, unique in its set.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Condition over metrics (columns are [`MetricId`]s). Absent in at most the lowest level: always TRUE.
    pub when: Option<Expr>,
    /// Condition to stay at this level or, coming from a higher one, to fall no further; `when` where it is absent.
    pub keep: Option<Expr>,
    /// Any data, as JSON.
    pub benefits: serde_json::Map<String, serde_json::Value>,
    /// Any data, as JSON; `touch`, `owner` and `every` have meaning.
    pub strategy: serde_json::Map<String, serde_json::Value>,
    /// `strategy.every`, parsed: from the run's day to the next follow-up.
    pub follow_up: Option<tierd_model::CalendarSpan>,
    /// Where it is declared.
    pub at: Location,
}

impl TierSet {
    /// Metrics that its conditions read, each once, in order of first appearance from the highest level down.
    pub fn metrics(&self) -> Vec<MetricId> {
        let mut out = Vec::new();
        for condition in self.levels.iter().rev().flat_map(|level| level.when.iter().chain(&level.keep)) {
            for column in condition.columns() {
                if !out.contains(&MetricId(column)) {
                    out.push(MetricId(column));
                }
            }
        }
        out
    }
}
