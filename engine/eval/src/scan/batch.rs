//! A few hundred rows of one fact table, column by column: what a reader fills and the accumulators take in.

use tierd_model::Type;

use super::interner::Interner;

/// Rows of a full batch: a few columns of them stay in the first-level cache.
pub const BATCH_ROWS: usize = 512;

/// [`Values::flags`] of a value that is there.
pub const VALID: u8 = 1;
/// [`Values::flags`] of a stored value that doesn't fit its declared type: read as NULL, and counted.
pub const BAD: u8 = 2;

/// One column of a batch. A value that isn't [`VALID`] is 0.
///
/// | type | value |
/// |---|---|
/// | integer | itself |
/// | decimal | units of the smallest digit |
/// | real | the bits of the double, never −0.0 |
/// | bool | 0 or 1 |
/// | date | days since 1970-01-01 |
/// | timestamp | microseconds since 1970-01-01T00:00:00Z |
/// | text | id in the column's [`Interner`] (0 for NULL) |
#[derive(Debug)]
pub struct Values {
    /// The values.
    pub values: [i64; BATCH_ROWS],
    /// [`VALID`], [`BAD`] or 0 (NULL).
    pub flags: [u8; BATCH_ROWS],
}

impl Default for Values {
    fn default() -> Self {
        Values { values: [0; BATCH_ROWS], flags: [0; BATCH_ROWS] }
    }
}

/// What a reader found in one column of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// A value, as [`Values`] lays it out.
    Value(i64),
    /// NULL.
    Null,
    /// A value that doesn't fit the declared type.
    Bad,
}

/// Up to [`BATCH_ROWS`] rows.
#[derive(Debug)]
pub struct Batch {
    rows: usize,
    /// Index of each row's subject; the number of subjects stands for "none that is known".
    pub subjects: [u32; BATCH_ROWS],
    /// Flags of the subject column itself: whether it is NULL or bad.
    pub subject_flags: [u8; BATCH_ROWS],
    columns: Vec<Values>,
    texts: Vec<Option<Interner>>,
    any_bad: bool,
}

impl Batch {
    /// An empty batch of columns of these types.
    pub fn new(types: impl IntoIterator<Item = Type>) -> Self {
        let texts: Vec<_> = types.into_iter().map(|ty| (ty == Type::Text).then(Interner::default)).collect();
        Batch {
            rows: 0,
            subjects: [0; BATCH_ROWS],
            subject_flags: [0; BATCH_ROWS],
            columns: texts.iter().map(|_| Values::default()).collect(),
            texts,
            any_bad: false,
        }
    }

    /// Rows in it.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A column's values.
    pub fn column(&self, column: usize) -> &Values {
        &self.columns[column]
    }

    /// The texts of a text column.
    pub fn texts(&self, column: usize) -> Option<&Interner> {
        self.texts[column].as_ref()
    }

    /// Whether any value of these rows is bad.
    pub(super) fn any_bad(&self) -> bool {
        self.any_bad
    }

    /// Says that a computed value is bad.
    pub(super) fn note_bad(&mut self) {
        self.any_bad = true;
    }

    /// Sets a column of the row that is being filled.
    ///
    /// # Panics
    /// If the batch is full.
    #[inline]
    pub fn set(&mut self, column: usize, cell: Cell) {
        let (value, flag) = match cell {
            Cell::Value(value) => (value, VALID),
            Cell::Null => (0, 0),
            Cell::Bad => (0, BAD),
        };
        let target = &mut self.columns[column];
        target.values[self.rows] = value;
        target.flags[self.rows] = flag;
        self.any_bad |= flag == BAD;
    }

    /// Sets a text column of the row that is being filled; bytes that are no UTF-8 are bad.
    ///
    /// # Panics
    /// If the batch is full, or the column isn't text.
    #[inline]
    pub fn set_text(&mut self, column: usize, text: &[u8]) {
        let id = self.texts[column].as_mut().map(|texts| texts.intern(text));
        let cell = match id {
            Some(Ok(id)) => Cell::Value(i64::from(id)),
            Some(Err(_)) => Cell::Bad,
            None => unreachable!("text in a column that isn't text"),
        };
        self.set(column, cell);
    }

    /// Says how the subject column of the row that is being filled was.
    #[inline]
    pub fn set_subject_flag(&mut self, flag: u8) {
        self.subject_flags[self.rows] = flag;
        self.any_bad |= flag == BAD;
    }

    /// Ends the row that is being filled; true if the batch is now full.
    #[inline]
    pub fn end_row(&mut self) -> bool {
        self.rows += 1;
        self.rows == BATCH_ROWS
    }

    pub(super) fn column_and_texts(&mut self, column: usize) -> (&mut Values, Option<&mut Interner>) {
        (&mut self.columns[column], self.texts[column].as_mut())
    }

    pub(super) fn into_texts(self) -> Vec<Option<Interner>> {
        self.texts
    }

    /// Empties it, keeping the texts.
    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.any_bad = false;
    }
}
