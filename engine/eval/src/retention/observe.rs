//! What a rule's trigger and condition say of subjects in this run.
//!
//! Trigger and `when` are one Kleene conjunction: where either is FALSE the other doesn't matter, and UNKNOWN opens and ends
//! nothing. A move is the exception, for it is an event and no state: its entry opens in the run that moved the level, if `when`
//! is TRUE then, and lasts till the next move, whatever `when` becomes; the rule acts in it only where `when` is TRUE.

<<<<<<< HEAD
use arrow_array::{Array, ArrayRef, BooleanArray, cast::AsArray, types};
use arrow_schema::DataType;
use tierd_model::{CalendarSpan, Clock, Date, Timestamp};
=======
use arrow_array::{Array, BooleanArray};
use tierd_model::{CalendarSpan, Clock, Date};
>>>>>>> packs
use tierd_rules::{
    Expr, RetentionRule, TierSet,
    retention::{Direction, Trigger},
};

use super::{Context, SetLevels, dates::Day};
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
    Date { day: Day, on: DaysOn },
    FollowUp { levels: SetLevels<'a>, set: &'a TierSet },
}

<<<<<<< HEAD
/// Where the date of a subject comes from.
enum Day {
    Column { column: ArrayRef, yearly: bool },
    Same(Date),
}

/// The days whose entry the run is in: from the first to the last, both inside. None if the last comes before the first.
#[derive(Debug, Clone, Copy)]
struct DaysOn {
    first: Date,
    last: Date,
}

=======
>>>>>>> packs
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
            Watch::Date { day, on } => match day.occurrence(subject, *on, clock) {
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
<<<<<<< HEAD
                let on = DaysOn::new(*from, *until, context.clock.today());
                Watch::Date { day: Day::new(context, *day, on), on }
=======
                let day = Day::new(context.metrics, context.clock, *day, *from);
                Watch::Date { day, from: *from, until: *until }
>>>>>>> packs
            }
        }
    }
}
<<<<<<< HEAD

impl Day {
    fn new(context: &Context<'_>, day: DateTrigger, on: DaysOn) -> Self {
        #[expect(clippy::expect_used, reason = "the rule's metrics are among the context's")]
        let column = |MetricId(metric): MetricId| {
            context.metrics.columns[metric].clone().expect("a metric that the trigger names")
        };
        match day {
            DateTrigger::On(metric) => Day::Column { column: column(metric), yearly: false },
            DateTrigger::Anniversary(metric) => Day::Column { column: column(metric), yearly: true },
            DateTrigger::Yearly(day) => Day::Same(day.on_or_before(on.last)),
        }
    }

    /// The day of a subject whose entry has begun last, if it hasn't ended yet.
    fn occurrence(&self, subject: usize, on: DaysOn, clock: &Clock) -> Option<Date> {
        let day = match self {
            Day::Same(day) => *day,
            Day::Column { column, yearly } => {
                let date = date_at(column, subject, clock)?;
                if *yearly { anniversary(date, on)? } else { date }
            }
        };
        on.holds(day).then_some(day)
    }
}

/// The anniversary of a date whose entry has begun last. The date itself is none.
fn anniversary(date: Date, on: DaysOn) -> Option<Date> {
    let years = (on.last.ymd().0 - date.ymd().0) as i32;
    let after = |years: i32| CalendarSpan::months(12 * years).add_to(date);
    let day = Some(after(years)).filter(|day| *day <= on.last).unwrap_or_else(|| after(years - 1));
    (day > date).then_some(day)
}

impl DaysOn {
    /// Those of an entry that lasts from `from` after a day until `until` after it.
    fn new(from: CalendarSpan, until: CalendarSpan, today: Date) -> Self {
        let first = first_day(|day| until.add_to(day) >= today, until, today);
        let after = first_day(|day| from.add_to(day) > today, from, today);
        DaysOn { first, last: Date(after.0 - 1) }
    }

    fn holds(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

/// The first day of which something is so that is so of all days after it, too, and that begins about the span before today.
fn first_day(is_so: impl Fn(Date) -> bool, span: CalendarSpan, today: Date) -> Date {
    // Further away than any calendar makes the span.
    let reach = 2 + 31 * span.months.abs() + span.days.abs();
    let (mut before, mut so) = (today.0 - reach, today.0 + reach);
    while so - before > 1 {
        let middle = before + (so - before) / 2;
        if is_so(Date(middle)) { so = middle } else { before = middle }
    }
    Date(so)
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
=======
>>>>>>> packs
