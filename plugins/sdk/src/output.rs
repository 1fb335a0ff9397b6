//! Results of functions.

use std::borrow::Cow;

use crate::{Column, Date, Decimal, Failure, Texts, Timestamp, ValueType, Values, column::Builder};

/// A value that a column can be made of.
pub trait Item: Sized {
    /// Its type in rules.
    const TYPE: ValueType;

    /// The values so far.
    type Store;

    /// None so far, with room for so many.
    fn store(rows: usize) -> Self::Store;

    /// Adds one.
    ///
    /// # Errors
    /// Where tierd would refuse it.
    fn push(self, store: &mut Self::Store) -> Result<(), Failure>;

    /// Adds a place without value.
    fn push_missing(store: &mut Self::Store);

    /// All of them.
    fn values(store: Self::Store) -> Values;
}

macro_rules! items {
    ($($(@$scale:ident)? $ty:ty, $type:expr, $case:ident($stored:ty), $value:ident => $write:expr, $good:expr;)*) => {$(
        impl $(<const $scale: u8>)? Item for $ty {
            const TYPE: ValueType = $type;
            type Store = Vec<$stored>;

            fn store(rows: usize) -> Self::Store {
                Vec::with_capacity(rows)
            }

            #[inline]
            fn push(self, store: &mut Self::Store) -> Result<(), Failure> {
                let $value = self;
                let stored = $write;
                if !$good(&stored) {
                    return Err(REFUSED.into());
                }
                store.push(stored);
                Ok(())
            }

            fn push_missing(store: &mut Self::Store) {
                store.push(Default::default());
            }

            fn values(store: Self::Store) -> Values {
                Values::$case(store)
            }
        }

        impl $(<const $scale: u8>)? Output for $ty {
            type Item = $ty;

            #[inline]
            fn value(self) -> Result<Option<$ty>, Failure> {
                Ok(Some(self))
            }

            // No row can end these loops, so that compilers work on several at once.
            #[inline]
            fn column(rows: usize, result: impl FnMut(usize) -> Self) -> Result<Column, Failure> {
                let store: Vec<$stored> = (0..rows).map(result).map(|$value| $write).collect();
                if !store.iter().fold(true, |all, stored| all & $good(stored)) {
                    let row = store.iter().position(|stored| !$good(stored));
                    return Err(Failure { row: row.map(|row| row as u32), message: REFUSED.to_owned() });
                }
                Ok(Column { values: Values::$case(store), valid: None })
            }
        }
    )*};
}

items! {
    f64, ValueType::Real, Reals(f64), value => value, |stored: &f64| stored.is_finite();
    i64, ValueType::Integer, Integers(i64), value => value, |_| true;
    bool, ValueType::Boolean, Booleans(u8), value => u8::from(value), |_| true;
    Date, ValueType::Date, Dates(i32), value => value.0, |_| true;
    Timestamp, ValueType::Timestamp, Timestamps(i64), value => value.0, |_| true;
    @SCALE Decimal<SCALE>, ValueType::Decimal(SCALE), Decimals(i64), value => value.0, |_| true;
}

const REFUSED: &str = "the result is no finite number";

/// A text.
pub trait Label {
    /// The text itself.
    fn text(self) -> Cow<'static, str>;
}

impl Label for &'static str {
    fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(self)
    }
}

impl Label for String {
    fn text(self) -> Cow<'static, str> {
        Cow::Owned(self)
    }
}

/// Texts one after the other: where each ends, and their bytes.
pub struct TextStore {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

macro_rules! text_items {
    ($($ty:ty)*) => {$(
        impl Item for $ty {
            const TYPE: ValueType = ValueType::Text;
            type Store = TextStore;

            fn store(rows: usize) -> Self::Store {
                TextStore { ends: Vec::with_capacity(rows), bytes: Vec::new() }
            }

            fn push(self, store: &mut Self::Store) -> Result<(), Failure> {
                store.bytes.extend_from_slice(self.as_bytes());
                Self::push_missing(store);
                Ok(())
            }

            fn push_missing(store: &mut Self::Store) {
                store.ends.push(store.bytes.len() as u32);
            }

            fn values(store: Self::Store) -> Values {
                Values::Texts(Texts { offsets: std::iter::once(0).chain(store.ends).collect(), bytes: store.bytes })
            }
        }
    )*};
}

text_items! { &str String }

/// What a function may give: a value, an `Option` of one, or a `Result` with either.
pub trait Output: Sized {
    /// The value.
    type Item;

    /// The value, if there is one.
    ///
    /// # Errors
    /// Where the function has failed.
    fn value(self) -> Result<Option<Self::Item>, Failure>;

    /// The column of the results of so many rows.
    ///
    /// # Errors
    /// The first failure, with its row.
    fn column(rows: usize, result: impl FnMut(usize) -> Self) -> Result<Column, Failure>
    where
        Self::Item: Item,
    {
        let mut builder = Builder::<Self::Item>::with_capacity(rows);
        for result in (0..rows).map(result) {
            builder.push(result)?;
        }
        Ok(builder.finish())
    }
}

macro_rules! texts {
    ($($ty:ty)*) => {$(
        impl Output for $ty {
            type Item = $ty;

            #[inline]
            fn value(self) -> Result<Option<$ty>, Failure> {
                Ok(Some(self))
            }
        }
    )*};
}

texts! { &'static str String }

impl<T> Output for Option<T> {
    type Item = T;

    #[inline]
    fn value(self) -> Result<Option<T>, Failure> {
        Ok(self)
    }
}

impl<T: Output, E: Into<Failure>> Output for Result<T, E> {
    type Item = T::Item;

    #[inline]
    fn value(self) -> Result<Option<T::Item>, Failure> {
        self.map_err(Into::into)?.value()
    }
}
