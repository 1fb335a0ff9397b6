//! CSV files whose columns are given to plugins.

use std::path::Path;

use arrow_array::ArrayRef;
use tierd_model::{Type, Zone};

use super::columns;
use crate::exit::{Code, Failure};

/// A CSV file.
pub(super) struct Csv {
    pub(super) name: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Csv {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let bad = |error: csv::Error| Failure::new(Code::Failed, format!("{name} can't be read as CSV: {error}"));
        let mut reader = csv::Reader::from_path(path).map_err(bad)?;
        let owned = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let mut header = owned(reader.headers().map_err(bad)?);
        // Spreadsheets begin their files with a byte order mark.
        if let Some(first) = header.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        let rows = reader.records().map(|record| record.map(|record| owned(&record)).map_err(bad));
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(Csv { name, header, rows })
    }

    /// The place of a column, if it is there.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name.trim() == column)
    }

    pub(super) fn cells(&self, column: &str) -> Result<Vec<String>, Failure> {
        let place = self.place(column).ok_or_else(|| {
            let header = self.header.join(", ");
            Failure::new(Code::Failed, format!("{} has no column `{column}`; it has {header}", self.name))
        })?;
        Ok(self.cells_at(place))
    }

    /// The cells of the column at a place that is there.
    pub(super) fn cells_at(&self, place: usize) -> Vec<String> {
        self.rows.iter().map(|row| row[place].clone()).collect()
    }

    pub(super) fn column(&self, column: &str, ty: Type, zone: &Zone) -> Result<ArrayRef, Failure> {
        columns::parse(ty, &self.cells(column)?, zone).map_err(|row| self.bad(column, row, ty))
    }

    /// A cell, by its row from 0, that isn't of the type.
    pub(super) fn bad(&self, column: &str, row: usize, ty: Type) -> Failure {
        Failure::new(Code::Failed, format!("{}:{}: column `{column}` is no {ty}", self.name, line(row)))
    }
}

/// The line of a row from 0, below the header.
pub(super) fn line(row: usize) -> usize {
    row + 2
}
