use sha2::{Digest, Sha256};
use tierd_model::Date;

use crate::{
    error::{ErrorKind, KindResult},
    key::{Keys, key_type_name},
};

/// In [`SetDecisions::assigned`]: the subject has no level.
pub const NO_LEVEL: u16 = u16::MAX;

/// Appends the metrics that decided a subject's level, as a JSON object.
pub type DecidingMetrics<'a> = &'a dyn Fn(usize, &mut String);

/// Why a subject's level changes, in a few words that are the same for many: `downgraded after grace`.
pub type ChangeReason<'a> = &'a dyn Fn(usize) -> &'static str;

/// What a movement policy remembers of a subject from this run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRow {
    /// Index of the subject.
    pub subject: u32,
    /// The level that the policy gives, without overrides: an index into [`SetDecisions::levels`], or [`NO_LEVEL`].
    pub policy: u16,
    /// The day since which the subject has been below that level.
    pub below_since: Option<Date>,
    /// The first day on which the level may be lost.
    pub locked_until: Option<Date>,
    /// The first day of the period in which the level was last decided.
    pub decided: Option<Date>,
}

impl StateRow {
    /// Whether this says no more than that the policy gives `held`.
    pub(crate) fn is_plain(&self, held: u16) -> bool {
        self.policy == held && (self.below_since, self.locked_until, self.decided) == (None, None, None)
    }
}

/// What a run says of one tier set.
#[derive(Clone, Copy)]
pub struct SetDecisions<'a> {
    /// The tier set's full name, unique: `price[shoes]` for a set that is kept per category.
    pub name: &'a str,
    /// Its name as the rules write it: `price`.
    pub family: &'a str,
    /// The category that it is about.
    pub category: Option<&'a str>,
    /// Who is graded, such as `customer`.
    pub subject: &'a str,
    /// The names of the levels, lowest first.
    pub levels: &'a [&'a str],
    /// The keys of all subjects, ascending.
    pub keys: Keys<'a>,
    /// The level of each subject: an index into `levels`, or [`NO_LEVEL`].
    pub assigned: &'a [u16],
    /// The metrics that decided the level of this subject: asked only of those whose level changes.
    pub metrics: DecidingMetrics<'a>,
    /// Why the level of this subject changes: asked only of those whose level changes.
    pub reason: ChangeReason<'a>,
    /// What the movement policy remembers of subjects of which it remembers something else than before
    /// ([`crate::Reader::standings`] said what), ascending by subject; all others keep their state, also where their level
    /// changes because of an override. `None` for a set without policy, which holds whatever it is given: what a policy
    /// remembered once is then forgotten.
    pub states: Option<&'a [StateRow]>,
}

impl SetDecisions<'_> {
    /// Proves what the rest of the crate relies on.
    pub(crate) fn check(&self) -> KindResult<()> {
        let refuse = |problem| Err(ErrorKind::Decisions { set: self.name.to_owned(), problem });
        if self.levels.len() >= usize::from(NO_LEVEL) {
            return refuse("too many levels");
        }
        if (1..self.levels.len()).any(|i| self.levels[..i].contains(&self.levels[i])) {
            return refuse("two levels have the same name");
        }
        if self.assigned.len() != self.keys.len() {
            return refuse("there are not as many levels as keys");
        }
        if !self.keys.ascend() {
            return refuse("the keys don't ascend");
        }
        if self.assigned.iter().any(|&level| level != NO_LEVEL && usize::from(level) >= self.levels.len()) {
            return refuse("a subject has a level that the set doesn't have");
        }
        self.check_states().map_or(Ok(()), refuse)
    }

    /// What is wrong with the states.
    fn check_states(&self) -> Option<&'static str> {
        let states = self.states?;
        let unknown = |level: u16| level != NO_LEVEL && usize::from(level) >= self.levels.len();
        if !states.is_sorted_by(|a, b| a.subject < b.subject) {
            return Some("the subjects of the states don't ascend");
        }
        if states.last().is_some_and(|last| last.subject as usize >= self.keys.len()) {
            return Some("a state is of a subject without a key");
        }
        states.iter().any(|state| unknown(state.policy)).then_some("a state has a level that the set doesn't have")
    }

    /// How many subjects have each level, and how many have none.
    pub(crate) fn count(&self) -> (Vec<u64>, u64) {
        let mut counts = vec![0; self.levels.len()];
        let mut none = 0;
        for &level in self.assigned {
            match counts.get_mut(usize::from(level)) {
                Some(count) => *count += 1,
                None => none += 1,
            }
        }
        (counts, none)
    }

    /// SHA-256 over everything that decides what is held: names, keys and levels.
    ///
    /// A run whose digest equals that of the run before changes nothing, so that nothing needs to be read. A million
    /// integer keys take about 6 ms where the processor has SHA instructions.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        text("tierd decisions 1");
        text(self.name);
        text(self.subject);
        text(&self.levels.len().to_string());
        self.levels.iter().for_each(|level| text(level));
        text(key_type_name(self.keys.ty()));
        text(&self.keys.len().to_string());
        match self.keys {
            Keys::Integer(keys) => hash_in_blocks(&mut hash, keys, |key| key.to_le_bytes()),
            Keys::Text(keys) => hash_texts(&mut hash, (0..keys.count()).map(|i| keys.key(i))),
        }
        hash_in_blocks(&mut hash, self.assigned, |level| level.to_le_bytes());
        hash.finalize().into()
    }
}

