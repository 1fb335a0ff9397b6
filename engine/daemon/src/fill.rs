//! Making missed slots good: which runs that takes, and which slots it is too late for.
//!
//! A slot is made good by a run as of its time that decides what its schedule decides. What a run before it left (levels held, what
//! movement policies and rules remember) is as of that run, and can't be decided again for an earlier time. So only slots after the
//! last run of their schedule can be made good, in their order.

use std::collections::BTreeMap;

use tierd_ledger::{Gap, GapState, Reader};
use tierd_model::Timestamp;
use tierd_rules::RuleSet;

/// What making gaps good takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FillPlan {
    /// Runs, in the order in which they are to be made.
    pub runs: Vec<FillRun>,
    /// Slots that can't be made good.
    pub refused: Vec<Unfillable>,
}

/// One run for the schedules that missed a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillRun {
    /// The slot: its run is as of then.
    pub slot: Timestamp,
    /// The schedules, by name.
    pub schedules: Vec<String>,
}

/// Slots of a gap that can't be made good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfillable {
    /// The schedule.
    pub schedule: String,
    /// The first slot for which it is too late.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many of these had no run.
    pub slots: u64,
    /// Why not.
    pub why: WhyNot,
}

/// Why slots can't be made good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// A later run has decided what the schedule decides.
    #[error("a run as of {0} has decided the same, and what is held is as of then")]
    Overtaken(Timestamp),
    /// The rules have no such schedule.
    #[error("the rules have no such schedule any more")]
    NoSchedule,
    /// The schedule comes at other times than it did.
    #[error("the schedule has been changed, and comes at other times now")]
    Changed,
}

/// What making these gaps good takes. `decided` says, for a schedule, as of when the last run has decided what it decides.
///
/// # Errors
/// Those of `decided`.
pub fn plan<E>(
    rules: &RuleSet,
    gaps: &[Gap],
    decided: impl Fn(&str) -> Result<Option<Timestamp>, E>,
) -> Result<FillPlan, E> {
    let mut runs: BTreeMap<Timestamp, Vec<String>> = BTreeMap::new();
    let mut refused = Vec::new();
    for gap in gaps.iter().filter(|gap| !matches!(gap.state, GapState::Filled(_))) {
        let refuse = |first, last, slots, why| Unfillable { schedule: gap.schedule.clone(), first, last, slots, why };
        let slots = match slots(rules, gap) {
            Ok(slots) => slots,
            Err(why) => {
                refused.push(refuse(gap.first, gap.last, gap.slots, why));
                continue;
            }
        };
        let until = decided(&gap.schedule)?;
        let (late, open) = slots.split_at(slots.partition_point(|slot| Some(*slot) <= until));
        // Those among them that were made good before are no news.
        let unfilled = (late.len() as u64).saturating_sub(gap.filled);
        if let (Some(until), [first, ..], Some(last), 1..) = (until, late, late.last(), unfilled) {
            refused.push(refuse(*first, *last, unfilled, WhyNot::Overtaken(until)));
        }
        for slot in open {
            let schedules = runs.entry(*slot).or_default();
            if !schedules.contains(&gap.schedule) {
                schedules.push(gap.schedule.clone());
            }
        }
    }
    let runs = runs.into_iter().map(|(slot, schedules)| FillRun { slot, schedules }).collect();
    Ok(FillPlan { runs, refused })
}

/// What making the gaps of a ledger good takes, or those of one schedule.
///
/// # Errors
/// [`tierd_ledger::Error`].
pub fn read_plan(rules: &RuleSet, ledger: &Reader, schedule: Option<&str>) -> Result<FillPlan, tierd_ledger::Error> {
    plan(rules, &ledger.gaps(schedule)?, |name| ledger.decided_until(name))
}

