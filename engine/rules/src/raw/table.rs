//! Tables with known keys, and closed sets of words: one description gives the struct, its reading and its JSON Schema.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::read::{At, Item, Named, Read, Reading, in_order};
use crate::{code, diagnostic::Diagnostic, fileset::Location, suggest::nearest};

/// A struct whose fields are the keys of a table.
pub(crate) trait Fields: Sized {
    /// The keys.
    fn keys() -> Vec<&'static str>;

    /// The fields, from a table that may have other keys as well.
    fn fields(table: &Table<'_, '_>, cx: &mut Reading<'_>) -> Self;
}

/// A table whose keys are known: unknown ones are reported as soon as it is opened.
pub(crate) struct Table<'a, 'i> {
    entries: &'a DeTable<'i>,
    key: Range<usize>,
    what: &'static str,
}

impl<'a, 'i> Table<'a, 'i> {
    pub(crate) fn open(
        item: &Item<'a, 'i>,
        what: &'static str,
        keys: &[&'static str],
        cx: &mut Reading<'_>,
    ) -> Option<Self> {
        let DeValue::Table(entries) = item.value.get_ref() else {
            return cx.wrong_type(item, &format!("a table for {what}"));
        };
        for (key, _) in in_order(entries) {
            if !keys.contains(&&**key.get_ref()) {
                cx.out.push(unknown_key(key.get_ref(), &cx.location(key.span()), what, keys));
            }
        }
        Some(Table { entries, key: item.key.clone(), what })
    }

    /// A table whose keys aren't all known: those that aren't are for the caller to read.
    pub(crate) fn open_to_others(item: &Item<'a, 'i>, what: &'static str, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Table(entries) = item.value.get_ref() else {
            return cx.wrong_type(item, &format!("a table for {what}"));
        };
        Some(Table { entries, key: item.key.clone(), what })
    }

    /// The values under keys that aren't among these, in the order written.
    pub(crate) fn others<T: Read>(&self, keys: &[&str], cx: &mut Reading<'_>) -> Named<T> {
        let others = in_order(self.entries).into_iter().filter(|(key, _)| !keys.contains(&&**key.get_ref()));
        Named(others.filter_map(|(key, value)| Named::entry(key, value, cx)).collect())
    }

    /// The value under a key that may be absent.
    pub(crate) fn optional<T: Read>(&self, key: &str, cx: &mut Reading<'_>) -> Option<T> {
        let (key, value) = self.entries.get_key_value(key)?;
        T::read(&Item { key: key.span(), value }, cx)
    }

    /// The value under a key that must be there.
    pub(crate) fn required<T: Read>(&self, key: &str, cx: &mut Reading<'_>) -> At<T> {
        let found: Option<At<T>> = self.optional(key, cx);
        if found.is_none() {
            let headline = format!("{} has no `{key}`", self.what);
            cx.out.push(Diagnostic::error(code::MISSING_KEY, &cx.location(self.key.clone()), headline));
        }
        found.unwrap_or_else(|| At { value: None, at: cx.location(self.key.clone()) })
    }
}

fn unknown_key(key: &str, at: &Location, what: &str, keys: &[&'static str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(code::UNKNOWN_KEY, at, format!("{what} has no key `{key}`"));
    match nearest(key, keys.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("its keys are {}", list(keys))),
    }
}

/// `a`, `b` and `c`, in backticks.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A key as TOML has it, from the name of a field: `r#where` is `where`.
pub(crate) const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A struct for a table with known keys: the struct itself, its [`Read`] and its JSON Schema. Each key says whether it is
/// `required` or `optional`; what is in quotes names the table in diagnostics. After `with` stands a table whose keys stand in
/// this one as well.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $name:ident = $what:literal {
            $($(#[$field_meta:meta])* $presence:ident $field:ident : $ty:ty,)*
        }
        $(with $part:ident : $part_ty:ty)?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $crate::raw::table::table!(@type $presence $ty),)*
            $(#[schemars(flatten)] pub(crate) $part: $part_ty,)?
        }

        impl $crate::raw::table::Fields for $name {
            fn keys() -> Vec<&'static str> {
                let keys = vec![$($crate::raw::table::key(stringify!($field))),*];
                $(let keys = [keys, <$part_ty as $crate::raw::table::Fields>::keys()].concat();)?
                keys
            }

            fn fields(table: &$crate::raw::table::Table<'_, '_>, cx: &mut $crate::raw::read::Reading<'_>) -> Self {
                $name {
                    $($field: $crate::raw::table::table!(@read table cx $presence $field),)*
                    $($part: <$part_ty as $crate::raw::table::Fields>::fields(table, cx),)?
                }
            }
        }

        impl $crate::raw::read::Read for $name {
            fn read(item: &$crate::raw::read::Item<'_, '_>, cx: &mut $crate::raw::read::Reading<'_>) -> Option<Self> {
                let keys = <Self as $crate::raw::table::Fields>::keys();
                let table = $crate::raw::table::Table::open(item, $what, &keys, cx)?;
                Some(<Self as $crate::raw::table::Fields>::fields(&table, cx))
            }
        }
    };
    (@type required $ty:ty) => { $crate::raw::read::At<$ty> };
    (@type optional $ty:ty) => { Option<$crate::raw::read::At<$ty>> };
    (@read $table:ident $cx:ident required $field:ident) => {
        $table.required($crate::raw::table::key(stringify!($field)), $cx)
    };
    (@read $table:ident $cx:ident optional $field:ident) => {
        $table.optional($crate::raw::table::key(stringify!($field)), $cx)
    };
}
pub(crate) use table;

/// A closed set of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$word_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub(crate) enum $name {
            $($(#[$word_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::raw::read::Read for $name {
            fn read(item: &$crate::raw::read::Item<'_, '_>, cx: &mut $crate::raw::read::Reading<'_>) -> Option<Self> {
                match String::read(item, cx)?.as_str() {
                    $($word => Some($name::$variant),)*
                    other => $crate::raw::table::unknown_word(other, &[$($word),*], item, cx),
                }
            }
        }
    };
}
pub(crate) use words;

/// Reports a word that isn't among those that its key takes.
pub(crate) fn unknown_word<T>(word: &str, words: &[&str], item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<T> {
    let at = cx.location(item.value.span());
    let diagnostic = Diagnostic::error(code::UNKNOWN_VALUE, &at, format!("`{word}` is no value of this key"));
    cx.out.push(match nearest(word, words.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")),
        None => diagnostic.help(format!("its values are {}", list(words))),
    });
    None
}
