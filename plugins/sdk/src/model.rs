//! Models: a value per subject, after looking at all subjects.

use crate::{
    Call, Column, Failure, State,
    bindings::model::exports::tierd::plugin::model,
    description::Function,
    json::Json,
    state::{from_bytes, to_bytes},
};

/// A function that is fitted to all subjects, and then applied to each; made by [`model!`](crate::model!).
pub trait Model {
    /// Its name in rules.
    const NAME: &'static str;

    /// What `describe` says of it.
    fn describe() -> Function;

    /// What a batch contributes.
    ///
    /// # Errors
    /// Where it can't.
    fn part(call: &Call, model: &[u8], rows: u32, inputs: &[Column]) -> Result<Vec<u8>, Failure>;

    /// The next model from all parts.
    ///
    /// # Errors
    /// Where there is none.
    fn fit(call: &Call, model: &[u8], parts: &[Vec<u8>]) -> Result<model::Fitted, Failure>;

    /// One value per row by the final model.
    ///
    /// # Errors
    /// Where there is none.
    fn apply(call: &Call, model: &[u8], rows: u32, inputs: &[Column]) -> Result<Column, Failure>;
}

/// A model after a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted<M> {
    /// The model from now on.
    pub model: M,
    /// Whether it is final.
    pub done: bool,
    /// What people should see of it: an object.
    pub summary: Json,
}

impl<M> Fitted<M> {
    /// Another round is needed.
    pub fn again(model: M) -> Self {
        Fitted { model, done: false, summary: Json::Object(Vec::new()) }
    }

    /// The final one.
    pub fn done(model: M, summary: Json) -> Self {
        Fitted { model, done: true, summary }
    }
}

impl<M: State> From<Fitted<M>> for model::Fitted {
    fn from(fitted: Fitted<M>) -> Self {
        model::Fitted { model: to_bytes(&fitted.model), done: fitted.done, summary: fitted.summary.to_string() }
    }
}

/// The model so far; none in the first round.
///
/// # Errors
/// Where the bytes are something else.
pub fn decode<M: State>(bytes: &[u8]) -> Result<Option<M>, Failure> {
    match bytes {
        [] => Ok(None),
        bytes => from_bytes(bytes).map(Some).ok_or_else(|| "these bytes aren't a model of this function".into()),
    }
}

/// All parts.
///
/// # Errors
/// Where the bytes of one are something else.
pub fn decode_all<P: State>(parts: &[Vec<u8>]) -> Result<Vec<P>, Failure> {
    parts
        .iter()
        .map(|bytes| from_bytes(bytes).ok_or_else(|| "these bytes aren't a part of this function".into()))
        .collect()
}

/// Of a part.
pub fn encode<P: State>(part: &P) -> Vec<u8> {
    to_bytes(part)
}

/// The final model.
///
/// # Errors
/// Where there is none.
pub fn apply<M: State>(bytes: &[u8]) -> Result<M, Failure> {
    decode(bytes)?.ok_or_else(|| "the model hasn't been fitted".into())
}

/// Whether two lists of parameters (name, and whether it is an input) have the same inputs.
pub const fn same_inputs(one: &[(&str, bool)], other: &[(&str, bool)]) -> bool {
    let (mut i, mut j) = (0, 0);
    loop {
        while i < one.len() && !one[i].1 {
            i += 1;
        }
        while j < other.len() && !other[j].1 {
            j += 1;
        }
        if i == one.len() || j == other.len() {
            return i == one.len() && j == other.len();
        }
        let (a, b) = (one[i].0.as_bytes(), other[j].0.as_bytes());
        let mut k = 0;
        while k < a.len() && k < b.len() && a[k] == b[k] {
            k += 1;
        }
        if k < a.len() || k < b.len() {
            return false;
        }
        (i, j) = (i + 1, j + 1);
    }
}

