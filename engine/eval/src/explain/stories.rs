//! Where the numbers in a condition come from: each metric with its value and the way it was found.

use tierd_model::{Anchor, Date, Decimal, Instants, Key, Per, Timestamp, Value, Window};
use tierd_rules::{
    Aggregate, AggregateFn, Expr, ExprKind, FactsId, Metric, MetricId, MetricKind, RankKind, Standing,
    plugin::PluginMetric,
};

use super::{Row, elsewhere};
use crate::{derive::Metrics, evaluate::Asker, rank::Bucket};

/// One metric of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Which metric.
    pub metric: MetricId,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// Its value; `None` for NULL.
    pub value: Option<Value>,
    /// Personal, or computed from what is.
    pub personal: bool,
    /// How many metrics lie between it and the condition.
    pub depth: usize,
    /// How it was found.
    pub how: How,
}

/// How a metric was found.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// From facts.
    Aggregate {
        /// Such as `sum(amount)`.
        text: String,
        /// Name of the facts.
        from: String,
        /// Which rows, in the rule's words.
        filter: Option<String>,
        /// The window as declared.
        window: Window,
        /// The window of this run; `None` where the subject has no date from which its own window is found.
        instants: Option<Instants>,
        /// Divided by the window's length in these units.
        per: Option<Per>,
        /// What a subject has for which no row counts; `None` for NULL.
        empty: Option<Value>,
    },
    /// From a column of the subject table.
    Attribute {
        /// Its name in rules.
        name: String,
    },
    /// From other metrics.
    Derived {
        /// The rule's words.
        text: String,
        /// What it reads.
        inputs: Vec<MetricId>,
        /// Its rows, if it is a scorecard.
        rows: Vec<ScoreLine>,
    },
    /// From the subject's parent.
    Lookup {
        /// The parent's kind: `account`.
        parent: String,
        /// Its key; `None` without a parent.
        key: Option<Key>,
        /// The parent's metric.
        metric: String,
    },
    /// From the members of a group.
    Rollup {
        /// Such as `sum(annual_spend)`.
        text: String,
        /// Whose: `customer`.
        members: String,
        /// How many members there are, whether they count or not.
        count: u64,
        /// Which of them, in the rule's words.
        filter: Option<String>,
    },
    /// From a points account.
    Points {
        /// Such as `club.balance`.
        text: String,
        /// What part of the account counts.
        part: Part,
        /// The account, where it is at hand.
        account: Option<Lots>,
    },
    /// From a tier set: `tier.value`.
    Standing {
        /// The set.
        set: String,
        /// What of it.
        what: Standing,
    },
    /// From a plugin.
    Plugin {
        /// Name of the plugin.
        plugin: String,
        /// Name of the function.
        function: String,
        /// The settings that the rule gives, those of `[plugin.NAME]` among them.
        config: serde_json::Map<String, serde_json::Value>,
        /// What it was given, in its order.
        inputs: Vec<InputLine>,
        /// The metrics among that.
        metrics: Vec<MetricId>,
        /// Of which facts, if it is given facts.
        facts: Option<FactsLine>,
        /// Why it gave nothing to anybody, where that is so.
        failed: Option<String>,
    },
    /// From the order of all subjects.
    Rank {
        /// What is ordered.
        of: MetricId,
        /// Its name.
        of_name: String,
        /// Largest first.
        descending: bool,
        /// What is given.
        kind: RankKind,
        /// Subjects that have a rank.
        ranked: u64,
        /// The buckets with their cut points, if it gives buckets.
        buckets: Vec<Bucket>,
    },
}

/// A row of a scorecard.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreLine {
    /// Its title, or the rule's words.
    pub text: String,
    /// What it adds.
    pub points: Option<Value>,
}

/// An input of a plugin's function.
#[derive(Debug, Clone, PartialEq)]
pub struct InputLine {
    /// Its name.
    pub name: String,
    /// The rule's words.
    pub text: String,
    /// What was given; `None` for NULL, and where each fact has its own.
    pub value: Option<Value>,
    /// Personal, or computed from what is.
    pub personal: bool,
}

/// The facts that a plugin's function was given.
#[derive(Debug, Clone, PartialEq)]
pub struct FactsLine {
    /// Name of the facts.
    pub from: String,
    /// Which rows, in the rule's words.
    pub filter: Option<String>,
    /// The window as declared.
    pub window: Window,
    /// The window of this run; `None` where the subject has no date from which its own window is found.
    pub instants: Option<Instants>,
}

