//! Tables of the company, looked up by key.

use std::ops::Deref;

use crate::{
    Column, Failure, Parameter, Source, Texts, ValueType,
    description::{Accepts, LookupColumn, LookupTable, Setting},
};

/// A row of a table; made by [`lookup!`](crate::lookup!).
pub trait Lookup: Sized {
    /// The name of the table.
    const TABLE: &'static str;

    /// What `describe` says of it.
    fn describe() -> LookupTable;

    /// Its rows of the columns.
    ///
    /// # Errors
    /// Where the columns are others.
    fn rows(rows: usize, columns: &[Column]) -> Result<Vec<Self>, Failure>;
}

/// A row of the table for each key; for a key that isn't there, a row without values.
///
/// # Errors
/// Where the table isn't granted.
pub fn find<'k, T: Lookup>(keys: impl IntoIterator<Item = &'k str>) -> Result<Vec<T>, Failure> {
    let mut texts = Texts { offsets: vec![0], bytes: Vec::new() };
    for key in keys {
        texts.bytes.extend_from_slice(key.as_bytes());
        texts.offsets.push(texts.bytes.len() as u32);
    }
    let columns = host_find(T::TABLE, &texts)?;
    T::rows(texts.offsets.len() - 1, &columns)
}

#[cfg(target_arch = "wasm32")]
fn host_find(table: &str, keys: &Texts) -> Result<Vec<Column>, Failure> {
    crate::bindings::lookups::find(table, keys)
}

#[cfg(not(target_arch = "wasm32"))]
fn host_find(table: &str, keys: &Texts) -> Result<Vec<Column>, Failure> {
    crate::testing::tables::find(table, keys)
}

/// A column of a table, as a parameter of this kind reads it. A number is a double here: the table's columns have a type each.
pub fn lookup_column(name: &str, input: Option<(Accepts, bool)>) -> Option<LookupColumn> {
    let column_type = match input?.0 {
        Accepts::Exactly(exactly) => exactly,
        Accepts::Number => ValueType::Real,
    };
    Some(LookupColumn { name: name.to_owned(), column_type })
}

/// A parameter: the row of a table whose key is an input. All rows of a batch are looked up at once.
///
/// ```
/// tierd_plugin::lookup! {
///     /// What is known of a region.
///     pub struct Region in "regions" {
///         risk: Option<f64>,
///     }
/// }
/// tierd_plugin::scorer! {
///     /// What is at stake.
///     fn exposure(spend: f64, region: tierd_plugin::Found<Region>) -> Option<f64> {
///         Some(spend * region.risk?)
///     }
/// }
/// # use tierd_plugin::testing;
/// testing::grant("regions", ["north", "south"], vec![testing::column([0.1, 0.5])]);
/// let columns = vec![testing::column([100.0, 100.0]), testing::column(["south", "west"])];
/// assert_eq!(testing::score::<exposure, f64>(&testing::call("exposure"), columns).unwrap(), [Some(50.0), None]);
/// ```
pub struct Found<'a, T>(&'a T);

impl<T> Deref for Found<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<'a, T: Lookup + 'a> Parameter<'a> for Found<'a, T> {
    const INPUT: Option<(Accepts, bool)> = Some((Accepts::Exactly(ValueType::Text), false));
    type Bound = Vec<T>;

    fn settings() -> Vec<Setting> {
        Vec::new()
    }

    fn bind(source: &mut Source<'a>) -> Result<Vec<T>, Failure> {
        let keys = <&str as Parameter>::bind(source)?;
        find((0..source.rows()).map(|row| keys.at(row)))
    }

    type View = &'a [T];

    #[inline]
    fn view(bound: &'a Vec<T>, rows: usize) -> Self::View {
        &bound[..rows]
    }

    #[inline]
    fn at(view: Self::View, row: usize) -> Self {
        Found(&view[row])
    }
}

/// A type for rows of a table. Its fields are columns: every one an `Option`, since a key may not be there.
///
/// An operator grants the table; a plugin names the ones it needs in [`plugin!`](crate::plugin!). Example: [`Found`].
#[macro_export]
macro_rules! lookup {
    ($(#[doc = $doc:literal])* $vis:vis struct $name:ident in $table:literal { $($(#[doc = $fdoc:literal])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        $vis struct $name { $($(#[doc = $fdoc])* pub $field: $ty),* }

        impl $crate::Lookup for $name {
            const TABLE: &'static str = $table;

            fn describe() -> $crate::description::LookupTable {
                let columns = [$($crate::macros::lookup_column(stringify!($field), <$ty as $crate::Parameter<'_>>::INPUT)),*];
                $crate::description::LookupTable { name: $table.into(), columns: columns.into_iter().flatten().collect() }
            }

            fn rows(rows: usize, columns: &[$crate::Column]) -> ::std::result::Result<::std::vec::Vec<Self>, $crate::Failure> {
                let call = $crate::macros::no_call();
                $crate::__bind!(&call, rows, columns, [$($field: $ty),*]);
                ::std::result::Result::Ok((0..rows).map(|row| $name { $($field: <$ty as $crate::Parameter<'_>>::at($field, row)),* }).collect())
            }
        }
    };
}
