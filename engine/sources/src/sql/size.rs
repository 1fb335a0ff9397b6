//! What SQLite takes: bounds that a query must keep to, found before anybody runs it.
//!
//! A query that stands in WITH is run once, but SQLite copies its text, parsed, to every place that reads it. Metrics that go from
//! members to groups and back read two queries in each step, so that copies double from step to step: a dozen such steps would
//! take gigabytes.

use std::collections::HashMap;

use super::{Cte, error::NotSql};

/// As many copies take SQLite some hundred megabytes and a second or two.
const MOST_COPIES: u64 = 1000;
/// Tables in one join.
const MOST_JOINED: usize = 64;

/// Refuses queries that SQLite wouldn't take, or only with much memory.
pub(super) fn check(ctes: &[Cte]) -> Result<(), NotSql> {
    let mut copies: HashMap<&str, u64> = HashMap::new();
    for (name, body) in ctes {
        let read: Vec<&str> = body.lines().filter_map(|line| read_by(line.trim_start())).collect();
        if read.len() > MOST_JOINED {
            return Err(NotSql::TooManyJoins(read.len()));
        }
        let behind = read.iter().filter_map(|name| copies.get(name)).fold(1, |sum: u64, n| sum.saturating_add(*n));
        if behind > MOST_COPIES {
            return Err(NotSql::TooDeep(behind));
        }
        copies.insert(name, behind);
    }
    Ok(())
}

/// The query that a line reads.
fn read_by(line: &str) -> Option<&str> {
    let line = line.strip_prefix("LEFT ").unwrap_or(line);
    let read = line.strip_prefix("FROM ").or_else(|| line.strip_prefix("JOIN "))?;
    Some(read.split_once(" ON ").map_or(read, |(read, _)| read)).filter(|read| !read.starts_with('('))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(steps: usize, body: impl Fn(usize) -> String) -> Vec<Cte> {
        (1..=steps).map(|step| (format!("m{step}"), body(step - 1))).collect()
    }

    #[test]
    fn copies_are_bounded_and_steps_are_not() {
        assert_eq!(check(&chain(500, |before| format!("SELECT *\nFROM m{before}"))), Ok(()));
        let doubled = |before| format!("SELECT *\nFROM m{before}\nLEFT JOIN m{before} ON true");
        assert_eq!(check(&chain(9, doubled)), Ok(()));
        assert_eq!(check(&chain(20, doubled)), Err(NotSql::TooDeep(1023)));
    }

    #[test]
    fn joins_are_counted() {
        let joins = "\nLEFT JOIN m ON m.key = a.key".repeat(64);
        assert_eq!(check(&[("b".to_owned(), format!("SELECT *\nFROM a{joins}"))]), Err(NotSql::TooManyJoins(65)));
    }
}