/// What part of a points account a metric tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it, as of the run.
    All,
    /// What was booked in this time; of a lifetime, only the end is of interest.
    Booked(Window, Instants),
    /// What is lost up to the midnight that begins this day.
    LostBy(Date),
}

/// What is in a points account.
#[derive(Debug, Clone, PartialEq)]
pub struct Lots {
    /// Points that there are.
    pub balance: Decimal,
    /// What of them is lost at which time (`None` for never), in the order of time.
    pub lots: Vec<(Option<Timestamp>, Decimal)>,
    /// Points that are owed.
    pub debt: Decimal,
}

/// These metrics and all that they are computed from, each once, where it is met first.
pub(super) fn stories(row: &Row<'_>, of: Vec<MetricId>, metrics: &Metrics) -> Vec<Story> {
    let mut out = Vec::new();
    // A stack instead of recursion: metrics may build on each other at any depth.
    let mut open: Vec<(MetricId, usize)> = of.into_iter().rev().map(|metric| (metric, 0)).collect();
    let mut seen = vec![false; row.rules.metrics.len()];
    while let Some((id, depth)) = open.pop() {
        if std::mem::replace(&mut seen[id.0], true) {
            continue;
        }
        let story = story(row, id, depth, metrics);
        open.extend(inputs(&story.how).into_iter().rev().map(|input| (input, depth + 1)));
        out.push(story);
    }
    out
}

fn inputs(how: &How) -> Vec<MetricId> {
    match how {
        How::Aggregate { .. }
        | How::Attribute { .. }
        | How::Lookup { .. }
        | How::Rollup { .. }
        | How::Points { .. }
        | How::Standing { .. } => Vec::new(),
        How::Derived { inputs, .. } | How::Plugin { metrics: inputs, .. } => inputs.clone(),
        How::Rank { of, .. } => vec![*of],
    }
}

fn story(row: &Row<'_>, id: MetricId, depth: usize, metrics: &Metrics) -> Story {
    let metric = &row.rules.metrics[id.0];
    Story {
        metric: id,
        name: metric.name.clone(),
        title: metric.title.clone(),
        value: row.metric(id),
        personal: row.personal[id.0],
        depth,
        how: how(row, id, metric, metrics),
    }
}

fn how(row: &Row<'_>, id: MetricId, metric: &Metric, metrics: &Metrics) -> How {
    match &metric.kind {
        MetricKind::Aggregate(aggregate) => of_facts(row, aggregate),
        MetricKind::Attribute(index) => {
            let subject = row.rules.config.subjects.get(metric.subject.0);
            let attribute = subject.and_then(|subject| subject.attributes.get(*index));
            How::Attribute { name: attribute.map_or_else(|| metric.name.clone(), |column| column.name.clone()) }
        }
        MetricKind::Derived(expr) => {
            let rows = metric.scorecard.iter().map(|line| ScoreLine {
                text: line.title.clone().unwrap_or_else(|| row.quote(&line.at)),
                points: row.value(&line.points),
            });
            let inputs = expr.columns().into_iter().map(MetricId).collect();
            How::Derived { text: row.quote(&expr.at), inputs, rows: rows.collect() }
        }
        MetricKind::Lookup(of) => elsewhere::lookup(row, *of),
        MetricKind::Rollup(rollup) => elsewhere::rollup(row, rollup),
        MetricKind::Points { program, measure } => elsewhere::points(row, *program, *measure),
        MetricKind::Plugin(plugin) => called(row, id, plugin),
        MetricKind::Standing { set, what } => {
            How::Standing { set: row.rules.tier_sets[set.0].name.clone(), what: *what }
        }
        MetricKind::Rank { of, descending, kind } => {
            let cuts = metrics.cut_points(id);
            How::Rank {
                of: *of,
                of_name: row.rules.metrics[of.0].name.clone(),
                descending: *descending,
                kind: *kind,
                ranked: cuts.map_or(0, |cuts| cuts.ranked),
                buckets: cuts.map(|cuts| cuts.boundaries.clone()).unwrap_or_default(),
            }
        }
    }
}

