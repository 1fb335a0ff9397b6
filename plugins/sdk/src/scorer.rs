//! Scorers: a value per subject.

use crate::{Call, Column, Failure, description::Function};

/// A function of columns to one column. [`scorer!`](crate::scorer!) makes one of a function of one row; written by hand, it sees the whole
/// batch.
pub trait Scorer {
    /// Its name in rules.
    const NAME: &'static str;

    /// What `describe` says of it.
    fn describe() -> Function;

    /// One value per row. A subject's value must depend on its own row alone.
    ///
    /// # Errors
    /// Where it has none.
    fn score(call: &Call, rows: u32, inputs: &[Column]) -> Result<Column, Failure>;
}

/// A scorer of a function of one row.
///
/// The function stays one that can be called; beside it, a type of the same name is the [`Scorer`], for [`plugin!`](crate::plugin!).
/// Comments are what people read of it with `tierd plugin check`.
///
/// ```
/// tierd_plugin::scorer! {
///     /// Spend per order.
///     fn ticket(
///         /// Of the last year.
///         spend: f64,
///         orders: Option<i64>,
///     ) -> Option<f64> {
///         orders.filter(|n| *n > 0).map(|n| spend / n as f64)
///     }
/// }
/// # use tierd_plugin::testing;
/// let columns = vec![testing::column([90.0, 10.0]), testing::column([Some(3_i64), None])];
/// assert_eq!(testing::score::<ticket, f64>(&testing::call("ticket"), columns).unwrap(), [Some(30.0), None]);
/// ```
#[macro_export]
macro_rules! scorer {
    ($(#[doc = $doc:literal])* $vis:vis fn $name:ident($($(#[doc = $pdoc:literal])* $param:ident : $ty:ty),* $(,)?) -> $out:ty $body:block) => {
        $(#[doc = $doc])*
        $vis fn $name($($param: $ty),*) -> $out $body

        $(#[doc = $doc])*
        #[allow(non_camel_case_types)]
        $vis struct $name {}

        impl $crate::Scorer for $name {
            const NAME: &'static str = stringify!($name);

            fn describe() -> $crate::description::Function {
                let output = <<$out as $crate::Output>::Item as $crate::Item>::TYPE;
                $crate::__function!($name, Scorer, [$($doc),*], [$([$($pdoc),*] $param: $ty),*], ::std::option::Option::Some(output))
            }

            fn score(call: &$crate::Call, rows: u32, inputs: &[$crate::Column]) -> ::std::result::Result<$crate::Column, $crate::Failure> {
                $crate::__bind!(call, rows, inputs, [$($param: $ty),*]);
                <$out as $crate::Output>::column(rows as usize, move |row| {
                    let _ = row;
                    $name($(<$ty as $crate::Parameter<'_>>::at($param, row)),*)
                })
            }
        }
    };
}

/// The description of a function.
#[doc(hidden)]
#[macro_export]
macro_rules! __function {
    ($name:ident, $kind:ident, [$($doc:literal),*], [$([$($pdoc:literal),*] $param:ident: $ty:ty),*], $output:expr $(, + [$($more:ty),* $(,)?])?) => {
        $crate::macros::function(
            stringify!($name),
            $crate::description::Kind::$kind,
            &[$($doc),*],
            ::std::vec![$($crate::macros::input(stringify!($param), &[$($pdoc),*], <$ty as $crate::Parameter<'_>>::INPUT)),*],
            $output,
            ::std::vec![
                $(<$ty as $crate::Parameter<'_>>::settings(),)*
                $($(<$more as $crate::Parameter<'_>>::settings(),)*)?
            ],
        )
    };
}

/// Binds parameters to what a call brings, each under its own name.
#[doc(hidden)]
#[macro_export]
macro_rules! __bind {
    ($call:expr, $rows:expr, $inputs:expr, [$($param:ident: $ty:ty),*]) => {
        #[allow(unused_mut)]
        let mut source = $crate::Source::new($call, $rows as usize, $inputs);
        $(let $param = <$ty as $crate::Parameter<'_>>::bind(&mut source)?;)*
        source.end()?;
        $(let $param = <$ty as $crate::Parameter<'_>>::view(&$param, $rows as usize);)*
    };
}