/// A model, with what a batch contributes to a round, how the next model is made of that, and what it says of a row.
///
/// Fitting goes in rounds: `part` adds a row to its batch's part, which begins as its `Default`; `fit` makes the next model of all parts, in
/// the order of the batches. In the first round there is no model yet. Both are [`State`]s. `part` and `apply` take the same inputs.
///
/// ```
/// use tierd_plugin::{Failure, Fitted, json::Json};
///
/// tierd_plugin::state! {
///     /// Rows and their sum: one round is enough.
///     #[derive(Default)]
///     pub struct Sum { rows: f64, sum: f64 }
/// }
/// tierd_plugin::model! {
///     /// How far from the mean of everybody.
///     above_mean: f64, Sum;
///
///     fn part(part: &mut Sum, _mean: Option<&f64>, spend: f64) {
///         part.rows += 1.0;
///         part.sum += spend;
///     }
///
///     fn fit(_before: Option<f64>, parts: Vec<Sum>) -> Result<Fitted<f64>, Failure> {
///         let (rows, sum) = parts.iter().fold((0.0, 0.0), |(rows, sum), part| (rows + part.rows, sum + part.sum));
///         let mean = sum / f64::max(rows, 1.0);
///         Ok(Fitted::done(mean, Json::object([("mean", mean)])))
///     }
///
///     fn apply(mean: &f64, spend: f64) -> f64 {
///         spend - mean
///     }
/// }
/// # use tierd_plugin::testing;
/// let batches = vec![vec![testing::column([1.0, 2.0])], vec![testing::column([6.0])]];
/// let fitted = testing::fit::<above_mean, f64>(&testing::call("above_mean"), batches).unwrap();
/// assert_eq!(fitted.values, [Some(-2.0), Some(-1.0), Some(3.0)]);
/// assert_eq!(fitted.summary, r#"{"mean":3}"#);
/// ```
#[macro_export]
macro_rules! model {
    (
        $(#[doc = $doc:literal])* $vis:vis $name:ident : $model:ty, $part:ty;
        fn part($part_part:ident : $part_part_ty:ty, $part_model:ident : $part_model_ty:ty $(, $param:ident : $ty:ty)* $(,)?) $(-> $added:ty)? $part_body:block
        fn fit($fit_model:ident : $fit_model_ty:ty, $parts:ident : $parts_ty:ty $(, $more:ident : $more_ty:ty)* $(,)?) -> $fitted:ty $fit_body:block
        fn apply($apply_model:ident : $apply_model_ty:ty $(, $(#[doc = $adoc:literal])* $aparam:ident : $aty:ty)* $(,)?) -> $out:ty $apply_body:block
    ) => {
        $(#[doc = $doc])*
        #[allow(non_camel_case_types)]
        $vis struct $name {}

        impl $name {
            /// Adds a row to a part.
            pub fn part($part_part: $part_part_ty, $part_model: $part_model_ty $(, $param: $ty)*) $(-> $added)? $part_body

            /// The next model.
            pub fn fit($fit_model: $fit_model_ty, $parts: $parts_ty $(, $more: $more_ty)*) -> $fitted $fit_body

            /// What the model says of a row.
            pub fn apply($apply_model: $apply_model_ty $(, $aparam: $aty)*) -> $out $apply_body
        }

        const _: () = assert!(
            $crate::macros::same_inputs(
                &[$((concat!(stringify!($param), ": ", stringify!($ty)), <$ty as $crate::Parameter<'static>>::INPUT.is_some())),*],
                &[$((concat!(stringify!($aparam), ": ", stringify!($aty)), <$aty as $crate::Parameter<'static>>::INPUT.is_some())),*],
            ),
            "`part` and `apply` must take the same inputs",
        );

        impl $crate::Model for $name {
            const NAME: &'static str = stringify!($name);

            fn describe() -> $crate::description::Function {
                let output = ::std::option::Option::Some(<<$out as $crate::Output>::Item as $crate::Item>::TYPE);
                $crate::__function!($name, Model, [$($doc),*], [$([$($adoc),*] $aparam: $aty),*], output, + [$($ty,)* $($more_ty),*])
            }

            fn part(
                call: &$crate::Call,
                model: &[u8],
                rows: u32,
                inputs: &[$crate::Column],
            ) -> ::std::result::Result<::std::vec::Vec<u8>, $crate::Failure> {
                $crate::__bind!(call, rows, inputs, [$($param: $ty),*]);
                let model: ::std::option::Option<$model> = $crate::macros::decode(model)?;
                let mut part = <$part as ::std::default::Default>::default();
                for row in 0..rows as usize {
                    $crate::__Added::added($name::part(&mut part, model.as_ref() $(, <$ty as $crate::Parameter<'_>>::at($param, row))*))
                        .map_err(|failure| $crate::Failure { row: failure.row.or(::std::option::Option::Some(row as u32)), ..failure })?;
                }
                ::std::result::Result::Ok($crate::macros::encode(&part))
            }

            fn fit(
                call: &$crate::Call,
                model: &[u8],
                parts: &[::std::vec::Vec<u8>],
            ) -> ::std::result::Result<$crate::bindings::model::exports::tierd::plugin::model::Fitted, $crate::Failure> {
                $crate::__bind!(call, 0, &[], [$($more: $more_ty),*]);
                let model: ::std::option::Option<$model> = $crate::macros::decode(model)?;
                let parts: ::std::vec::Vec<$part> = $crate::macros::decode_all(parts)?;
                let fitted = $name::fit(model, parts $(, <$more_ty as $crate::Parameter<'_>>::at($more, 0))*)?;
                ::std::result::Result::Ok(fitted.into())
            }

            fn apply(
                call: &$crate::Call,
                model: &[u8],
                rows: u32,
                inputs: &[$crate::Column],
            ) -> ::std::result::Result<$crate::Column, $crate::Failure> {
                $crate::__bind!(call, rows, inputs, [$($aparam: $aty),*]);
                let model: $model = $crate::macros::apply(model)?;
                <$out as $crate::Output>::column(rows as usize, |row| {
                    let _ = row;
                    $name::apply(&model $(, <$aty as $crate::Parameter<'_>>::at($aparam, row))*)
                })
            }
        }
    };
}
