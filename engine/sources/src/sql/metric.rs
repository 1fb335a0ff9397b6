//! Metrics in steps: what tables give first, then what is computed from other metrics, over all subjects at once for ranks.

use tierd_rules::{MetricId, MetricKind, RankKind};

use super::{
    Cte,
    aggregate::FactsSql,
    decode::{decode, key},
    expr::Scope,
    plan::{Plan, references},
    select, table,
    text::{Names, Sql, indent, name},
    zone::Reach,
};

/// All queries up to the metrics asked for, and the name of the last one.
pub(super) fn ctes(plan: &Plan<'_>) -> (Vec<Cte>, String) {
    let mut names = Names::default();
    let subject = name(&names.take(&plan.rules.config.subjects[plan.subject.0].name));
    let mut ctes = subjects(plan, &subject, &mut names);
    let mut columns: Vec<Sql> = attribute_columns(plan, &subject);
    let mut joins = vec![format!("FROM {subject}")];
    for id in plan.facts() {
        let facts = FactsSql::new(plan, id, &mut names);
        ctes.extend(facts.ctes(&mut names, &mut columns, &mut joins));
    }
    let steps = steps(plan);
    let mut last = name(&names.take("metrics"));
    let first: Vec<(String, String)> = std::iter::once((format!("{subject}.key"), "key".to_owned()))
        .chain(steps[0].iter().map(|id| (columns[id.0].bare().to_owned(), plan.columns[id.0].clone())))
        .collect();
    ctes.push((last.clone(), select(&first, &joins.join("\n"))));
    for step in &steps[1..] {
        let mut columns = vec![("*".to_owned(), "*".to_owned())];
        columns.extend(step.iter().map(|id| (computed(plan, *id).bare().to_owned(), plan.columns[id.0].clone())));
        let body = select(&columns, &format!("FROM {last}"));
        last = name(&names.take("metrics"));
        ctes.push((last.clone(), body));
    }
    (ctes, last)
}

/// The subjects with the attributes that are read.
fn subjects(plan: &Plan<'_>, name: &str, names: &mut Names) -> Vec<Cte> {
    let subject = &plan.rules.config.subjects[plan.subject.0];
    let scope = attributes(plan);
    let mut columns = vec![(key(&subject.key, subject.key_type).bare().to_owned(), "key".to_owned())];
    for attribute in plan.attributes() {
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
fn attributes<'a>(plan: &Plan<'a>) -> Scope<'a> {
    let subject = &plan.rules.config.subjects[plan.subject.0];
    let mut names = Names::without(&["key"]);
    let columns = subject.attributes.iter().map(|a| name(&names.take(&a.name))).collect();
    Scope { clock: plan.clock, columns, time: None }
}

/// What each metric is in the first step; NULL for those that have no place there.
fn attribute_columns(plan: &Plan<'_>, subject: &str) -> Vec<Sql> {
    let scope = attributes(plan);
    let column = |kind: &MetricKind| match kind {
        MetricKind::Attribute(attribute) => Sql::whole(format!("{subject}.{}", scope.columns[*attribute])),
        _ => Sql::whole("NULL"),
    };
    let own = |id: usize| plan.metrics.contains(&MetricId(id));
    plan.rules
        .metrics
        .iter()
        .enumerate()
        .map(|(id, m)| if own(id) { column(&m.kind) } else { Sql::whole("NULL") })
        .collect()
}

/// The metrics by step: each step reads only earlier ones.
fn steps(plan: &Plan<'_>) -> Vec<Vec<MetricId>> {
    let mut step_of = vec![0; plan.rules.metrics.len()];
    let mut steps = vec![Vec::new()];
    for id in &plan.metrics {
        let step = references(plan.rules, *id).iter().map(|r| step_of[r.0] + 1).max();
        // A derived metric of constants has no references, and no place in the first step.
        let computed = matches!(plan.rules.metrics[id.0].kind, MetricKind::Derived(_));
        let step = step.unwrap_or(usize::from(computed));
        step_of[id.0] = step;
        if steps.len() <= step {
            steps.resize(step + 1, Vec::new());
        }
        steps[step].push(*id);
    }
    steps
}

/// A derived metric or a rank, over the columns of the step before.
fn computed(plan: &Plan<'_>, id: MetricId) -> Sql {
    match &plan.rules.metrics[id.0].kind {
        MetricKind::Derived(expr) => Scope { clock: plan.clock, columns: plan.columns.clone(), time: None }.lower(expr),
        MetricKind::Rank { of, descending, kind } => rank(&plan.columns[of.0], *descending, *kind),
        _ => Sql::whole("NULL"),
    }
}

/// Subjects whose metric is NULL stand in a partition of their own, and get NULL.
fn rank(of: &str, descending: bool, kind: RankKind) -> Sql {
    let down = if descending { " DESC" } else { "" };
    let ranked = format!("PARTITION BY {of} IS NULL");
    let ordered = format!("OVER ({ranked} ORDER BY {of}{down}, key)");
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
