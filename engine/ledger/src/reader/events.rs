use rusqlite::{ToSql, params};
use tierd_model::Key;

use super::Reader;
use crate::{
    error::{At, KindResult, Result},
    key::KeyRef,
    run::RunId,
};

/// The kind of events that are changes of level.
pub const LEVEL_CHANGED: &str = "level.changed";

/// Something that other systems may want to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of all events. A reader goes on by asking for what comes after it.
    pub cursor: i64,
    /// Its stable id, by which a receiver recognises one that comes twice.
    pub id: String,
    /// [`LEVEL_CHANGED`], `task.created`, `task.escalated`, `task.done`, or `event.NAME` of a rule.
    pub kind: String,
    /// The time that its run evaluated, or when a person did it; ISO 8601 in UTC.
    pub as_of: String,
    /// The run that gave it; `None` for what people did.
    pub run: Option<RunId>,
    /// Which kind of subject it is about,
    pub subject: String,
    /// and which one.
    pub key: Key,
    /// The tier set, of changes of level.
    pub set: Option<String>,
    /// The retention rule, of everything else.
    pub rule: Option<String>,
    /// What goes with it, as a JSON object.
    pub data: String,
}

impl Reader {
    /// At most `limit` events after this cursor (0 for the first), in their order; only of these kinds, or of all where none
    /// is given. Reads nothing that came before.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn events(&self, after: i64, limit: u32, kinds: &[&str]) -> Result<Vec<Event>> {
        self.select_events(after, limit, kinds).at(&self.path)
    }

    fn select_events(&self, after: i64, limit: u32, kinds: &[&str]) -> KindResult<Vec<Event>> {
        let places = vec!["?"; kinds.len()].join(", ");
        let of_kinds = if kinds.is_empty() { String::new() } else { format!("AND kind IN ({places})") };
        let sql = format!("SELECT * FROM events WHERE cursor > ? {of_kinds} ORDER BY cursor LIMIT ?");
        let mut values: Vec<&dyn ToSql> = params![after].to_vec();
        values.extend(kinds.iter().map(|kind| kind as &dyn ToSql));
        values.push(&limit);
        let mut select = self.conn.prepare(&sql)?;
        let mut rows = select.query(values.as_slice())?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(Event {
                cursor: row.get(0)?,
                id: row.get(1)?,
                kind: row.get(2)?,
                as_of: row.get(3)?,
                run: row.get::<_, Option<i64>>(4)?.map(RunId),
                subject: row.get(5)?,
                key: KeyRef::read(row.get_ref(6)?)?.to_key(),
                set: row.get(7)?,
                rule: row.get(8)?,
                data: row.get(9)?,
            });
        }
        Ok(events)
    }
}
