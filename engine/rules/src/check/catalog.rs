//! `tierd.toml`: subjects and facts with their columns.
//!
//! A column or table that is wrong keeps its name here, so that rules that use it aren't reported as well.

use std::sync::Arc;

use tierd_model::{KeyType, Type, Zone};

use self::columns::good_columns;
pub(super) use self::columns::{Columns, columns_scope};
use super::{Checking, plugins::Offers, points::Programs};
use crate::{
    Column, Config, Facts, FactsId, Limit, Lookup, Parent, Subject, SubjectId, code,
    diagnostic::Diagnostic,
    expr::Expr,
    fileset::Location,
    raw::{
        At, ConfigFile, Name, Named,
        config::{FactsTable, KeyTypeName, SubjectTable},
        plugin::LookupTable,
        values::KeyEntry,
    },
    suggest::nearest,
    typing::{Scope, Typing},
};

mod columns;
mod parents;

/// What the configuration declares.
pub(super) struct Catalog {
    pub(super) zone: Arc<Zone>,
    pub(super) subjects: Vec<Entry<Subject>>,
    pub(super) facts: Vec<Entry<Facts>>,
    /// Tables in which plugins may be granted to look things up.
    pub(super) lookups: Vec<Entry<Lookup>>,
    /// Plugins beside the rules.
    pub(super) plugins: Offers,
    /// Points programs, which metrics may be about. They are in rule files, but depend on nothing but facts.
    pub(super) programs: Programs,
    /// By subject: the group that it belongs to.
    pub(super) parents: Vec<Option<Parent>>,
    /// Its subjects, facts and look-up tables are in the entries.
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

impl Catalog {
    /// The configuration, if all of it is good.
    pub(super) fn config(&self) -> Option<Config> {
        let subjects = self.subjects.iter().zip(&self.parents);
        let subjects = subjects.map(|(entry, &parent)| Some(Subject { parent, ..entry.table.clone()? }));
        let subjects = subjects.collect::<Option<Vec<_>>>()?;
        let facts = self.facts.iter().map(|entry| entry.table.clone()).collect::<Option<Vec<_>>>()?;
        let lookups = self.lookups.iter().map(|entry| entry.table.clone()).collect::<Option<Vec<_>>>()?;
        self.frame.clone().map(|frame| Config { subjects, facts, lookups, ..frame })
    }

    /// The subject of this name.
    pub(super) fn subject(&self, name: &str) -> Option<SubjectId> {
        self.subjects.iter().position(|entry| entry.name.text == name).map(SubjectId)
    }

    /// The group that a subject belongs to.
    pub(super) fn parent(&self, subject: SubjectId) -> Option<SubjectId> {
        self.parents.get(subject.0).copied().flatten().map(|parent| parent.subject)
    }

    /// The subjects that belong to groups, by name.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Name> {
        let members = (0..self.subjects.len()).filter(|&i| self.parent(SubjectId(i)).is_some());
        members.map(|i| &self.subjects[i].name)
    }

    /// The names of a subject's attributes.
    pub(super) fn attributes(&self, subject: SubjectId) -> impl Iterator<Item = &str> {
        self.subjects[subject.0].columns.iter().flatten().map(|(name, _)| name.text.as_str())
    }

    /// An attribute of a subject.
    pub(super) fn attribute(&self, subject: SubjectId, name: &str) -> Option<(usize, &Option<Column>)> {
        let columns = self.subjects[subject.0].columns.as_ref()?;
        columns.iter().enumerate().find(|(_, (column, _))| column.text == name).map(|(i, (_, column))| (i, column))
    }
}

