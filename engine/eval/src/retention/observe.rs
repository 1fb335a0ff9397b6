//! What a rule's trigger and condition say of subjects in this run.
//!
//! Trigger and `when` are one Kleene conjunction: where either is FALSE the other doesn't matter, and UNKNOWN opens and ends
//! nothing. A move is the exception, for it is an event and no state: its entry opens in the run that moved the level, if `when`
//! is TRUE then, and lasts till the next move, whatever `when` becomes; the rule acts in it only where `when` is TRUE.

use std::ops::RangeInclusive;

use arrow_array::{Array, ArrayRef, BooleanArray, cast::AsArray, types};
use arrow_schema::DataType;
use tierd_model::{CalendarSpan, Clock, Date, Timestamp};
use tierd_rules::{
    Expr, MetricId, RetentionRule, TierSet,
    retention::{DateTrigger, Direction, Trigger},
};

use super::{Context, SetLevels};
use crate::{
    derive::Metrics,
    expr::{slice, truth},
    history::RuleState,
    levels::NONE,
};

/// What is so for a subject in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Signal {
    /// The entry ends, if there is one.
    pub(super) closes: bool,
    /// A new entry opens, if there is none (any more).
    pub(super) opens: bool,
    /// The rule may act in the entry.
    pub(super) ready: bool,
    /// It can't be told.
    pub(super) unknown: bool,
    /// The date whose days the run is in.
    pub(super) occurrence: Option<Date>,
}

/// A rule's trigger and condition over all subjects.
pub(super) struct Observer<'a> {
    metrics: &'a Metrics,
    clock: &'a Clock,
    when: Option<&'a Expr>,
    columns: Vec<usize>,
    watch: Watch<'a>,
}

/// A trigger with what it looks at.
enum Watch<'a> {
    State,
    Moved { levels: SetLevels<'a>, direction: Direction, from: &'a [u16], to: &'a [u16] },
    Date { day: Day, from: CalendarSpan, until: CalendarSpan },
    FollowUp { levels: SetLevels<'a>, set: &'a TierSet },
}

/// Where the date of a subject comes from.
enum Day {
    Column { column: ArrayRef, yearly: bool },
    Same(Option<Date>),
}

impl<'a> Observer<'a> {
    pub(super) fn new(context: &Context<'a>, rule: &'a RetentionRule) -> Self {
        let when = rule.when.as_ref();
        let columns = when.map_or(Vec::new(), Expr::columns);
        let Context { metrics, clock, .. } = *context;
        Observer { metrics, clock, when, columns, watch: Watch::new(context, &rule.trigger) }
    }

    /// Evaluates the condition for some subjects.
    pub(super) fn chunk(&self, first: usize, rows: usize) -> Chunk<'_, 'a> {
        let verdicts = self.when.map(|when| {
            let columns = slice(&self.metrics.columns, &self.columns, first, rows);
            truth(when, &columns, rows, self.clock)
        });
        Chunk { observer: self, first, verdicts }
    }
}

/// Some thousand subjects, their conditions evaluated.
pub(super) struct Chunk<'o, 'a> {
    observer: &'o Observer<'a>,
    first: usize,
    /// `None` for a rule without condition.
    verdicts: Option<BooleanArray>,
}

impl Chunk<'_, '_> {
    /// What is so for the subject in this row, of which the rule remembers this.
    pub(super) fn signal(&self, row: usize, state: &RuleState) -> Signal {
        let when = match &self.verdicts {
            None => Some(true),
            Some(verdicts) => verdicts.is_valid(row).then(|| verdicts.value(row)),
        };
        let subject = self.first + row;
        let clock = self.observer.clock;
        match &self.observer.watch {
            Watch::State => while_true(when),
            Watch::Moved { levels, direction, from, to } => {
                let (was, now) = (levels.was[subject].level, levels.now[subject]);
                moved(was != now, is_move(was, now, *direction, from, to), when, state.entered.is_some())
            }
            Watch::Date { day, from, until } => match day.occurrence(subject, *from, *until, clock) {
                None => while_true(Some(false)),
                Some(day) => {
                    let signal = while_true(when);
                    let other_day = state.acted && state.occurrence != Some(day);
                    Signal { closes: signal.closes || signal.opens && other_day, occurrence: Some(day), ..signal }
                }
            },
            Watch::FollowUp { levels, set } => {
                let due = is_due(set, levels, subject, state, clock);
                let signal = while_true(if due { when } else { Some(false) });
                // An action ends its entry: the next one begins a span later.
                Signal { closes: signal.closes || signal.opens && state.acted, ..signal }
            }
        }
    }
}

