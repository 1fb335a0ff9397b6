//! Bytes of states: what an aggregator carries from batch to batch, and what a model is kept as between rounds.

/// What can be written as bytes and read again. Made for a type of one's own by [`state!`](crate::state!).
pub trait State: Sized {
    /// Appends it.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes it from the front; `None` where the bytes are something else.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl State for $ty {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(<$ty>::from_le_bytes(*number))
            }
        }
    )*};
}

numbers! { u8 u32 u64 i32 i64 f64 }

impl State for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl State for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(u8::read(bytes)? != 0)
    }
}

impl<T: State> State for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        self.iter().for_each(|value| value.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(if bool::read(bytes)? { Some(T::read(bytes)?) } else { None })
    }
}

impl<T: State> State for Vec<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).write(bytes);
        self.iter().for_each(|value| value.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        (0..u32::read(bytes)?).map(|_| T::read(bytes)).collect()
    }
}

impl<T: State, const N: usize> State for [T; N] {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.iter().for_each(|value| value.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        (0..N).map(|_| T::read(bytes)).collect::<Option<Vec<T>>>()?.try_into().ok()
    }
}

impl State for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).write(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let length = u32::read(bytes)? as usize;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

/// A type whose fields are written one after the other.
///
/// ```
/// use tierd_plugin::State;
///
/// tierd_plugin::state! {
///     /// The gaps between purchases so far.
///     #[derive(Default)]
///     pub struct Gaps {
///         last: Option<i64>,
///         longest: f64,
///     }
/// }
///
/// let mut bytes = Vec::new();
/// Gaps { last: Some(7), longest: 1.5 }.write(&mut bytes);
/// assert_eq!(Gaps::read(&mut &bytes[..]), Some(Gaps { last: Some(7), longest: 1.5 }));
/// ```
#[macro_export]
macro_rules! state {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[doc = $fdoc:literal])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name { $($(#[doc = $fdoc])* pub $field: $ty),* }

        impl $crate::State for $name {
            fn write(&self, bytes: &mut ::std::vec::Vec<u8>) {
                $($crate::State::write(&self.$field, bytes);)*
            }

            fn read(bytes: &mut &[u8]) -> ::std::option::Option<Self> {
                ::std::option::Option::Some($name { $($field: $crate::State::read(bytes)?),* })
            }
        }
    };
}

/// In front of every state that is handed on, so that none is empty: empty means that there is none.
const MARK: u8 = 1;

/// The bytes of a state.
pub(crate) fn to_bytes<T: State>(state: &T) -> Vec<u8> {
    let mut bytes = vec![MARK];
    state.write(&mut bytes);
    bytes
}

/// The state of these bytes, all of them.
pub(crate) fn from_bytes<T: State>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes.strip_prefix(&[MARK])?;
    let state = T::read(&mut rest)?;
    rest.is_empty().then_some(state)
}
