//! A call of a metric or an action: inputs evaluated, rows that the function isn't given left out, results put back in place.
//!
//! What comes back is looked at before anything reads it: whoever runs plugins has looked at it too, but a column of another type
//! would end the run in a panic.

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array, cast::AsArray, new_null_array, types::Float64Type};
use arrow_buffer::NullBuffer;
use arrow_select::{concat::concat, filter::filter, take::take};
use tierd_model::{Clock, Type};
use tierd_rules::{
    Expr, ExprKind,
    plugin::{PluginCall, PluginFacts},
};

use super::{PluginColumn, PluginFailure, Plugins, Proposal, ProposedAction, SubjectFacts};
use crate::{
    columns::{array_of, arrow_type},
    derive::derived,
    expr::{evaluate, real, sound},
};

/// The call of a metric.
pub struct Calling<'a> {
    /// Who answers it.
    pub plugins: &'a dyn Plugins,
    /// Name of the plugin.
    pub plugin: &'a str,
    /// What is called, with what.
    pub call: &'a PluginCall,
    /// The metric's type.
    pub ty: Type,
    /// What the call is told of time.
    pub clock: &'a Clock,
}

impl Calling<'_> {
    /// The metric, of the subjects' own values: `columns` are what inputs read, of `subjects` rows each.
    ///
    /// # Errors
    /// [`PluginFailure`].
    pub fn of_values(&self, columns: &[Option<ArrayRef>], subjects: usize) -> Result<PluginColumn, PluginFailure> {
        let inputs: Vec<ArrayRef> =
            self.call.inputs.iter().map(|input| input_of(input, columns, subjects, self.clock)).collect();
        let Given { inputs, rows, complete } = Given::of(inputs, &self.call.required, subjects);
        if rows == 0 {
            return Ok(PluginColumn { column: new_null_array(&arrow_type(self.ty), subjects), summary: None });
        }
        let found = self.plugins.column(self.call, &inputs, rows, self.clock)?;
        let column = self.checked(found.column, rows)?;
        let Some(complete) = complete else {
            return Ok(PluginColumn { column, ..found });
        };
        let mut seen = 0;
        let places = complete.iter().map(|there| {
            seen += u32::from(there);
            there.then(|| seen - 1)
        });
        let column = sound(take(&column, &places.collect::<UInt32Array>(), None));
        Ok(PluginColumn { column, ..found })
    }

    /// The metric, of facts. `began` says who has a date that the window begins at, where that is the subject's own: others have
    /// NULL.
    pub(crate) fn of_facts(
        &self,
        of: &PluginFacts,
        facts: SubjectFacts,
        began: Option<&NullBuffer>,
    ) -> Result<ArrayRef, PluginFailure> {
        let empty = array_of(self.ty, of.empty.as_ref(), 1);
        let mut found = 0;
        let places = facts.rows_of.iter().enumerate().map(|(subject, &rows)| {
            let known = began.is_none_or(|began| began.is_valid(subject));
            found += u32::from(rows > 0);
            // The first place is that of `empty`.
            known.then_some(if rows > 0 { found } else { 0 })
        });
        let places: UInt32Array = places.collect();
        let facts = SubjectFacts { rows_of: facts.rows_of.into_iter().filter(|&rows| rows > 0).collect(), ..facts };
        let asked = facts.rows_of.len();
        let column = match asked {
            0 => new_null_array(&arrow_type(self.ty), 0),
            _ => self.checked(self.plugins.aggregate(self.call, &facts, self.clock)?, asked)?,
        };
        Ok(sound(take(&sound(concat(&[empty.as_ref(), column.as_ref()])), &places, None)))
    }

    /// The column, if it is of the metric's type and as long as it has to be, with real numbers that are finite.
    fn checked(&self, column: ArrayRef, rows: usize) -> Result<ArrayRef, PluginFailure> {
        if *column.data_type() != arrow_type(self.ty) {
            return self.refused(format!("gave values of another type than {}", self.ty));
        }
        if column.len() != rows {
            return self.refused(format!("gave {} values for {rows} rows", column.len()));
        }
        if self.ty != Type::Real {
            return Ok(column);
        }
        if column.as_primitive::<Float64Type>().iter().flatten().any(|value| !value.is_finite()) {
            return self.refused("gave a number that isn't finite".to_owned());
        }
        Ok(real::tidy(&column))
    }

    fn refused<T>(&self, message: String) -> Result<T, PluginFailure> {
        Err(refused(self.plugin, self.call, message))
    }
}

