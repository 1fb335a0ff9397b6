use rusqlite::Row;
use tierd_model::Timestamp;

use super::Reader;
use crate::{
    error::{At, KindResult, Result},
    run::{RunId, restored},
    schedule::{FollowedSchedule, GapId, GapReason},
};

/// Slots of a schedule, one after the other, for which there was no run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its number.
    pub id: GapId,
    /// The schedule.
    pub schedule: String,
    /// The first slot.
    pub first: Timestamp,
    /// The last slot.
    pub last: Timestamp,
    /// How many slots it has.
    pub slots: u64,
    /// How many of them have been made good by runs.
    pub filled: u64,
    /// Why there was no run.
    pub reason: GapReason,
    /// When it was noted.
    pub noted: Timestamp,
    /// What can be done about it.
    pub state: GapState,
}

/// What can be done about a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapState {
    /// Its last slot, at least, can be made good by a run.
    Open,
    /// This run has made its last slot good.
    Filled(RunId),
    /// A run that decides the same is as of a later time. What is held is as of then, and can't be decided for an earlier time.
    Overtaken,
}

impl GapState {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            GapState::Open => "open",
            GapState::Filled(_) => "filled",
            GapState::Overtaken => "overtaken",
        }
    }
}

/// The time of the last run that decided what the schedule in place of `{}` decides.
macro_rules! decided_until {
    ($schedule:literal) => {
        concat!(
            "(SELECT max(r.as_of) FROM run AS r WHERE r.outcome IN ('applied', 'unchanged')
              AND (r.schedules IS NULL OR EXISTS (SELECT 1 FROM json_each(r.schedules) AS j WHERE j.value = ",
            $schedule,
            ")))"
        )
    };
}

const GAPS: &str = concat!(
    "SELECT g.id, g.schedule, g.first, g.last, g.slots, g.reason, g.noted, g.filled,
       (SELECT count(DISTINCT r.as_of) FROM run AS r JOIN json_each(r.schedules) AS j ON j.value = g.schedule
        WHERE r.cause = 'fill' AND r.outcome <> 'failed' AND r.as_of BETWEEN g.first AND g.last),
       coalesce(g.last <= d.until, 0)
FROM gap AS g JOIN (
    SELECT n.schedule, ",
    decided_until!("n.schedule"),
    " AS until FROM (SELECT DISTINCT schedule FROM gap WHERE ?1 IS NULL OR schedule = ?1) AS n
) AS d USING (schedule)
ORDER BY g.first, g.schedule, g.id"
);

impl Reader {
    /// The schedules that are followed, by name.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn followed_schedules(&self) -> Result<Vec<FollowedSchedule>> {
        self.select_followed().at(&self.path)
    }

    /// All gaps, or those of one schedule, the earliest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn gaps(&self, schedule: Option<&str>) -> Result<Vec<Gap>> {
        self.select_gaps(schedule).at(&self.path)
    }

    /// The time as of which a run has decided what this schedule decides; `None` if none has.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn decided_until(&self, schedule: &str) -> Result<Option<Timestamp>> {
        let sql = concat!("SELECT ", decided_until!("?1"));
        let until = self.conn.query_row(sql, [schedule], |row| row.get::<_, Option<i64>>(0));
        until.map(|until| until.map(Timestamp)).at(&self.path)
    }

    /// The last run that was made because this schedule came; `None` if none was.
    ///
    /// # Errors
    /// [`crate::ErrorKind`].
    pub fn last_scheduled_run(&self, schedule: &str) -> Result<Option<super::Run>> {
        let sql = "SELECT max(r.id) FROM run AS r JOIN json_each(r.schedules) AS j ON j.value = ?1 WHERE r.cause = 'schedule'";
        let run = self.conn.query_row(sql, [schedule], |row| row.get::<_, Option<i64>>(0)).at(&self.path)?;
        run.map_or(Ok(None), |run| self.run(RunId(run)))
    }

    fn select_followed(&self) -> rusqlite::Result<Vec<FollowedSchedule>> {
        let mut select = self.conn.prepare("SELECT name, written, handled FROM schedule ORDER BY name")?;
        let followed = select.query_map([], |row| {
            Ok(FollowedSchedule { name: row.get(0)?, written: row.get(1)?, handled: Timestamp(row.get(2)?) })
        })?;
        followed.collect()
    }

    fn select_gaps(&self, schedule: Option<&str>) -> KindResult<Vec<Gap>> {
        let mut select = self.conn.prepare(GAPS)?;
        let mut rows = select.query([schedule])?;
        let mut gaps = Vec::new();
        while let Some(row) = rows.next()? {
            gaps.push(read_gap(row)?);
        }
        Ok(gaps)
    }
}

fn read_gap(row: &Row<'_>) -> KindResult<Gap> {
    let (filled, is_past): (Option<i64>, bool) = (row.get(7)?, row.get(9)?);
    let state = match filled {
        Some(run) => GapState::Filled(RunId(run)),
        None if is_past => GapState::Overtaken,
        None => GapState::Open,
    };
    Ok(Gap {
        id: GapId(row.get(0)?),
        schedule: row.get(1)?,
        first: Timestamp(row.get(2)?),
        last: Timestamp(row.get(3)?),
        slots: restored(row.get(4)?)?,
        reason: GapReason::parse(&row.get::<_, String>(5)?)?,
        noted: Timestamp(row.get(6)?),
        filled: restored(row.get(8)?)?,
        state,
    })
}
