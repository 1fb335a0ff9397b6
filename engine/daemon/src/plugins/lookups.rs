//! Tables that plugins look things up in, read on the same snapshot as everything else.
//!
//! A table to look things up in is like a table of subjects: a key and columns. So it is read as one that no rule is about.

use std::{borrow::Cow, sync::Arc};

use arrow_array::StringArray;
use tierd_host::{LookupData, LookupProblem};
use tierd_rules::{Lookup, Metric, MetricKind, RuleSet, Subject, SubjectId};
use tierd_sources::SourceData;

/// The rules as they are read by: with a kind of subject, and an attribute for each column, for every table that some plugin is granted.
/// Returns these kinds besides, by index into [`tierd_rules::Config::lookups`].
pub(crate) fn read_by(rules: &RuleSet) -> (Cow<'_, RuleSet>, Vec<(usize, SubjectId)>) {
    let mut granted: Vec<usize> = rules.plugins.iter().flat_map(|plugin| plugin.grants.lookups.clone()).collect();
    granted.sort_unstable();
    granted.dedup();
    if granted.is_empty() {
        return (Cow::Borrowed(rules), Vec::new());
    }
    let (mut with, mut kinds) = (rules.clone(), Vec::new());
    for index in granted {
        let lookup = &rules.config.lookups[index];
        let subject = SubjectId(with.config.subjects.len());
        with.config.subjects.push(as_subject(lookup));
        with.metrics.extend(attributes(lookup, subject));
        kinds.push((index, subject));
    }
    (Cow::Owned(with), kinds)
}

fn as_subject(lookup: &Lookup) -> Subject {
    Subject {
        name: lookup.name.clone(),
        table: lookup.table.clone(),
        key: lookup.key.clone(),
        key_type: lookup.key_type,
        filter: None,
        attributes: lookup.columns.clone(),
        parent: None,
        at: lookup.at.clone(),
    }
}

fn attributes(lookup: &Lookup, subject: SubjectId) -> impl Iterator<Item = Metric> {
    lookup.columns.iter().enumerate().map(move |(index, column)| Metric {
        name: column.name.clone(),
        title: None,
        subject,
        ty: column.ty,
        kind: MetricKind::Attribute(index),
        implicit: true,
        personal: column.personal,
        pass: 0,
        scorecard: Vec::new(),
        allow: Vec::new(),
        at: column.at.clone(),
    })
}

/// Takes what was read of `kinds` out of `sources`: the tables by index into [`tierd_rules::Config::lookups`], `None` for those that nobody
/// is granted.
///
/// # Errors
/// [`LookupProblem`], where a key is there twice.
pub(crate) fn take(
    rules: &RuleSet,
    kinds: &[(usize, SubjectId)],
    sources: &mut Vec<SourceData>,
) -> Result<Vec<Option<Arc<LookupData>>>, LookupProblem> {
    let mut tables = vec![None; rules.config.lookups.len()];
    for &(index, subject) in kinds {
        let Some(place) = sources.iter().position(|source| source.subject == subject) else { continue };
        let mut source = sources.remove(place);
        let given = source.take_given();
        let keys = StringArray::from_iter_values((0..given.subjects).map(|row| (given.key)(row).to_string()));
        let lookup = &rules.config.lookups[index];
        // Attributes stand among the metrics in the order of the columns.
        let columns = lookup.columns.iter().zip(given.columns.into_iter().flatten());
        let columns = columns.map(|(column, values)| (column.name.clone(), column.ty, values)).collect();
        tables[index] = Some(Arc::new(LookupData::new(lookup.name.clone(), &keys, columns)?));
    }
    Ok(tables)
}
