//! Tables that plugins look things up in: what an operator has granted, read by the run beforehand and handed over here.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{Array, ArrayRef, StringArray, cast::AsArray, types};
use tierd_eval::columns::arrow_type;
use tierd_model::Type;
use tierd_rules::plugin::{LookupTable, Plugin, PluginDescription};

use crate::contract::{Given, GivenTexts, GivenValues};

/// Keys that are looked up at once, at most.
const KEYS: usize = 65_536;
/// Bytes that are found at once, at most.
const FOUND_BYTES: usize = 16 << 20;

/// A table to look things up in, by key.
#[derive(Debug)]
pub struct LookupData {
    name: String,
    columns: Vec<LookupColumn>,
    rows: HashMap<Box<str>, u32>,
}

#[derive(Debug)]
struct LookupColumn {
    name: String,
    ty: Type,
    values: ArrayRef,
}

/// Why something can't be a table to look things up in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupProblem {
    /// A column isn't of its type, or of another length than the keys.
    #[error("lookup table {table}: column {column} isn't {rows} values of its type")]
    Column {
        /// Of the table.
        table: String,
        /// Of the column.
        column: String,
        /// How many keys there are.
        rows: usize,
    },
    /// A key is there more than once.
    #[error("lookup table {table}: a key is in rows {first} and {second}")]
    Twice {
        /// Of the table.
        table: String,
        /// The one row, from 0.
        first: usize,
        /// The other.
        second: usize,
    },
}

