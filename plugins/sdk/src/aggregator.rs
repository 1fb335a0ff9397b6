//! Aggregators: a value per subject of its facts, which come in the order of time.

pub use crate::bindings::aggregator::exports::tierd::plugin::aggregator::{Aggregated, Facts};
use crate::{
    Call, Failure, Item, Output, State, Timestamp,
    column::Builder,
    description::Function,
    state::{from_bytes, to_bytes},
};

/// A function of facts to a value per subject; made by [`aggregator!`](crate::aggregator!).
pub trait Aggregator {
    /// Its name in rules.
    const NAME: &'static str;

    /// What `describe` says of it.
    fn describe() -> Function;

    /// One value per subject of the batch.
    ///
    /// # Errors
    /// Where there is none.
    fn aggregate(call: &Call, carried: &[u8], facts: &Facts, more: bool) -> Result<Aggregated, Failure>;
}

/// Goes through the facts of a batch, subject by subject.
///
/// # Errors
/// The first that `add` or `value` has, and where the batch isn't as the contract has it.
pub fn aggregate<S: State + Default, T: Output>(
    carried: &[u8],
    facts: &Facts,
    more: bool,
    mut add: impl FnMut(&mut S, Timestamp, usize) -> Result<(), Failure>,
    mut value: impl FnMut(S) -> T,
) -> Result<Aggregated, Failure>
where
    T::Item: Item,
{
    let mut values = Builder::<T::Item>::with_capacity(facts.rows_of.len());
    let mut carry = Vec::new();
    let mut first = match carried {
        [] => None,
        bytes => Some(from_bytes(bytes).ok_or("the state that is carried on isn't this function's")?),
    };
    let mut row = 0;
    for (subject, rows) in facts.rows_of.iter().enumerate() {
        let mut state: S = first.take().unwrap_or_default();
        let times = facts.times.get(row..row + *rows as usize).ok_or("there are fewer times than rows")?;
        for time in times {
            add(&mut state, Timestamp(*time), row)
                .map_err(|failure| Failure { row: failure.row.or(Some(row as u32)), ..failure })?;
            row += 1;
        }
        if more && subject + 1 == facts.rows_of.len() {
            carry = to_bytes(&state);
            values.push(None)?;
        } else {
            // The failure names a row of facts, not a subject; the subject has no row of its own.
            values.push(value(state)).map_err(|failure| Failure { row: None, ..failure })?;
        }
    }
    Ok(Aggregated { values: values.finish(), carry })
}

/// What adding a fact may give: nothing, or a failure.
#[doc(hidden)]
pub trait Added {
    fn added(self) -> Result<(), Failure>;
}

impl Added for () {
    fn added(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<E: Into<Failure>> Added for Result<(), E> {
    fn added(self) -> Result<(), Failure> {
        self.map_err(Into::into)
    }
}

/// An aggregator of a state, to which `add` adds a fact, and of which `value` makes the result.
///
/// The state begins as its `Default` and is a [`State`], since a subject's facts may go on in the next batch. `add` is given the state, the
/// time of the fact, and then its parameters; `value` the state, and then parameters that aren't inputs.
///
/// ```
/// use tierd_plugin::Timestamp;
///
/// tierd_plugin::state! {
///     /// The gaps between purchases so far.
///     #[derive(Default)]
///     pub struct Gaps {
///         last: Option<i64>,
///         longest: f64,
///     }
/// }
/// tierd_plugin::aggregator! {
///     /// The longest time between two purchases of more than nothing, in days.
///     longest_gap: Gaps;
///
///     fn add(gaps: &mut Gaps, at: Timestamp, amount: f64) {
///         if amount > 0.0 {
///             let since = gaps.last.map_or(0.0, |last| at.days_since(Timestamp(last)));
///             *gaps = Gaps { last: Some(at.0), longest: gaps.longest.max(since) };
///         }
///     }
///
///     fn value(gaps: Gaps) -> Option<f64> {
///         gaps.last.map(|_| gaps.longest)
///     }
/// }
/// # use tierd_plugin::testing;
/// const DAY: i64 = 86_400_000_000;
/// let facts = testing::facts([vec![0, DAY, 4 * DAY], vec![], vec![9]], vec![testing::column([5.0, 1.0, 2.0, 0.0])]);
/// assert_eq!(testing::aggregate::<longest_gap, f64>(&testing::call("longest_gap"), facts).unwrap(), [Some(3.0), None, None]);
/// ```
#[macro_export]
macro_rules! aggregator {
    (
        $(#[doc = $doc:literal])* $vis:vis $name:ident : $state:ty;
        fn add($add_state:ident : $add_state_ty:ty, $at:ident : $at_ty:ty $(, $(#[doc = $pdoc:literal])* $param:ident : $ty:ty)* $(,)?) $(-> $added:ty)? $add:block
        fn value($value_state:ident : $value_state_ty:ty $(, $more:ident : $more_ty:ty)* $(,)?) -> $out:ty $value:block
    ) => {
        $(#[doc = $doc])*
        #[allow(non_camel_case_types)]
        $vis struct $name {}

        impl $name {
            /// Adds a fact.
            pub fn add($add_state: $add_state_ty, $at: $at_ty $(, $param: $ty)*) $(-> $added)? $add

            /// The result.
            pub fn value($value_state: $value_state_ty $(, $more: $more_ty)*) -> $out $value
        }

        impl $crate::Aggregator for $name {
            const NAME: &'static str = stringify!($name);

            fn describe() -> $crate::description::Function {
                let output = ::std::option::Option::Some(<<$out as $crate::Output>::Item as $crate::Item>::TYPE);
                $crate::__function!($name, Aggregator, [$($doc),*], [$([$($pdoc),*] $param: $ty),*], output, + [$($more_ty),*])
            }

            fn aggregate(
                call: &$crate::Call,
                carried: &[u8],
                facts: &$crate::Facts,
                more: bool,
            ) -> ::std::result::Result<$crate::Aggregated, $crate::Failure> {
                $crate::__bind!(call, facts.times.len(), &facts.inputs, [$($param: $ty),*]);
                $crate::__bind!(call, 0, &[], [$($more: $more_ty),*]);
                $crate::macros::aggregate::<$state, $out>(
                    carried,
                    facts,
                    more,
                    |state, at, row| {
                        let _ = row;
                        $crate::__Added::added($name::add(state, at $(, <$ty as $crate::Parameter<'_>>::at($param, row))*))
                    },
                    |state| $name::value(state $(, <$more_ty as $crate::Parameter<'_>>::at($more, 0))*),
                )
            }
        }
    };
}