/// An entry for as long as something is TRUE.
fn while_true(verdict: Option<bool>) -> Signal {
    let is = |truth| verdict == Some(truth);
    Signal { closes: is(false), opens: is(true), ready: is(true), unknown: verdict.is_none(), occurrence: None }
}

/// An entry from one move to the next.
fn moved(any: bool, matching: bool, when: Option<bool>, entered: bool) -> Signal {
    let ready = when == Some(true);
    let concerned = matching || entered && !any;
    Signal { closes: any, opens: matching && ready, ready, unknown: concerned && when.is_none(), occurrence: None }
}

fn is_move(was: u16, now: u16, direction: Direction, from: &[u16], to: &[u16]) -> bool {
    // No level is below the lowest: one more than `NONE` is 0.
    let (below, above) = (was.wrapping_add(1), now.wrapping_add(1));
    let this_way = match direction {
        Direction::Up => below < above,
        Direction::Down => below > above,
        Direction::Any => below != above,
    };
    let named = |list: &[u16], level| list.is_empty() || list.contains(&level);
    was != NONE && this_way && named(from, was) && named(to, now)
}

/// Whether the follow-up of a subject's level is due.
fn is_due(set: &TierSet, levels: &SetLevels<'_>, subject: usize, state: &RuleState, clock: &Clock) -> bool {
    let (was, now) = (&levels.was[subject], levels.now[subject]);
    let Some(every) = set.levels.get(usize::from(now)).and_then(|level| level.follow_up) else { return false };
    let taken = if was.level == now { was.since } else { clock.as_of() };
    let from = state.last_acted.unwrap_or(taken);
    every.add_to(clock.zone().date_of(from)) <= clock.today()
}

impl<'a> Watch<'a> {
    fn new(context: &Context<'a>, trigger: &'a Trigger) -> Self {
        match trigger {
            Trigger::State => Watch::State,
            Trigger::Moved { set, direction, from, to } => {
                Watch::Moved { levels: (context.sets)(*set), direction: *direction, from, to }
            }
            Trigger::FollowUp(set) => {
                Watch::FollowUp { levels: (context.sets)(*set), set: &context.rules.tier_sets[set.0] }
            }
            Trigger::Date { day, from, until } => {
                Watch::Date { day: Day::new(context, *day, *from), from: *from, until: *until }
            }
        }
    }
}

impl Day {
    fn new(context: &Context<'_>, day: DateTrigger, from: CalendarSpan) -> Self {
        #[expect(clippy::expect_used, reason = "the rule's metrics are among the context's")]
        let column = |MetricId(metric): MetricId| {
            context.metrics.columns[metric].clone().expect("a metric that the trigger names")
        };
        match day {
            DateTrigger::On(metric) => Day::Column { column: column(metric), yearly: false },
            DateTrigger::Anniversary(metric) => Day::Column { column: column(metric), yearly: true },
            DateTrigger::Yearly(day) => {
                let today = context.clock.today();
                let in_year = |year: i32| day.in_year(i64::from(year));
                Day::Same(last_begun(i32::MIN..=years_after(today, 0, from), in_year, from, today))
            }
        }
    }

    /// The day of a subject whose entry has begun last, if it hasn't ended yet.
    fn occurrence(&self, subject: usize, from: CalendarSpan, until: CalendarSpan, clock: &Clock) -> Option<Date> {
        let today = clock.today();
        let day = match self {
            Day::Same(day) => *day,
            Day::Column { column, yearly } => {
                let date = date_at(column, subject, clock)?;
                if *yearly {
                    let years = 1..=years_after(today, date.ymd().0 as i32, from);
                    last_begun(years, |n| CalendarSpan::months(12 * n).add_to(date), from, today)
                } else {
                    Some(date).filter(|date| from.add_to(*date) <= today)
                }
            }
        };
        day.filter(|day| today <= until.add_to(*day))
    }
}

/// At least as many years as can lie between `year` and a day whose entry has begun.
fn years_after(today: Date, year: i32, from: CalendarSpan) -> i32 {
    today.ymd().0 as i32 - year - from.months.div_euclid(12) - from.days.div_euclid(365) + 2
}

/// The last of these days, one for each year, whose entry has begun.
fn last_begun(years: RangeInclusive<i32>, day: impl Fn(i32) -> Date, from: CalendarSpan, today: Date) -> Option<Date> {
    years.rev().map(day).find(|day| from.add_to(*day) <= today)
}

/// A date, or the local day of a time.
fn date_at(column: &ArrayRef, row: usize, clock: &Clock) -> Option<Date> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Date32 => Date(column.as_primitive::<types::Date32Type>().value(row)),
        _ => {
            let time = column.as_primitive::<types::TimestampMicrosecondType>().value(row);
            clock.zone().date_of(Timestamp(time))
        }
    })
}
