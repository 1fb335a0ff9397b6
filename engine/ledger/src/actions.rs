//! Writing what a run says of retention rules: what they remember, on whom they act, and what goes out.

use rusqlite::{Connection, Statement, params};
use tierd_model::Timestamp;

use crate::{
    dictionary,
    error::KindResult,
    outbox::Outbox,
    retention::{ActRow, NewTask, Outgoing, RuleDecisions, RuleState},
    run::RunId,
};

/// Writes one rule. Returns how many of its actions are new: one that is there already is left as it is. Whatever goes out is an action; where
/// nothing does, that is one as well.
pub(crate) fn apply_rule(
    conn: &Connection,
    run: RunId,
    as_of: Timestamp,
    rule: &RuleDecisions<'_>,
    outbox: &mut Outbox<'_>,
) -> KindResult<u64> {
    rule.check()?;
    let known = dictionary::rule(conn, rule)?;
    let id = known.id;
    if known.hold_for.is_some_and(|kept| kept != rule.hold_for) {
        restart_waits(conn, id, as_of)?;
    }
    conn.execute("UPDATE rule SET hold_for = ?2 WHERE id = ?1 AND hold_for IS NOT ?2", params![id, rule.hold_for])?;
    write_states(conn, id, rule)?;
    if rule.acts.is_empty() {
        return Ok(0);
    }
    let mut writer = ActionWriter::new(conn, id, run, as_of)?;
    let mut written = 0;
    for act in rule.acts {
        for place in 0..act.outgoing.len().max(1) {
            written += u64::from(writer.write(rule, act, place, outbox)?);
        }
    }
    Ok(written)
}

/// Entries in which the rule hasn't acted begin anew. What it remembers of its last actions stays.
fn restart_waits(conn: &Connection, rule: i64, as_of: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE rule_state SET entered = ?2 WHERE rule = ?1 AND entered IS NOT NULL AND NOT acted";
    conn.execute(sql, [rule, as_of.0]).map(|_| ())
}

fn write_states(conn: &Connection, id: i64, rule: &RuleDecisions<'_>) -> KindResult<()> {
    let mut upsert = conn.prepare(
        "INSERT INTO rule_state (rule, shadow, subject, entered, acted, last_acted, occurrence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (rule, shadow, subject) DO UPDATE
         SET entered = excluded.entered, acted = excluded.acted, last_acted = excluded.last_acted, occurrence = excluded.occurrence",
    )?;
    let mut delete = conn.prepare("DELETE FROM rule_state WHERE rule = ?1 AND shadow = ?2 AND subject = ?3")?;
    for row in rule.states {
        let key = rule.keys.get(row.subject as usize);
        if row.state == RuleState::default() {
            delete.execute(params![id, rule.shadow, key])?;
            continue;
        }
        let RuleState { entered, acted, last_acted, occurrence } = row.state;
        let (entered, last_acted) = (entered.map(|at| at.0), last_acted.map(|at| at.0));
        let values = params![id, rule.shadow, key, entered, acted, last_acted, occurrence.map(|day| day.0)];
        upsert.execute(values)?;
    }
    Ok(())
}

/// Writes actions of one rule, and what goes out by them.
struct ActionWriter<'a> {
    conn: &'a Connection,
    rule: i64,
    run: RunId,
    as_of: Timestamp,
    action: Statement<'a>,
    task: Statement<'a>,
}

impl<'a> ActionWriter<'a> {
    fn new(conn: &'a Connection, rule: i64, run: RunId, as_of: Timestamp) -> rusqlite::Result<Self> {
        let action = conn.prepare(
            "INSERT INTO action (code, rule, kind, subject, run, entered, occurrence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (code) DO NOTHING",
        )?;
        let task = conn.prepare(
            "INSERT INTO task (action, title, owner, channel, text, due, escalate_on, escalate_to)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        Ok(ActionWriter { conn, rule, run, as_of, action, task })
    }

    /// Writes what goes out at this place, or that nothing does. Returns whether the action is new.
    fn write(
        &mut self,
        rule: &RuleDecisions<'_>,
        act: &ActRow,
        place: usize,
        outbox: &mut Outbox<'_>,
    ) -> KindResult<bool> {
        let (code, key) = (rule.action_code(self.as_of, act, place), rule.keys.get(act.subject as usize));
        let (kind, occurrence) = (act.kind.name(), act.occurrence.map(|day| day.0));
        let values = params![code, self.rule, kind, key, self.run.0, act.entered.0, occurrence];
        if self.action.execute(values)? == 0 {
            return Ok(false);
        }
        let action = self.conn.last_insert_rowid();
        match act.outgoing.get(place) {
            Some(Outgoing::Task(task)) => {
                self.write_task(action, task)?;
                outbox.created(action)?;
            }
            Some(Outgoing::Event { name, data }) => outbox.event(action, &code, name, data)?,
            None => {}
        }
        Ok(true)
    }

    fn write_task(&mut self, action: i64, task: &NewTask) -> KindResult<()> {
        let NewTask { title, owner, channel, text, due, escalate } = task;
        let (on, to) = escalate.as_ref().map(|(day, to)| (day.0, to)).unzip();
        self.task.execute(params![action, title, owner, channel, text, due.map(|day| day.0), on, to])?;
        Ok(())
    }
}
