//! What a run says of retention rules, as plain data.

use sha2::{Digest, Sha256};
use tierd_model::{Date, Timestamp};

use crate::{
    error::{ErrorKind, KindResult},
    key::{KeyRef, Keys},
};

/// What a run says of one retention rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleDecisions<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// Whom it is about, such as `customer`.
    pub subject: &'a str,
    /// Whether it is only watched. What it remembers is kept apart from what it remembers when live.
    pub shadow: bool,
    /// How long its entries have to last before it acts: `2 days`, or nothing. Every span has one text. Where it isn't what was recorded
    /// last, all entries in which the rule hasn't acted begin anew with this run, in either mode, also those of subjects that aren't
    /// there now.
    pub hold_for: &'a str,
    /// The keys of all subjects, ascending.
    pub keys: Keys<'a>,
    /// Subjects of which it remembers something else than before, ascending. A default state is forgotten.
    pub states: &'a [RuleStateRow],
    /// On whom it acts, ascending by subject.
    pub acts: &'a [ActRow],
}

/// What a rule remembers of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleStateRow {
    /// Index of the subject.
    pub subject: u32,
    /// What is remembered.
    pub state: RuleState,
}

/// What a rule remembers of a subject from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleState {
    /// `as_of` of the run that opened the entry; `None` outside of one.
    pub entered: Option<Timestamp>,
    /// Whether the rule has acted in this entry.
    pub acted: bool,
    /// When it last acted at all.
    pub last_acted: Option<Timestamp>,
    /// The date that the last action of a date trigger belonged to.
    pub occurrence: Option<Date>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Index of the subject.
    pub subject: u32,
    /// Whether it takes place.
    pub kind: ActKind,
    /// When the entry opened.
    pub entered: Timestamp,
    /// The date that it belongs to, of date triggers.
    pub occurrence: Option<Date>,
    /// What goes out: to a person or another system. Nothing for subjects held out, for rules that are only watched, and where a planner
    /// proposes nothing. Each is an action of its own, with its own id.
    pub outgoing: Vec<Outgoing>,
}

/// Whether an action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// It does.
    Acted,
    /// The subject is held out, to measure the effect.
    HeldOut,
    /// The rule is only watched.
    Shadow,
}

impl ActKind {
    /// As in the column `action.kind`.
    pub fn name(self) -> &'static str {
        match self {
            ActKind::Acted => "acted",
            ActKind::HeldOut => "held_out",
            ActKind::Shadow => "shadow",
        }
    }

    pub(crate) fn parse(name: &str) -> KindResult<Self> {
        let all = [ActKind::Acted, ActKind::HeldOut, ActKind::Shadow];
        all.into_iter().find(|kind| kind.name() == name).ok_or(ErrorKind::Unreadable("an action of unknown kind"))
    }
}

/// What an action sends out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A task for a person.
    Task(NewTask),
    /// An event for another system.
    Event {
        /// Its name, such as `coupon`.
        name: String,
        /// What goes with it, as JSON.
        data: String,
    },
}

/// A task for a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTask {
    /// What is to be done.
    pub title: String,
    /// By whom.
    pub owner: Option<String>,
    /// By which channel.
    pub channel: Option<String>,
    /// Details.
    pub text: Option<String>,
    /// The day by which it is due.
    pub due: Option<Date>,
    /// The day on which it becomes somebody else's, if it isn't done before.
    pub escalate: Option<(Date, String)>,
}

