//! Results of functions.

use std::borrow::Cow;

use crate::{Date, Decimal, Failure, Texts, Timestamp, ValueType, Values};

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
    ($($(@$scale:ident)? $ty:ty, $type:expr, $case:ident($stored:ty), $value:ident => $write:expr;)*) => {$(
        impl $(<const $scale: u8>)? Item for $ty {
            const TYPE: ValueType = $type;
            type Store = Vec<$stored>;

            fn store(rows: usize) -> Self::Store {
                Vec::with_capacity(rows)
            }

            #[inline]
            fn push(self, store: &mut Self::Store) -> Result<(), Failure> {
                let $value = self;
                store.push($write);
                Ok(())
            }

            fn push_missing(store: &mut Self::Store) {
                store.push(Default::default());
            }

            fn values(store: Self::Store) -> Values {
                Values::$case(store)
            }
        }
    )*};
}

items! {
    f64, ValueType::Real, Reals(f64), value => if value.is_finite() { value } else { return Err("the result is no finite number".into()) };
    i64, ValueType::Integer, Integers(i64), value => value;
    bool, ValueType::Boolean, Booleans(u8), value => u8::from(value);
    Date, ValueType::Date, Dates(i32), value => value.0;
    Timestamp, ValueType::Timestamp, Timestamps(i64), value => value.0;
    @SCALE Decimal<SCALE>, ValueType::Decimal(SCALE), Decimals(i64), value => value.0;
}

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

macro_rules! texts {
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

texts! { &str String }

/// What a function may give: a value, an `Option` of one, or a `Result` with either.
pub trait Output {
    /// The value.
    type Item;

    /// The value, if there is one.
    ///
    /// # Errors
    /// Where the function has failed.
    fn value(self) -> Result<Option<Self::Item>, Failure>;
}

macro_rules! outputs {
    ($($(@$scale:ident)? $ty:ty;)*) => {$(
        impl $(<const $scale: u8>)? Output for $ty {
            type Item = $ty;

            #[inline]
            fn value(self) -> Result<Option<$ty>, Failure> {
                Ok(Some(self))
            }
        }
    )*};
}

outputs! { f64; i64; bool; Date; Timestamp; @SCALE Decimal<SCALE>; &'static str; String; }

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