impl LookupData {
    /// A table by its name in the configuration: a key for each row (rows without one are never found), and columns by name and type, as
    /// Arrow has it in evaluations.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{Float64Array, StringArray};
    /// use tierd_host::LookupData;
    /// use tierd_model::Type;
    /// let keys = StringArray::from(vec!["north", "south"]);
    /// let risk = Arc::new(Float64Array::from(vec![0.25, 0.5]));
    /// assert!(LookupData::new("regions", &keys, vec![("risk".to_owned(), Type::Real, risk)]).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`LookupProblem`].
    pub fn new(
        name: impl Into<String>,
        keys: &StringArray,
        columns: Vec<(String, Type, ArrayRef)>,
    ) -> Result<Self, LookupProblem> {
        let name = name.into();
        for (column, ty, values) in &columns {
            if values.len() != keys.len() || *values.data_type() != arrow_type(*ty) {
                return Err(LookupProblem::Column { table: name, column: column.clone(), rows: keys.len() });
            }
        }
        let mut rows = HashMap::with_capacity(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            if let Some(first) = rows.insert(key.into(), row as u32) {
                return Err(LookupProblem::Twice { table: name, first: first as usize, second: row });
            }
        }
        let columns = columns.into_iter().map(|(name, ty, values)| LookupColumn { name, ty, values }).collect();
        Ok(LookupData { name, columns, rows })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The tables that a plugin may look things up in, as it described them.
#[derive(Default)]
pub(crate) struct Granted {
    tables: Vec<GrantedTable>,
}

struct GrantedTable {
    name: String,
    columns: Result<Vec<GrantedColumn>, String>,
    /// `None` for a table in which nothing is found.
    data: Option<Arc<LookupData>>,
}

struct GrantedColumn {
    ty: Type,
    /// Index into the columns of the data.
    at: usize,
}

impl Granted {
    /// Those of the described tables that this plugin is granted and that are there.
    pub(crate) fn to(plugin: &Plugin, lookups: &[Option<Arc<LookupData>>]) -> Self {
        let granted = |name: &str| {
            let tables = plugin.grants.lookups.iter().filter_map(|&at| lookups.get(at)?.clone());
            tables.into_iter().find(|data| data.name == name)
        };
        let tables = plugin.description.lookups.iter().filter_map(|table| {
            let data = granted(&table.name)?;
            Some(GrantedTable { name: table.name.clone(), columns: columns_of(table, &data), data: Some(data) })
        });
        Granted { tables: tables.collect() }
    }

    /// All described tables, with nothing in them.
    pub(crate) fn empty(description: &PluginDescription) -> Self {
        let tables = description.lookups.iter().map(|table| {
            let columns = table.columns.iter().map(|(_, ty)| GrantedColumn { ty: *ty, at: 0 });
            GrantedTable { name: table.name.clone(), columns: Ok(columns.collect()), data: None }
        });
        Granted { tables: tables.collect() }
    }
}

fn columns_of(table: &LookupTable, data: &LookupData) -> Result<Vec<GrantedColumn>, String> {
    let column = |(name, ty): &(String, Type)| {
        let at = data.columns.iter().position(|column| column.name == *name && column.ty == *ty);
        let missing = || format!("table {} has no column {name} of type {ty}", table.name);
        Ok(GrantedColumn { ty: *ty, at: at.ok_or_else(missing)? })
    };
    table.columns.iter().map(column).collect()
}

/// For each key a row of the table; in a sentence why not.
pub(crate) fn find(granted: Option<&Granted>, table: &str, keys: &GivenTexts) -> Result<Vec<Given>, String> {
    let table = granted.and_then(|granted| granted.tables.iter().find(|granted| granted.name == table));
    let table = table.ok_or("no such table is granted")?;
    let columns = table.columns.as_ref().map_err(String::clone)?;
    let rows = rows_of(table.data.as_deref(), keys)?;
    let mut left = FOUND_BYTES;
    let column = |column: &GrantedColumn| {
        let values = table.data.as_deref().and_then(|data| data.columns.get(column.at)).map(|column| &column.values);
        found(column.ty, values, &rows, &mut left)
    };
    columns.iter().map(column).collect()
}

/// The row of each key.
fn rows_of(data: Option<&LookupData>, keys: &GivenTexts) -> Result<Vec<Option<u32>>, String> {
    let GivenTexts { offsets, bytes } = keys;
    if offsets.is_empty() || offsets.len() > KEYS + 1 {
        return Err(format!("keys are 0 to {KEYS} texts with one offset more"));
    }
    let key = |two: &[u32]| {
        let key = bytes
            .get(two[0] as usize..two[1] as usize)
            .ok_or("offsets of keys don't ascend to the end of the bytes")?;
        let key = std::str::from_utf8(key).map_err(|_| "keys aren't UTF-8")?;
        Ok(data.and_then(|data| data.rows.get(key).copied()))
    };
    offsets.windows(2).map(key).collect()
}

/// These rows of a column, so far as they have a value.
fn found(ty: Type, values: Option<&ArrayRef>, rows: &[Option<u32>], left: &mut usize) -> Result<Given, String> {
    let at = |row: &Option<u32>| {
        let (row, values) = ((*row)? as usize, values?);
        values.is_valid(row).then_some((row, values))
    };
    take(left, rows.len() * 8)?;
    let mut valid = vec![0_u8; rows.len().div_ceil(8)];
    rows.iter().enumerate().filter(|(_, row)| at(row).is_some()).for_each(|(i, _)| valid[i / 8] |= 1 << (i % 8));
    macro_rules! primitive {
        ($arrow:ty) => {
            rows.iter().map(|row| {
                at(row).map_or_else(Default::default, |(row, values)| values.as_primitive::<$arrow>().value(row))
            })
        };
    }
    let values = match ty {
        Type::Integer => GivenValues::Integers(primitive!(types::Int64Type).collect()),
        Type::Real => GivenValues::Reals(primitive!(types::Float64Type).collect()),
        Type::Date => GivenValues::Dates(primitive!(types::Date32Type).collect()),
        Type::Timestamp => GivenValues::Timestamps(primitive!(types::TimestampMicrosecondType).collect()),
        Type::Decimal(_) => {
            let units = primitive!(types::Decimal128Type).map(i64::try_from).collect::<Result<_, _>>();
            GivenValues::Decimals(units.map_err(|_| "a decimal has more than 64 bits")?)
        }
        Type::Bool => {
            let booleans = rows.iter().map(|row| at(row).is_some_and(|(row, values)| values.as_boolean().value(row)));
            GivenValues::Booleans(booleans.map(u8::from).collect())
        }
        Type::Text => {
            let mut texts = GivenTexts { offsets: vec![0], bytes: Vec::new() };
            for row in rows {
                let text = at(row).map_or("", |(row, values)| values.as_string::<i32>().value(row));
                take(left, text.len())?;
                texts.bytes.extend_from_slice(text.as_bytes());
                texts.offsets.push(texts.bytes.len() as u32);
            }
            GivenValues::Texts(texts)
        }
    };
    Ok(Given { values, valid: Some(valid) })
}

fn take(left: &mut usize, bytes: usize) -> Result<(), String> {
    *left = left.checked_sub(bytes).ok_or_else(|| format!("more than {} MiB were found at once", FOUND_BYTES >> 20))?;
    Ok(())
}
