//! A rule file as written.

use super::{
    data::{Data, StrategyTable},
    forms::{DayText, Parsed, SpanText},
    guard::TiersGuardTable,
    movement::{DowngradeEntry, LockEntry, PeriodEntry, TimingName},
    plugin::{OnPluginErrorName, Setting},
    points::PointsTable,
    policy::LintCode,
    read::Named,
    retention::RetentionTable,
    table::{table, words},
    values::{Constant, PointsEntry, Threshold, WindowEntry},
};

table! {
    /// Metrics, tier sets, points programs and retention rules.
    RuleFile = "a rule file" {
        /// Numbers, texts and dates for each subject: `[metric.NAME]`.
        optional metric: Named<MetricTable>,
        /// Ordered levels: `[tiers.NAME]`.
        optional tiers: Named<TiersTable>,
        /// Points that subjects earn and spend: `[points.NAME]`.
        optional points: Named<PointsTable>,
        /// Conditions that start actions: `[retention.NAME]`.
        optional retention: Named<RetentionTable>,
    }
}

table! {
    /// A number, text or date for each subject, found in exactly one way: `aggregate`, `attribute`, `derived`, `scorecard`, `trend`, `lookup`, `rank`, `percentile`, `quintile`, `ntile`, `points` or `plugin`.
    MetricTable = "a metric" {
        /// Title for people.
        optional title: String,
        /// Whose metric it is: the NAME of a `[subject.NAME]`. Needed only where it isn't clear.
        optional subject: String,
        /// From facts in a window: `sum(x)`, `count(*)`, `count(x)`, `count_distinct(x)`, `count_where(c)`, `share(c)`, `avg(x)`, `min(x)`, `max(x)`, `first(x)`, `last(x)`, `days_since(x)`, `mean_gap(x)` or `median_gap(x)`; or from the metrics of a group's members.
        #[schemars(example = "sum(amount)")]
        optional aggregate: String,
        /// Facts of the aggregate, or of a plugin's aggregator: the NAME of a `[facts.NAME]`; for a group, the NAME of the `[subject.NAME]` that its members are.
        optional from: String,
        /// Which facts count: a condition over their columns.
        #[schemars(example = "status = 'paid'")]
        optional r#where: String,
        /// Which time counts: `{ last = "12 months" }`, `{ calendar = "year" }`, `{ previous = "year" }`, `{ program_year = "04-01" }`, `{ anniversary_of = "joined_on" }`, `{ since = "joined_on" }` or `"lifetime"`; with `offset = 1` the window before.
        optional window: WindowEntry,
        /// A rate: the aggregate divided by the window's length.
        optional per: PerName,
        /// What a subject has for which no fact counts: a value of the metric's type, or `"null"`. Needed for every aggregate.
        optional empty: Constant,
        /// A column of the facts: one value for each category of the tier sets kept per category that use it.
        #[schemars(example = &"category")]
        optional by: String,
        /// An attribute of the subject.
        optional attribute: String,
        /// Computed from other metrics of the same subject.
        #[schemars(example = "refunds / nullif(orders, 0)")]
        optional derived: String,
        /// The sum of the points of all rows whose condition is true.
        optional scorecard: Vec<super::At<ScoreTable>>,
        /// An aggregate's change against its window before: `(now - before) / before`.
        #[schemars(example = &"annual_spend")]
        optional trend: String,
        /// A metric or attribute of the group that the subject belongs to: `"GROUP.METRIC"`.
        #[schemars(example = "account.size")]
        optional lookup: String,
        /// Place among all subjects, 1 for the first: `"METRIC desc"` or `"METRIC asc"`.
        #[schemars(example = "annual_spend desc")]
        optional rank: String,
        /// Place among all subjects in percent: `"METRIC desc"` puts the largest first, `<= 1` is the first percent.
        #[schemars(example = "annual_spend desc")]
        optional percentile: String,
        /// Fifth of all subjects, 1 to 5 in the order given: `"METRIC asc"` gives 5 to the largest.
        #[schemars(example = "annual_spend asc")]
        optional quintile: String,
        /// As `quintile`, with any number of buckets.
        optional ntile: NtileTable,
        /// With `quintile` or `ntile`: frozen cuts. The values at which each bucket from the second on begins, in the order of the rank; subjects are then compared with these and no longer with each other.
        optional cuts: Vec<super::At<Constant>>,
        /// From a points account: `PROGRAM.balance`, `earned`, `spent`, `expired` (these three in a `window`, default: lifetime), `expiring` (with `within`) or `next_expiry`.
        #[schemars(example = "club.balance")]
        optional points: String,
        /// With `points = "PROGRAM.expiring"`: how soon.
        optional within: Parsed<SpanText>,
        /// From a plugin: the NAME of a `NAME.wasm` beside the rules.
        #[schemars(example = &"credit")]
        optional plugin: String,
        /// Which function of the plugin.
        #[schemars(example = &"score")]
        optional function: String,
        /// What the plugin's function is given: for each of its inputs an expression over metrics and attributes; for an aggregator over the columns of the facts.
        #[schemars(example = serde_json::json!({ "spend": "annual_spend" }))]
        optional inputs: Named<String>,
        /// Settings of the plugin's function: any data.
        optional config: Named<Setting>,
        /// What becomes of the plugin's failure. Default: fail.
        optional on_plugin_error: OnPluginErrorName,
        /// Lints that are not to be given for this metric.
        optional allow: Vec<Parsed<LintCode>>,
    }
}