/// The slots of a gap. The ledger has the first, the last and their number: if they don't fit, the schedule isn't what it was.
fn slots(rules: &RuleSet, gap: &Gap) -> Result<Vec<Timestamp>, WhyNot> {
    let schedule = rules.schedules.iter().find(|schedule| schedule.name == gap.schedule).ok_or(WhyNot::NoSchedule)?;
    let recurrence = schedule.recurrence.as_ref().ok_or(WhyNot::Changed)?;
    let next = |at: &Timestamp| recurrence.next_after(*at, &schedule.zone);
    let all = std::iter::successors(next(&Timestamp(gap.first.0 - 1)), next);
    let slots: Vec<Timestamp> = all.take_while(|slot| *slot <= gap.last).take(gap.slots as usize + 1).collect();
    let fits = slots.first() == Some(&gap.first) && slots.last() == Some(&gap.last) && slots.len() as u64 == gap.slots;
    if fits { Ok(slots) } else { Err(WhyNot::Changed) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tierd_ledger::{GapId, GapReason, RunId};
    use tierd_model::MICROS;
    use tierd_rules::{File, FileSet};

    use super::*;

    const CONFIG: &str = "time_zone = 'UTC'\n[database]\nsqlite = 'shop.db'\n[subject.customer]\ntable = 'customers'\nkey = 'id'\n\
        [schedule.ten]\nevery = '10 minutes'\n[schedule.twenty]\nevery = '20 minutes'\n";

    fn rules() -> RuleSet {
        let files = FileSet::new(vec![File { path: "tierd.toml".into(), text: CONFIG.into() }]);
        let report = tierd_rules::load(files);
        report.rules.unwrap_or_else(|| panic!("{:?}", report.diagnostics))
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp(minute * 60 * MICROS)
    }

    fn gap(schedule: &str, first: i64, last: i64, slots: u64) -> Gap {
        Gap {
            id: GapId(1),
            schedule: schedule.to_owned(),
            first: at(first),
            last: at(last),
            slots,
            filled: 0,
            reason: GapReason::Missed,
            noted: at(last),
            state: GapState::Open,
        }
    }

    fn planned(gaps: &[Gap], decided: Option<i64>) -> FillPlan {
        plan(&rules(), gaps, |_| Ok::<_, Infallible>(decided.map(at))).unwrap_or_else(|never| match never {})
    }

    fn run(minute: i64, schedules: &[&str]) -> FillRun {
        FillRun { slot: at(minute), schedules: schedules.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn slots_are_made_good_in_their_order_and_together() {
        let plan = planned(&[gap("twenty", 20, 40, 2), gap("ten", 20, 40, 3)], None);
        assert_eq!(plan.runs, [run(20, &["twenty", "ten"]), run(30, &["ten"]), run(40, &["twenty", "ten"])]);
        assert_eq!(plan.refused, []);
        let filled = Gap { state: GapState::Filled(RunId(1)), ..gap("ten", 20, 40, 3) };
        assert_eq!(planned(&[filled], None), FillPlan::default());
    }

    #[test]
    fn slots_before_the_last_run_are_refused() {
        let overtaken = |first, last, slots, until| Unfillable {
            schedule: "ten".to_owned(),
            first: at(first),
            last: at(last),
            slots,
            why: WhyNot::Overtaken(at(until)),
        };
        let plan = planned(&[gap("ten", 20, 40, 3)], Some(35));
        assert_eq!(plan, FillPlan { runs: vec![run(40, &["ten"])], refused: vec![overtaken(20, 30, 2, 35)] });
        // Two of them were made good before the filling was interrupted.
        let half = Gap { filled: 2, ..gap("ten", 20, 40, 3) };
        assert_eq!(
            planned(std::slice::from_ref(&half), Some(30)),
            FillPlan { runs: vec![run(40, &["ten"])], refused: vec![] }
        );
        assert_eq!(planned(&[half], Some(45)).refused, [overtaken(20, 40, 1, 45)]);
    }

    #[test]
    fn slots_of_a_schedule_that_is_not_what_it_was_are_refused() {
        let why = |gap| planned(&[gap], None).refused.first().map(|refused| refused.why);
        assert_eq!(why(gap("thirty", 30, 60, 2)), Some(WhyNot::NoSchedule));
        assert_eq!(why(gap("ten", 15, 30, 2)), Some(WhyNot::Changed));
        assert_eq!(why(gap("ten", 10, 40, 2)), Some(WhyNot::Changed));
        assert_eq!(why(gap("twenty", 20, 40, 3)), Some(WhyNot::Changed));
    }
}
