//! Guards: whether a run changes more than the rules let it change without a person.
//!
//! A guard looks at an outcome that is complete, and at what only the maker of the run knows: how many rows each table has, how
//! many it had, how old they are ([`Seen`]). So it costs nothing where no rule has one, and a run that breaks it can be shown as a
//! whole before anybody decides: [`moves`] says who would move where, [`proposal`] which threshold would
//! bring a level back to the share that it may have.
//!
//! Of the tables, only those count that the guarded set or rule is decided by (`reads`): a table that came up half empty must not
//! stop what never looks at it.
//!
//! Deliberately absent: what becomes of a run that breaks a guard. It is applied or held by others.

pub mod moves;
pub mod proposal;
mod reads;
#[cfg(test)]
mod tests;
mod words;

use tierd_model::{Clock, Timestamp};
use tierd_rules::{
    FactsId, Guard, GuardExceed, RuleId, RuleSet, SubjectId, TierSetId,
    retention::{Exceed, Mode},
};

use crate::{
    evaluate::{Outcome, SetOutcome},
    levels::NONE,
    retention::RuleOutcome,
};
use words::{Words, amount, share};

/// A table of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// That of a kind of subject.
    Subject(SubjectId),
    /// That of facts.
    Facts(FactsId),
}

impl Table {
    /// As rules call it: the name of the subject or of the facts.
    pub fn name(self, rules: &RuleSet) -> &str {
        match self {
            Table::Subject(subject) => &rules.config.subjects[subject.0].name,
            Table::Facts(facts) => &rules.config.facts[facts.0].name,
        }
    }
}

/// What has a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarded {
    /// A tier set.
    Set(TierSetId),
    /// A retention rule.
    Rule(RuleId),
}

impl Guarded {
    /// As the rules have it: `tiers.value`, `retention.win_back`.
    pub fn name(self, rules: &RuleSet) -> String {
        match self {
            Guarded::Set(set) => format!("tiers.{}", rules.tier_sets[set.0].name),
            Guarded::Rule(rule) => format!("retention.{}", rules.retention[rule.0].name),
        }
    }
}

/// What only the maker of a run knows.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Every table that was read.
    pub tables: &'a [SeenTable],
    /// How many rows a table had in the last applied run that decided this set or rule; `None` where there was none, or where it
    /// didn't read the table.
    pub rows_before: &'a dyn Fn(Guarded, Table) -> Option<u64>,
    /// The run's time.
    pub clock: &'a Clock,
}

/// What was read of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenTable {
    /// Which.
    pub table: Table,
    /// Rows.
    pub rows: u64,
    /// Those of them that hold a value which doesn't fit its declared type.
    pub bad_rows: u64,
    /// Time of the newest fact up to `as_of`; `None` for subjects, and where there is no fact.
    pub newest: Option<Timestamp>,
}

/// Which guard is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// `moved`
    Moved,
    /// `fallen`
    Fallen,
    /// `share` of this level (its index).
    Share(u16),
    /// `acted`
    Acted,
    /// The `limit` of a rule, with `exceed = "hold"`.
    Limit,
    /// `shrunk`
    Shrunk(Table),
    /// `stale`
    Stale(Table),
    /// `bad_rows`
    BadRows(Table),
}

impl Which {
    /// Its key in the rules.
    pub fn name(self) -> &'static str {
        match self {
            Which::Moved => "moved",
            Which::Fallen => "fallen",
            Which::Share(_) => "share",
            Which::Acted => "acted",
            Which::Limit => "limit",
            Which::Shrunk(_) => "shrunk",
            Which::Stale(_) => "stale",
            Which::BadRows(_) => "bad_rows",
        }
    }
}

/// A guard that a run breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Whose.
    pub of: Guarded,
    /// Which one.
    pub which: Which,
    /// What it allows, as the rules have it: `10%`.
    pub allowed: String,
    /// What was found instead: `241 of 1000 (24.1 %)`.
    pub found: String,
    /// Both in a sentence.
    pub message: String,
    /// What that does to the run.
    pub exceed: GuardExceed,
}

impl Violation {
    /// Whether the run has to wait for a person.
    pub fn holds(&self) -> bool {
        self.exceed == GuardExceed::Hold
    }
}

/// Every guard that is broken by an outcome, of sets and rules that are due: sets first, each in the order of the rules.
///
/// What a rule that is only watched would do changes nothing, so that its `acted` and `limit` never hold a run: they warn.
pub fn check(rules: &RuleSet, outcome: &Outcome, seen: &Seen<'_>) -> Vec<Violation> {
    let mut out = Vec::new();
    for of in outcome.sets_due() {
        if let Some(guard) = &rules.tier_sets[of.set.0].guard {
            let mut found =
                Findings { words: Words::new(rules, Guarded::Set(of.set)), exceed: guard.exceed, out: &mut out };
            found.of_set(rules, guard, of);
            found.of_data(rules, outcome, guard, seen);
        }
    }
    for of in outcome.rules_due() {
        found_of_rule(rules, outcome, of, seen, &mut out);
    }
    out
}

