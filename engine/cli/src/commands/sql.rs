use std::path::Path;

use tierd_rules::{MetricId, RuleSet, SubjectId};
use tierd_sources::sql::{metric_query, tier_set_query};

use crate::{
    args::SqlArgs,
    exit::{Code, Failure},
    output::Output,
    session::Session,
};

/// Prints a metric or a tier set as SQL for the company's own database.
pub(crate) fn sql(args: &SqlArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let clock = session.clock(args.as_of.as_deref())?;
    let rules = &session.rules;
    let query = match (rules.tier_set(&args.rule), metric(rules, &args.rule)) {
        (Some(set), _) => tier_set_query(rules, set, &clock),
        (None, Some(metric)) => metric_query(rules, metric, &clock),
        (None, None) => return Err(Failure::new(Code::Failed, unknown_rule(&session, &args.rule))),
    };
    let query = query.map_err(|reason| {
        let message = format!("{} can't be written as SQL: {reason}", args.rule);
        Failure::new(Code::Failed, message)
    })?;
    output.line(query.trim_end())
}

/// The metric of this name; where subjects share it, `SUBJECT.NAME` says whose.
fn metric(rules: &RuleSet, name: &str) -> Option<MetricId> {
    let of_subject = || {
        let (subject, name) = name.split_once('.')?;
        let subject = rules.config.subjects.iter().position(|known| known.name == subject)?;
        rules.metric_of(SubjectId(subject), name)
    };
    of_subject().or_else(|| rules.metric(name)).map(|(id, _)| id)
}

fn unknown_rule(session: &Session, name: &str) -> String {
    let sets = session.rules.tier_sets.iter().map(|set| set.name.as_str());
    let metrics = session.rules.metrics.iter().filter(|metric| !metric.implicit).map(|metric| metric.name.as_str());
    format!("no tier set or metric `{name}`; there is: {}", sets.chain(metrics).collect::<Vec<_>>().join(", "))
}