impl Checking<'_> {
    pub(super) fn catalog(&mut self, config: &ConfigFile) -> Catalog {
        // Without a zone nothing is loaded; until then any zone serves.
        let zone = self.zone(&config.time_zone).unwrap_or_else(|| Arc::new(Zone::utc()));
        let frame = self.frame(config, &zone);
        if config.subject.value.as_ref().is_some_and(|named| named.0.is_empty()) {
            let help = "write `[subject.customer]` with `table` and `key`";
            self.error(code::EMPTY_VALUE, &config.subject.at, "there is no subject", help);
        }
        let subjects: Vec<_> =
            entries(Some(&config.subject)).map(|(name, table)| self.subject(name, table, &zone)).collect();
        let lookups = entries(config.lookup.as_ref()).map(|(name, table)| self.look_up_table(name, table)).collect();
        let (facts, parents, programs, plugins) = (vec![], vec![], Programs::default(), Offers::default());
        let mut catalog = Catalog { zone, subjects, facts, lookups, plugins, programs, parents, frame };
        self.parents(config, &mut catalog);
        for (name, table) in entries(config.facts.as_ref()) {
            let facts = self.facts(name, table, &catalog);
            catalog.facts.push(facts);
        }
        catalog
    }

    pub(super) fn zone(&mut self, name: &At<String>) -> Option<Arc<Zone>> {
        let zone = Zone::new(name.value.as_ref()?);
        let report = |_| {
            let headline = format!("no time zone `{}`", name.value.as_deref().unwrap_or(""));
            let help = "use a name of the IANA database such as Asia/Shanghai, Europe/Paris or UTC";
            self.error(code::UNKNOWN_ZONE, &name.at, headline, help);
        };
        zone.map(Arc::new).map_err(report).ok()
    }

    /// All but subjects, facts and look-up tables.
    fn frame(&mut self, config: &ConfigFile, zone: &Arc<Zone>) -> Option<Config> {
        let rules = self.text_or(config.rules.as_ref(), super::DEFAULT_RULES_FOLDER);
        let ledger = config.ledger.as_ref().and_then(|ledger| ledger.value.as_ref()?.path.as_ref());
        let ledger = self.text_or(ledger, super::DEFAULT_LEDGER);
        let database = config.database.value.as_ref()?;
        let path = self.text(&database.sqlite);
        let http = self.http(config.http.as_ref());
        Some(Config {
            database: path?,
            ledger: ledger?,
            rules: rules?,
            zone: zone.clone(),
            bad_values: At::value_or(database.bad_values.as_ref(), Limit::Rows(0), |limit| limit.0)?,
            unknown_subjects: At::value_or(database.unknown_subjects.as_ref(), Limit::Unlimited, |limit| limit.0)?,
            http: http?,
            subjects: vec![],
            facts: vec![],
            lookups: vec![],
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
            Some(Subject { name, table: source?, key, key_type, filter: filter?, attributes, parent: None, at })
        });
        Entry { name: name.clone(), columns, subject: None, table }
    }

    fn look_up_table(&mut self, name: &Name, written: &At<LookupTable>) -> Entry<Lookup> {
        self.identifier(name);
        let columns = written.value.as_ref().and_then(|table| self.columns(&table.columns));
        let table = written.value.as_ref().and_then(|table| {
            let (source, key) = (self.text(&table.table), self.key(&table.key));
            let may_be_empty = At::value_or(table.may_be_empty.as_ref(), false, |may| *may)?;
            let ((key, key_type), columns) = (key?, good_columns(&columns)?);
            let (at, name) = (name.at.clone(), name.text.clone());
            Some(Lookup { name, table: source?, key, key_type, may_be_empty, columns, at })
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
                let ty = At::value_or(table.r#type.as_ref(), KeyType::Integer, |ty| match ty {
                    KeyTypeName::Integer => KeyType::Integer,
                    KeyTypeName::Text => KeyType::Text,
                });
                Some((self.text(&table.column)?, ty?))
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
            let fresh = At::value_or(table.fresh.as_ref(), None, |fresh| Some(fresh.0))?;
            let may_be_empty = At::value_or(table.may_be_empty.as_ref(), false, |may| *may)?;
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

    /// The facts that a key names.
    pub(super) fn facts_named(&mut self, name: &At<String>, catalog: &Catalog) -> Option<FactsId> {
        let text = name.value.as_ref()?;
        let found = catalog.facts.iter().position(|entry| entry.name.text == *text);
        if found.is_none() {
            let names = catalog.facts.iter().map(|entry| entry.name.text.as_str());
            let diagnostic = unknown(code::UNKNOWN_FACTS, "facts", text, &name.at, names);
            self.out.push(diagnostic);
        }
        found.map(FactsId)
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
}

fn entries<T>(named: Option<&At<Named<T>>>) -> impl Iterator<Item = &(Name, At<T>)> {
    named.and_then(|named| named.value.as_ref()).into_iter().flat_map(|named| &named.0)
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
