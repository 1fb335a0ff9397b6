//! `tierd.toml`: subjects and facts with their columns.
//!
//! A column or table that is wrong keeps its name here, so that rules that use it aren't reported as well.

use std::sync::Arc;

use tierd_model::{KeyType, Type, Zone};

use super::Checking;
use crate::{
    AmountEncoding, Column, Config, Encoding, Facts, Limit, Subject, SubjectId, TimeEncoding, code,
    diagnostic::Diagnostic,
    expr::Expr,
    fileset::Location,
    raw::{
        At, ConfigFile, Name, Named,
        config::{EncodingName, FactsTable, KeyTypeName, SubjectTable},
        values::{ColumnEntry, KeyEntry},
    },
    suggest::nearest,
    typing::{Scope, Typing},
};

/// What the configuration declares.
pub(super) struct Catalog {
    pub(super) zone: Arc<Zone>,
    pub(super) subjects: Vec<Entry<Subject>>,
    pub(super) facts: Vec<Entry<Facts>>,
    /// Its subjects and facts are in the entries.
    frame: Option<Config>,
}

/// A table by its name: its columns, and all of it, as far as they are good.
pub(super) struct Entry<T> {
    pub(super) name: Name,
    pub(super) columns: Columns,
    /// Of facts: whom they are about.
    pub(super) subject: Option<SubjectId>,
    pub(super) table: Option<T>,
}

/// Columns by name; `None` for all of them where the table can't be read.
pub(super) type Columns = Option<Vec<(Name, Option<Column>)>>;

impl Catalog {
    /// The configuration, if all of it is good.
    pub(super) fn config(&self) -> Option<Config> {
        let subjects = self.subjects.iter().map(|entry| entry.table.clone()).collect::<Option<Vec<_>>>()?;
        let facts = self.facts.iter().map(|entry| entry.table.clone()).collect::<Option<Vec<_>>>()?;
        self.frame.clone().map(|frame| Config { subjects, facts, ..frame })
    }

    /// The subject of this name.
    pub(super) fn subject(&self, name: &str) -> Option<SubjectId> {
        self.subjects.iter().position(|entry| entry.name.text == name).map(SubjectId)
    }

    /// An attribute of a subject.
    pub(super) fn attribute(&self, subject: SubjectId, name: &str) -> Option<(usize, &Option<Column>)> {
        let columns = self.subjects[subject.0].columns.as_ref()?;
        columns.iter().enumerate().find(|(_, (column, _))| column.text == name).map(|(i, (_, column))| (i, column))
    }
}

