//! The component: its description, and the exports of the kinds that it has.

/// Says what a plugin is, and exports it.
///
/// Lists are given in this order, each only where there is something in it: `scorers`, `segmenters`, `models`, `aggregators`, `planners`,
/// `lookups`. The type `Plugin`, which it makes, has `Plugin::describe()` for tests.
///
/// ```
/// tierd_plugin::scorer! {
///     /// Twice as much.
///     fn double(n: f64) -> f64 { 2.0 * n }
/// }
/// tierd_plugin::plugin! { name: "twice", version: "1.0.0", doc: "An example", scorers: [double] }
///
/// # fn main() {
/// let description = Plugin::describe();
/// assert_eq!(description.functions[0].name, "double");
/// assert_eq!(description.functions[0].doc, "Twice as much.");
/// # }
/// ```
#[macro_export]
macro_rules! plugin {
    (
        name: $name:expr, version: $version:expr, doc: $doc:expr
        $(, scorers: [$($scorer:ident),* $(,)?])?
        $(, segmenters: [$($segmenter:ident),* $(,)?])?
        $(, models: [$($model:ident),* $(,)?])?
        $(, aggregators: [$($aggregator:ident),* $(,)?])?
        $(, planners: [$($planner:ident),* $(,)?])?
        $(, lookups: [$($lookup:ident),* $(,)?])?
        $(,)?
    ) => {
        /// The plugin.
        pub struct Plugin;

        impl Plugin {
            /// What it says of itself.
            pub fn describe() -> $crate::description::Description {
                $crate::description::Description {
                    name: $name.into(),
                    version: $version.into(),
                    doc: $doc.into(),
                    functions: ::std::vec![
                        $($(<$scorer as $crate::Scorer>::describe(),)*)?
                        $($(<$segmenter as $crate::Segmenter>::describe(),)*)?
                        $($(<$model as $crate::Model>::describe(),)*)?
                        $($(<$aggregator as $crate::Aggregator>::describe(),)*)?
                        $($(<$planner as $crate::Planner>::describe(),)*)?
                    ],
                    lookups: ::std::vec![$($(<$lookup as $crate::Lookup>::describe(),)*)?],
                }
            }
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            impl $crate::description::Guest for Plugin {
                fn describe() -> $crate::description::Description {
                    Plugin::describe()
                }
            }
            $crate::__export!(plugin, Plugin);
        };

        $(#[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::scorer::exports::tierd::plugin::scorer::Guest;

            impl Guest for Plugin {
                fn score(call: $crate::Call, rows: u32, inputs: ::std::vec::Vec<$crate::Column>) -> ::std::result::Result<$crate::Column, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$scorer as $crate::Scorer>::NAME => <$scorer as $crate::Scorer>::score(&call, rows, &inputs),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }
            }
            $crate::__export!(scorer, Plugin);
        };)?

        $(#[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::segmenter::exports::tierd::plugin::segmenter::Guest;

            impl Guest for Plugin {
                fn segment(call: $crate::Call, rows: u32, inputs: ::std::vec::Vec<$crate::Column>) -> ::std::result::Result<$crate::Segments, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$segmenter as $crate::Segmenter>::NAME => <$segmenter as $crate::Segmenter>::segment(&call, rows, &inputs),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }
            }
            $crate::__export!(segmenter, Plugin);
        };)?

        $(#[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::model::exports::tierd::plugin::model::{Fitted, Guest};

            impl Guest for Plugin {
                fn part(
                    call: $crate::Call,
                    model: ::std::vec::Vec<u8>,
                    rows: u32,
                    inputs: ::std::vec::Vec<$crate::Column>,
                ) -> ::std::result::Result<::std::vec::Vec<u8>, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$model as $crate::Model>::NAME => <$model as $crate::Model>::part(&call, &model, rows, &inputs),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }

                fn fit(
                    call: $crate::Call,
                    model: ::std::vec::Vec<u8>,
                    parts: ::std::vec::Vec<::std::vec::Vec<u8>>,
                ) -> ::std::result::Result<Fitted, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$model as $crate::Model>::NAME => <$model as $crate::Model>::fit(&call, &model, &parts),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }

                fn apply(
                    call: $crate::Call,
                    model: ::std::vec::Vec<u8>,
                    rows: u32,
                    inputs: ::std::vec::Vec<$crate::Column>,
                ) -> ::std::result::Result<$crate::Column, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$model as $crate::Model>::NAME => <$model as $crate::Model>::apply(&call, &model, rows, &inputs),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }
            }
            $crate::__export!(model, Plugin);
        };)?

        $(#[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::aggregator::exports::tierd::plugin::aggregator::Guest;

            impl Guest for Plugin {
                fn aggregate(
                    call: $crate::Call,
                    carried: ::std::vec::Vec<u8>,
                    facts: $crate::Facts,
                    more: bool,
                ) -> ::std::result::Result<$crate::Aggregated, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$aggregator as $crate::Aggregator>::NAME => <$aggregator as $crate::Aggregator>::aggregate(&call, &carried, &facts, more),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }
            }
            $crate::__export!(aggregator, Plugin);
        };)?

        $(#[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::planner::exports::tierd::plugin::planner::{Guest, Proposal};

            impl Guest for Plugin {
                fn plan(
                    call: $crate::Call,
                    rows: u32,
                    inputs: ::std::vec::Vec<$crate::Column>,
                ) -> ::std::result::Result<::std::vec::Vec<Proposal>, $crate::Failure> {
                    match call.function.as_str() {
                        $(<$planner as $crate::Planner>::NAME => <$planner as $crate::Planner>::plan(&call, rows, &inputs),)*
                        other => ::std::result::Result::Err($crate::macros::no_function(other)),
                    }
                }
            }
            $crate::__export!(planner, Plugin);
        };)?
    };
}

/// What a call of a function that isn't there gives.
#[doc(hidden)]
pub fn no_function(name: &str) -> crate::Failure {
    format!("there is no function `{name}`").into()
}

/// The export of one interface.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($kind:ident, $plugin:ident) => {
        $crate::bindings::$kind::export!($plugin with_types_in $crate::bindings::$kind);
    };
}
