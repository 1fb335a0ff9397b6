//! Metrics in steps: what tables give first, then what is computed from other metrics, over all subjects at once for ranks.
//!
//! Each kind of subject has a query `metrics` for each step in which something of it is found; the last one has all its metrics.

use tierd_rules::{MetricId, MetricKind, PointsMeasure, RankKind, Rollup, SubjectId};

use super::{
    Cte,
    aggregate::FactsSql,
    decode::{decode, key},
    expr::Scope,
    group::{group_column, look_up, roll_up},
    level,
    plan::Plan,
    select, table,
    text::{Binds, Names, Sql, indent, infix, name},
    zone::Reach,
};

/// One query `metrics` in the making.
pub(super) struct Step<'s> {
    /// The query before it: the subjects, or their metrics up to here.
    pub(super) from: &'s str,
    /// What it adds.
    pub(super) own: &'s [MetricId],
    /// Queries up to here.
    pub(super) ctes: &'s mut Vec<Cte>,
    pub(super) names: &'s mut Names,
    /// What is joined to `from`.
    pub(super) joins: Vec<String>,
    /// What each metric is, by [`MetricId`].
    columns: Vec<Option<Sql>>,
}

impl Step<'_> {
    /// Adds a query before this one; gives its name.
    pub(super) fn query(&mut self, wish: &str, body: String) -> String {
        let cte = name(&self.names.take(wish));
        self.ctes.push((cte.clone(), body));
        cte
    }

    /// Joins a query by its column of the subject's key.
    pub(super) fn join(&mut self, cte: &str, column: &str, more: &str) {
        self.joins.push(format!("LEFT JOIN {cte} ON {cte}.{column} = {}.key{more}", self.from));
    }

    /// What a metric is.
    pub(super) fn set(&mut self, id: MetricId, sql: Sql) {
        self.columns[id.0] = Some(sql);
    }

    /// One more summand of a metric, or something to take off.
    pub(super) fn add(&mut self, id: MetricId, summand: &Sql, minus: bool) {
        let sum = match (self.columns[id.0].take(), minus) {
            (None, false) => summand.clone(),
            (None, true) => infix(Binds::Sum, &Sql::integer(0), "-", summand),
            (Some(sum), minus) => infix(Binds::Sum, &sum, if minus { "-" } else { "+" }, summand),
        };
        self.columns[id.0] = Some(sum);
    }
}

/// A kind of subject in a query.
struct Kind<'a> {
    subject: SubjectId,
    /// The query with its metrics so far.
    last: String,
    facts: Vec<FactsSql<'a>>,
}

/// All queries up to the metrics asked for, and the name of the last one.
pub(super) fn ctes(plan: &Plan<'_>) -> (Vec<Cte>, String) {
    let (mut names, mut ctes) = (Names::default(), Vec::new());
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for &subject in &plan.subjects {
        let last = name(&names.take(&plan.rules.config.subjects[subject.0].name));
        ctes.extend(subjects(plan, subject, &last, &mut names));
        let facts = FactsSql::of(plan, subject, &mut names);
        facts.iter().for_each(|facts| ctes.extend(facts.rows(&mut names)));
        kinds.push(Kind { subject, last, facts });
    }
    for step in 0..plan.steps.len() {
        for kind in 0..kinds.len() {
            let own = plan.in_step(step, kinds[kind].subject);
            if step == 0 || !own.is_empty() {
                kinds[kind].last = metrics(plan, &kinds, kind, &own, step == 0, (&mut ctes, &mut names));
            }
        }
    }
    let last = std::mem::take(&mut kinds[0].last);
    (ctes, last)
}

/// A step of one kind of subject: its name.
fn metrics(
    plan: &Plan<'_>,
    kinds: &[Kind<'_>],
    kind: usize,
    own: &[MetricId],
    first: bool,
    (ctes, names): (&mut Vec<Cte>, &mut Names),
) -> String {
    let Kind { subject, last, facts } = &kinds[kind];
    let columns = vec![None; plan.rules.metrics.len()];
    let mut step = Step { from: last, own, ctes, names, joins: Vec::new(), columns };
    facts.iter().for_each(|facts| facts.step(&mut step));
    groups(plan, kinds, *subject, &mut step);
    for &id in own {
        if let Some(sql) = computed(plan, id, last) {
            step.set(id, sql);
        }
    }
    let mut columns = if first { first_columns(plan, *subject, last) } else { all_columns(&step) };
    for id in own {
        let column = step.columns[id.0].take().unwrap_or_else(|| without_rows(plan, *id));
        columns.push((column.bare().to_owned(), plan.columns[id.0].clone()));
    }
    let from = std::iter::once(format!("FROM {last}")).chain(std::mem::take(&mut step.joins)).collect::<Vec<_>>();
    let query = select(&columns, &from.join("\n"));
    let wish = match kind {
        0 => "metrics".to_owned(),
        _ => format!("{}_metrics", plan.rules.config.subjects[subject.0].name),
    };
    step.query(&wish, query)
}

/// The key, and that of the group.
fn first_columns(plan: &Plan<'_>, subject: SubjectId, from: &str) -> Vec<(String, String)> {
    let mut columns = vec![(format!("{from}.key"), "key".to_owned())];
    if let Some(parent) = plan.parent(subject) {
        let attribute = &attributes(plan, subject).columns[parent.attribute];
        columns.push((format!("{from}.{attribute}"), group_column(plan, parent.subject)));
    }
    columns
}

/// All that the step before has.
fn all_columns(step: &Step<'_>) -> Vec<(String, String)> {
    let all = if step.joins.is_empty() { "*".to_owned() } else { format!("{}.*", step.from) };
    vec![(all.clone(), all)]
}

/// Look-ups and roll-ups of this step.
fn groups(plan: &Plan<'_>, kinds: &[Kind<'_>], subject: SubjectId, step: &mut Step<'_>) {
    let own: Vec<(MetricId, &MetricKind)> = step.own.iter().map(|id| (*id, &plan.rules.metrics[id.0].kind)).collect();
    for other in kinds {
        let looked_up = own.iter().filter_map(|(id, kind)| match kind {
            MetricKind::Lookup(of) if plan.rules.metrics[of.0].subject == other.subject => Some((*id, *of)),
            _ => None,
        });
        let looked_up: Vec<(MetricId, MetricId)> = looked_up.collect();
        look_up(plan, &looked_up, &other.last, &group_column(plan, other.subject), step);
        let rolled_up = own.iter().filter_map(|(id, kind)| match kind {
            MetricKind::Rollup(rollup) if rollup.members == other.subject => Some((*id, rollup)),
            _ => None,
        });
        let rolled_up: Vec<(MetricId, &Rollup)> = rolled_up.collect();
        let name_of = |subject: SubjectId| &plan.rules.config.subjects[subject.0].name;
        let wish = format!("{}_by_{}", name_of(other.subject), name_of(subject));
        roll_up(plan, &rolled_up, &other.last, &wish, step);
    }
}