impl RuleDecisions<'_> {
    /// Proves what the rest of the crate relies on.
    pub(crate) fn check(&self) -> KindResult<()> {
        let refuse = |problem| Err(ErrorKind::Rule { rule: self.rule.to_owned(), problem });
        if !self.states.is_sorted_by(|a, b| a.subject < b.subject) {
            return refuse("the subjects of the states don't ascend");
        }
        if !self.acts.is_sorted_by(|a, b| a.subject < b.subject) {
            return refuse("the subjects of the actions don't ascend");
        }
        let last = [self.states.last().map(|row| row.subject), self.acts.last().map(|row| row.subject)];
        if last.into_iter().flatten().any(|subject| subject as usize >= self.keys.len()) {
            return refuse("a subject has no key");
        }
        Ok(())
    }

    /// The stable id of an action: 32 hexadecimal digits. The same decision made again, after its commit was lost, has the
    /// same id. `place` is that of what goes out among all that goes out for the subject.
    pub(crate) fn action_code(&self, as_of: Timestamp, act: &ActRow, place: usize) -> String {
        let mut hash = Sha256::new();
        if place == 0 {
            hash.update("tierd action 1");
        } else {
            hash.update("tierd action n");
            hash.update((place as u64).to_le_bytes());
        }
        hash.update((self.rule.len() as u64).to_le_bytes());
        hash.update(self.rule);
        hash.update([u8::from(self.shadow)]);
        hash.update(as_of.0.to_le_bytes());
        hash.update(act.occurrence.map_or(i64::MIN, |day| i64::from(day.0)).to_le_bytes());
        match self.keys.get(act.subject as usize) {
            KeyRef::Integer(key) => hash.update(key.to_le_bytes()),
            KeyRef::Text(key) => hash.update(key),
        }
        // What is hashed last needs no length: nothing follows. A rule's keys are all of one type.
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACT: ActRow =
        ActRow { subject: 1, kind: ActKind::Acted, entered: Timestamp(5), occurrence: None, outgoing: Vec::new() };
    const BASE: RuleDecisions<'static> = RuleDecisions {
        rule: "win_back",
        subject: "customer",
        shadow: false,
        hold_for: "",
        keys: Keys::Integer(&[10, 20]),
        states: &[],
        acts: &[],
    };

    #[test]
    fn code_is_of_rule_mode_subject_time_occurrence_and_place() {
        let (code, day) = (BASE.action_code(Timestamp(7), &ACT, 0), Some(Date(3)));
        let others = [
            RuleDecisions { rule: "win_bac", ..BASE }.action_code(Timestamp(7), &ACT, 0),
            RuleDecisions { shadow: true, ..BASE }.action_code(Timestamp(7), &ACT, 0),
            BASE.action_code(Timestamp(8), &ACT, 0),
            BASE.action_code(Timestamp(7), &ActRow { subject: 0, ..ACT }, 0),
            BASE.action_code(Timestamp(7), &ActRow { occurrence: day, ..ACT }, 0),
            BASE.action_code(Timestamp(7), &ACT, 1),
            BASE.action_code(Timestamp(7), &ACT, 2),
        ];
        assert!(others.iter().all(|other| *other != code), "{code} {others:?}");
        let same = ActRow { kind: ActKind::HeldOut, entered: Timestamp(0), ..ACT };
        assert_eq!(BASE.action_code(Timestamp(7), &same, 0), code);
        assert!(code.len() == 32 && code.bytes().all(|b| b.is_ascii_hexdigit()), "{code}");
    }

    #[test]
    fn contradictions_are_refused() {
        let state = |subject| RuleStateRow { subject, state: RuleState::default() };
        let act = |subject| ActRow { subject, ..ACT };
        let cases = [
            (RuleDecisions { states: &[state(1), state(1)], ..BASE }, "the subjects of the states don't ascend"),
            (RuleDecisions { acts: &[act(1), act(0)], ..BASE }, "the subjects of the actions don't ascend"),
            (RuleDecisions { states: &[state(2)], ..BASE }, "a subject has no key"),
            (RuleDecisions { acts: &[act(2)], ..BASE }, "a subject has no key"),
        ];
        BASE.check().unwrap();
        for (bad, expected) in cases {
            match bad.check() {
                Err(ErrorKind::Rule { problem, .. }) => assert_eq!(problem, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}