/// What a planner proposes for these subjects, by subject, ascending as they are: `columns` are what inputs read. Of whom a required input is
/// NULL isn't given to it, and has no proposals.
///
/// # Errors
/// [`PluginFailure`].
pub fn proposals(
    plugins: &dyn Plugins,
    plugin: &str,
    call: &PluginCall,
    columns: &[Option<ArrayRef>],
    subjects: &[u32],
    clock: &Clock,
) -> Result<Vec<(u32, ProposedAction)>, PluginFailure> {
    let places = UInt32Array::from(subjects.to_vec());
    let mut theirs = vec![None; columns.len()];
    for column in call.inputs.iter().flat_map(Expr::columns) {
        theirs[column] = columns[column].as_ref().map(|column| sound(take(column, &places, None)));
    }
    let inputs = call.inputs.iter().map(|input| input_of(input, &theirs, subjects.len(), clock)).collect();
    let Given { inputs, rows, complete } = Given::of(inputs, &call.required, subjects.len());
    if rows == 0 {
        return Ok(Vec::new());
    }
    let of_rows: Vec<u32> = match complete {
        Some(complete) => complete.valid_indices().map(|row| subjects[row]).collect(),
        None => subjects.to_vec(),
    };
    let proposed = plugins.plan(call, &inputs, rows, clock)?;
    if !proposed.is_sorted_by_key(|proposal| proposal.row) {
        return Err(refused(plugin, call, "gave proposals that aren't in the order of rows".to_owned()));
    }
    let of_subject = |Proposal { row, action }| match of_rows.get(row as usize) {
        Some(&subject) => Ok((subject, action)),
        None => Err(refused(plugin, call, "gave a proposal for a row that it wasn't given".to_owned())),
    };
    proposed.into_iter().map(of_subject).collect()
}

fn refused(plugin: &str, call: &PluginCall, message: String) -> PluginFailure {
    let (plugin, function) = (plugin.to_owned(), call.function.clone());
    PluginFailure { plugin, function, reason: "output", message }
}

/// What a function is given.
struct Given {
    inputs: Vec<ArrayRef>,
    rows: usize,
    /// Which rows of all they are; `None` for all.
    complete: Option<NullBuffer>,
}

impl Given {
    /// Without rows in which a required input is NULL.
    fn of(inputs: Vec<ArrayRef>, required: &[usize], rows: usize) -> Self {
        let Some(complete) = complete(&inputs, required) else {
            return Given { inputs, rows, complete: None };
        };
        let rows = rows - complete.null_count();
        let keep = BooleanArray::new(complete.inner().clone(), None);
        let inputs = inputs.iter().map(|input| sound(filter(input, &keep))).collect();
        Given { inputs, rows, complete: Some(complete) }
    }
}

/// One input of all subjects. What is a column already isn't copied.
fn input_of(input: &Expr, columns: &[Option<ArrayRef>], subjects: usize, clock: &Clock) -> ArrayRef {
    match input.kind {
        ExprKind::Column(_) => evaluate(input, columns, subjects, clock),
        _ => derived(input, columns, subjects, clock),
    }
}

/// Which rows have all required inputs; `None` for all.
fn complete(inputs: &[ArrayRef], required: &[usize]) -> Option<NullBuffer> {
    let nulls = required.iter().filter_map(|&input| inputs[input].nulls());
    let complete = nulls.fold(None, |all: Option<NullBuffer>, nulls| NullBuffer::union(all.as_ref(), Some(nulls)));
    complete.filter(|complete| complete.null_count() > 0)
}
