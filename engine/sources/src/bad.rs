//! Stored values that don't fit their declared type: how many, and where the first few are.

use std::fmt;

use tierd_model::Key;

/// So many bad values of a column are named.
pub(crate) const FEW: usize = 3;

/// The bad values of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValues {
    /// The table or view.
    pub table: String,
    /// Its column; for a computed argument that doesn't fit, the metric's name.
    pub column: String,
    /// What the configuration says that it is: `date`, `decimal(2)`.
    pub expected: String,
    /// How many there are, in rows that count.
    pub count: u64,
    /// The first few, in the order of the table.
    pub examples: Vec<BadExample>,
}

/// Where one of them is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadExample {
    /// The row's id, where the table has such.
    pub row_id: Option<i64>,
    /// The subject that the row names.
    pub subject: Option<Key>,
    /// What stands there: `TEXT "n/a"`; only the storage class where the column is personal.
    pub found: String,
}

/// `row 17 of customer 4: TEXT "n/a"`
impl fmt::Display for BadExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row_id, &self.subject) {
            (Some(row), Some(subject)) => write!(f, "row {row} of subject {subject}: ")?,
            (Some(row), None) => write!(f, "row {row}: ")?,
            (None, Some(subject)) => write!(f, "subject {subject}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.found)
    }
}
