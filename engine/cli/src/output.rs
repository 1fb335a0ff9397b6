//! Data on standard output, messages on standard error.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ColumnConstraint, Table as Grid, presets};
use serde_json::{Map, Value as Json};
use tierd_model::Value;

use crate::{
    args::{Color, Common, Format},
    exit::{Code, Failure},
};

/// Where a command writes, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    color: Color,
}

/// Rows with named columns, printable in every format.
#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    /// Printed as written, aligned right; in JSON a number where JSON can hold it exactly.
    Number(String),
    /// Structured in JSON, a short text elsewhere.
    Data {
        text: String,
        json: Json,
    },
}

impl Output {
    pub(crate) fn new(common: &Common) -> Self {
        Output { format: common.output, quiet: common.quiet, color: common.color }
    }

    /// Whether standard output is coloured.
    pub(crate) fn color_stdout(&self) -> bool {
        self.colors(io::stdout().is_terminal())
    }

    /// Whether standard error is coloured.
    pub(crate) fn color_stderr(&self) -> bool {
        self.colors(io::stderr().is_terminal())
    }

    fn colors(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: set and not empty means no colour.
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }

    /// A remark for people, on standard error.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Text for people on standard output.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        write_stdout(|out| writeln!(out, "{text}"))
    }

    /// A JSON document on standard output.
    pub(crate) fn json(&self, document: &impl serde::Serialize) -> Result<(), Failure> {
        write_stdout(|out| {
            serde_json::to_writer_pretty(&mut *out, document)?;
            writeln!(out)
        })
    }

    /// A table on standard output, in the format asked for. CSV `for_excel` begins with a byte order mark.
    pub(crate) fn table(&self, table: &Table, for_excel: bool) -> Result<(), Failure> {
        write_stdout(|out| table.write(out, self.format, for_excel))
    }
}

/// Writes to standard output; a reader that went away (`tierd … | head`) is no failure.
pub(crate) fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(Code::Failed, format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Table { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Writes the table in a format.
    pub(crate) fn write(&self, mut out: &mut dyn Write, format: Format, for_excel: bool) -> io::Result<()> {
        match format {
            Format::Table => writeln!(out, "{}", self.grid()),
            Format::Json => {
                serde_json::to_writer_pretty(&mut out, &self.json())?;
                writeln!(out)
            }
            Format::Csv => {
                out.write_all(if for_excel { b"\xef\xbb\xbf" } else { b"" })?;
                self.write_csv(out)
            }
        }
    }

    fn grid(&self) -> String {
        // A column without any value is left out: people look at this.
        let has_values = |&i: &usize| self.rows.is_empty() || self.rows.iter().any(|row| row[i] != Cell::Null);
        let shown: Vec<usize> = (0..self.columns.len()).filter(has_values).collect();
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        grid.set_header(shown.iter().map(|&i| &self.columns[i]));
        for row in &self.rows {
            grid.add_row(shown.iter().map(|&i| row[i].shown()));
        }
        for (column, &i) in grid.column_iter_mut().zip(&shown) {
            // No wrapping: a terminal that is too narrow shows whole cells rather than broken ones.
            column.set_constraint(ColumnConstraint::ContentWidth);
            if self.rows.iter().any(|row| matches!(row[i], Cell::Number(_))) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Json {
        let rows = self.rows.iter().map(|row| {
            let object: Map<_, _> = self.columns.iter().cloned().zip(row.iter().map(Cell::json)).collect();
            Json::Object(object)
        });
        Json::Array(rows.collect())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns.iter().map(|c| defused(c))).map_err(io_error)?;
        for row in &self.rows {
            csv.write_record(row.iter().map(Cell::csv)).map_err(io_error)?;
        }
        csv.flush()
    }
}

/// The failure of the writer below, by which a reader that went away is recognised.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Cell::Text(text.into())
    }

    pub(crate) fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or(Cell::Null, Cell::text)
    }

    pub(crate) fn number(number: impl ToString) -> Self {
        Cell::Number(number.to_string())
    }

    /// A value of a metric: exact, with all the digits of its type.
    pub(crate) fn value(value: Option<&Value>) -> Self {
        match value {
            None => Cell::Null,
            Some(value @ (Value::Integer(_) | Value::Decimal(_) | Value::Real(_))) => Cell::number(value),
            Some(value) => Cell::text(value.to_string()),
        }
    }

    fn shown(&self) -> String {
        match self {
            Cell::Null => "–".to_owned(),
            Cell::Text(text) | Cell::Data { text, .. } => text.clone(),
            Cell::Number(number) => number.clone(),
        }
    }

    /// For a CSV cell. Text that a spreadsheet would take for a formula is defused by an apostrophe.
    pub(crate) fn csv(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Text(text) | Cell::Data { text, .. } => defused(text),
            Cell::Number(number) => number.clone(),
        }
    }

    /// For JSON. Decimals are strings: a double can't hold them all.
    pub(crate) fn json(&self) -> Json {
        match self {
            Cell::Null => Json::Null,
            Cell::Text(text) => Json::String(text.clone()),
            Cell::Data { json, .. } => json.clone(),
            Cell::Number(number) => number
                .parse::<i64>()
                .map_or_else(|_| Json::String(number.clone()), |integer| Json::Number(integer.into())),
        }
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 change`, `1,234 changes`.
pub(crate) fn counted(number: u64, word: &str) -> String {
    format!("{} {word}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// Text that begins with `=`, `+`, `-`, `@`, tab or carriage return would run as a formula (OWASP, "CSV Injection").
fn defused(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["key", "名字"]);
        table.push(vec![Cell::number(7), Cell::text("=1+1")]);
        table.push(vec![Cell::number(-12), Cell::Null]);
        table
    }

    #[test]
    fn csv_defuses_formulas_but_not_numbers() {
        let mut out = Vec::new();
        table().write_csv(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "key,名字\n7,'=1+1\n-12,\n");
    }

    #[test]
    fn json_keeps_nulls_and_numbers() {
        assert_eq!(table().json().to_string(), r#"[{"key":7,"名字":"=1+1"},{"key":-12,"名字":null}]"#);
        assert_eq!(Cell::number("12000.00").json(), Json::String("12000.00".into()));
    }

    #[test]
    fn numbers_stand_right_in_a_grid() {
        assert_eq!(table().grid(), " key  名字\n   7  =1+1\n -12  –");
    }
}
