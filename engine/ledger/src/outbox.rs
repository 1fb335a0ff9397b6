//! The one sequence of everything that others may want to be told.
//!
//! Changes of level and rows of the outbox take their numbers from the same sequence, so that the view `events` is in the
//! order in which things were committed, and a million first levels need no second row each.

use rusqlite::{Connection, Params, Statement, params};

use crate::error::KindResult;

/// The number that the next transition or outbox row gets. The only writer is this process: nobody else takes it.
pub(crate) fn next_number(conn: &Connection) -> rusqlite::Result<i64> {
    let sql =
        "SELECT max((SELECT coalesce(max(id), 0) FROM transition), (SELECT coalesce(max(id), 0) FROM outbox)) + 1";
    conn.query_row(sql, [], |row| row.get(0))
}

/// What happened, when, and in which run if in any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) run: Option<i64>,
}

/// Writes rows of the outbox. No transition may be written while it lives.
pub(crate) struct Outbox<'a> {
    conn: &'a Connection,
    next: i64,
    occasion: Occasion,
    event: Statement<'a>,
    created: Statement<'a>,
}

/// Of a task as it is now, from its row. Its events carry all that a receiver needs.
const CREATED: &str = "INSERT INTO outbox (id, code, kind, at, run, action, data)
SELECT ?2, a.code || '.created', 'task.created', ?3, ?4, a.id,
       json_object('task', a.code, 'title', t.title, 'owner', t.owner, 'channel', t.channel, 'text', t.text,
                   'due', date(t.due * 86400, 'unixepoch'))
FROM task AS t JOIN action AS a ON a.id = t.action WHERE t.action = ?1";

const ESCALATED: &str = "INSERT INTO outbox (id, code, kind, at, run, action, data)
SELECT ?2, a.code || '.escalated', 'task.escalated', ?3, ?4, a.id,
       json_object('task', a.code, 'title', t.title, 'from', ?5, 'owner', t.owner, 'due', date(t.due * 86400, 'unixepoch'))
FROM task AS t JOIN action AS a ON a.id = t.action WHERE t.action = ?1";

const DONE: &str = "INSERT INTO outbox (id, code, kind, at, run, action, data)
SELECT ?2, a.code || '.done', 'task.done', ?3, ?4, a.id,
       json_object('task', a.code, 'title', t.title, 'owner', t.owner, 'by', t.done_by, 'note', t.done_note)
FROM task AS t JOIN action AS a ON a.id = t.action WHERE t.action = ?1";

impl<'a> Outbox<'a> {
    pub(crate) fn new(conn: &'a Connection, occasion: Occasion) -> rusqlite::Result<Self> {
        let event = "INSERT INTO outbox (id, code, kind, at, run, action, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (event, created) = (conn.prepare(event)?, conn.prepare(CREATED)?);
        Ok(Outbox { conn, next: next_number(conn)?, occasion, event, created })
    }

    /// An event that a rule sends: its id is that of the action.
    pub(crate) fn event(&mut self, action: i64, code: &str, name: &str, data: &str) -> KindResult<()> {
        let (number, Occasion { at, run }) = (self.take_number(), self.occasion);
        self.event.execute(params![number, code, format!("event.{name}"), at, run, action, data])?;
        Ok(())
    }

    /// A task that is new.
    pub(crate) fn created(&mut self, action: i64) -> KindResult<()> {
        let (number, Occasion { at, run }) = (self.take_number(), self.occasion);
        self.created.execute(params![action, number, at, run])?;
        Ok(())
    }

    /// A task that has become somebody else's.
    pub(crate) fn escalated(&mut self, action: i64, from: Option<&str>) -> KindResult<()> {
        let (number, Occasion { at, run }) = (self.take_number(), self.occasion);
        self.insert(ESCALATED, params![action, number, at, run, from])
    }

    /// A task that is done.
    pub(crate) fn done(&mut self, action: i64) -> KindResult<()> {
        let (number, Occasion { at, run }) = (self.take_number(), self.occasion);
        self.insert(DONE, params![action, number, at, run])
    }

    fn insert(&self, sql: &str, values: impl Params) -> KindResult<()> {
        self.conn.execute(sql, values)?;
        Ok(())
    }

    fn take_number(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }
}