table! {
    /// A row of a scorecard.
    ScoreTable = "a row of a scorecard" {
        /// Title for people.
        optional title: String,
        /// When it counts: a condition over metrics and attributes. Default: always.
        #[schemars(example = "complaints > 0")]
        optional when: String,
        /// Points: a number, or an expression such as `"-5 * complaints"`.
        required points: PointsEntry,
    }
}

table! {
    /// Buckets of equal size.
    NtileTable = "`ntile`" {
        /// `"METRIC desc"` or `"METRIC asc"`.
        required of: String,
        /// How many, from 2.
        required buckets: u16,
    }
}

table! {
    /// A stretch of time: exactly one of `last`, `calendar`, `previous`, `program_year`, `anniversary_of`, `since`, `lifetime`.
    WindowTable = "a window" {
        /// From local midnight this long before the run's day, up to the run: `"12 months"`.
        optional last: Parsed<SpanText>,
        /// The calendar year, quarter or month so far.
        optional calendar: UnitName,
        /// The whole calendar year, quarter or month before the current one.
        optional previous: UnitName,
        /// From this day of the year, the last time that it came: `"04-01"`.
        optional program_year: Parsed<DayText>,
        /// From the last anniversary of a date of the subject: a metric or attribute.
        #[schemars(example = &"joined_on")]
        optional anniversary_of: String,
        /// From a date or time of the subject: a metric or attribute.
        #[schemars(example = &"first_order")]
        optional since: String,
        /// All time up to the run.
        optional lifetime: bool,
        /// How many windows further back. Default: 0.
        optional offset: u16,
    }
}

words! {
    /// A unit of the calendar.
    UnitName {
        /// From 1 January.
        Year = "year",
        /// From 1 January, April, July or October.
        Quarter = "quarter",
        /// From the first of the month.
        Month = "month",
    }
}

words! {
    /// The unit of a rate.
    PerName {
        /// Per day.
        Day = "day",
        /// Per seven days.
        Week = "week",
        /// Per month.
        Month = "month",
        /// Per year.
        Year = "year",
    }
}

table! {
    /// Ordered levels, the lowest first. The highest whose condition is true is earned.
    TiersTable = "a tier set" {
        /// Title for people.
        optional title: String,
        /// Who is graded: the NAME of a `[subject.NAME]`. Needed only where there are several.
        optional subject: String,
        /// When it is decided by a daemon: the NAME of a `[schedule.NAME]` of tierd.toml, or plain words such as `"monthly on 1 at 03:00"`. Default: `[schedule.default]`.
        #[schemars(example = &"monthly on 1 at 03:00")]
        optional schedule: String,
        /// How much of it may change in a run before the run waits for a person.
        #[schemars(example = serde_json::json!({ "moved": "10%", "share": { "A": "20%" } }))]
        optional guard: TiersGuardTable,
        /// What happens where a condition is UNKNOWN because something is NULL. Default: keep.
        optional unknown: UnknownName,
        /// Whether levels are higher and lower than each other; segments and stages of life aren't. Default: true.
        optional ordered: bool,
        /// When a subject rises to a level that it has earned. Default: at once.
        optional upgrade: TimingName,
        /// When and how far it falls: `"at once"` (default), `"at period end"`, `"never"`, or a table with a grace time and steps.
        optional downgrade: DowngradeEntry,
        /// The periods that `at period end` and locks are about. Default: year.
        optional period: PeriodEntry,
        /// How long a level, once taken, can't be lost: `"12 months"`, `"period end"`, `"next period end"`, or a table.
        optional lock: LockEntry,
        /// What the levels' `from` is about: a metric, or an expression.
        #[schemars(example = &"annual_spend")]
        optional of: String,
        /// `"category"`: a level of its own for each of `categories`, from metrics with `by`.
        optional per: SetPerName,
        /// The categories: values of the column that the metrics are `by`.
        optional categories: Vec<super::At<String>>,
        /// Lints that are not to be given for this set.
        optional allow: Vec<Parsed<LintCode>>,
        /// Levels, the lowest first: `[[tiers.NAME.level]]`.
        required level: Vec<super::At<LevelTable>>,
    }
}

words! {
    /// What a tier set is kept per.
    SetPerName {
        /// Per category.
        Category = "category",
    }
}

words! {
    /// What happens where a level's condition is UNKNOWN.
    UnknownName {
        /// The level held stays.
        Keep = "keep",
        /// The lowest level.
        Lowest = "lowest",
        /// The run fails and names subjects.
        Error = "error",
    }
}

table! {
    /// A level.
    LevelTable = "a level" {
        /// Name, unique in its set.
        required name: String,
        /// Title for people.
        optional title: String,
        /// Condition over metrics and attributes. Only the lowest level may leave it out.
        #[schemars(example = "annual_spend >= 10000 and monthly_contacts >= 5")]
        optional when: String,
        /// In place of `when`: the least value of the set's `of` that this level takes.
        optional from: Threshold,
        /// An easier condition to stay than to enter, also for subjects that come from above. Default: the same.
        #[schemars(example = "annual_spend >= 9000")]
        optional keep: String,
        /// What the level gives: any data.
        optional benefits: Data,
        /// How its subjects are treated: any data; `touch`, `owner` and `every` (`"90 days"`) have meaning.
        optional strategy: StrategyTable,
    }
}
