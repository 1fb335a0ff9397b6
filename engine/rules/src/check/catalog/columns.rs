//! Columns: types, encodings, and what they are for expressions.

use tierd_model::Type;

use crate::{
    AmountEncoding, Column, Encoding, TimeEncoding,
    check::Checking,
    code,
    fileset::Location,
    raw::{At, Name, Named, config::EncodingName, values::ColumnEntry},
    typing::Scope,
};

/// Columns by name; `None` for all of them where the table can't be read.
pub(in crate::check) type Columns = Option<Vec<(Name, Option<Column>)>>;

/// All columns, if all are good.
pub(super) fn good_columns(columns: &Columns) -> Option<Vec<Column>> {
    columns.as_ref()?.iter().map(|(_, column)| column.clone()).collect()
}

/// The scope of a table's columns.
pub(in crate::check) fn columns_scope<'a>(columns: &'a Columns, owner: &str, noun: &'static str) -> Scope<'a> {
    let names: Vec<&str> = columns.iter().flatten().map(|(name, _)| name.text.as_str()).collect();
    let hint = match names.is_empty() {
        true => format!("{owner} has none; declare it in tierd.toml"),
        false => format!("{owner} has {}; text is written 'in single quotes'", names.join(", ")),
    };
    let mut scope = Scope::new(owner.to_owned(), noun, hint);
    if columns.is_none() {
        scope.incomplete();
    }
    for (index, (name, column)) in columns.iter().flatten().enumerate() {
        scope.add(&name.text, column.as_ref().map(|column| (index, column.ty)));
    }
    scope
}

impl Checking<'_> {
    pub(super) fn columns(&mut self, written: &At<Named<ColumnEntry>>) -> Columns {
        let written = written.value.as_ref()?;
        Some(written.0.iter().map(|(name, entry)| (name.clone(), self.column(name, entry))).collect())
    }

    fn column(&mut self, name: &Name, written: &At<ColumnEntry>) -> Option<Column> {
        let rename = "; the table's own name goes into `column`: `name = { column = \"…\", type = \"…\" }`";
        self.expression_name(name, rename);
        let (column, ty, encoding, personal) = match written.value.as_ref()? {
            ColumnEntry::Short(ty) => (Some(name.text.clone()), Some(ty.0), None, Some(false)),
            ColumnEntry::Long(table) => {
                let personal = At::value_or(table.personal.as_ref(), false, |personal| *personal);
                let column = self.text_or(table.column.as_ref(), &name.text);
                (column, table.r#type.value.as_ref().map(|ty| ty.0), table.encoding.as_ref(), personal)
            }
        };
        let ty = ty?;
        let encoding = match encoding {
            Some(encoding) => self.encoding(ty, encoding.value?, &encoding.at)?,
            None => self.no_encoding(ty, &written.at)?,
        };
        Some(Column {
            name: name.text.clone(),
            column: column?,
            ty,
            encoding,
            personal: personal?,
            at: name.at.clone(),
        })
    }

    fn encoding(&mut self, ty: Type, encoding: EncodingName, at: &Location) -> Option<Encoding> {
        use EncodingName as E;
        let found = match (ty, encoding) {
            (Type::Decimal(_), E::MinorUnits) => Some(Encoding::Amount(AmountEncoding::MinorUnits)),
            (Type::Decimal(_), E::Real) => Some(Encoding::Amount(AmountEncoding::Real)),
            (Type::Decimal(_), E::Text) => Some(Encoding::Amount(AmountEncoding::Text)),
            (Type::Date | Type::Timestamp, encoding) => time_encoding(encoding),
            _ => None,
        };
        if found.is_none() {
            let help = encodings(ty).unwrap_or("leave it out: only decimals, dates and timestamps have one");
            self.error(code::WRONG_ENCODING, at, format!("{ty} isn't stored like this"), help);
        }
        found
    }

    fn no_encoding(&mut self, ty: Type, at: &Location) -> Option<Encoding> {
        let Some(help) = encodings(ty) else {
            return Some(Encoding::Plain);
        };
        self.error(code::MISSING_ENCODING, at, format!("how is this {ty} stored?"), help);
        None
    }
}

fn time_encoding(encoding: EncodingName) -> Option<Encoding> {
    let time = match encoding {
        EncodingName::Iso8601 => TimeEncoding::Iso8601,
        EncodingName::UnixSeconds => TimeEncoding::UnixSeconds,
        EncodingName::UnixMilliseconds => TimeEncoding::UnixMilliseconds,
        EncodingName::Yyyymmdd => TimeEncoding::Yyyymmdd,
        EncodingName::JulianDay => TimeEncoding::JulianDay,
        EncodingName::MinorUnits | EncodingName::Real | EncodingName::Text => return None,
    };
    Some(Encoding::Time(time))
}

/// How to say it for this type; `None` for types that are stored in one way only.
fn encodings(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Decimal(_) => {
            Some("write encoding = \"minor_units\" (1999 is 19.99), \"real\" (a number 19.99) or \"text\" ('19.99')")
        }
        Type::Date | Type::Timestamp => Some(
            "write encoding = \"iso8601\", \"unix_seconds\", \"unix_milliseconds\", \"yyyymmdd\" or \"julian_day\"",
        ),
        _ => None,
    }
}
