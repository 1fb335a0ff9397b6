//! Aggregators: a value per subject, of its facts.
//!
//! Subjects are put together into batches of at most so many facts. One that has more is a chain of batches, each of which goes on from the state
//! that the one before gave. Chains are independent of each other.

use std::ops::Range;

use arrow_array::ArrayRef;
use tierd_eval::plugin::SubjectFacts;
use tierd_model::Type;
use tierd_rules::plugin::PluginKind;

use super::{
    calling::{Calling, bytes_for, columns},
    work,
};
use crate::{
    columns::{check, joined},
    contract::{Aggregated, Facts},
    fault::{Fault, Reason},
};

/// Facts of a batch at most; as many subjects.
const FACTS: usize = 65_536;
/// Bytes of a carried state at most.
const CARRY_BYTES: usize = 1 << 20;

/// Subjects whose facts fit a batch, or one whose facts don't.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chain {
    subjects: Range<usize>,
    facts: Range<usize>,
}

/// The values of all subjects.
pub(super) fn aggregate(calling: &Calling<'_>, facts: &SubjectFacts) -> Result<ArrayRef, Fault> {
    let ty = output(calling, facts)?;
    let chains = chains(&facts.rows_of, FACTS);
    let pieces = work::in_order(chains.len(), |at| chain(calling, facts, &chains[at], ty, FACTS))?;
    joined(&pieces, ty).map_err(Fault::output)
}

/// All subjects in one batch, and the last of them again fact by fact, carried on.
pub(super) fn self_test(calling: &Calling<'_>, facts: &SubjectFacts) -> Result<(), Fault> {
    let ty = output(calling, facts)?;
    let subjects = facts.rows_of.len();
    let all = Chain { subjects: 0..subjects, facts: 0..facts.times.len() };
    chain(calling, facts, &all, ty, FACTS)?;
    if let Some(&last) = facts.rows_of.last() {
        let facts_of = facts.times.len() - last as usize..facts.times.len();
        chain(calling, facts, &Chain { subjects: subjects - 1..subjects, facts: facts_of }, ty, 1)?;
    }
    Ok(())
}

/// The type of the values, where the facts are what they are said to be.
fn output(calling: &Calling<'_>, facts: &SubjectFacts) -> Result<Type, Fault> {
    let rows: u64 = facts.rows_of.iter().map(|rows| u64::from(*rows)).sum();
    if calling.kind() != PluginKind::Aggregator {
        return Err(Fault::new(Reason::Missing, format!("a {} takes no facts", calling.kind().name())));
    }
    if rows != facts.times.len() as u64 {
        return Err(Fault::new(Reason::Refused, "was to be given facts of which nobody knows whose they are"));
    }
    calling.check_inputs(&facts.inputs, facts.times.len())?;
    calling.output()
}

/// Subjects in order, put together so far as their facts fit.
fn chains(rows_of: &[u32], most: usize) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut end = 0;
    for (subject, &rows) in rows_of.iter().enumerate() {
        let begin = end;
        end += rows as usize;
        match chains.last_mut() {
            Some(last) if end - last.facts.start <= most && last.subjects.len() < most => {
                last.subjects.end = subject + 1;
                last.facts.end = end;
            }
            _ => chains.push(Chain { subjects: subject..subject + 1, facts: begin..end }),
        }
    }
    chains
}

/// The values of a chain's subjects, at most so many facts at a time.
fn chain(calling: &Calling<'_>, facts: &SubjectFacts, chain: &Chain, ty: Type, most: usize) -> Result<ArrayRef, Fault> {
    let Chain { subjects, facts: rows } = chain;
    if subjects.len() != 1 || rows.len() <= most {
        let given = batch(calling, facts, &facts.rows_of[subjects.clone()], rows.clone(), &[], false)?;
        return check(given.values, ty, subjects.len());
    }
    let mut carried = Vec::new();
    let mut from = rows.start;
    loop {
        let to = rows.end.min(from + most);
        let more = to < rows.end;
        // At most `FACTS`.
        let given = batch(calling, facts, &[(to - from) as u32], from..to, &carried, more)?;
        if !more {
            return check(given.values, ty, 1);
        }
        (carried, from) = (given.carry, to);
    }
}

fn batch(
    calling: &Calling<'_>,
    facts: &SubjectFacts,
    rows_of: &[u32],
    rows: Range<usize>,
    carried: &[u8],
    more: bool,
) -> Result<Aggregated, Fault> {
    let held = calling.hold(&facts.inputs, rows.start, rows.len())?;
    let given = calling.fresh(|sandbox| {
        let inputs = columns(&held);
        let facts = Facts { rows_of, times: &facts.times[rows], inputs: &inputs };
        let bytes = bytes_for(rows_of.len()) + CARRY_BYTES;
        sandbox.ask(bytes, |instance, store| instance.aggregate(store, calling.call(), carried, facts, more))
    })?;
    match given.carry.len() {
        bytes if bytes > CARRY_BYTES => {
            Err(Fault::output(format!("carries {bytes} bytes on, more than {CARRY_BYTES}")))
        }
        bytes if bytes > 0 && !more => Err(Fault::output("carries a state on where nothing goes on")),
        _ => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_put_together_so_far_as_their_facts_fit() {
        let chain = |subjects, facts| Chain { subjects, facts };
        assert_eq!(chains(&[], 10), []);
        assert_eq!(chains(&[0, 0], 10), [chain(0..2, 0..0)]);
        assert_eq!(chains(&[4, 6, 1], 10), [chain(0..2, 0..10), chain(2..3, 10..11)]);
        assert_eq!(chains(&[25, 1], 10), [chain(0..1, 0..25), chain(1..2, 25..26)]);
        assert_eq!(chains(&[1, 25, 0, 3], 10), [chain(0..1, 0..1), chain(1..2, 1..26), chain(2..4, 26..29)]);
    }
}