/// A metric that comes from the row of the subject itself, in the query `from`; `None` for what has been joined.
fn computed(plan: &Plan<'_>, id: MetricId, from: &str) -> Option<Sql> {
    let metric = &plan.rules.metrics[id.0];
    match &metric.kind {
        MetricKind::Attribute(attribute) => {
            Some(Sql::whole(format!("{from}.{}", attributes(plan, metric.subject).columns[*attribute])))
        }
        MetricKind::Derived(expr) => {
            let scope = Scope { clock: plan.clock, columns: plan.columns.clone(), time: None };
            Some(scope.lower(expr))
        }
        MetricKind::Rank { of, descending, kind } => Some(rank(&plan.columns[of.0], *descending, *kind, from)),
        MetricKind::Standing { set, .. } => Some(Sql::whole(level::lower(plan, &plan.rules.tier_sets[set.0]))),
        MetricKind::Points { .. }
        | MetricKind::Aggregate(_)
        | MetricKind::Lookup(_)
        | MetricKind::Rollup(_)
        | MetricKind::Plugin(_) => None,
    }
}

/// A metric to which no table adds anything: points that nothing books.
fn without_rows(plan: &Plan<'_>, id: MetricId) -> Sql {
    match plan.rules.metrics[id.0].kind {
        MetricKind::Points { measure, .. } if measure != PointsMeasure::NextExpiry => Sql::integer(0),
        _ => Sql::whole("NULL"),
    }
}

/// The subjects with the attributes that are read.
fn subjects(plan: &Plan<'_>, id: SubjectId, name: &str, names: &mut Names) -> Vec<Cte> {
    let subject = &plan.rules.config.subjects[id.0];
    let scope = attributes(plan, id);
    let mut columns = vec![(key(&subject.key, subject.key_type).bare().to_owned(), "key".to_owned())];
    for attribute in plan.attributes(id) {
        let text = decode(&subject.attributes[attribute], plan.clock.zone(), Reach::ALL);
        columns.push((text.bare().to_owned(), scope.columns[attribute].clone()));
    }
    let rows = select(&columns, &format!("FROM {}", table(&subject.table)));
    filtered(name, &subject.name, rows, subject.filter.as_ref().map(|filter| scope.lower(filter)), names)
}

/// Decoded rows, and those of them that pass the filter of their table.
///
/// They are two queries, or SQLite would write the decoding of each column into the filter wherever it stands there.
pub(super) fn filtered(name: &str, plain: &str, rows: String, filter: Option<Sql>, names: &mut Names) -> Vec<Cte> {
    let Some(filter) = filter else {
        return vec![(name.to_owned(), rows)];
    };
    let all = super::text::name(&names.take(&format!("all_{plain}")));
    let passing = format!("SELECT *\nFROM {all}\nWHERE {}", indent(filter.bare(), 2));
    vec![(all, rows), (name.to_owned(), passing)]
}

/// The attributes as columns of the subjects.
fn attributes<'a>(plan: &Plan<'a>, subject: SubjectId) -> Scope<'a> {
    let subject = &plan.rules.config.subjects[subject.0];
    let mut names = Names::without(&["key"]);
    let columns = subject.attributes.iter().map(|a| name(&names.take(&a.name))).collect();
    Scope { clock: plan.clock, columns, time: None }
}

/// Subjects whose metric is NULL stand in a partition of their own, and get NULL.
fn rank(of: &str, descending: bool, kind: RankKind, from: &str) -> Sql {
    let down = if descending { " DESC" } else { "" };
    let ranked = format!("PARTITION BY {of} IS NULL");
    let ordered = format!("OVER ({ranked} ORDER BY {of}{down}, {from}.key)");
    let place = match kind {
        RankKind::Rank => format!("row_number() {ordered}"),
        RankKind::Ntile(buckets) => format!("ntile({buckets}) {ordered}"),
        // 100 * rank / ranked in millionths, half of the divisor added: both are positive.
        RankKind::Percentile => {
            let count = format!("count(*) OVER ({ranked})");
            format!("(200000000 * row_number() {ordered} + {count}) / (2 * {count})")
        }
    };
    Sql::whole(format!("CASE WHEN {of} IS NOT NULL THEN {place} END"))
}
