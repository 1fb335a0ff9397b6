//! Settings: what rules give in `config`, as a type of the plugin's own.

use crate::{
    Failure, Parameter, Source,
    description::{self, SettingType},
    json::Json,
};

/// Settings of a function; made by [`settings!`](crate::settings!).
pub trait Settings: Sized {
    /// What `describe` says of them.
    fn describe() -> Vec<description::Setting>;

    /// Read from a rule's `config`.
    ///
    /// # Errors
    /// Where one is missing or has another type.
    fn from_json(config: &Json) -> Result<Self, Failure>;
}

impl<'a, T: Settings + 'a> Parameter<'a> for &'a T {
    const INPUT: Option<(description::Accepts, bool)> = None;
    type Bound = T;

    fn settings() -> Vec<description::Setting> {
        T::describe()
    }

    fn bind(source: &mut Source<'a>) -> Result<T, Failure> {
        let config = if source.call().config.is_empty() { "{}" } else { &source.call().config };
        T::from_json(&Json::parse(config)?)
    }

    type View = &'a T;

    #[inline]
    fn view(bound: &'a T, _: usize) -> Self::View {
        bound
    }

    #[inline]
    fn at(view: Self::View, _: usize) -> Self {
        view
    }
}

/// The type of a setting.
pub trait Setting: Sized {
    /// As in rules.
    const TYPE: SettingType;
    /// What it must be, for messages.
    const WANTED: &'static str;

    /// From JSON of this type.
    fn from_json(json: &Json) -> Option<Self>;

    /// What it is where a rule doesn't give it; `None` where every rule must.
    fn missing() -> Option<Self> {
        None
    }
}

macro_rules! settings {
    ($($ty:ty, $type:ident, $wanted:literal, $json:ident => $read:expr;)*) => {$(
        impl Setting for $ty {
            const TYPE: SettingType = SettingType::$type;
            const WANTED: &'static str = $wanted;

            fn from_json($json: &Json) -> Option<Self> {
                $read
            }
        }
    )*};
}

settings! {
    f64, Number, "a number", json => json.number();
    i64, Integer, "a whole number", json => json.number().filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0).map(|n| n as i64);
    bool, Boolean, "true or false", json => if let Json::Boolean(boolean) = json { Some(*boolean) } else { None };
    String, Text, "a text", json => json.text().map(str::to_owned);
    Json, Any, "JSON", json => Some(json.clone());
}

impl<T: Setting> Setting for Option<T> {
    const TYPE: SettingType = T::TYPE;
    const WANTED: &'static str = T::WANTED;

    fn from_json(json: &Json) -> Option<Self> {
        T::from_json(json).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const TYPE: SettingType = SettingType::Any;
    const WANTED: &'static str = "a list";

    fn from_json(json: &Json) -> Option<Self> {
        json.list()?.iter().map(T::from_json).collect()
    }
}

/// One setting of a rule's `config`.
#[doc(hidden)]
pub fn read<T: Setting>(config: &Json, name: &str, default: Option<T>) -> Result<T, Failure> {
    match config.get(name) {
        None | Some(Json::Null) => {
            default.or_else(T::missing).ok_or_else(|| format!("setting `{name}` is missing").into())
        }
        Some(json) => T::from_json(json).ok_or_else(|| format!("setting `{name}` must be {}", T::WANTED).into()),
    }
}

/// A type for settings: `f64`, `i64`, `bool`, `String`, [`json::Json`](crate::json::Json), lists of these, and `Option` of any of them. What has
/// neither a default nor an `Option` must be given by every rule.
///
/// ```
/// tierd_plugin::settings! {
///     /// What counts how much.
///     pub struct Weights {
///         /// For each year of tenure.
///         year: f64 = 2.0,
///         /// Most that tenure can give.
///         most: Option<f64>,
///     }
/// }
/// tierd_plugin::scorer! {
///     /// Points for tenure.
///     fn tenure(years: f64, weights: &Weights) -> f64 {
///         (years * weights.year).min(weights.most.unwrap_or(f64::MAX))
///     }
/// }
/// # use tierd_plugin::testing;
/// let call = testing::call("tenure").config(r#"{"most": 15}"#);
/// assert_eq!(testing::score::<tenure, f64>(&call, vec![testing::column([3.0, 9.0])]).unwrap(), [Some(6.0), Some(15.0)]);
/// ```
#[macro_export]
macro_rules! settings {
    ($(#[doc = $doc:literal])* $vis:vis struct $name:ident { $($(#[doc = $fdoc:literal])* $field:ident : $ty:ty $(= $default:expr)?),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        $vis struct $name { $($(#[doc = $fdoc])* pub $field: $ty),* }

        impl $crate::Settings for $name {
            fn describe() -> ::std::vec::Vec<$crate::description::Setting> {
                ::std::vec![$($crate::description::Setting {
                    name: stringify!($field).into(),
                    setting_type: <$ty as $crate::Setting>::TYPE,
                    required: $crate::__default!($ty $(, $default)?).or_else(<$ty as $crate::Setting>::missing).is_none(),
                    doc: $crate::macros::doc(&[$($fdoc),*]),
                }),*]
            }

            fn from_json(config: &$crate::json::Json) -> ::std::result::Result<Self, $crate::Failure> {
                ::std::result::Result::Ok($name {
                    $($field: $crate::__read_setting(config, stringify!($field), $crate::__default!($ty $(, $default)?))?),*
                })
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __default {
    ($ty:ty) => {
        ::std::option::Option::<$ty>::None
    };
    ($ty:ty, $default:expr) => {
        ::std::option::Option::<$ty>::Some($default)
    };
}
