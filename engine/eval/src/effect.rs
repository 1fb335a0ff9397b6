//! Whether a retention rule works: how many of those it acted on came back, beside how many of those it held out.
//!
//! A subject counts once, from the first time that the rule acted on it or held it out; what came later depends on what the
//! first time did, and would no longer compare like with like. It counts when its time to come back is over. Until then it is
//! open, so that the two groups are always watched for equally long.
//!
//! The interval is method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions",
//! Statistics in Medicine 17 (1998) 873–890: Wilson's intervals of the two rates, combined. It stays between −1 and 1 and is
//! meaningful where nobody or everybody came back. This is the one place besides `real` columns that calculates in floating
//! point; it only adds, multiplies, divides and takes roots, so that it gives the same bits everywhere.
//!
//! Deliberately absent: who these subjects are, and reading what they did.

#[cfg(test)]
mod tests;

use tierd_model::{CalendarSpan, Clock, Timestamp, Zone};

use crate::scan::FactTime;

/// The normal distribution has 95 % within so many standard deviations of its mean.
const Z: f64 = 1.959_963_984_540_054;

/// The first time that a rule would act on a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstAction {
    /// `as_of` of the run.
    pub at: Timestamp,
    /// Whether the subject was held out, so that nothing happened.
    pub held_out: bool,
}

/// Subjects that were treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// Those whose time to come back is over.
    pub subjects: u64,
    /// Of those, how many came back.
    pub came_back: u64,
    /// Those whose time isn't over yet, and who don't count therefore.
    pub open: u64,
}

/// What became of the subjects of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// On whom it acted.
    pub treated: Group,
    /// On whom it would have acted.
    pub held_out: Group,
}

/// A share with what it may be in truth, 95 times in 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// As observed.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What became of these subjects. `goals` are facts of the rule's goal after the first action, in any order; their subjects are
/// indices into `first`.
///
/// A subject came back if it has a fact strictly after its action and no later than on the last day of its time, which is
/// `within` after the local day of the action. Facts later than the clock's `as_of` must not be among them.
///
/// # Panics
/// If a fact is of a subject that isn't there.
pub fn effect(first: &[FirstAction], goals: &[FactTime], within: CalendarSpan, clock: &Clock) -> Effect {
    let ends: Vec<Timestamp> = first.iter().map(|action| end(action.at, within, clock.zone())).collect();
    let mut came_back = vec![false; first.len()];
    for FactTime { subject, at } in goals {
        let subject = *subject as usize;
        came_back[subject] |= first[subject].at < *at && *at < ends[subject];
    }
    let mut effect = Effect::default();
    for ((action, end), came_back) in first.iter().zip(ends).zip(came_back) {
        let group = if action.held_out { &mut effect.held_out } else { &mut effect.treated };
        if end > clock.as_of() {
            group.open += 1;
        } else {
            group.subjects += 1;
            group.came_back += u64::from(came_back);
        }
    }
    effect
}

/// The first moment that is too late.
fn end(action: Timestamp, within: CalendarSpan, zone: &Zone) -> Timestamp {
    let last = within.add_to(zone.date_of(action));
    zone.midnight(CalendarSpan::days(1).add_to(last))
}

impl Effect {
    /// How much larger the share of those who came back is among the treated; `None` while one of the groups is empty.
    pub fn difference(&self) -> Option<Estimate> {
        Some(newcombe(self.treated.rate()?, self.held_out.rate()?))
    }
}

impl Group {
    /// The share of those who came back, with Wilson's interval; `None` of nobody.
    pub fn rate(&self) -> Option<Estimate> {
        (self.subjects > 0).then(|| wilson(self.came_back as f64, self.subjects as f64))
    }
}

impl Estimate {
    /// Whether there may be no difference at all.
    pub fn contains_zero(&self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }
}

/// Wilson's score interval of `hits` among `n`. Its ends are exact where nobody or everybody is hit.
fn wilson(hits: f64, n: f64) -> Estimate {
    let value = hits / n;
    let middle = 2.0 * hits + Z * Z;
    let half = Z * (Z * Z + 4.0 * hits * (n - hits) / n).sqrt();
    let whole = 2.0 * (n + Z * Z);
    let low = if hits == 0.0 { 0.0 } else { (middle - half) / whole };
    let high = if hits == n { 1.0 } else { (middle + half) / whole };
    Estimate { value, low: low.min(value), high: high.max(value) }
}

/// Newcombe's method 10: the difference of two independent shares, from their intervals.
fn newcombe(a: Estimate, b: Estimate) -> Estimate {
    let root = |x: f64, y: f64| (x * x + y * y).sqrt();
    let value = a.value - b.value;
    let low = value - root(a.value - a.low, b.high - b.value);
    let high = value + root(a.high - a.value, b.value - b.low);
    Estimate { value, low: low.max(-1.0), high: high.min(1.0) }
}
