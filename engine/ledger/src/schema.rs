//! The version of a ledger file, and the steps from one version to the next.
//!
//! A file says what it is by `application_id`, and how far it has come by `user_version`: the number of steps applied.
//! Steps are only ever added, never edited: files that have taken them exist.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{ErrorKind, KindResult};

/// "tierd" has five letters and an application id four bytes: `tier`.
pub(crate) const APPLICATION_ID: i64 = 0x7469_6572;

/// Step `n` takes a file of version `n` to version `n + 1`.
pub(crate) const STEPS: &[&str] =
    &[include_str!("../schema/1.sql"), include_str!("../schema/2.sql"), include_str!("../schema/3.sql")];

/// The version that this program writes.
pub(crate) fn known_version() -> i64 {
    STEPS.len() as i64
}

/// `user_version` of an open file.
pub(crate) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// `application_id` of an open file.
pub(crate) fn application_id(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Takes every step that the file hasn't taken yet, each in a transaction of its own.
///
/// # Errors
/// [`ErrorKind::Newer`] if the file has taken more steps than there are; nothing is changed then.
pub(crate) fn migrate(conn: &mut Connection, steps: &[&str]) -> KindResult<()> {
    let found = version(conn)?;
    let known = steps.len() as i64;
    let Some(missing) = usize::try_from(found).ok().and_then(|taken| steps.get(taken..)) else {
        return Err(ErrorKind::Newer { found, known });
    };
    for (step, next) in missing.iter().zip(found + 1..) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", next)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";

    #[test]
    fn only_missing_steps_are_taken() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &[ONE]).unwrap();
        migrate(&mut conn, &[ONE, "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = 2;"]).unwrap();
        let row = conn.query_row("SELECT x, y FROM a", [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        assert_eq!((row.unwrap(), version(&conn).unwrap()), ((1, 2), 2));
    }

    #[test]
    fn failed_step_leaves_the_version_before() {
        let mut conn = Connection::open_in_memory().unwrap();
        let failure = migrate(&mut conn, &[ONE, "UPDATE a SET x = 5; SELECT nonsense;"]);
        assert!(matches!(failure, Err(ErrorKind::Sqlite(_))), "{failure:?}");
        let x: i64 = conn.query_row("SELECT x FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((x, version(&conn).unwrap()), (1, 1));
    }

    #[test]
    fn newer_file_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "user_version", 3).unwrap();
        assert!(matches!(migrate(&mut conn, &[ONE]), Err(ErrorKind::Newer { found: 3, known: 1 })));
    }
}