fn found_of_rule(rules: &RuleSet, outcome: &Outcome, of: &RuleOutcome, seen: &Seen<'_>, out: &mut Vec<Violation>) {
    let rule = &rules.retention[of.rule.0];
    let watched = rule.mode == Mode::Shadow;
    let exceed = |exceed| if watched { GuardExceed::Warn } else { exceed };
    let words = Words::new(rules, Guarded::Rule(of.rule));
    if let (Some(acts), Some(limit)) = (of.held, rule.limit.filter(|limit| limit.exceed == Exceed::Hold)) {
        let mut found = Findings { words: words.clone(), exceed: exceed(GuardExceed::Hold), out };
        found.add(Which::Limit, limit.per_run.to_string(), acts.to_string());
    }
    let Some(guard) = &rule.guard else { return };
    let subjects = outcome.subject(rule.subject).map_or(0, |of| of.metrics.subjects as u64);
    let mut found = Findings { words, exceed: exceed(guard.exceed), out };
    found.counted(Which::Acted, guard.acted, of.acts.len() as u64, subjects);
    found.exceed = guard.exceed;
    found.of_data(rules, outcome, guard, seen);
}

/// Broken guards of one set or rule.
struct Findings<'a, 'o> {
    words: Words<'a>,
    exceed: GuardExceed,
    out: &'o mut Vec<Violation>,
}

impl Findings<'_, '_> {
    fn add(&mut self, which: Which, allowed: String, found: String) {
        let message = self.words.message(which, &allowed, &found);
        self.out.push(Violation { of: self.words.of(), which, allowed, found, message, exceed: self.exceed });
    }

    fn counted(&mut self, which: Which, limit: Option<tierd_rules::Limit>, count: u64, total: u64) {
        if let Some(limit) = limit.filter(|limit| limit.exceeded(count, total)) {
            self.add(which, amount(limit), share(count, total));
        }
    }

    fn of_set(&mut self, rules: &RuleSet, guard: &Guard, of: &SetOutcome) {
        if guard.asks_for_moves() {
            let counts = Moved::count(of, rules.tier_sets[of.set.0].ordered);
            self.counted(Which::Moved, guard.moved, counts.moved, counts.had);
            self.counted(Which::Fallen, guard.fallen, counts.fallen, counts.had);
        }
        let (subjects, (levels, _)) = (of.settled.held.len() as u64, of.distribution());
        for &(level, most) in &guard.share {
            let count = levels.get(usize::from(level)).copied().unwrap_or(0);
            self.counted(Which::Share(level), Some(tierd_rules::Limit::PartsPerMillion(most)), count, subjects);
        }
    }

    /// Whether the data that decides the set or rule is as it should be.
    fn of_data(&mut self, rules: &RuleSet, outcome: &Outcome, guard: &Guard, seen: &Seen<'_>) {
        if guard.shrunk.is_none() && guard.stale.is_none() && guard.bad_rows.is_none() {
            return;
        }
        let reads = reads::tables(rules, outcome, self.words.of());
        for table in seen.tables.iter().filter(|seen| reads.contains(&seen.table)) {
            self.of_table(guard, table, seen);
        }
    }

    fn of_table(&mut self, guard: &Guard, table: &SeenTable, seen: &Seen<'_>) {
        let &SeenTable { table: of, rows, bad_rows, newest } = table;
        if let Some(before) = (seen.rows_before)(self.words.of(), of) {
            self.counted(Which::Shrunk(of), guard.shrunk, before.saturating_sub(rows), before);
        }
        if let (Some(stale), Some(newest)) = (guard.stale, newest)
            && newest < seen.clock.as_of_plus(stale.negate())
        {
            self.add(Which::Stale(of), stale.to_string(), newest.to_string());
        }
        self.counted(Which::BadRows(of), guard.bad_rows, bad_rows, rows);
    }
}

/// How many subjects move, of those who had a level and are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Moved {
    had: u64,
    moved: u64,
    /// To a lower level or to none.
    fallen: u64,
}

impl Moved {
    /// A level that the rules have no longer was a level, but nobody knows how high it was.
    fn count(of: &SetOutcome, ordered: bool) -> Self {
        let mut counts = Moved::default();
        for (was, &now) in of.was.iter().flatten().zip(&of.settled.held) {
            let was_removed = was.level == NONE && was.since.0 != 0;
            if was.level == NONE && !was_removed {
                continue;
            }
            counts.had += 1;
            counts.moved += u64::from(was_removed || was.level != now);
            counts.fallen += u64::from(now == NONE || ordered && !was_removed && now < was.level);
        }
        counts
    }
}
