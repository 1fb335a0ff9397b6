//! Segmenters: a label per subject.

use std::borrow::Cow;

pub use crate::bindings::segmenter::exports::tierd::plugin::segmenter::Segments;
use crate::{Call, Column, Failure, Label, Output, description::Function};

/// A function of columns to a label per row; made by [`segmenter!`](crate::segmenter!).
pub trait Segmenter {
    /// Its name in rules.
    const NAME: &'static str;

    /// What `describe` says of it.
    fn describe() -> Function;

    /// One label per row. A subject's label must depend on its own row alone.
    ///
    /// # Errors
    /// Where there is none.
    fn segment(call: &Call, rows: u32, inputs: &[Column]) -> Result<Segments, Failure>;
}

/// Stands for no label.
const NONE: u32 = u32::MAX;

/// Labels in the making. They are few, so that looking through them is the fastest.
#[derive(Default)]
pub struct Labels {
    labels: Vec<Cow<'static, str>>,
    of_rows: Vec<u32>,
}

impl Labels {
    /// Adds the label of the next row.
    ///
    /// # Errors
    /// Where the function has failed.
    pub fn push<T: Output>(&mut self, result: T) -> Result<(), Failure>
    where
        T::Item: Label,
    {
        let row = self.of_rows.len() as u32;
        let label = result.value().map_err(|failure| Failure { row: failure.row.or(Some(row)), ..failure })?;
        let index = label.map_or(NONE, |label| self.index(label.text()));
        self.of_rows.push(index);
        Ok(())
    }

    fn index(&mut self, label: Cow<'static, str>) -> u32 {
        if let Some(index) = self.labels.iter().position(|known| *known == label) {
            return index as u32;
        }
        self.labels.push(label);
        self.labels.len() as u32 - 1
    }

    /// All of them.
    pub fn finish(self) -> Segments {
        Segments { labels: self.labels.into_iter().map(Cow::into_owned).collect(), of_rows: self.of_rows }
    }
}

/// A segmenter of a function of one row, which gives a text or none.
///
/// ```
/// tierd_plugin::segmenter! {
///     /// Where a customer is on the way.
///     fn stage(orders: i64, days_idle: Option<i64>) -> Option<&'static str> {
///         Some(match (orders, days_idle?) {
///             (_, 365..) => "lost",
///             (..2, _) => "new",
///             _ => "regular",
///         })
///     }
/// }
/// # use tierd_plugin::testing;
/// let columns = vec![testing::column([1_i64, 9, 0]), testing::column([Some(3_i64), Some(4), None])];
/// let stages = testing::segment::<stage>(&testing::call("stage"), columns).unwrap();
/// assert_eq!(stages, [Some("new".to_owned()), Some("regular".to_owned()), None]);
/// ```
#[macro_export]
macro_rules! segmenter {
    ($(#[doc = $doc:literal])* $vis:vis fn $name:ident($($(#[doc = $pdoc:literal])* $param:ident : $ty:ty),* $(,)?) -> $out:ty $body:block) => {
        $(#[doc = $doc])*
        $vis fn $name($($param: $ty),*) -> $out $body

        $(#[doc = $doc])*
        #[allow(non_camel_case_types)]
        $vis struct $name {}

        impl $crate::Segmenter for $name {
            const NAME: &'static str = stringify!($name);

            fn describe() -> $crate::description::Function {
                let output = ::std::option::Option::Some($crate::ValueType::Text);
                $crate::__function!($name, Segmenter, [$($doc),*], [$([$($pdoc),*] $param: $ty),*], output)
            }

            fn segment(call: &$crate::Call, rows: u32, inputs: &[$crate::Column]) -> ::std::result::Result<$crate::Segments, $crate::Failure> {
                $crate::__bind!(call, rows, inputs, [$($param: $ty),*]);
                let mut labels = $crate::macros::Labels::default();
                for row in 0..rows as usize {
                    labels.push($name($(<$ty as $crate::Parameter<'_>>::at($param, row)),*))?;
                }
                ::std::result::Result::Ok(labels.finish())
            }
        }
    };
}