/// The scope of a table's columns.
pub(super) fn columns_scope<'a>(columns: &'a Columns, owner: &str, noun: &'static str) -> Scope<'a> {
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
    /// `None` only where there is no zone: literals of time then have no meaning.
    pub(super) fn catalog(&mut self, config: &ConfigFile) -> Option<Catalog> {
        let zone = self.zone(&config.time_zone).unwrap_or_else(|| Arc::new(Zone::utc()));
        let frame = self.frame(config, &zone);
        let named = |named: &At<Named<SubjectTable>>| named.value.as_ref().map(|named| named.0.len());
        if named(&config.subject) == Some(0) {
            let help = "write `[subject.customer]` with `table` and `key`";
            self.error(code::EMPTY_VALUE, &config.subject.at, "there is no subject", help);
        }
        let subjects: Vec<_> =
            entries(Some(&config.subject)).map(|(name, table)| self.subject(name, table, &zone)).collect();
        let mut catalog = Catalog { zone, subjects, facts: vec![], frame };
        for (name, table) in entries(config.facts.as_ref()) {
            let facts = self.facts(name, table, &catalog);
            catalog.facts.push(facts);
        }
        Some(catalog)
    }

    fn zone(&mut self, name: &At<String>) -> Option<Arc<Zone>> {
        let zone = Zone::new(name.value.as_ref()?);
        let report = |_| {
            let headline = format!("no time zone `{}`", name.value.as_deref().unwrap_or(""));
            let help = "use a name of the IANA database such as Asia/Shanghai, Europe/Paris or UTC";
            self.error(code::UNKNOWN_ZONE, &name.at, headline, help);
        };
        zone.map(Arc::new).map_err(report).ok()
    }

    /// All but subjects and facts.
    fn frame(&mut self, config: &ConfigFile, zone: &Arc<Zone>) -> Option<Config> {
        let rules = self.text_or(config.rules.as_ref(), super::DEFAULT_RULES_FOLDER);
        let ledger = config.ledger.as_ref().and_then(|ledger| ledger.value.as_ref()?.path.as_ref());
        let ledger = self.text_or(ledger, "tierd.ledger");
        let database = config.database.value.as_ref()?;
        let path = self.text(&database.sqlite);
        let limit = |limit: &Option<At<crate::raw::values::Parsed<_>>>, default| match limit {
            Some(limit) => {
                limit.value.as_ref().map(|limit: &crate::raw::values::Parsed<crate::raw::values::LimitText>| limit.0)
            }
            None => Some(default),
        };
        Some(Config {
            database: path?,
            ledger: ledger?,
            rules: rules?,
            zone: zone.clone(),
            bad_values: limit(&database.bad_values, Limit::Rows(0))?,
            unknown_subjects: limit(&database.unknown_subjects, Limit::Unlimited)?,
            subjects: vec![],
            facts: vec![],
        })
    }

    fn subject(&mut self, name: &Name, written: &At<SubjectTable>, zone: &Zone) -> Entry<Subject> {
        self.identifier(name);
        let columns = written.value.as_ref().and_then(|table| match &table.attributes {
            Some(attributes) => self.columns(attributes),
            None => Some(vec![]),
        });
        let table = written.value.as_ref().and_then(|table| {
            let scope = columns_scope(&columns, &format!("subject `{}`", name.text), "attribute");
            let filter = self.filter(table.filter.as_ref(), &scope, zone);
            let (source, key) = (self.text(&table.table), self.key(&table.key));
            let (key, key_type) = key?;
            let attributes = good_columns(&columns)?;
            let (at, name) = (name.at.clone(), name.text.clone());
            Some(Subject { name, table: source?, key, key_type, filter: filter?, attributes, at })
        });
        Entry { name: name.clone(), columns, subject: None, table }
    }

    fn key(&mut self, key: &At<KeyEntry>) -> Option<(String, KeyType)> {
        match key.value.as_ref()? {
            KeyEntry::Short(column) => {
                let column = At { value: Some(column.clone()), at: key.at.clone() };
                Some((self.text(&column)?, KeyType::Integer))
            }
            KeyEntry::Long(table) => {
                let ty = match &table.r#type {
                    None => KeyType::Integer,
                    Some(ty) => match ty.value? {
                        KeyTypeName::Integer => KeyType::Integer,
                        KeyTypeName::Text => KeyType::Text,
                    },
                };
                Some((self.text(&table.column)?, ty))
            }
        }
    }

    fn facts(&mut self, name: &Name, written: &At<FactsTable>, catalog: &Catalog) -> Entry<Facts> {
        self.identifier(name);
        let columns = written.value.as_ref().and_then(|table| self.columns(&table.columns));
        let subject = written.value.as_ref().and_then(|table| self.subject_named(&table.subject, catalog));
        let table = written.value.as_ref().and_then(|table| {
            let scope = columns_scope(&columns, &format!("`{}`", name.text), "column");
            let filter = self.filter(table.filter.as_ref(), &scope, &catalog.zone);
            let time = self.time_column(&table.time, &columns);
            let (source, subject_column) = (self.text(&table.table), self.text(&table.subject_column));
            let fresh = match &table.fresh {
                Some(fresh) => Some(fresh.value.as_ref()?.0),
                None => None,
            };
            let may_be_empty = table.may_be_empty.as_ref().map_or(Some(false), |may| may.value)?;
            let columns = good_columns(&columns)?;
            let (table, subject_column, filter) = (source?, subject_column?, filter?);
            let (at, name) = (name.at.clone(), name.text.clone());
            Some(Facts {
                name,
                table,
                subject: subject?,
                subject_column,
                time: time?,
                filter,
                fresh,
                may_be_empty,
                columns,
                at,
            })
        });
        Entry { name: name.clone(), columns, subject, table }
    }

    /// The subject that a key names.
    pub(super) fn subject_named(&mut self, name: &At<String>, catalog: &Catalog) -> Option<SubjectId> {
        let text = name.value.as_ref()?;
        let found = catalog.subject(text);
        if found.is_none() {
            let names = catalog.subjects.iter().map(|entry| entry.name.text.as_str());
            let diagnostic = unknown(code::UNKNOWN_SUBJECT, "subject", text, &name.at, names);
            self.out.push(diagnostic);
        }
        found
    }

    fn time_column(&mut self, time: &At<String>, columns: &Columns) -> Option<usize> {
        let (name, columns) = (time.value.as_ref()?, columns.as_ref()?);
        let Some(index) = columns.iter().position(|(column, _)| column.text == *name) else {
            let names = columns.iter().map(|(column, _)| column.text.as_str());
            let headline = format!("`{name}` isn't among the columns");
            let diagnostic = Diagnostic::error(code::BAD_TIME_COLUMN, &time.at, headline);
            let help = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: {name} = {{ type = \"timestamp\", encoding = \"iso8601\" }}"),
            };
            self.out.push(diagnostic.help(help));
            return None;
        };
        let column = columns[index].1.as_ref()?;
        if !matches!(column.ty, Type::Date | Type::Timestamp) {
            let headline = format!("the time column must be a date or timestamp, `{name}` is {}", column.ty);
            let diagnostic = Diagnostic::error(code::BAD_TIME_COLUMN, &time.at, headline);
            let help = "name a column that says when it happened";
            self.out.push(diagnostic.other(&column.at, "declared here").help(help));
            return None;
        }
        Some(index)
    }

    /// A row filter; `Some(None)` where there is none.
    fn filter(&mut self, filter: Option<&At<String>>, scope: &Scope<'_>, zone: &Zone) -> Option<Option<Expr>> {
        let Some(filter) = filter else {
            return Some(None);
        };
        let node = self.parse(filter)?;
        Typing { files: self.files, zone, scope, out: self.out }.condition(&node).map(Some)
    }

    fn columns(&mut self, written: &At<Named<ColumnEntry>>) -> Columns {
        let written = written.value.as_ref()?;
        Some(written.0.iter().map(|(name, entry)| (name.clone(), self.column(name, entry))).collect())
    }

    fn column(&mut self, name: &Name, written: &At<ColumnEntry>) -> Option<Column> {
        let rename = "; the table's own name goes into `column`: `name = { column = \"…\", type = \"…\" }`";
        self.expression_name(name, rename);
        let (column, ty, encoding, personal) = match written.value.as_ref()? {
            ColumnEntry::Short(ty) => (Some(name.text.clone()), Some(ty.0), None, Some(false)),
            ColumnEntry::Long(table) => {
                let personal = table.personal.as_ref().map_or(Some(false), |personal| personal.value);
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

fn entries<T>(named: Option<&At<Named<T>>>) -> impl Iterator<Item = &(Name, At<T>)> {
    named.and_then(|named| named.value.as_ref()).into_iter().flat_map(|named| &named.0)
}

fn good_columns(columns: &Columns) -> Option<Vec<Column>> {
    columns.as_ref()?.iter().map(|(_, column)| column.clone()).collect()
}

/// A name that nothing has, with the one that was probably meant.
pub(super) fn unknown<'a>(
    code: &'static str,
    noun: &str,
    name: &str,
    at: &Location,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "tierd.toml declares none".to_owned(),
        None => format!("tierd.toml declares {}", known.join(", ")),
    };
    Diagnostic::error(code, at, format!("no {noun} `{name}`")).help(help)
}
