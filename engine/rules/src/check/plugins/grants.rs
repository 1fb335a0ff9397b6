//! `[plugin.NAME]` and `[lookup.NAME]`: what operators let plugins have.

use super::{Offer, unknown_plugin};
use crate::{
    Lookup,
    check::{
        Checking,
        catalog::{Catalog, Entry, unknown},
    },
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    plugin::{LookupTable, PluginDescription, PluginGrants, PluginLimits},
    raw::{
        At, ConfigFile, Name, Named,
        plugin::{ActionsTable, PluginTable, Setting, TasksEntry},
    },
};

/// What one plugin is let have.
#[derive(Default)]
pub(super) struct Granted {
    pub(super) limits: PluginLimits,
    pub(super) grants: PluginGrants,
    /// Settings for rules that don't give their own.
    pub(super) config: Named<Setting>,
    /// Where it is said, if it is.
    at: Option<Location>,
    /// Something is granted that can't be read or isn't there: what is missing isn't reported then.
    incomplete: bool,
}

impl Granted {
    /// Whether its proposals would all be refused.
    pub(super) fn proposes_nothing(&self) -> bool {
        self.grants.tasks.is_none() && self.grants.events.is_none() && !self.incomplete
    }
}

impl Checking<'_> {
    /// Fills in what the configuration grants, and reports what plugins need besides.
    pub(super) fn granted(&mut self, config: &ConfigFile, catalog: &Catalog, all: &mut [Offer]) {
        let tables = config.plugin.as_ref().and_then(|named| named.value.as_ref());
        for (name, table) in tables.into_iter().flat_map(|named| &named.0) {
            match all.iter().position(|offer| offer.name == name.text) {
                Some(place) => {
                    all[place].granted = self.grant(name, table, catalog);
                    self.defaults(&all[place]);
                }
                None => {
                    let diagnostic = unknown_plugin(&name.text, &name.at, all);
                    self.out.push(diagnostic);
                }
            }
        }
        for offer in all.iter() {
            if let Some(description) = &offer.description {
                self.needs(offer, description, catalog);
            }
        }
    }

    fn grant(&mut self, name: &Name, table: &At<PluginTable>, catalog: &Catalog) -> Granted {
        let mut granted = Granted { at: Some(name.at.clone()), ..Granted::default() };
        let Some(table) = &table.value else {
            return Granted { incomplete: true, ..granted };
        };
        let of = PluginLimits::default();
        granted.limits = PluginLimits {
            memory_bytes: At::value_or(table.memory.as_ref(), of.memory_bytes, |memory| memory.0)
                .unwrap_or(of.memory_bytes),
            time_ms: At::value_or(table.time.as_ref(), of.time_ms, |time| time.0.as_millis() as u64)
                .unwrap_or(of.time_ms),
            fuel: table.fuel.as_ref().and_then(|fuel| self.fuel(fuel)),
        };
        let tables = table.lookups.as_ref().map(|lookups| lookups.value.as_deref());
        for written in tables.flatten().unwrap_or_default() {
            match self.lookup_named(written, catalog) {
                Some(place) => granted.grants.lookups.push(place),
                None => granted.incomplete = true,
            }
        }
        granted.incomplete |= tables.is_some_and(|read| read.is_none());
        match table.actions.as_ref().map(|actions| actions.value.as_ref()) {
            Some(Some(actions)) => {
                self.actions(actions, &mut granted.grants);
                granted.incomplete |= actions.tasks.as_ref().is_some_and(|tasks| tasks.value.is_none());
                granted.incomplete |= actions.events.as_ref().is_some_and(|events| events.value.is_none());
            }
            Some(None) => granted.incomplete = true,
            None => {}
        }
        granted.config = table.config.as_ref().and_then(|config| config.value.clone()).unwrap_or_default();
        granted
    }

    fn fuel(&mut self, fuel: &At<u64>) -> Option<u64> {
        if fuel.value == Some(0) {
            self.error(code::OUT_OF_RANGE, &fuel.at, "without fuel nothing runs", "write fuel = 1000000000");
        }
        fuel.value
    }

    /// The place of a look-up table.
    fn lookup_named(&mut self, name: &At<String>, catalog: &Catalog) -> Option<usize> {
        let text = name.value.as_ref()?;
        let found = catalog.lookups.iter().position(|entry| entry.name.text == *text);
        if found.is_none() {
            let names = catalog.lookups.iter().map(|entry| entry.name.text.as_str());
            let diagnostic = unknown(code::UNKNOWN_LOOKUP, "look-up table", text, &name.at, names);
            self.out.push(diagnostic);
        }
        found
    }

    fn actions(&mut self, written: &ActionsTable, grants: &mut PluginGrants) {
        let tasks = written.tasks.as_ref().and_then(|tasks| tasks.value.as_ref());
        grants.tasks = tasks.and_then(|tasks| match tasks {
            TasksEntry::Any(any) => any.then(Vec::new),
            TasksEntry::Channels(channels) => Some(self.words(channels)),
        });
        // An empty list would mean any.
        if let (Some(TasksEntry::Channels(channels)), Some(at)) = (tasks, written.tasks.as_ref().map(|tasks| &tasks.at))
            && channels.is_empty()
        {
            let help = "name channels, or leave `tasks` out for none";
            self.error(code::EMPTY_VALUE, at, "there are no channels", help);
        }
        if let Some(owners) = &written.owners {
            if owners.value.as_ref().is_some_and(Vec::is_empty) {
                let help = "name owners, or leave `owners` out for any";
                self.error(code::EMPTY_VALUE, &owners.at, "there are no owners", help);
            }
            grants.owners = self.words(owners.value.as_deref().unwrap_or_default());
        }
        let events = written.events.as_ref().and_then(|events| events.value.as_deref());
        grants.events = Some(self.words(events.unwrap_or_default())).filter(|names| !names.is_empty());
        grants.per_subject = At::value_or(written.per_subject.as_ref(), 1, |most| *most).unwrap_or(1);
        if let (0, Some(most)) = (grants.per_subject, &written.per_subject) {
            let help = "leave `actions` out for none";
            self.error(code::OUT_OF_RANGE, &most.at, "this lets it propose nothing", help);
        }
    }

    fn words(&mut self, written: &[At<String>]) -> Vec<String> {
        written.iter().filter_map(|word| self.text(word)).collect()
    }

    /// Whether a plugin is granted the tables that it looks things up in, with the columns that it needs.
    fn needs(&mut self, offer: &Offer, description: &PluginDescription, catalog: &Catalog) {
        for wanted in &description.lookups {
            let mut granted = offer.granted.grants.lookups.iter().map(|&place| &catalog.lookups[place]);
            match granted.find(|entry| entry.name.text == wanted.name) {
                Some(entry) => self.needs_columns(offer, wanted, entry),
                None if offer.granted.incomplete => {}
                None => self.missing_grant(offer, wanted, catalog),
            }
        }
    }

    fn missing_grant(&mut self, offer: &Offer, wanted: &LookupTable, catalog: &Catalog) {
        let (plugin, table) = (&offer.name, &wanted.name);
        let headline = format!("plugin `{plugin}` looks things up in `{table}`, which isn't granted to it");
        let grant = format!("[plugin.{plugin}] lookups = [\"{table}\"]");
        let help = match catalog.lookups.iter().any(|entry| entry.name.text == *table) {
            true => format!("grant it in tierd.toml: {grant}"),
            false => format!("declare [lookup.{table}] with {} in tierd.toml, and grant it: {grant}", columns(wanted)),
        };
        let at = offer.granted.at.as_ref().unwrap_or(&offer.at);
        self.error(code::MISSING_GRANT, at, headline, help);
    }

    fn needs_columns(&mut self, offer: &Offer, wanted: &LookupTable, entry: &Entry<Lookup>) {
        let Some(columns) = &entry.columns else { return };
        let (plugin, table) = (&offer.name, &wanted.name);
        for (name, ty) in &wanted.columns {
            match columns.iter().find(|(column, _)| column.text == *name) {
                None => {
                    let headline = format!("look-up table `{table}` has no column `{name}`, which `{plugin}` needs");
                    let help = format!("declare it among its columns: a column of type {ty}");
                    self.error(code::LOOKUP_COLUMN, &entry.name.at, headline, help);
                }
                Some((_, Some(column))) if column.ty != *ty => {
                    let headline = format!("plugin `{plugin}` needs `{name}` as {ty}, it is {}", column.ty);
                    let diagnostic = Diagnostic::error(code::LOOKUP_COLUMN, &column.at, headline);
                    self.out.push(diagnostic.help("declare it so, or read it from a view that makes it so"));
                }
                Some(_) => {}
            }
        }
    }
}

fn columns(wanted: &LookupTable) -> String {
    let columns: Vec<String> = wanted.columns.iter().map(|(name, ty)| format!("{name} ({ty})")).collect();
    format!("the columns {}", columns.join(", "))
}
