//! The words that every other crate shares: decimals, instants, dates, calendar spans, windows, types, values and keys.
//!
//! Nothing here knows a file, a database or the clock. Each type keeps one promise: a [`Decimal`] is exact, a
//! [`Timestamp`] is an instant, a [`Date`] is a calendar day, a [`Window`] resolves to half-open instants.

mod clock;
mod decimal;
mod key;
mod parse;
mod recurrence;
mod span;
mod types;
mod window;
mod zone;

pub use clock::Clock;
pub use decimal::{Decimal, MAX_SCALE, div_round, pow10};
pub use key::{Key, KeyType};
pub use parse::{CivilText, parse_date, parse_timestamp};
pub use recurrence::{Recurrence, RecurrenceError};
pub use span::{CalendarSpan, SpanError};
pub use types::{Type, Value};
pub use window::{Anchor, CalendarUnit, Instants, MonthDay, MonthDayError, Per, Window, WindowKind, years_between};
pub use zone::{Date, Timestamp, Zone, ZoneError, civil_from_days, days_from_civil};

/// Microseconds in a second.
pub const MICROS: i64 = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY_MICROS: i64 = 86_400 * MICROS;
