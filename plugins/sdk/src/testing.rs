//! Calling functions with columns, as tierd does, on the machine itself.
//!
//! ```
//! use tierd_plugin::testing;
//!
//! tierd_plugin::scorer! {
//!     /// Days since the last purchase.
//!     fn idle(last: tierd_plugin::Date, call: &tierd_plugin::Call) -> i64 {
//!         i64::from(call.today - last.0)
//!     }
//! }
//! let call = testing::call("idle").today(2026, 6, 30);
//! let columns = vec![testing::column([tierd_plugin::Date::new(2026, 6, 1)])];
//! assert_eq!(testing::score::<idle, i64>(&call, columns).unwrap(), [Some(29)]);
//! ```

use std::mem::ManuallyDrop;

use crate::{
    Aggregator, Call, Column, Date, Facts, Failure, Item, Model, Output, Parameter, Planner, Proposal, Scorer,
    Segmenter, Source,
};

/// A call of a function at 1970-01-01, without settings.
pub fn call(function: &str) -> Call {
    Call { function: function.to_owned(), as_of: 0, today: 0, config: "{}".to_owned() }
}

impl Call {
    /// At midnight of this day.
    pub fn today(self, year: i32, month: u32, day: u32) -> Self {
        let today = Date::new(year, month, day);
        Call { today: today.0, as_of: i64::from(today.0) * 86_400_000_000, ..self }
    }

    /// With these settings: a JSON object.
    pub fn config(self, json: &str) -> Self {
        Call { config: json.to_owned(), ..self }
    }
}

/// A column of these values.
///
/// # Panics
/// Where one isn't a value that tierd has, such as NaN.
pub fn column<T: Output>(values: impl IntoIterator<Item = T>) -> Column
where
    T::Item: Item,
{
    crate::column(values).expect("values for tests are fit for columns")
}

/// The values of a column.
///
/// # Errors
/// Where it has values of another type.
pub fn values<T>(column: &Column) -> Result<Vec<Option<T>>, Failure>
where
    for<'a> Option<T>: Parameter<'a>,
{
    let columns = std::slice::from_ref(column);
    let call = call("");
    let rows = column.rows();
    // Not dropping them lets a row borrow from them for as long.
    let bound = ManuallyDrop::new(<Option<T> as Parameter>::bind(&mut Source::new(&call, rows, columns))?);
    let view = <Option<T> as Parameter>::view(&bound, rows);
    Ok((0..rows).map(|row| <Option<T> as Parameter>::at(view, row)).collect())
}

fn rows(columns: &[Column]) -> u32 {
    columns.first().map_or(0, Column::rows) as u32
}

/// What a scorer says.
///
/// # Errors
/// Where it fails, or gives values of another type.
pub fn score<F: Scorer, T>(call: &Call, columns: Vec<Column>) -> Result<Vec<Option<T>>, Failure>
where
    for<'a> Option<T>: Parameter<'a>,
{
    values(&F::score(call, rows(&columns), &columns)?)
}

/// The labels that a segmenter gives.
///
/// # Errors
/// Where it fails.
pub fn segment<F: Segmenter>(call: &Call, columns: Vec<Column>) -> Result<Vec<Option<String>>, Failure> {
    let segments = F::segment(call, rows(&columns), &columns)?;
    Ok(segments.of_rows.iter().map(|index| segments.labels.get(*index as usize).cloned()).collect())
}

/// What a planner proposes.
///
/// # Errors
/// Where it fails.
pub fn plan<F: Planner>(call: &Call, columns: Vec<Column>) -> Result<Vec<Proposal>, Failure> {
    F::plan(call, rows(&columns), &columns)
}

/// Facts of subjects: the times of each, in microseconds, and columns over all of them.
pub fn facts<const N: usize>(times: [Vec<i64>; N], inputs: Vec<Column>) -> Facts {
    Facts { rows_of: times.iter().map(|times| times.len() as u32).collect(), times: times.concat(), inputs }
}

/// What an aggregator says of these facts as one batch.
///
/// # Errors
/// Where it fails, or gives values of another type.
pub fn aggregate<F: Aggregator, T>(call: &Call, facts: Facts) -> Result<Vec<Option<T>>, Failure>
where
    for<'a> Option<T>: Parameter<'a>,
{
    values(&F::aggregate(call, &[], &facts, false)?.values)
}

/// What a model says after fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit<T> {
    /// Of the rows of all batches.
    pub values: Vec<Option<T>>,
    /// Of the fit.
    pub summary: String,
    /// In so many rounds.
    pub rounds: usize,
}

/// Fits a model to these batches and applies it to them, in no more than 1000 rounds.
///
/// # Errors
/// Where it fails, doesn't end, or gives values of another type.
pub fn fit<F: Model, T>(call: &Call, batches: Vec<Vec<Column>>) -> Result<Fit<T>, Failure>
where
    for<'a> Option<T>: Parameter<'a>,
{
    let mut model = Vec::new();
    for round in 1..=1000 {
        let parts = batches
            .iter()
            .map(|columns| F::part(call, &model, rows(columns), columns))
            .collect::<Result<Vec<_>, _>>()?;
        let fitted = F::fit(call, &model, &parts)?;
        model = fitted.model;
        if fitted.done {
            let mut all = Vec::new();
            for columns in &batches {
                all.extend(values(&F::apply(call, &model, rows(columns), columns)?)?);
            }
            return Ok(Fit { values: all, summary: fitted.summary, rounds: round });
        }
    }
    Err("fitting hasn't ended".into())
}

/// Grants a table with these keys and columns to the functions that this thread calls.
#[cfg(not(target_arch = "wasm32"))]
pub use tables::grant;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod tables;
