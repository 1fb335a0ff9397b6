use std::fmt;

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, ValueRef},
};
use tierd_model::{Key, KeyType};

use crate::error::{ErrorKind, KindResult};

/// The key of a subject, borrowed. Ordered as subjects are: integers by value, text byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRef<'a> {
    /// An integer key.
    Integer(i64),
    /// A text key.
    Text(&'a str),
}

impl<'a> KeyRef<'a> {
    /// The key as a value of its own.
    pub fn to_key(self) -> Key {
        match self {
            KeyRef::Integer(key) => Key::Integer(key),
            KeyRef::Text(key) => Key::Text(key.into()),
        }
    }

    /// Reads a `subject` column.
    pub(crate) fn read(value: ValueRef<'a>) -> KindResult<Self> {
        match value {
            ValueRef::Integer(key) => Ok(KeyRef::Integer(key)),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes)
                .map(KeyRef::Text)
                .map_err(|_| ErrorKind::Unreadable("a key that isn't UTF-8")),
            _ => Err(ErrorKind::Unreadable("a key that is neither integer nor text")),
        }
    }
}

impl<'a> From<&'a Key> for KeyRef<'a> {
    fn from(key: &'a Key) -> Self {
        match key {
            Key::Integer(key) => KeyRef::Integer(*key),
            Key::Text(key) => KeyRef::Text(key),
        }
    }
}

impl ToSql for KeyRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            KeyRef::Integer(key) => ValueRef::Integer(*key),
            KeyRef::Text(key) => ValueRef::Text(key.as_bytes()),
        }))
    }
}

/// Text keys, wherever they lie: subject `i` has key `i`.
pub trait TextKeys {
    /// The number of subjects.
    fn count(&self) -> usize;

    /// The key of a subject.
    ///
    /// # Panics
    /// If there is no such subject.
    fn key(&self, subject: usize) -> &str;
}

impl<T: AsRef<str>> TextKeys for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn key(&self, subject: usize) -> &str {
        self[subject].as_ref()
    }
}

/// The keys of all subjects of a tier set, strictly ascending: subject `i` has key `i`.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// Integer keys.
    Integer(&'a [i64]),
    /// Text keys.
    Text(&'a dyn TextKeys),
}

impl<'a> Keys<'a> {
    /// The number of subjects.
    pub fn len(&self) -> usize {
        match self {
            Keys::Integer(keys) => keys.len(),
            Keys::Text(keys) => keys.count(),
        }
    }

    /// Whether there are no subjects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a subject.
    ///
    /// # Panics
    /// If there is no such subject.
    #[inline]
    pub fn get(&self, subject: usize) -> KeyRef<'a> {
        match self {
            Keys::Integer(keys) => KeyRef::Integer(keys[subject]),
            Keys::Text(keys) => KeyRef::Text(keys.key(subject)),
        }
    }

    /// What the keys are stored as.
    pub fn ty(&self) -> KeyType {
        match self {
            Keys::Integer(_) => KeyType::Integer,
            Keys::Text(_) => KeyType::Text,
        }
    }

    /// Whether each key is larger than the one before.
    pub(crate) fn ascend(&self) -> bool {
        match self {
            Keys::Integer(keys) => keys.is_sorted_by(|a, b| a < b),
            Keys::Text(keys) => (1..keys.count()).all(|i| keys.key(i - 1) < keys.key(i)),
        }
    }
}

impl fmt::Debug for Keys<'_> {
    /// Keys belong to customers: only their number and type are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys of type {}", self.len(), key_type_name(self.ty()))
    }
}

/// The word for a type of key in the ledger.
pub(crate) fn key_type_name(ty: KeyType) -> &'static str {
    match ty {
        KeyType::Integer => "integer",
        KeyType::Text => "text",
    }
}
