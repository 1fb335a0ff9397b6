//! Reading a TOML tree into structs, every mistake reported at its place.

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::{FileId, Location},
    report::Report,
};

/// Where mistakes of the file that is being read go.
pub(crate) struct Reading<'a> {
    pub(crate) file: FileId,
    pub(crate) out: &'a mut Report,
}

impl Reading<'_> {
    pub(crate) fn location(&self, range: Range<usize>) -> Location {
        Location { file: self.file, range }
    }

    /// Reports a value of another TOML type than `wanted`.
    pub(crate) fn wrong_type<T>(&mut self, item: &Item<'_, '_>, wanted: &str) -> Option<T> {
        let found = match item.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let headline = format!("expected {wanted}, found {found}");
        self.out.push(Diagnostic::error(code::WRONG_VALUE_TYPE, &self.location(item.value.span()), headline));
        None
    }
}

/// A value in its table: with the place of the key that it stands under.
pub(crate) struct Item<'a, 'i> {
    pub(crate) key: Range<usize>,
    pub(crate) value: &'a Spanned<DeValue<'i>>,
}

/// What can be read from a TOML value. `None` means: not readable, and reported.
pub(crate) trait Read: Sized {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self>;

    /// Reads a whole file.
    fn read_root(root: Spanned<DeTable<'_>>, cx: &mut Reading<'_>) -> Option<Self> {
        let value = Spanned::new(0..0, DeValue::Table(root.into_inner()));
        Self::read(&Item { key: 0..0, value: &value }, cx)
    }
}

/// A value as written, and where. `value` is `None` where it couldn't be read, which is reported.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: Option<T>,
    pub(crate) at: Location,
}

impl<T> At<T> {
    /// The value of a key that may be absent: `default` where it is; `None` where it couldn't be read.
    pub(crate) fn value_or<'a, U>(written: Option<&'a At<T>>, default: U, value: impl FnOnce(&'a T) -> U) -> Option<U> {
        written.map_or(Some(default), |written| written.value.as_ref().map(value))
    }
}

impl<T: Read> Read for At<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let value = T::read(item, cx);
        Some(At { value, at: cx.location(item.value.span()) })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A name that a file gives to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: Location,
}

/// Tables under names that the file chooses, in the order written: `[metric.NAME]`.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) Vec<(Name, At<T>)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(vec![])
    }
}

impl<T: Read> Read for Named<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Table(table) = item.value.get_ref() else {
            return cx.wrong_type(item, "a table");
        };
        Some(Named(in_order(table).into_iter().filter_map(|(key, value)| Named::entry(key, value, cx)).collect()))
    }
}

impl<T: Read> Named<T> {
    /// One of its tables, with its name.
    pub(crate) fn entry(
        key: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        cx: &mut Reading<'_>,
    ) -> Option<(Name, At<T>)> {
        let name = Name { text: key.get_ref().to_string(), at: cx.location(key.span()) };
        At::read(&Item { key: key.span(), value }, cx).map(|entry| (name, entry))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        <BTreeMap<String, T>>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<BTreeMap<String, T>>()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Array(array) = item.value.get_ref() else {
            return cx.wrong_type(item, "a list");
        };
        Some(array.iter().filter_map(|value| T::read(&Item { key: value.span(), value }, cx)).collect())
    }
}

impl Read for String {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => cx.wrong_type(item, "a string in quotes"),
        }
    }
}

impl Read for bool {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => cx.wrong_type(item, "true or false"),
        }
    }
}

/// A whole number within the range of `T`.
fn whole<T: TryFrom<i128> + Display>(item: &Item<'_, '_>, least: T, most: T, cx: &mut Reading<'_>) -> Option<T> {
    let DeValue::Integer(number) = item.value.get_ref() else {
        return cx.wrong_type(item, "a whole number");
    };
    let value = i128::from_str_radix(number.as_str(), number.radix()).ok().and_then(|value| T::try_from(value).ok());
    if value.is_none() {
        let headline = format!("expected a whole number from {least} to {most}");
        cx.out.push(Diagnostic::error(code::OUT_OF_RANGE, &cx.location(item.value.span()), headline));
    }
    value
}

impl Read for u16 {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        whole(item, u16::MIN, u16::MAX, cx)
    }
}

impl Read for u64 {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        whole(item, u64::MIN, u64::MAX, cx)
    }
}

impl Read for i64 {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        whole(item, i64::MIN, i64::MAX, cx)
    }
}

/// The entries of a table in the order written.
pub(crate) fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
