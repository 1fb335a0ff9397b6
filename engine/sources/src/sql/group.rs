//! Groups and their members: what a member looks up at its group, and what a group adds up over its members.

use tierd_rules::{MetricId, Rollup};

use super::{
    expr::Scope,
    grouped::{Grouped, or_empty, some_rows},
    metric::Step,
    plan::Plan,
    select,
    text::{Sql, name},
};

/// The column in which the metrics of members have the key of their group: the group's name.
pub(super) fn group_column(plan: &Plan<'_>, group: tierd_rules::SubjectId) -> String {
    name(&plan.rules.config.subjects[group.0].name)
}

/// The values of these metrics for each member's group, whose metrics are in `groups`.
pub(super) fn look_up(
    plan: &Plan<'_>,
    metrics: &[(MetricId, MetricId)],
    groups: &str,
    column: &str,
    step: &mut Step<'_>,
) {
    if metrics.is_empty() {
        return;
    }
    step.joins.push(format!("LEFT JOIN {groups} ON {groups}.key = {}.{column}", step.from));
    for (id, of) in metrics {
        step.set(*id, Sql::whole(format!("{groups}.{}", plan.columns[of.0])));
    }
}

/// Metrics of groups over the metrics of their members, which are in `members`.
pub(super) fn roll_up(
    plan: &Plan<'_>,
    rollups: &[(MetricId, &Rollup)],
    members: &str,
    wish: &str,
    step: &mut Step<'_>,
) {
    let Some((first, _)) = rollups.first() else { return };
    let group = group_column(plan, plan.rules.metrics[first.0].subject);
    let scope = Scope { clock: plan.clock, columns: plan.columns.clone(), time: None };
    let cte = name(&step.names.take(wish));
    let mut columns = vec![(group.clone(), group.clone())];
    for (id, rollup) in rollups {
        let argument = rollup.argument.as_ref().map(|argument| (scope.lower(argument), argument.ty));
        let rows = rollup.filter.iter().map(|filter| scope.lower(filter)).collect();
        let grouped = Grouped { function: rollup.function, argument, rows };
        let raw = grouped.columns(&cte, &plan.columns[id.0], &mut columns);
        let (empty, ty) = (rollup.empty.as_ref(), plan.rules.metrics[id.0].ty);
        step.set(*id, or_empty(some_rows(rollup.function, raw, empty, ty), empty, ty));
    }
    step.ctes.push((cte.clone(), select(&columns, &format!("FROM {members}\nGROUP BY {group}"))));
    step.join(&cte, &group, "");
}