fn called(row: &Row<'_>, id: MetricId, PluginMetric { call, facts }: &PluginMetric) -> How {
    let plugin = row.rules.plugins.get(call.plugin.0);
    let function = plugin.and_then(|plugin| plugin.description.function(&call.function));
    let line = |(place, input): (usize, &Expr)| {
        let name = function.and_then(|function| function.inputs.get(place)).map(|input| input.name.clone());
        let personal = facts.is_none() && input.columns().into_iter().any(|column| row.personal[column]);
        let value = facts.is_none().then(|| row.value(input)).flatten();
        InputLine { name: name.unwrap_or_default(), text: row.quote(&input.at), value, personal }
    };
    let metrics = call.inputs.iter().filter(|_| facts.is_none()).flat_map(Expr::columns).map(MetricId);
    How::Plugin {
        plugin: plugin.map(|plugin| plugin.name.clone()).unwrap_or_default(),
        function: call.function.clone(),
        config: call.config.clone(),
        inputs: call.inputs.iter().enumerate().map(line).collect(),
        metrics: metrics.collect(),
        facts: facts.as_ref().map(|of| FactsLine {
            from: row.rules.config.facts.get(of.facts.0).map(|facts| facts.name.clone()).unwrap_or_default(),
            filter: of.filter.as_ref().map(|filter| condition(row, of.facts, filter)),
            window: of.window,
            instants: instants(row, of.window),
        }),
        failed: row.outcome.and_then(|outcome| {
            let failed = outcome.plugin_failures.iter().find(|failed| failed.asker == Asker::Metric(id))?;
            Some(failed.failure.why())
        }),
    }
}

fn of_facts(row: &Row<'_>, aggregate: &Aggregate) -> How {
    How::Aggregate {
        text: call(row, aggregate.function, aggregate.argument.as_ref()),
        from: row.rules.config.facts.get(aggregate.facts.0).map(|facts| facts.name.clone()).unwrap_or_default(),
        filter: aggregate.filter.as_ref().map(|filter| condition(row, aggregate.facts, filter)),
        window: aggregate.window,
        instants: instants(row, aggregate.window),
        per: aggregate.per,
        empty: aggregate.empty.clone(),
    }
}

/// A filter in the rule's words. What narrows it to a category stands in no rule: both its sides have the place of `by`.
fn condition(row: &Row<'_>, facts: FactsId, filter: &Expr) -> String {
    match &filter.kind {
        ExprKind::And(parts) if parts.len() == 2 && parts[0].at == filter.at => {
            format!("{} and {}", condition(row, facts, &parts[0]), condition(row, facts, &parts[1]))
        }
        ExprKind::Compare(_, column, value) if column.at == value.at => match (&column.kind, &value.kind) {
            (ExprKind::Column(column), ExprKind::Literal(value)) => {
                format!("{} = '{value}'", row.rules.config.facts[facts.0].columns[*column].name)
            }
            _ => row.quote(&filter.at),
        },
        _ => row.quote(&filter.at),
    }
}

/// `sum(amount)`
pub(super) fn call(row: &Row<'_>, function: AggregateFn, argument: Option<&Expr>) -> String {
    let argument = argument.map_or_else(|| "*".to_owned(), |argument| row.quote(&argument.at));
    // These stand for an aggregate of a `case`, which has the place of the whole call.
    if ["count_where", "share"].iter().any(|sugar| is_call(&argument, sugar)) {
        return argument;
    }
    format!("{}({argument})", name(function))
}

fn is_call(text: &str, function: &str) -> bool {
    let name = text.get(..function.len()).filter(|name| name.eq_ignore_ascii_case(function));
    name.is_some() && text[function.len()..].trim_start().starts_with('(')
}

/// The window of this run; `None` if it is found from a date that the subject doesn't have.
pub(super) fn instants(row: &Row<'_>, window: Window) -> Option<Instants> {
    let Some(anchor) = window.anchor() else { return Some(window.resolve(row.clock)) };
    let anchor = match row.metric(MetricId(anchor))? {
        Value::Date(day) => Anchor::Day(day),
        Value::Timestamp(time) => Anchor::Time(time),
        _ => return None,
    };
    Some(window.resolve_from(row.clock, anchor))
}

fn name(function: AggregateFn) -> &'static str {
    match function {
        AggregateFn::Sum => "sum",
        AggregateFn::Count => "count",
        AggregateFn::CountDistinct => "count_distinct",
        AggregateFn::Avg => "avg",
        AggregateFn::Min => "min",
        AggregateFn::Max => "max",
        AggregateFn::First => "first",
        AggregateFn::Last => "last",
        AggregateFn::DaysSince => "days_since",
        AggregateFn::MeanGap => "mean_gap",
        AggregateFn::MedianGap => "median_gap",
    }
}
