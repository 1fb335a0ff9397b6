use rusqlite::{OptionalExtension, Row, params};
use tierd_model::{Date, Key, Timestamp};

use super::{Reader, align::Alignment};
use crate::{
    error::{At, ErrorKind, KindResult, Result},
    key::{KeyRef, Keys},
    retention::{ActKind, RuleState, RuleStateRow},
    run::RunId,
};

/// One action of a retention rule, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its stable id, 32 hexadecimal digits.
    pub id: String,
    /// Whom it is about.
    pub key: Key,
    /// Whether it took place.
    pub kind: ActKind,
    /// `as_of` of the run that decided it.
    pub as_of: Timestamp,
    /// That run.
    pub run: RunId,
    /// When the entry opened.
    pub entered: Timestamp,
    /// The date that it belongs to, of date triggers.
    pub occurrence: Option<Date>,
}

pub(super) const STATE_OF_ONE: &str = "SELECT subject, entered, acted, last_acted, occurrence FROM rule_state
WHERE rule = (SELECT id FROM rule WHERE name = ?1) AND shadow = ?2 AND subject = ?3";

impl Reader {
    /// What a retention rule remembers in one of its modes of these subjects, ascending; nothing of subjects with a default
    /// state.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn rule_states(&self, rule: &str, shadow: bool, keys: Keys<'_>) -> Result<Vec<RuleStateRow>> {
        self.select_rule_states(rule, shadow, keys).at(&self.path)
    }

    /// As [`Reader::rule_states`], of one subject.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn rule_state(&self, rule: &str, shadow: bool, key: KeyRef<'_>) -> Result<RuleState> {
        self.select_rule_state(rule, shadow, key).at(&self.path)
    }

    /// How long entries of a retention rule had to last in the last run that decided it, as [`crate::RuleDecisions::hold_for`] told;
    /// `None` where that isn't recorded.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn hold_for(&self, rule: &str) -> Result<Option<String>> {
        let select = self.conn.query_row("SELECT hold_for FROM rule WHERE name = ?1", [rule], |row| row.get(0));
        select.optional().map(Option::flatten).map_err(ErrorKind::from).at(&self.path)
    }

    /// Every action of a retention rule, live or only watched, in the order in which they were decided.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn actions(&self, rule: &str) -> Result<Vec<Action>> {
        self.select_actions(rule).at(&self.path)
    }

    fn select_rule_states(&self, rule: &str, shadow: bool, keys: Keys<'_>) -> KindResult<Vec<RuleStateRow>> {
        let mut select = self.conn.prepare(
            "SELECT subject, entered, acted, last_acted, occurrence FROM rule_state
             WHERE rule = (SELECT id FROM rule WHERE name = ?1) AND shadow = ?2 ORDER BY subject",
        )?;
        let mut rows = select.query(params![rule, shadow])?;
        let (mut states, mut alignment) = (Vec::new(), Alignment::new(keys));
        while let Some(row) = rows.next()? {
            let Some(subject) = alignment.find(KeyRef::read(row.get_ref(0)?)?) else { continue };
            states.push(RuleStateRow { subject: subject as u32, state: read_state(row)? });
        }
        Ok(states)
    }

    fn select_rule_state(&self, rule: &str, shadow: bool, key: KeyRef<'_>) -> KindResult<RuleState> {
        let mut select = self.conn.prepare(STATE_OF_ONE)?;
        let mut rows = select.query(params![rule, shadow, key])?;
        Ok(rows.next()?.map(read_state).transpose()?.unwrap_or_default())
    }

    fn select_actions(&self, rule: &str) -> KindResult<Vec<Action>> {
        let mut select = self.conn.prepare(
            "SELECT a.code, a.subject, a.kind, r.as_of, a.run, a.entered, a.occurrence
             FROM action AS a JOIN run AS r ON r.id = a.run
             WHERE a.rule = (SELECT id FROM rule WHERE name = ?1) ORDER BY a.id",
        )?;
        let mut rows = select.query([rule])?;
        let mut actions = Vec::new();
        while let Some(row) = rows.next()? {
            actions.push(Action {
                id: row.get(0)?,
                key: KeyRef::read(row.get_ref(1)?)?.to_key(),
                kind: ActKind::parse(&row.get::<_, String>(2)?)?,
                as_of: Timestamp(row.get(3)?),
                run: RunId(row.get(4)?),
                entered: Timestamp(row.get(5)?),
                occurrence: row.get::<_, Option<i32>>(6)?.map(Date),
            });
        }
        Ok(actions)
    }
}

/// What follows the subject in a row of `rule_state`.
fn read_state(row: &Row<'_>) -> rusqlite::Result<RuleState> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    let occurrence = row.get::<_, Option<i32>>(4)?.map(Date);
    Ok(RuleState { entered: time(1)?, acted: row.get(2)?, last_acted: time(3)?, occurrence })
}