/// Hashes numbers in blocks: one call per number would cost more than the hash.
fn hash_in_blocks<T: Copy, const N: usize>(hash: &mut Sha256, numbers: &[T], bytes: impl Fn(T) -> [u8; N]) {
    let mut block = [[0; N]; 1024];
    for chunk in numbers.chunks(block.len()) {
        for (place, &number) in block.iter_mut().zip(chunk) {
            *place = bytes(number);
        }
        hash.update(block[..chunk.len()].as_flattened());
    }
}

/// Hashes texts with their lengths, again in blocks.
fn hash_texts<'a>(hash: &mut Sha256, texts: impl Iterator<Item = &'a str>) {
    let mut block = Vec::with_capacity(16 * 1024);
    for text in texts {
        block.extend_from_slice(&(text.len() as u64).to_le_bytes());
        block.extend_from_slice(text.as_bytes());
        if block.len() >= 8 * 1024 {
            hash.update(&block);
            block.clear();
        }
    }
    hash.update(&block);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: SetDecisions<'static> = SetDecisions {
        name: "value",
        family: "value",
        category: None,
        subject: "customer",
        levels: &["C", "B"],
        keys: Keys::Integer(&[1, 2, 3]),
        assigned: &[0, 1, NO_LEVEL],
        metrics: &|_, _| (),
        reason: &|_| "first level",
        states: None,
    };
    const STATE: StateRow = StateRow { subject: 1, policy: 0, below_since: None, locked_until: None, decided: None };

    #[test]
    fn digest_sees_every_part() {
        let texts = vec!["1", "2", "3"];
        let others = [
            SetDecisions { name: "valu", ..BASE },
            SetDecisions { subject: "account", ..BASE },
            SetDecisions { levels: &["C", "A"], ..BASE },
            SetDecisions { levels: &["C", "B", "A"], ..BASE },
            SetDecisions { keys: Keys::Integer(&[1, 2, 4]), ..BASE },
            SetDecisions { keys: Keys::Text(&texts), ..BASE },
            SetDecisions { assigned: &[0, 1, 1], ..BASE },
            SetDecisions { keys: Keys::Integer(&[1, 2]), assigned: &[0, 1], ..BASE },
        ];
        for other in others {
            assert_ne!(BASE.digest(), other.digest(), "{:?} {:?}", other.levels, other.keys);
        }
        assert_eq!(BASE.digest(), SetDecisions { metrics: &|_, json| json.push('x'), ..BASE }.digest());
    }

    #[test]
    fn digest_of_many_texts_depends_on_where_they_end() {
        let (a, b): (Vec<_>, Vec<_>) = (0..5000).map(|i| (format!("{i:05}x"), format!("{i:05}"))).unzip();
        let digest = |keys: &[String]| {
            let mut hash = Sha256::new();
            hash_texts(&mut hash, keys.iter().map(String::as_str));
            hash.finalize()
        };
        assert_ne!(digest(&a), digest(&b));
        assert_ne!(digest(&["ab".into(), "c".into()]), digest(&["a".into(), "bc".into()]));
    }

    #[test]
    fn contradictions_are_refused() {
        let cases = [
            (SetDecisions { levels: &["C", "C"], ..BASE }, "two levels have the same name"),
            (SetDecisions { assigned: &[0], ..BASE }, "there are not as many levels as keys"),
            (SetDecisions { keys: Keys::Integer(&[1, 3, 2]), ..BASE }, "the keys don't ascend"),
            (SetDecisions { keys: Keys::Integer(&[1, 1, 2]), ..BASE }, "the keys don't ascend"),
            (SetDecisions { assigned: &[0, 2, 0], ..BASE }, "a subject has a level that the set doesn't have"),
            (SetDecisions { states: Some(&[STATE, STATE]), ..BASE }, "the subjects of the states don't ascend"),
            (
                SetDecisions { states: Some(&[StateRow { subject: 3, ..STATE }]), ..BASE },
                "a state is of a subject without a key",
            ),
            (
                SetDecisions { states: Some(&[StateRow { policy: 2, ..STATE }]), ..BASE },
                "a state has a level that the set doesn't have",
            ),
        ];
        BASE.check().unwrap();
        for (bad, expected) in cases {
            match bad.check() {
                Err(ErrorKind::Decisions { problem, .. }) => assert_eq!(problem, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn counts_are_per_level() {
        assert_eq!(BASE.count(), (vec![1, 1], 1));
    }
}
