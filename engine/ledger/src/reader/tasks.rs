use rusqlite::{Row, ToSql, params};
use tierd_model::{Date, Key, Timestamp};

use super::Reader;
use crate::{
    error::{At, KindResult, Result},
    key::KeyRef,
};

/// A task for a person, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its stable id, 32 hexadecimal digits.
    pub id: String,
    /// The rule that gave it.
    pub rule: String,
    /// Which kind of subject it is about, such as `customer`,
    pub subject: String,
    /// and which one.
    pub key: Key,
    /// What is to be done.
    pub title: String,
    /// By whom; after an escalation, whom it was given to.
    pub owner: Option<String>,
    /// By which channel.
    pub channel: Option<String>,
    /// Details.
    pub text: Option<String>,
    /// `as_of` of the run that gave it.
    pub created: Timestamp,
    /// The day by which it is due.
    pub due: Option<Date>,
    /// The day on which it becomes somebody else's, and whose.
    pub escalate: Option<(Date, String)>,
    /// When it did.
    pub escalated: Option<Timestamp>,
    /// The day until which it is put off.
    pub snoozed_until: Option<Date>,
    /// How it ended.
    pub done: Option<Done>,
}

/// The end of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What came of it.
    pub note: Option<String>,
}

impl Task {
    /// How it stands on this day: `open`, `overdue`, `escalated`, `snoozed` or `done`.
    pub fn state(&self, today: Date) -> &'static str {
        match self {
            Task { done: Some(_), .. } => "done",
            _ if self.is_snoozed(today) => "snoozed",
            _ if self.is_overdue(today) => "overdue",
            Task { escalated: Some(_), .. } => "escalated",
            _ => "open",
        }
    }

    /// Whether it is put off on this day.
    pub fn is_snoozed(&self, today: Date) -> bool {
        self.snoozed_until.is_some_and(|until| until > today)
    }

    /// Whether it should have been done before this day.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.done.is_none() && !self.is_snoozed(today) && self.due.is_some_and(|due| due < today)
    }
}

/// Which tasks to read. The default is all.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskFilter<'a> {
    /// Only those that are neither done nor put off on this day.
    pub open: Option<Date>,
    /// Only open ones that were due before this day.
    pub overdue: Option<Date>,
    /// Only this owner's.
    pub owner: Option<&'a str>,
    /// Only of this rule.
    pub rule: Option<&'a str>,
    /// Only about this subject.
    pub key: Option<KeyRef<'a>>,
    /// Only those that come after the one with this id, in their order.
    pub after: Option<&'a str>,
    /// At most this many.
    pub limit: Option<u32>,
}

const TASKS: &str = "SELECT a.code, u.name, u.subject, a.subject, t.title, t.owner, t.channel, t.text, r.as_of, t.due,
       t.escalate_on, t.escalate_to, t.escalated, t.snoozed_until, t.done, t.done_by, t.done_note
FROM task AS t JOIN action AS a ON a.id = t.action JOIN rule AS u ON u.id = a.rule JOIN run AS r ON r.id = a.run
WHERE (?1 IS NULL OR t.owner = ?1) AND (?2 IS NULL OR u.name = ?2) AND (?3 IS NULL OR a.subject = ?3)
  AND (?4 IS NULL OR coalesce(t.snoozed_until <= ?4, true)) AND (?5 IS NULL OR t.due < ?5)
  AND (?6 IS NULL OR (t.due IS NULL, coalesce(t.due, 0), t.action) >
       (SELECT p.due IS NULL, coalesce(p.due, 0), p.action FROM task AS p JOIN action AS q ON q.id = p.action WHERE q.code = ?6))";

impl Reader {
    /// Tasks, those first that are due first; those without a day come last.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn tasks(&self, filter: TaskFilter<'_>) -> Result<Vec<Task>> {
        self.select_tasks(filter).at(&self.path)
    }

    fn select_tasks(&self, filter: TaskFilter<'_>) -> KindResult<Vec<Task>> {
        let today = filter.open.max(filter.overdue).map(|day| day.0);
        // Written out, so that the index of open tasks can serve.
        let open = if today.is_some() { "AND t.done IS NULL" } else { "" };
        let mut select =
            self.conn.prepare(&format!("{TASKS} {open} ORDER BY t.due IS NULL, t.due, t.action LIMIT ?7"))?;
        let limit = filter.limit.map_or(-1, i64::from);
        let overdue = filter.overdue.map(|day| day.0);
        let values: &[&dyn ToSql] = params![filter.owner, filter.rule, filter.key, today, overdue, filter.after, limit];
        let mut rows = select.query(values)?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            tasks.push(read_task(row)?);
        }
        Ok(tasks)
    }
}

fn read_task(row: &Row<'_>) -> KindResult<Task> {
    let day = |column| row.get::<_, Option<i32>>(column).map(|day| day.map(Date));
    let done = match row.get::<_, Option<i64>>(14)? {
        Some(at) => Some(Done { at: Timestamp(at), by: row.get(15)?, note: row.get(16)? }),
        None => None,
    };
    Ok(Task {
        id: row.get(0)?,
        rule: row.get(1)?,
        subject: row.get(2)?,
        key: KeyRef::read(row.get_ref(3)?)?.to_key(),
        title: row.get(4)?,
        owner: row.get(5)?,
        channel: row.get(6)?,
        text: row.get(7)?,
        created: Timestamp(row.get(8)?),
        due: day(9)?,
        escalate: day(10)?.zip(row.get(11)?),
        escalated: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        snoozed_until: day(13)?,
        done,
    })
}
