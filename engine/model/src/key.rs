use std::fmt;

/// What a subject's key is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// A 64-bit integer.
    Integer,
    /// Text, compared byte by byte.
    Text,
}

/// The key of a subject, as the company's database has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A 64-bit integer.
    Integer(i64),
    /// Text, compared byte by byte.
    Text(Box<str>),
}

impl Key {
    /// Reads a key as a person types it; `None` if it isn't of this type.
    pub fn parse(text: &str, ty: KeyType) -> Option<Self> {
        match ty {
            KeyType::Integer => text.trim().parse().ok().map(Key::Integer),
            KeyType::Text => Some(Key::Text(text.into())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Integer(key) => key.fmt(f),
            Key::Text(key) => key.fmt(f),
        }
    }
}
